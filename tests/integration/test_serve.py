"""serve: leases and requests become names without a pass, and nothing is lost on the way."""

import base64
import fcntl
import json
import signal
import socket
import struct
import time

import pytest

from harness import Bind, free_port, wait_for
from harness.lab import FORWARD, REV24, Lab, dhcid, duid, mac, pair, ptr

SOON = 15


def ncr(name, address, who, remove=False):
    """One request as Kea sends it; who: the client that mac(who) or duid(who) stands for."""
    client = {"duid": duid(who)} if ":" in address else {"mac": mac(who)}
    text = json.dumps({
        "change-type": int(remove), "forward-change": True, "reverse-change": True,
        "fqdn": f"{name}.", "ip-address": address,
        "dhcid": base64.b64decode(dhcid(name, **client)).hex().upper(),
        "lease-expires-on": "19700101000000", "lease-length": 1200,
        "use-conflict-resolution": True})
    return struct.pack(">H", len(text)) + text.encode()


def udp_is_bound(port):
    with open("/proc/net/udp", encoding="ascii") as f:
        return any(f":{port:04X} " in line for line in f)


class Live:
    """A lab whose daemon runs."""

    def __init__(self, lab):
        self.lab = lab
        self.port = None

    def listen(self, **more):
        self.port = free_port()
        self.lab.bridge.source("ncr", "kea-ncr", listen=f"127.0.0.1:{self.port}", **more)
        return self

    def start(self, *words):
        self.daemon = self.lab.bridge.daemon(*words)
        wait_for(self.is_up, SOON, what="the daemon to be up")
        return self

    def is_up(self):
        assert self.daemon.running(), self.daemon.log_tail()
        rows = self.lab.bridge_sql("select role || ':' || of from ipambridge.role_state "
                                   "where state = 'running'")
        want = 2 + len([1 for (kind, _) in self.lab.bridge.sections[""] if kind == "source"])
        return len(rows) >= want

    def reads_zones(self):
        self.wait(lambda: self.lab.bridge_sql("select 1 from ipambridge.zone having bool_and(known)"),
                  "the zones known")

    def send(self, *messages):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for m in messages:
                s.sendto(m, ("127.0.0.1", self.port))

    def forward(self):
        return {line.split()[0] for line in self.lab.dns.axfr(FORWARD) if line.split()[1] == "A"}

    def wait(self, cond, what, deadline=SOON):
        try:
            wait_for(cond, deadline, what=what)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.daemon.log_tail(60)}") from None

    def settled(self, *groups):
        self.wait(lambda: self.lab.records() == sorted(sum(groups, [])), f"{groups} in DNS")

    def shows(self, *names):
        self.wait(lambda: set(names) <= self.forward(), f"{names} in DNS")

    def lacks(self, *names):
        self.wait(lambda: not set(names) & self.forward(), f"{names} gone from DNS")


@pytest.fixture
def live(labs, make):
    return Live(labs(make))


both = pytest.mark.parametrize("make", ["bind", "knot"], indirect=True)


@both
def test_a_lease_becomes_a_name_and_a_release_ends_it(live):
    lab = live.lab
    lab.lease(7, "early")
    live.start()
    live.shows(f"early.{FORWARD}")
    lab.lease(8, "later")
    live.shows(f"later.{FORWARD}")
    lab.leases4.release("192.0.2.7")
    live.lacks(f"early.{FORWARD}")
    live.wait(lambda: ptr("192.0.2.7") not in "".join(lab.dns.axfr(REV24)), "the PTR gone")


@both
def test_requests_become_names_and_removals_end_them(live):
    live.lab.leases4  # a source beside it
    live.listen().start()
    live.send(*(ncr(f"n{i}.{FORWARD}", f"192.0.2.{i}", i) for i in range(1, 101)))
    live.shows(*(f"n{i}.{FORWARD}" for i in range(1, 101)))
    # A rename: the removal of the old name is overtaken.
    live.send(ncr(f"new.{FORWARD}", "192.0.2.5", 5), ncr(f"n5.{FORWARD}", "192.0.2.5", 5, True))
    live.shows(f"new.{FORWARD}")
    live.lacks(f"n5.{FORWARD}")
    live.send(ncr(f"n7.{FORWARD}", "192.0.2.7", 7, True))
    live.lacks(f"n7.{FORWARD}")


@both
def test_a_request_brings_the_dhcid_of_its_client(live):
    lab = live.listen().start().lab
    live.send(ncr(f"pc.{FORWARD}", "192.0.2.1", 1))
    live.settled(pair(f"pc.{FORWARD}", "192.0.2.1", mac=mac(1)))
    mine = dhcid(f"pc.{FORWARD}", mac=mac(1))
    assert [s["dhcid"] for s in lab.why("192.0.2.1")["sightings"]] == [mine]
    assert f", DHCID {mine}, " in lab.bridge.ok("why", "192.0.2.1").stdout
    # Another client: the name with a suffix, of which there is no DHCID.
    live.send(ncr(f"pc.{FORWARD}", "192.0.2.2", 2))
    live.wait(lambda: lab.names("192.0.2.2"), "a name for the second")
    (suffixed,) = lab.names("192.0.2.2")
    assert suffixed.startswith("pc-")
    live.settled(pair(f"pc.{FORWARD}", "192.0.2.1", mac=mac(1)), pair(suffixed, "192.0.2.2"))
    # An end that comes late, of a client that had both before, is none of theirs.
    live.send(ncr(f"pc.{FORWARD}", "192.0.2.1", 9, True),
              ncr(f"last.{FORWARD}", "192.0.2.4", 4))
    live.shows(f"last.{FORWARD}")
    assert lab.names("192.0.2.1") == [f"pc.{FORWARD}"]
    live.send(ncr(f"last.{FORWARD}", "192.0.2.4", 4, True))
    # The first moves to another address and keeps its name.
    live.send(ncr(f"pc.{FORWARD}", "192.0.2.3", 1))
    live.wait(lambda: lab.names("192.0.2.3") == [f"pc.{FORWARD}"], "the name there too")
    live.send(ncr(f"pc.{FORWARD}", "192.0.2.1", 1, True))
    live.settled(pair(f"pc.{FORWARD}", "192.0.2.3", mac=mac(1)), pair(suffixed, "192.0.2.2"))
    # It has another DHCID in the other family: the name keeps the first.
    live.send(ncr(f"pc.{FORWARD}", "2001:db8::3", 1))
    live.settled(pair(f"pc.{FORWARD}", "192.0.2.3", mac=mac(1)), pair(suffixed, "192.0.2.2"),
                 [f"pc.{FORWARD} AAAA 2001:db8::3", f"{ptr('2001:db8::3')} PTR pc.{FORWARD}",
                  f"{ptr('2001:db8::3')} DHCID {dhcid(f'pc.{FORWARD}', mac=mac(1))}"])


@both
@pytest.mark.parametrize("when", ["before", "after", "instead"])
def test_the_names_of_another_updater_are_taken_over_from_requests(live, when):
    """Of one client each, at the address that it has now and at one that it had before; they came
    before the zones were read, after, or nothing was read when the requests came."""
    lab = live.lab
    live.listen()
    if when != "before":
        live.start().reads_zones()
    if when == "instead":
        lab.bridge_sql("update ipambridge.zone set known = false")
    for n in (1, 2, 3):
        for line in pair(f"pc{n}.{FORWARD}", f"192.0.2.{n}", mac=mac(n)):
            lab.dns.add(*line.split())
    if when == "before":
        live.start().reads_zones()
    live.send(ncr(f"pc1.{FORWARD}", "192.0.2.1", 1), ncr(f"pc2.{FORWARD}", "192.0.2.22", 2),
              ncr(f"pc3.{FORWARD}", "192.0.2.33", 33))
    live.wait(lambda: f"pc2.{FORWARD} A 192.0.2.22" in lab.records(), "the name moved")
    live.send(ncr(f"pc1.{FORWARD}", "192.0.2.1", 1, True))
    live.lacks(f"pc1.{FORWARD}")
    assert {owner for owner, _ in lab.conflicts()} == {f"pc3.{FORWARD}"}
    assert f"pc3.{FORWARD} A 192.0.2.3" in lab.records()


def test_it_stops_within_two_seconds_and_goes_on_where_it_was(bind_lab):
    live = Live(bind_lab).listen().start()
    live.send(ncr(f"one.{FORWARD}", "192.0.2.1", 1))
    live.shows(f"one.{FORWARD}")
    t0 = time.monotonic()
    live.daemon.signal(signal.SIGTERM)
    wait_for(lambda: not live.daemon.running(), 5, what="the daemon to end")
    assert time.monotonic() - t0 < 2
    live.start()
    live.send(ncr(f"two.{FORWARD}", "192.0.2.2", 2))
    live.shows(f"one.{FORWARD}", f"two.{FORWARD}")


def test_a_lease_ends_by_the_clock(bind_lab):
    live = Live(bind_lab)
    live.lab.lease(7, "short", valid=4)
    live.lab.lease(8, "long")
    live.start()
    live.shows(f"short.{FORWARD}", f"long.{FORWARD}")
    live.lacks(f"short.{FORWARD}")
    assert f"long.{FORWARD}" in live.forward()


def test_events_are_kept_while_the_database_is_away(labs, own_postgres, bridges, start, run_dir):
    dns = start(Bind, [FORWARD, REV24])
    bridge = bridges(own_postgres.database()).init()
    lab = Lab(run_dir, dns, bridge, own_postgres)
    live = Live(lab).listen().start()
    live.send(ncr(f"before.{FORWARD}", "192.0.2.1", 1))
    live.shows(f"before.{FORWARD}")
    live.lab.postgres.kill()
    for i in range(2, 52):
        live.send(ncr(f"n{i}.{FORWARD}", f"192.0.2.{i}", i))
    wait_for(lambda: "DATABASE_LOST" in live.daemon.log_text()
             or "database" in live.daemon.log_text(), SOON, what="the loss to be noticed")
    lab.postgres.start()
    live.shows(*(f"n{i}.{FORWARD}" for i in range(2, 52)))


def test_events_are_heard_before_the_database_answers(labs, own_postgres, bridges, start, run_dir):
    dns = start(Bind, [FORWARD, REV24])
    bridge = bridges(own_postgres.database()).init()
    live = Live(Lab(run_dir, dns, bridge, own_postgres)).listen()
    own_postgres.pause()
    live.daemon = bridge.daemon()
    wait_for(lambda: udp_is_bound(live.port), SOON, what="the socket to be bound")
    live.send(ncr(f"early.{FORWARD}", "192.0.2.1", 1))
    own_postgres.cont()
    live.shows(f"early.{FORWARD}")


def test_events_that_the_database_refuses_again_and_again_are_kept(bind_lab):
    bind_lab.bridge.set(log_format="logfmt")
    live = Live(bind_lab).listen().start()
    live.send(ncr(f"n0.{FORWARD}", "192.0.2.100", 100))
    live.shows(f"n0.{FORWARD}")
    bind_lab.bridge_sql("create sequence ipambridge.refused")
    bind_lab.bridge_sql("create function full_disk() returns trigger language plpgsql as "
                        "$$ begin perform nextval('ipambridge.refused'); "
                        "raise exception 'no room' using errcode = '53100'; end $$")
    bind_lab.bridge_sql("create trigger full_disk before insert on ipambridge.observation "
                        "execute function full_disk()")
    names = [f"n{i}.{FORWARD}" for i in range(1, 11)]
    for i, name in enumerate(names, 1):
        live.send(ncr(name, f"192.0.2.{i}", i))
    # The first time they were just heard, then they came from the spool.
    said = lambda text: live.daemon.log_text().count(text)
    refused = lambda: int(bind_lab.bridge_sql("select last_value from ipambridge.refused")[0][0])
    live.wait(lambda: refused() >= 3, "refusals")
    # A database that opens and refuses is not back.
    assert (said("id=DATABASE_LOST"), said("id=DATABASE_BACK")) == (1, 0), live.daemon.log_tail()
    bind_lab.bridge_sql("drop trigger full_disk on ipambridge.observation")
    live.shows(*names)
    live.wait(lambda: said("id=DATABASE_BACK") == 1, "the end of it to be said")


def test_a_spool_that_cannot_be_used_keeps_no_event_away(bind_lab):
    bind_lab.bridge.set(log_format="logfmt")
    live = Live(bind_lab).listen()
    spool = bind_lab.bridge.dir / "state" / "ingest-default-ncr.spool"
    spool.mkdir(parents=True)
    live.start()
    said = lambda text: live.daemon.log_text().count(text)
    for i in (1, 2, 3):
        live.send(ncr(f"n{i}.{FORWARD}", f"192.0.2.{i}", i))
        live.shows(f"n{i}.{FORWARD}")
    assert said("id=SPOOL_FAILED") == 1 and said("id=DATABASE_LOST") == 0, live.daemon.log_tail()
    spool.rmdir()
    live.wait(lambda: said("spool, works again") == 1, "the spool to be used")
    # Now it is locked, and then taken away.
    with spool.open("r+b") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        live.wait(lambda: said("id=SPOOL_FAILED") == 2, "the lock to be noticed")
        live.send(ncr(f"n4.{FORWARD}", "192.0.2.4", 4))
        live.shows(f"n4.{FORWARD}")
    live.wait(lambda: said("spool, works again") == 2, "the spool to be used again")
    spool.unlink()
    live.wait(lambda: said("spool, works again") == 3 and spool.is_file(), "another spool")
    live.send(ncr(f"n5.{FORWARD}", "192.0.2.5", 5))
    live.shows(f"n5.{FORWARD}")
    assert said("id=SPOOL_FAILED") == 3 and said("id=DATABASE_LOST") == 0, live.daemon.log_tail()


def test_a_server_that_is_away_gets_its_names_when_it_is_back(bind_lab):
    live = Live(bind_lab).listen().start()
    live.lab.dns.kill()
    live.send(ncr(f"one.{FORWARD}", "192.0.2.1", 1))
    live.wait(lambda: live.lab.bridge_sql(
        "select state from ipambridge.server_state where state = 'unreachable'"),
        "the server to be found unreachable")
    live.lab.dns.launch()
    live.send(ncr(f"two.{FORWARD}", "192.0.2.2", 2))
    live.shows(f"one.{FORWARD}", f"two.{FORWARD}")


def test_commands_work_beside_it(bind_lab):
    live = Live(bind_lab).listen().start()
    live.lab.bridge.ok("add-host", "printer", "192.0.2.9")
    assert f"printer.{FORWARD}" in live.forward()
    live.send(ncr(f"one.{FORWARD}", "192.0.2.1", 1))
    live.shows(f"one.{FORWARD}")
    assert live.lab.reconcile()["pending"] == 0
    live.lab.bridge.ok("del-host", "printer")
    assert f"printer.{FORWARD}" not in live.forward()


def test_another_configuration_does_not_plan_against_it(bind_lab):
    live = Live(bind_lab).listen().start()
    before = live.lab.bridge.sections[""].pop(("zone", REV24))
    r = live.lab.bridge.run("reconcile")
    live.lab.bridge.sections[""][("zone", REV24)] = before
    assert r.rc != 0 and "another configuration" in r.stderr, r


def test_a_stop_under_load_loses_no_event(bind_lab):
    live = Live(bind_lab).listen().start()
    names = [f"h{i}.{FORWARD}" for i in range(2000)]
    for i, name in enumerate(names):
        live.send(ncr(name, f"198.51.{i // 250}.{i % 250}", i))
    live.daemon.signal(signal.SIGTERM)
    wait_for(lambda: not live.daemon.running(), 5, what="the daemon to end")
    assert not set(names) <= live.forward(), "it was through before it was told to stop"
    live.start()
    live.wait(lambda: set(names) <= live.forward(), "all names in DNS", deadline=60)


def test_in_a_storm_the_dhcp_server_comes_first(bind_lab):
    """While it writes that fast, its file is not read; what it wrote is read after that."""
    lab = bind_lab
    lab.lease(1, "first")
    live = Live(lab).start()
    live.shows(f"first.{FORWARD}")
    n, end = 0, time.monotonic() + 20
    while "comes first" not in live.daemon.log_text() and time.monotonic() < end:
        for n in range(n + 1, n + 21):
            lab.leases4.add(f"198.51.{n >> 8}.{n & 255}", mac(n), f"s{n}")
        time.sleep(0.005)
    assert "comes first" in live.daemon.log_text()
    live.wait(lambda: len(live.forward()) == n + 1, "all names", deadline=60)


def test_a_wish_for_the_whole_source_survives_a_read(bind_lab):
    """Events were lost: the confirming source is read from the start, not from its cursor."""
    live = Live(bind_lab)
    live.lab.lease(7, "seven")
    live.listen(confirm="dhcp4").start()
    live.shows(f"seven.{FORWARD}")
    live.wait(lambda: live.lab.bridge_sql(
        "select 1 from ipambridge.source where name = 'dhcp4' and whole_wanted > 0"
        " and whole_done = whole_wanted"), "the whole read that was wished for")


def test_hints_of_a_flood_are_asked_together(bind_lab):
    """Each request to look is a transaction: one for each hint would be most of the work."""
    lab = bind_lab
    lab.lease(7, "seven")
    live = Live(lab).listen(confirm="dhcp4").start()
    with lab.postgres.listening("ipambridge_look", lab.bridge.database) as heard:
        for i in range(250):
            live.send(ncr(f"n{i}.{FORWARD}", f"192.0.2.{1 + i}", i))
            time.sleep(0.001)
        live.wait(lambda: heard() > 0, "the source to be asked")
        time.sleep(0.5)
        assert heard() < 100


def test_a_refused_configuration_leaves_the_evidence_alone(bind_lab):
    live = Live(bind_lab)
    live.lab.lease(7, "seven")
    live.start()
    live.shows(f"seven.{FORWARD}")
    mine = dict(live.lab.bridge.sections[""])
    live.lab.bridge.sections[""].pop(("source", "dhcp4"))
    live.lab.bridge.zone(FORWARD, "ns1", ttl="7m")
    r = live.lab.bridge.run("reconcile")
    assert r.rc == 2 and "another configuration" in r.stderr, r
    live.lab.bridge.sections[""] = mine
    assert not live.lab.bridge_sql("select 1 from ipambridge.source where gone_at is not null")
    assert live.lab.reconcile()["changed"] == 0
    assert f"seven.{FORWARD}" in live.forward()


def test_two_daemons_on_one_database_take_over_from_each_other(bind_lab, bridges):
    one = Live(bind_lab).listen().start()
    other = bridges(bind_lab.bridge.database)
    other.options = dict(bind_lab.bridge.options)
    other.sections = {"": dict(bind_lab.bridge.sections[""])}
    other.source("ncr", "kea-ncr", listen=f"127.0.0.1:{free_port()}")
    second = other.daemon()
    one.wait(lambda: len(bind_lab.bridge_sql(
        "select 1 from ipambridge.role_state where role = 'push' and state = 'running'")) == 2,
        "both daemons to be up")
    one.send(ncr(f"a.{FORWARD}", "192.0.2.1", 1))
    one.shows(f"a.{FORWARD}")
    serials = bind_lab.serials()
    bind_lab.bridge.ok("add-host", "printer", "192.0.2.9")
    one.shows(f"printer.{FORWARD}")
    one.daemon.signal(signal.SIGTERM)
    wait_for(lambda: not one.daemon.running(), 5, what="the first daemon to end")
    assert second.running(), second.log_tail()
    r = other.run("add-host", "nas", "192.0.2.10")
    assert r.rc == 0 and f"nas.{FORWARD}" in one.forward(), r
    assert serials != bind_lab.serials()


@pytest.mark.parametrize("end", ["release", "expire", "decline"])
def test_each_end_of_a_lease_ends_its_name(bind_lab, end):
    live = Live(bind_lab)
    live.lab.lease(7, "seven")
    live.lab.lease(8, "eight")
    live.start()
    live.shows(f"seven.{FORWARD}", f"eight.{FORWARD}")
    getattr(live.lab.leases4, end)("192.0.2.7")
    live.lacks(f"seven.{FORWARD}")
    live.wait(lambda: ptr("192.0.2.7") not in "".join(live.lab.dns.axfr(REV24)), "the PTR gone")
    assert f"eight.{FORWARD}" in live.forward()
