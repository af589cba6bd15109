"""The reverse pass: what people and other programs write into DNS comes back as evidence, and
what the bridge wrote itself never does.
"""

import pytest

from harness import Bind, Knot, wait_for
from harness.lab import FORWARD, REV16, REV24, REV48, dhcid, duid, mac, pair, ptr

BIND_AND_KNOT = pytest.mark.parametrize("make", ["bind", "knot"], indirect=True)
HOST = "host.lab.example"
P7 = ptr("192.0.2.7")


def kinds(lab):
    """{address: (name, kind)} of list hosts, one name an address."""
    return {a: (n, h["kind"]) for (n, a), h in lab.hosts().items()}


def edited(lab, name="annas-laptop.lab.example"):
    """A lease whose PTR a person has changed."""
    lab.lease(7, "host")
    lab.settle()
    lab.dns.replace(P7, "PTR", name + ".", ttl=1800)
    # The DHCID beside it was ours and goes with the name it was made for.
    lab.settle()


# ---- a PTR that was never ours ---------------------------------------------------------------

def test_a_ptr_that_was_never_ours_names_its_address(lab):
    lab.dns.add(P7, "PTR", "Nas.Lab.Example.")
    lab.dns.add(ptr("2001:db8:0:1::7"), "PTR", "nas.lab.example.")
    before = lab.raw()
    lab.settle(changed=0, conflicts=0)
    assert kinds(lab) == {"192.0.2.7": ("nas.lab.example", "dns"),
                          "2001:db8:0:1::7": ("nas.lab.example", "dns")}
    assert lab.raw() == before   # it describes; nothing follows from it


@BIND_AND_KNOT
def test_it_names_as_long_as_it_stands(lab):
    lab.dns.add(P7, "PTR", "nas.lab.example.")
    lab.reconcile()
    lab.dns.replace(P7, "PTR", "files.lab.example.")
    lab.reconcile()
    assert kinds(lab) == {"192.0.2.7": ("files.lab.example", "dns")}
    lab.dns.delete(P7)
    lab.reconcile()
    assert kinds(lab) == {}
    lab.expect()


@BIND_AND_KNOT
def test_a_lease_outranks_it_and_the_ptr_stays_in_conflict(lab):
    lab.dns.add(P7, "PTR", "nas.lab.example.")
    lab.lease(7, "host")
    lab.reconcile()
    lab.quiet(conflicts=1)
    assert kinds(lab) == {"192.0.2.7": (HOST, "lease")}
    assert lab.dns.query(P7, "PTR") == ["nas.lab.example"]
    lab.leases4.release("192.0.2.7")
    lab.settle(conflicts=0)
    assert kinds(lab) == {"192.0.2.7": ("nas.lab.example", "dns")}
    lab.expect(f"{P7} PTR nas.lab.example")


def test_several_ptrs_give_one_name_that_stays(bind_lab):
    lab = bind_lab
    for name in ("m.lab.example.", "n.lab.example."):
        lab.dns.add(P7, "PTR", name)
    lab.reconcile()
    (name, kind), = kinds(lab).values()
    assert kind == "dns" and name in ("m.lab.example", "n.lab.example")
    for other in ("a.lab.example.", "z.lab.example."):
        lab.dns.add(P7, "PTR", other)
        lab.reconcile()
        assert kinds(lab) == {"192.0.2.7": (name, "dns")}


def test_a_target_outside_the_zones_is_evidence_alone(bind_lab):
    lab = bind_lab
    lab.dns.add(P7, "PTR", "nas.elsewhere.test.")
    lab.settle(changed=0)
    assert kinds(lab) == {"192.0.2.7": (None, "dns")}
    sighting, = lab.why("192.0.2.7")["sightings"]
    assert sighting["name"] == "nas.elsewhere.test" and sighting["source"] == "dns"
    assert "outside" in lab.why("192.0.2.7")["decisions"][0]["why"]


def test_owners_that_are_no_address_are_left_alone(bind_lab):
    lab = bind_lab
    for label in ("x", "300", "7.8", "1-31", "007"):
        lab.dns.add(f"{label}.{REV24}", "PTR", "nas.lab.example.")
    lab.dns.add("1." + "0." * 14 + "1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "PTR",
                "nas.lab.example.")
    lab.settle(changed=0, conflicts=0)
    assert kinds(lab) == {}


# ---- an edit ---------------------------------------------------------------------------------

def test_a_persons_edit_of_our_ptr_renames_the_host(lab):
    edited(lab)
    assert kinds(lab) == {"192.0.2.7": ("annas-laptop.lab.example", "edit")}
    assert lab.dns.query("annas-laptop.lab.example") == ["192.0.2.7"]
    assert lab.dns.rcode(HOST) == "NXDOMAIN"
    assert lab.dns.query(P7, "PTR") == ["annas-laptop.lab.example"]
    assert lab.dns.ttl(P7, "PTR") == 1800   # it is theirs


@BIND_AND_KNOT
def test_an_edit_of_a_v6_ptr_renames_the_host(lab):
    owner = ptr("2001:db8:0:1::7")
    lab.leases6.add("2001:db8:0:1::7", duid(7), "host")
    lab.settle()
    lab.dns.replace(owner, "PTR", "annas-laptop.lab.example.")
    lab.settle()
    assert lab.dns.query("annas-laptop.lab.example", "AAAA") == ["2001:db8:0:1::7"]
    assert lab.dns.rcode(HOST) == "NXDOMAIN"


@BIND_AND_KNOT
def test_an_edit_survives_renewals_and_a_new_name_of_the_client(lab):
    edited(lab)
    lab.leases4.renew("192.0.2.7")
    lab.quiet()
    lab.leases4.rename("192.0.2.7", "other")
    lab.settle()
    assert kinds(lab) == {"192.0.2.7": ("annas-laptop.lab.example", "edit")}


@BIND_AND_KNOT
def test_an_edit_that_is_edited_again_is_the_new_one(lab):
    edited(lab)
    lab.dns.replace(P7, "PTR", "third.lab.example.")
    lab.settle()
    assert kinds(lab) == {"192.0.2.7": ("third.lab.example", "edit")}
    assert lab.dns.query("third.lab.example") == ["192.0.2.7"]
    assert lab.dns.rcode("annas-laptop.lab.example") == "NXDOMAIN"


@BIND_AND_KNOT
def test_an_edit_that_is_taken_away_gives_the_name_back(lab):
    edited(lab)
    lab.dns.delete(P7)
    lab.settle()
    lab.expect(pair(HOST, "192.0.2.7", mac=mac(7)))
    assert kinds(lab) == {"192.0.2.7": (HOST, "lease")}


@BIND_AND_KNOT
def test_an_edit_back_to_the_clients_own_name_ends_it(lab):
    edited(lab)
    lab.dns.replace(P7, "PTR", HOST + ".")
    lab.settle(conflicts=0)
    assert kinds(lab)["192.0.2.7"][0] == HOST
    assert lab.dns.query(HOST) == ["192.0.2.7"]
    assert lab.dns.rcode("annas-laptop.lab.example") == "NXDOMAIN"


@BIND_AND_KNOT
def test_an_edit_ends_with_its_lease(lab):
    edited(lab)
    lab.leases4.release("192.0.2.7")
    lab.reconcile()
    lab.quiet()
    assert lab.dns.rcode("annas-laptop.lab.example") == "NXDOMAIN"
    assert not any(kind == "edit" for _, kind in kinds(lab).values())
    # The person's own record is not ours to remove.
    assert lab.dns.query(P7, "PTR") == ["annas-laptop.lab.example"]


@BIND_AND_KNOT
def test_an_edit_of_a_name_that_is_to_go_keeps_nothing(lab):
    """The lease was over before anybody edited, only the server did not know."""
    lab.lease(7, "host")
    lab.settle()
    lab.leases4.release("192.0.2.7")
    lab.dns.stop()
    lab.reconcile(rc=4)
    lab.dns.start()
    lab.dns.replace(P7, "PTR", "annas-laptop.lab.example.")
    lab.reconcile()
    lab.quiet()
    lab.expect(f"{P7} PTR annas-laptop.lab.example")
    assert not any(h["kind"] == "edit" for h in lab.hosts().values())


@BIND_AND_KNOT
def test_an_edit_does_not_pass_to_the_next_client_of_the_address(lab):
    edited(lab)
    lab.leases4.release("192.0.2.7")
    lab.leases4.add("192.0.2.7", mac(9), "next")
    lab.reconcile()
    lab.quiet()
    assert kinds(lab)["192.0.2.7"] == ("next.lab.example", "lease")
    assert lab.dns.query("next.lab.example") == ["192.0.2.7"]
    assert lab.dns.rcode("annas-laptop.lab.example") == "NXDOMAIN"


@BIND_AND_KNOT
def test_an_edit_takes_a_name_from_a_lease_which_gets_a_suffix(lab):
    lab.lease(7, "host")
    lab.lease(8, "printer")
    lab.settle()
    lab.dns.replace(P7, "PTR", "printer.lab.example.")
    lab.reconcile()
    lab.quiet()
    assert kinds(lab)["192.0.2.7"] == ("printer.lab.example", "edit")
    assert lab.dns.query("printer.lab.example") == ["192.0.2.7"]
    other, kind = kinds(lab)["192.0.2.8"]
    assert other.startswith("printer-") and kind == "lease"
    assert lab.dns.query(ptr("192.0.2.8"), "PTR") == [other]


@BIND_AND_KNOT
def test_an_edit_to_a_name_outside_our_zones_is_left_alone(lab):
    edited(lab, "nas.elsewhere.test")
    assert kinds(lab) == {"192.0.2.7": (HOST, "lease")}
    assert lab.dns.query(HOST) == ["192.0.2.7"]
    assert lab.dns.query(P7, "PTR") == ["nas.elsewhere.test"]


@BIND_AND_KNOT
def test_a_manual_name_beats_an_edit_and_the_edited_ptr_stays(lab):
    lab.bridge.ok("add-host", HOST, "192.0.2.7")
    lab.dns.replace(P7, "PTR", "annas-laptop.lab.example.")
    lab.reconcile()
    lab.quiet()
    assert (HOST, "192.0.2.7") in lab.hosts()
    assert lab.dns.query(HOST) == ["192.0.2.7"]
    assert lab.dns.query(P7, "PTR") == ["annas-laptop.lab.example"]
    assert (P7, "PTR") in lab.conflicts()


@BIND_AND_KNOT
def test_another_updaters_mark_makes_no_edit(lab):
    """Kea's D2 renamed the client before its lease file was read."""
    lab.lease(7, "host")
    lab.settle()
    name = "renamed.lab.example"
    mark = dhcid(name, mac=mac(7))
    lab.dns.write(REV24, ("delete", P7), ("add", P7, 300, "PTR", name + "."),
                  ("add", P7, 300, "DHCID", mark))
    lab.dns.write(FORWARD, ("delete", HOST), ("add", name, 300, "A", "192.0.2.7"),
                  ("add", name, 300, "DHCID", mark))
    lab.leases4.rename("192.0.2.7", name + ".")
    lab.settle(conflicts=0)
    lab.expect(pair(name, "192.0.2.7", mac=mac(7)))
    assert kinds(lab) == {"192.0.2.7": (name, "lease")}


@BIND_AND_KNOT
def test_many_edits_at_once_are_held_until_a_person_agrees(lab):
    for n in range(1, 41):
        lab.lease(n, f"host{n}")
    lab.settle()
    lab.dns.write(REV24, *(("replace", ptr(f"192.0.2.{n}"), 300, "PTR", f"gone{n}.lab.example.")
                           for n in range(1, 31)))
    got = lab.reconcile(rc=5)
    # 30 % of the 40 names of the reverse zone.
    assert got["held"] == 18
    assert sum(kind == "edit" for _, kind in kinds(lab).values()) == 12
    again = lab.reconcile(rc=5)
    assert again["held"] == 18 and again["changed"] == 0
    lab.reconcile("--force", REV24)
    lab.quiet(held=0)
    assert sum(kind == "edit" for _, kind in kinds(lab).values()) == 30


# ---- what the bridge wrote is never evidence -------------------------------------------------

@BIND_AND_KNOT
def test_what_we_wrote_comes_back_as_nothing(lab):
    lab.lease(7, "host")
    lab.leases6.add("2001:db8:0:1::8", duid(8), "six")
    lab.bridge.ok("add-host", "nas", "192.0.2.50", "2001:db8:0:1::50")
    lab.settle()
    for _ in range(2):
        lab.bridge_sql("update ipambridge.zone set full_at = null, known = known")
        lab.quiet()
    assert {kind for _, kind in kinds(lab).values()} == {"lease", "manual"}


@BIND_AND_KNOT
@pytest.mark.parametrize("sources", ["first", "later"])
def test_a_new_database_knows_its_own_work_by_the_dhcid(labs, make, sources):
    old = labs(make)
    for n in range(1, 21):
        old.lease(n, f"host{n}")
    old.leases6.add("2001:db8:0:1::7", duid(7), "six")
    old.settle()
    before, serials = old.raw(), old.serials()
    new = labs(dns=old.dns)
    if sources == "later":
        got = new.reconcile()
        assert got["changed"] == 0 and kinds(new) == {}
    new.bridge.source("dhcp4", "kea-leases", file=old.leases4.path)
    new.bridge.source("dhcp6", "kea-leases", file=old.leases6.path)
    got = new.reconcile()
    assert got["changed"] == 0 and got["conflicts"] == 0
    assert new.raw() == before and new.serials() == serials
    assert {kind for _, kind in kinds(new).values()} == {"lease"}
    # Ours again: it goes when the lease goes.
    old.leases4.release("192.0.2.3")
    new.settle(changed=4)
    assert new.dns.rcode("host3.lab.example") == "NXDOMAIN"


# ---- pull alone ------------------------------------------------------------------------------

def test_pull_takes_names_and_sends_nothing(bind_lab):
    lab = bind_lab
    lab.dns.add(P7, "PTR", "nas.lab.example.")
    lab.lease(8, "host")
    before = lab.raw()
    dry = lab.bridge.json("pull", "--dry-run")
    assert lab.hosts() == {}
    got = lab.bridge.json("pull")
    assert dry["pulled"] == got["pulled"] == 8   # an NS set in each of seven zones, and the PTR
    assert lab.raw() == before
    assert kinds(lab) == {"192.0.2.7": ("nas.lab.example", "dns")}
    assert lab.bridge.json("pull")["pulled"] == 0


# ---- large zones -----------------------------------------------------------------------------

def big_zone(n):
    """n PTRs of 198.51.0.0/16 and as many addresses, with names that do not compress well."""
    at = [(i >> 8, i & 255) for i in range(256, 256 + n)]
    reverse = [f"{b}.{a} 300 IN PTR host-{a}-{b}-with-a-rather-long-name.lab.example."
               for a, b in at]
    forward = [f"host-{a}-{b}-with-a-rather-long-name 300 IN A 198.51.{a}.{b}" for a, b in at]
    return {REV16: reverse, FORWARD: forward}


@pytest.mark.parametrize("kind", [Bind, Knot])
def test_a_zone_of_many_messages_is_taken_whole(labs, start, kind):
    n = 12000
    server = start(kind, zones=[FORWARD, REV16], records=big_zone(n))
    lab = labs(dns=server)
    lab.leases4.add("198.51.200.7", mac(7), "laptop")
    got = lab.reconcile()
    assert got["changed"] == 4 and got["pulled"] >= 2 * n and got["conflicts"] == 0
    hosts = lab.bridge.json("list", "hosts")
    assert sum(h["kind"] == "dns" for h in hosts) == n
    names = {h["address"]: h["name"] for h in hosts}
    assert names["198.51.1.0"] == "host-1-0-with-a-rather-long-name.lab.example"
    last = 255 + n
    assert names[f"198.51.{last >> 8}.{last & 255}"] == (
        f"host-{last >> 8}-{last & 255}-with-a-rather-long-name.lab.example")
    server.replace(ptr("198.51.20.20"), "PTR", "one.lab.example.")
    server.delete(ptr("198.51.20.21"))
    got = lab.reconcile()
    assert got["pulled"] == 2 and got["changed"] == 0
    hosts = {h["address"]: h["name"] for h in lab.bridge.json("list", "hosts")}
    assert len(hosts) == n and hosts["198.51.20.20"] == "one.lab.example"
    lab.quiet(pulled=0)


# ---- a zone that was restored from a backup --------------------------------------------------

def roll_back(server, saved):
    """Yesterday's zone files without their journals."""
    server.stop()
    for zone in server.zones:
        server.zone_file(zone).write_text(saved[zone])
        server.zone_file(zone).with_name(f"{zone}.zone.jnl").unlink(missing_ok=True)
    server.launch()


def test_after_a_rollback_ours_is_there_again_and_nothing_is_invented(labs, start):
    old = {FORWARD: ["theirs 300 IN A 198.51.100.1"],
           REV24: ["7 300 IN PTR ancient.lab.example.", "9 300 IN PTR nas.lab.example."]}
    server = start(Bind, zones=[FORWARD, REV24], records=old)
    saved = {zone: server.zone_file(zone).read_text() for zone in server.zones}
    lab = labs(dns=server)
    # Since the backup a person took away one name of theirs and changed another.
    server.delete(P7)
    server.replace(ptr("192.0.2.9"), "PTR", "files.lab.example.")
    lab.lease(7, "host")
    lab.lease(8, "second")
    lab.bridge.ok("add-host", "nas2", "192.0.2.50")
    lab.settle(conflicts=0)
    assert kinds(lab)["192.0.2.9"] == ("files.lab.example", "dns")
    before = lab.serials()

    roll_back(server, saved)
    assert all(server.serial(z) < before[z] for z in server.zones)
    r = lab.bridge.run("--json", "reconcile")
    assert r.rc == 0 and "went back" in r.stderr
    lab.quiet()
    # .7's old PTR stands in the way of ours: it is listed, and it is no edit.
    assert kinds(lab)["192.0.2.7"] == (HOST, "lease")
    assert set(lab.conflicts()) == {(P7, "PTR")}
    mark = dhcid(HOST, mac=mac(7))
    lab.expect(pair("second.lab.example", "192.0.2.8", mac=mac(8)),
               pair("nas2.lab.example", "192.0.2.50"), f"{HOST} A 192.0.2.7",
               f"{HOST} DHCID {mark}", "theirs.lab.example A 198.51.100.1",
               f"{P7} PTR ancient.lab.example", f"{ptr('192.0.2.9')} PTR nas.lab.example")
    assert all(name != "files.lab.example" for name, _ in kinds(lab).values())


def test_after_a_rollback_of_everything_ours_every_record_comes_back_once(labs, start):
    server = start(Bind, zones=[FORWARD, REV24])
    saved = {zone: server.zone_file(zone).read_text() for zone in server.zones}
    lab = labs(dns=server)
    for n in range(1, 61):
        lab.lease(n, f"host{n}")
    lab.settle(changed=240)
    before = lab.records()
    for _ in range(4):   # more often than a fight takes to be frozen
        roll_back(server, saved)
        assert lab.records() == []
        lab.settle(changed=240, conflicts=0)
        assert lab.records() == before


def copy_zones(server):
    """The zone files as they are now, once named has folded the journals in."""
    server.rndc("sync", "-clean")
    for zone in server.zones:
        wait_for(lambda: f"{server.serial(zone)} ; serial" in
                 " ".join(server.zone_file(zone).read_text().split()), 15, what="the zone file")
    return {zone: server.zone_file(zone).read_text() for zone in server.zones}


def lose_all_since(server, saved):
    """named dies, and what it comes back with is the copy."""
    server.kill()
    roll_back(server, saved)


def change_much(lab):
    """Leases and people's records end, move and are renamed; some more often than once."""
    lab.leases4.release("192.0.2.1")
    lab.leases4.rename("192.0.2.2", "new2")
    lab.leases4.release("192.0.2.3")
    lab.lease(33, "host3b")
    lab.leases4.release("192.0.2.4")
    lab.leases4.add("192.0.2.44", mac(4), "host4")
    lab.leases4.release("192.0.2.5")
    lab.leases4.release("192.0.2.6")
    lab.bridge.ok("del-host", "nas2")
    lab.bridge.ok("add-host", "--replace", "nas3", "192.0.2.63")
    lab.settle(conflicts=0)
    # An address and a name that somebody else has, and an address that somebody else had.
    lab.leases4.add("192.0.2.5", mac(15), "host15")
    lab.leases4.add("192.0.2.66", mac(16), "host6")
    lab.leases4.add("192.0.2.6", mac(17), "host17")
    lab.settle(conflicts=0)
    lab.leases4.release("192.0.2.6")
    lab.settle(conflicts=0)


def test_what_ended_since_the_copy_of_a_zone_goes_again(labs, start):
    server = start(Bind, zones=[FORWARD, REV24], records={FORWARD: ["theirs 300 IN A 198.51.100.1"]})
    lab = labs(dns=server)
    for n in range(1, 9):
        lab.lease(n, f"host{n}")
    lab.bridge.ok("add-host", "nas2", "192.0.2.52")
    lab.bridge.ok("add-host", "nas3", "192.0.2.53")
    lab.settle()
    saved = copy_zones(server)
    change_much(lab)
    before = lab.records()

    for _ in range(2):
        lose_all_since(server, saved)
        old = lab.records()
        assert "host1.lab.example A 192.0.2.1" in old and old != before
        r = lab.bridge.run("--json", "reconcile")
        assert r.rc == 0 and "went back" in r.stderr and "goes again" in r.stderr
        assert lab.records() == before
        lab.quiet(conflicts=0)
        assert all(kind in ("lease", "manual") for _, kind in kinds(lab).values())
    told = [j["event"] for j in lab.bridge.json("journal", "host1.lab.example")]
    assert told[-4:] == ["restored", "done", "restored", "done"]


def test_what_others_wrote_since_the_copy_or_before_it_stays(labs, start):
    server = start(Bind, zones=[FORWARD, REV24], records={FORWARD: ["theirs 300 IN A 198.51.100.1"]})
    lab = labs(dns=server)
    for n in (1, 2, 3):
        lab.lease(n, f"host{n}")
    lab.settle()
    saved = copy_zones(server)
    for n in (1, 2, 3):
        lab.leases4.release(f"192.0.2.{n}")
    lab.settle()
    server.delete("theirs.lab.example")
    # A person gives the first two names again: one is all theirs, the other was for a while.
    server.add("host1.lab.example", "A", "192.0.2.1")
    server.add(ptr("192.0.2.2"), "PTR", "host2.lab.example.")
    lab.settle(conflicts=0)
    server.delete(ptr("192.0.2.2"))
    lab.settle(conflicts=0)

    lose_all_since(server, saved)
    lab.reconcile()
    lab.expect("theirs.lab.example A 198.51.100.1", "host1.lab.example A 192.0.2.1",
               f"{ptr('192.0.2.2')} PTR host2.lab.example",
               f"{ptr('192.0.2.2')} DHCID {dhcid('host2.lab.example', mac=mac(2))}")
    lab.quiet(conflicts=0)


def test_a_daemon_removes_what_an_older_copy_brings_back(labs, start):
    server = start(Bind, zones=[FORWARD, REV24])
    lab = labs(dns=server)
    lab.bridge.sections[""]["schedule", None] = {"pull": "1s"}
    for n in range(1, 9):
        lab.lease(n, f"host{n}")
    lab.bridge.daemon()

    def holds(names):
        lines = [pair(f"{n}.{FORWARD}", f"192.0.2.{a}", mac=mac(m)) for a, n, m in names]
        return lambda: lab.records() == sorted(line for two in lines for line in two)

    def looked():
        return {z["name"]: z["serial"] for z in lab.bridge.json("list", "zones")} == lab.serials()

    wait_for(holds([(n, f"host{n}", n) for n in range(1, 9)]), 30)
    saved = copy_zones(server)
    lab.leases4.release("192.0.2.1")
    lab.leases4.rename("192.0.2.2", "new2")
    lab.leases4.release("192.0.2.3")
    lab.leases4.add("192.0.2.33", mac(3), "host3")
    now = [(2, "new2", 2), (33, "host3", 3)] + [(n, f"host{n}", n) for n in range(4, 9)]
    wait_for(holds(now), 30)
    wait_for(looked, 30)
    lose_all_since(server, saved)
    wait_for(holds(now), 30)


def test_a_rollback_that_an_update_met_first_is_no_fight(labs, start):
    server = start(Bind, zones=[FORWARD, REV48])
    saved = {zone: server.zone_file(zone).read_text() for zone in server.zones}
    lab = labs(dns=server)
    addresses = [f"2001:db8:0:1::{n}" for n in range(1, 5)]
    lab.bridge.ok("add-host", "nas", addresses[0])
    for address in addresses[1:]:
        for zone in server.zones:
            server.raise_serial(zone, 10)   # what is written again stays below what was seen
        lab.quiet()
        roll_back(server, saved)
        # The update is refused: what it was planned on is not there.
        lab.bridge.run("add-host", "nas", address)
    lab.settle(conflicts=0)
    lab.expect({line for a in addresses for line in pair("nas.lab.example", a)})
