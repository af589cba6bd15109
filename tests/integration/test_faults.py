"""Servers, keys, clocks, databases and sources that fail.

Each fault is told in one clear line a subject with its likely cause and the next step, ends with
the right exit code, loses nothing, and is repaired by the next run after it is healed.
"""

import base64
import os
import re
import signal
import socket
import subprocess

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rrset
import pytest

from harness import Bind, Knot, LeaseFile4, Pdns, Process, free_port, wait_for
from harness.bridge import binary
from harness.dns import Key
from harness.faults import (TRANSFERS, UPDATE, DnsProxy, clock_env, clock_shim, opcode, qtype,
                            receive)

FORWARD, REVERSE = "lab.example", "2.0.192.in-addr.arpa"
BOTH = [Bind, Knot]
ALL = [Bind, Knot, Pdns]


def told(result, words):
    """The fault is said in these words, once a subject and activity, and every line helps."""
    lines = result.stderr.replace("\nhint: ", "; hint: ").splitlines()
    assert any(re.search(words, line) for line in lines), f"nobody says {words}\n{result}"
    for line in lines:
        assert re.search("hint: |likely: ", line), f"no help in: {line}\n{result}"
        assert len(line) < 700, f"too long: {line}"
    heads = [re.match(r"ipambridge: warning: \S+: [^,]+,", line) for line in lines]
    heads = [h.group() if h else line for h, line in zip(heads, lines)]
    assert len(heads) == len(set(heads)), f"the same thing twice\n{result}"


class Scene:
    """One server, three leases, one bridge."""

    def __init__(self, dns, bridge, leases):
        self.dns = dns
        self.bridge = bridge
        self.leases = leases
        self.hosts = {}
        for n in 1, 2, 3:
            self.lease(n)
        bridge.subnet("192.0.2.0/24", FORWARD)
        bridge.source("dhcp", "kea-leases", file=leases.path)
        bridge.init()

    def lease(self, n, name=None):
        name = name or f"host{n}"
        self.leases.add(f"192.0.2.{10 + n}", f"02:00:00:00:00:{n:02x}", name)
        self.hosts[10 + n] = name

    def server(self, **settings):
        """The bridge's idea of the server, with these settings changed."""
        self.bridge.server("ns1", self.dns, **{"timeout": "3s", **settings})

    def run(self, *words, **more):
        return self.bridge.run(*(words or ("reconcile",)), **more)

    def expected(self):
        forward = [f"{name}.{FORWARD} A 192.0.2.{n}" for n, name in self.hosts.items()]
        reverse = [f"{n}.{REVERSE} PTR {name}.{FORWARD}" for n, name in self.hosts.items()]
        return sorted(forward + reverse)

    def published(self):
        """Without DHCID, which every owner must have."""
        lines = self.dns.axfr(FORWARD) + self.dns.axfr(REVERSE)
        marked = {line.split()[0] for line in lines if " DHCID " in line}
        rest = sorted(line for line in lines if " DHCID " not in line)
        assert marked == {line.split()[0] for line in rest}, f"marks differ: {lines}"
        return rest

    def names(self):
        return sorted((h["address"], h["name"]) for h in self.bridge.json("list", "hosts"))

    def whole(self):
        """One run after the fault: everything is there, and a further one sends nothing."""
        r = self.run()
        assert r.rc == 0 and r.stderr == "", f"the run after healing\n{r}"
        assert self.published() == self.expected()
        want = sorted((f"192.0.2.{n}", f"{name}.{FORWARD}") for n, name in self.hosts.items())
        assert self.names() == want
        before = [self.dns.serial(z) for z in self.dns.zones]
        again = self.bridge.reconcile()
        assert again["changed"] == 0
        assert [self.dns.serial(z) for z in self.dns.zones] == before


@pytest.fixture
def scene(start, bridges, database, run_dir):
    """scene(Bind) or scene(Bind, extra zones): nothing was run yet but "db init"."""
    def new(make, *zones, database=database, **server):
        dns = start(make, [FORWARD, REVERSE, *zones])
        bridge = bridges(database).serve_zones(dns)
        s = Scene(dns, bridge, LeaseFile4(run_dir / "leases4.csv"))
        s.server(**server)
        return s
    return new


@pytest.fixture
def proxied(scene):
    """A scene whose bridge talks to the server through a proxy."""
    proxies = []

    def new(make, **more):
        s = scene(make, **more)
        s.proxy = DnsProxy(s.dns.address, s.dns.port)
        proxies.append(s.proxy)
        s.server(port=s.proxy.port)
        return s
    yield new
    for p in proxies:
        p.close()


def reconfigure(dns, old, new):
    """Changes the server's configuration file and starts it again; returns the old text."""
    text = dns.config.read_text()
    assert old in text, f"{old} is not in {dns.config}"
    dns.process.stop()
    dns.config.write_text(text.replace(old, new))
    dns.launch()
    return text


def restore(dns, text):
    dns.process.stop()
    dns.config.write_text(text)
    dns.launch()


# ---- the server -----------------------------------------------------------------------------

@pytest.mark.parametrize("make", ALL)
def test_a_server_that_is_down_is_said_and_repaired_by_the_next_run(scene, make):
    s = scene(make)
    s.dns.stop()
    r = s.run()
    assert r.rc == 4
    told(r, r"ns1.*can not be reached: Connection refused")
    s.dns.launch()
    s.whole()


@pytest.mark.parametrize("make", BOTH)
def test_a_server_that_dies_under_changes_gets_them_afterwards(scene, make):
    s = scene(make)
    s.whole()
    s.lease(2, "renamed")
    s.lease(4)
    s.dns.kill()
    assert s.run().rc == 4
    s.dns.launch()
    s.whole()


@pytest.mark.parametrize("make", BOTH)
def test_an_update_applied_after_its_timeout_is_recognised_and_not_sent_twice(proxied, make):
    s = proxied(make)
    s.whole()
    s.lease(1, "renamed")
    s.lease(4)

    def pause_first(query):
        if opcode(query) == UPDATE:
            s.dns.pause()
        return query
    s.proxy.on_query = pause_first
    r = s.run()
    assert r.rc == 4
    told(r, "server did not answer in time|gave no answer")
    s.proxy.on_query = lambda query: query
    s.dns.cont()
    # What the paused server had in its socket is applied when it goes on.
    wait_for(lambda: s.dns.query(f"renamed.{FORWARD}"), 10, "the late update")
    late = s.dns.serial(FORWARD)
    s.whole()
    assert s.dns.serial(FORWARD) == late, "the change was sent again"


@pytest.mark.parametrize("make", BOTH)
def test_a_late_update_does_not_overwrite_what_was_wanted_after_it(proxied, make):
    """Sent, swallowed on the way, replaced by a newer wish, then delivered after all."""
    s = proxied(make)
    s.whole()
    s.lease(1, "older")
    kept = []

    def swallow(query):
        if opcode(query) != UPDATE:
            return query
        kept.append(query)
        return None
    s.proxy.on_query = swallow
    assert s.run().rc == 4
    s.proxy.on_query = lambda query: query
    s.lease(1, "newer")
    s.whole()
    with DelayedDelivery(s.dns) as line:
        for message in kept:
            line.send(message)
    s.whole()


class DelayedDelivery:
    """Hands the very bytes of an old message to the server."""

    def __init__(self, dns_server):
        self.to = (dns_server.address, dns_server.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def send(self, message):
        with socket.create_connection(self.to, timeout=5) as sock:
            sock.sendall(len(message).to_bytes(2, "big") + message)
            return receive(sock)


# ---- keys and clocks ------------------------------------------------------------------------

def wrong_key(s, run_dir, what):
    d = run_dir / "wrong"
    d.mkdir(exist_ok=True)
    if what == "name":
        return Key("nosuch", d, secret=s.dns.key.secret)
    if what == "secret":
        return Key("ipambridge", d)
    return Key("ipambridge", d, algorithm="hmac-sha512", secret=s.dns.key.secret)


@pytest.mark.parametrize("ages,rc", [(1000, 0), (10, 4)], ids=["late", "under-way"])
def test_too_many_unanswered_changes_of_a_name_are_settled_by_a_look(scene, postgres, ages, rc):
    """A bad line and a flapping address: each change was sent, none was answered."""
    s = scene(Bind)
    s.run()
    s.dns.stop()
    s.leases.rename("192.0.2.11", "other")
    s.hosts[11] = "other"
    s.run()
    sent = "extract(epoch from now())::bigint"
    offered = ",".join(f"{sent} - {ages + i} || ' PTR flap{i}.{FORWARD}.'" for i in range(8))
    postgres.sql(f"update ipambridge.owner set offered = array[{offered}] where owner like '11.%'",
                 s.bridge.database)
    s.dns.launch()
    r = s.run()
    assert r.rc == rc, r
    sent = s.dns.query(f"11.{REVERSE}", "PTR")
    assert sent == [f"{'other' if rc == 0 else 'host1'}.{FORWARD}"]
    if rc == 0:
        s.whole()


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("what", ["name", "secret", "algorithm"])
def test_a_wrong_key_is_named_as_the_cause(scene, run_dir, make, what):
    s = scene(make)
    s.server(key_file=wrong_key(s, run_dir, what).file)
    r = s.run()
    assert r.rc == 4
    if make is Pdns:
        told(r, "PowerDNS.*wrong key, secret or clock")
    elif what == "secret":
        told(r, "answered NOTAUTH with BADSIG.*secret")
    else:
        told(r, "answered NOTAUTH with BADKEY.*(named as ours|algorithm)")
    for shown in (r.stdout, r.stderr):
        assert s.dns.key.secret not in shown
    assert s.published() == []
    s.server()
    s.whole()


@pytest.mark.parametrize("seconds", [400, -400])
@pytest.mark.parametrize("make", ALL)
def test_a_clock_that_is_off_is_named_with_the_difference(scene, run_dir, make, seconds):
    s = scene(make)
    r = s.run(env=clock_env(clock_shim(run_dir), seconds))
    assert r.rc == 4
    word = "behind" if seconds > 0 else "ahead of"
    if make is Pdns:
        told(r, "PowerDNS answers so to a wrong key, secret or clock")
    else:
        told(r, rf"BADTIME.*its clock is (399|400|401) s {word} ours; set both by NTP")
    assert s.published() == []
    s.whole()


def test_a_clock_a_year_ahead_ends_no_lease(scene, run_dir):
    """The source was read, the leases' time seems over: the brake must hold the sweep."""
    s = scene(Bind)
    for n in range(4, 24):
        s.lease(n)
    s.whole()
    r = s.run(env=clock_env(clock_shim(run_dir), 365 * 86400))
    assert r.rc in (4, 5)
    told(r, "BADTIME")
    assert len(s.published()) == 46
    assert s.run().rc in (0, 5)
    s.bridge.run("reconcile", "--force", FORWARD)
    s.whole()


def test_a_key_file_that_others_can_read_is_refused(scene):
    s = scene(Bind)
    os.chmod(s.dns.key.file, 0o644)
    r = s.run()
    assert r.rc == 4
    told(r, "can be read or changed by others.*chmod 600")
    told(s.run("check-config"), "can be read or changed by others.*chmod 600")
    assert s.run("check-config").rc == 2
    assert s.published() == []
    os.chmod(s.dns.key.file, 0o600)
    s.whole()


def test_a_key_file_that_is_missing_is_refused(scene, run_dir):
    s = scene(Bind)
    s.server(key_file=run_dir / "nosuch.key")
    r = s.run()
    assert r.rc == 4
    told(r, "nosuch.key.*No such file")
    s.server()
    s.whole()


# ---- what the server refuses ----------------------------------------------------------------

ZONE_TEXT = {
    Bind: ('zone "late.example" {', 'zone "other.example" {'),
    Knot: ("- domain: late.example", "- domain: other.example"),
}


@pytest.mark.parametrize("make", BOTH)
def test_a_zone_missing_on_the_server_stops_no_other_zone(scene, make):
    s = scene(make, "late.example")
    s.bridge.subnet("198.51.100.0/24", "late.example")
    s.leases.add("198.51.100.7", "02:00:00:00:01:07", "guest", subnet_id=2)
    s.dns.zones.remove("late.example")
    text = reconfigure(s.dns, *ZONE_TEXT[make])
    r = s.run()
    assert r.rc == 4
    told(r, "late.example.*(answered REFUSED|NOTAUTH).*(loaded|no such zone)")
    assert s.published() == s.expected()
    s.dns.zones.append("late.example")
    restore(s.dns, text)
    assert s.run().rc == 0
    assert s.dns.query("guest.late.example") == ["198.51.100.7"]


GRANT = "grant ipambridge zonesub A AAAA DHCID TXT;"


def test_names_that_the_policy_refuses_do_not_stop_the_others(scene):
    s = scene(Bind)
    for n in range(4, 44):
        s.lease(n)
    denied = [7, 8, 31]
    words = "".join(f"deny ipambridge name host{n}.{FORWARD} ANY; " for n in denied)
    text = reconfigure(s.dns, GRANT, words + GRANT)
    r = s.run()
    assert r.rc == 4
    for n in denied:
        assert len(re.findall(rf"update of host{n}\.{FORWARD}, server answered REFUSED",
                              r.stderr)) == 1, r
    told(r, "REFUSED; likely: .*update-policy.*; next: ")
    # Their PTRs wait or go without them: the others are all there, in pairs.
    lines = s.published()
    for n in range(1, 44):
        pair = {f"host{n}.{FORWARD} A 192.0.2.{10 + n}",
                f"{10 + n}.{REVERSE} PTR host{n}.{FORWARD}"}
        assert pair & set(lines) == (set() if n in denied else pair), f"host{n}"
    # Refusals stand; they are not news again and nothing is sent for them.
    again = s.run()
    assert "update of" not in again.stderr, again
    restore(s.dns, text)
    s.whole()


def test_unsigned_refusals_of_powerdns_name_the_three_causes(scene):
    s = scene(Pdns)
    s.whole()
    s.lease(4)
    s.dns.pdnsutil("set-meta", FORWARD, "TSIG-ALLOW-DNSUPDATE", "other")
    r = s.run()
    assert r.rc == 4
    told(r, "REFUSED")
    s.dns.pdnsutil("set-meta", FORWARD, "TSIG-ALLOW-DNSUPDATE", "ipambridge", "other")
    s.whole()


def test_a_journal_that_cannot_be_written_is_waited_out(scene):
    s = scene(Bind)
    file = f'file "{s.dns.dir}/{FORWARD}.zone";'
    text = reconfigure(s.dns, file, f'{file} journal "/nonexistent/x.jnl";')
    r = s.run()
    assert r.rc == 4
    told(r, "server answered SERVFAIL.*journal cannot be written")
    restore(s.dns, text)
    s.whole()


def test_one_name_the_server_cannot_store_does_not_stop_the_others(scene):
    """More addresses than max-records-per-type: SERVFAIL for the whole message."""
    s = scene(Bind)
    text = reconfigure(s.dns, f'file "{s.dns.dir}/{FORWARD}.zone";',
                       f'file "{s.dns.dir}/{FORWARD}.zone"; max-records-per-type 1;')
    s.run("add-host", f"twin.{FORWARD}", "192.0.2.201", "192.0.2.202")
    r = s.run()
    assert r.rc == 4
    told(r, "server answered SERVFAIL.*max-records-per-type")
    assert set(s.expected()) <= set(s.dns.axfr(FORWARD) + s.dns.axfr(REVERSE))
    assert s.dns.query(f"twin.{FORWARD}") == []
    restore(s.dns, text)
    assert s.run().rc == 0
    assert s.dns.query(f"twin.{FORWARD}") == ["192.0.2.201", "192.0.2.202"]


def test_a_frozen_zone_says_thaw_and_is_written_after_it(scene):
    s = scene(Bind)
    s.whole()
    s.lease(4)
    s.dns.freeze(FORWARD)
    r = s.run()
    assert r.rc == 4
    told(r, "REFUSED.*frozen.*thaw")
    s.dns.thaw(FORWARD)
    s.whole()


# ---- transfers ------------------------------------------------------------------------------

NO_TRANSFER = {
    Bind: ("allow-transfer { key ipambridge; key other; };", "allow-transfer { key other; };"),
    Knot: ("action: [update, transfer]\n    update-type", "action: [update]\n    update-type"),
}


@pytest.mark.parametrize("make", BOTH)
def test_without_the_right_to_transfer_updates_still_work(scene, make):
    s = scene(make)
    text = reconfigure(s.dns, *NO_TRANSFER[make])
    s.dns.add(f"host2.{FORWARD}", "A", "192.0.2.99")
    r = s.run()
    assert r.rc == 0
    told(r, "does not give the zone .transfer of .* answered")
    # Queries showed the other writer's record, and the names that are free were written.
    assert s.dns.query(f"host2.{FORWARD}") == ["192.0.2.99"]
    assert s.dns.query(f"host1.{FORWARD}") == ["192.0.2.11"]
    s.dns.delete(f"host2.{FORWARD}")
    restore(s.dns, text)
    s.whole()


def cut_in_half(query, answer, index):
    return ("cut", answer[:len(answer) // 2])


def close_at_second(query, answer, index):
    return "close" if index > 0 else answer


@pytest.mark.parametrize("how", [cut_in_half, close_at_second])
@pytest.mark.parametrize("make", BOTH)
def test_a_transfer_cut_in_the_middle_changes_nothing(proxied, make, how):
    s = proxied(make)
    s.whole()
    long = "x" * 200
    for first in 0, 100:
        s.dns.write(FORWARD, *[("add", f"n{i}.{FORWARD}", 60, "TXT", f'"{long}" "{long}"')
                               for i in range(first, first + 100)])
    s.dns.add(f"99.{REVERSE}", "PTR", f"person.{FORWARD}.")
    s.dns.delete(f"host3.{FORWARD}")
    before = s.names()
    s.proxy.on_answer = lambda q, a, i: how(q, a, i) if qtype(q) in TRANSFERS else a
    r = s.run()
    if how is cut_in_half:
        assert r.rc == 4
        told(r, "transfer of .*(closed|broke)")
        assert s.names() == before
    s.proxy.on_answer = lambda q, a, i: a
    r = s.run()
    assert r.rc == 0, r
    assert ("192.0.2.99", f"person.{FORWARD}") in s.names()
    assert s.dns.query(f"host3.{FORWARD}") == ["192.0.2.13"]


def forged_transfer(query, zone, *records):
    """An unsigned answer to a transfer, as somebody on the path would make it."""
    r = dns.message.Message(id=int.from_bytes(query[:2], "big"))
    r.flags = dns.flags.QR | dns.flags.AA
    origin = dns.name.from_text(zone)
    r.question = [dns.rrset.RRset(origin, dns.rdataclass.IN, qtype(query))]
    soa = dns.rrset.from_text(origin, 60, "IN", "SOA", "ns. host. 4000000 60 60 60 60")
    r.answer = [soa, *[dns.rrset.from_text(*rec) for rec in records],
                dns.rrset.from_text(origin, 60, "IN", "SOA", "ns. host. 4000000 60 60 60 60")]
    return r.to_wire()


@pytest.mark.parametrize("make", BOTH)
def test_a_forged_unsigned_transfer_is_not_believed(proxied, make):
    s = proxied(make)
    s.whole()
    s.dns.add(f"98.{REVERSE}", "PTR", f"real.{FORWARD}.")

    def forge(query, answer, index):
        if qtype(query) not in TRANSFERS:
            return answer
        return forged_transfer(query, REVERSE, (f"66.{REVERSE}.", 60, "IN", "PTR",
                                                f"evil.{FORWARD}."))
    before = s.names()
    s.proxy.on_answer = forge
    r = s.run()
    assert r.rc == 4
    told(r, "transfer of .*(signature|signed|TSIG)")
    assert s.names() == before
    s.proxy.on_answer = lambda q, a, i: a
    assert s.run().rc == 0
    assert ("192.0.2.98", f"real.{FORWARD}") in s.names()


def test_an_unsigned_noerror_to_a_swallowed_update_is_not_believed(proxied):
    s = proxied(Bind)
    s.whole()
    s.lease(4)

    def forge(query, answer, index):
        if opcode(query) != UPDATE:
            return answer
        m = bytearray(query[:12])
        m[2] |= 0x80                       # an answer
        m[4:12] = bytes(8)                 # no section at all
        return bytes(m)

    def swallow(query):
        return query if opcode(query) != UPDATE else None
    s.proxy.on_query = swallow
    s.proxy.on_swallowed = lambda query: forge(query, b"", 0)
    r = s.run()
    assert r.rc == 4, r
    assert s.dns.query(f"host4.{FORWARD}") == []
    s.proxy.on_query = lambda query: query
    s.proxy.on_swallowed = None
    s.whole()


# ---- the database ---------------------------------------------------------------------------

def test_a_database_that_is_gone_is_said(scene, own_postgres):
    s = scene(Bind, database=own_postgres.database())
    s.whole()
    s.lease(4)
    own_postgres.stop()
    r = s.run()
    assert r.rc == 1
    told(r, "no database session: .*is it running")
    own_postgres.start()
    s.whole()


def test_a_paused_database_ends_the_run_by_its_deadline(scene, own_postgres):
    s = scene(Bind, database=own_postgres.database())
    s.bridge.set(statement_timeout="1s")
    s.whole()
    s.lease(4)
    own_postgres.pause()
    r = s.run()
    assert r.rc == 1 and r.seconds < 5
    told(r, "did not accept a session within 1 s.*paused")
    own_postgres.cont()
    s.whole()


@pytest.mark.parametrize("how", ["pause", "kill", "restart", "terminate"])
def test_a_database_that_fails_between_update_and_answer_loses_nothing(proxied, own_postgres, how):
    s = proxied(Bind, database=own_postgres.database())
    s.bridge.set(statement_timeout="1s")
    s.whole()
    s.lease(1, "renamed")
    s.lease(4)
    seen = []

    def fail(query):
        if opcode(query) == UPDATE and not seen:
            seen.append(query)
            if how == "terminate":
                own_postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity "
                                 "where application_name like 'ipambridge%'")
            else:
                getattr(own_postgres, how)()
        return query
    s.proxy.on_query = fail
    r = s.run()
    assert seen
    assert r.rc == 1, r
    told(r, "database")
    if how == "pause":
        own_postgres.cont()
    if how == "kill":
        own_postgres.start()
    late = s.dns.serial(FORWARD)
    s.whole()
    assert s.dns.serial(FORWARD) == late, "what had been applied was sent again"


def test_a_database_without_the_schema_says_what_to_run(scene, postgres):
    s = scene(Bind)
    right = s.bridge.database
    s.bridge.database = postgres.database()
    r = s.run()
    assert r.rc == 2
    told(r, "no ipambridge schema.*hint: run: ipambridge db init")
    s.bridge.database = right
    s.whole()


def test_a_second_run_beside_the_first_is_told_apart(proxied):
    s = proxied(Bind)
    held = []

    def hold(query):
        held.append(query)
        wait_for(lambda: not s.holding, 20)
        return query
    s.holding = True
    s.proxy.on_query = hold
    s.bridge.write_config()
    first = Process([binary(), "-c", s.bridge.config, "reconcile"], s.bridge.dir / "first.log",
                    s.bridge.env())
    first.start()
    wait_for(lambda: held)
    r = s.run()
    s.holding = False
    assert first.wait(20) == 0
    assert r.rc == 6
    told(r, "another run|run.*lock.*hint: ")
    s.whole()


# ---- sources --------------------------------------------------------------------------------

def cut_last_row(path, text):
    path.write_bytes(text[:-40])


def half_of_the_file(path, text):
    path.write_bytes(text[:len(text) // 2])


def header_alone(path, text):
    path.write_bytes(text.split(b"\n")[0] + b"\n")


def header_cut(path, text):
    path.write_bytes(text[:20])


def empty(path, text):
    path.write_bytes(b"")


def missing(path, text):
    path.unlink()


def directory(path, text):
    path.unlink()
    path.mkdir()


def fifo(path, text):
    path.unlink()
    os.mkfifo(path)


def zeros(path, text):
    path.write_bytes(bytes(len(text)))


def garbage(path, text):
    path.write_bytes(base64.b85encode(os.urandom(2000)) + b"\n")


def loop(path, text):
    path.unlink()
    path.symlink_to(path)


LOUD = [(header_alone, "had 3 rows: nothing is ended"), (header_cut, "header"),
        (empty, "has no header yet"), (missing, "No such file.*lease-database"),
        (directory, "not a regular file"), (fifo, "not a regular file"), (zeros, "header"),
        (garbage, "not the header"), (loop, "symbolic links")]


@pytest.mark.parametrize("harm,words", LOUD, ids=lambda x: getattr(x, "__name__", ""))
def test_a_broken_lease_file_ends_nothing(scene, harm, words):
    s = scene(Bind)
    s.whole()
    text = s.leases.path.read_bytes()
    harm(s.leases.path, text)
    r = s.run()
    assert r.rc == 4
    told(r, f"dhcp: read, failed.*{words}")
    assert s.published() == s.expected()
    row = next(x for x in s.bridge.json("list", "sources") if x["name"] == "dhcp")
    assert row["error"], row
    if s.leases.path.is_dir():
        s.leases.path.rmdir()
    s.leases.path.unlink(missing_ok=True)
    s.leases.path.write_bytes(text)
    s.lease(4)
    s.whole()


@pytest.mark.parametrize("harm,rc", [(cut_last_row, 0), (half_of_the_file, 4)],
                         ids=lambda x: getattr(x, "__name__", ""))
def test_a_lease_file_that_lost_rows_ends_nothing(scene, harm, rc):
    s = scene(Bind)
    for n in range(4, 30):
        s.lease(n)
    s.whole()
    text = s.leases.path.read_bytes()
    harm(s.leases.path, text)
    assert s.run().rc == rc
    assert s.published() == s.expected()
    s.leases.path.write_bytes(text)
    s.whole()


def test_a_lease_file_we_may_not_read_is_named_with_its_remedy(scene):
    """Root may read everything: the kernel's refusal is put in by strace."""
    s = scene(Bind)
    s.whole()
    s.bridge.write_config()
    r = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-P", s.leases.path,
                        "-e", "inject=openat:error=EACCES",
                        binary(), "-c", s.bridge.config, "reconcile"],
                       capture_output=True, text=True, timeout=30,
                       env={**s.bridge.env(), "ASAN_OPTIONS": "detect_leaks=0"})
    assert r.returncode == 4, r
    told(r, "dhcp: read, failed.*Permission denied.*let this program's user read")
    assert s.published() == s.expected()
    s.whole()


COMMANDS = [
    (["sleep", "100"], "did not end before its deadline, killed"),
    (["sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1; done"], "deadline, killed"),
    (["sh", "-c", "echo no route to fw >&2; exit 3"], "ended with status 3: no route to fw"),
    (["sh", "-c", "kill -9 $$"], "ended by signal 9"),
    (["sh", "-c", "echo '<html>please log in</html>'"], "not a neighbour table"),
    (["sh", "-c", "yes '? (192.0.2.77) at 02:00:00:00:00:77 [ether] on eth0'"], "printed more"),
    (["nosuch-program"], "could not be started.*full path"),
]


@pytest.mark.parametrize("argv,words", COMMANDS, ids=[w[:12] for _, w in COMMANDS])
def test_a_command_that_fails_hurts_only_its_own_source(scene, argv, words):
    s = scene(Bind)
    s.bridge.source("arp", "neighbour", command=argv, timeout="2s")
    r = s.run()
    assert r.rc == 4
    assert r.seconds < 4
    told(r, f"arp: read, failed.*{words}")
    assert s.published() == s.expected()
    s.bridge.source("arp", "neighbour", command=["true"])
    s.whole()


def test_a_command_leaves_no_process_behind(scene, run_dir):
    s = scene(Bind)
    pid_file = run_dir / "pid"
    s.bridge.source("arp", "neighbour", timeout="1s",
                    command=["sh", "-c", f"sleep 1000 & echo $! > {pid_file}; wait"])
    assert s.run().rc == 4
    pid = int(pid_file.read_text())
    wait_for(lambda: gone(pid), 5, "the command's child gone")


def gone(pid):
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return True
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "Z"


def test_the_next_server_of_a_zone_is_taken_when_the_first_is_down(scene):
    s = scene(Bind)
    s.bridge.server("dead", s.dns, port=free_port(), timeout="3s")
    for zone in s.dns.zones:
        s.bridge.zone(zone, ["dead", "ns1"])
    s.whole()
