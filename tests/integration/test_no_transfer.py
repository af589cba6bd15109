"""Zones that their server does not give: it is asked about the names that the bridge has to do with."""

import pytest

from harness import Bind
from harness.lab import FORWARD, REV16, REV24, mac, pair, ptr
from harness.proc import wait_for

SAID = "does not give the zone"


def keep(lab):
    """Transfers go unsigned, which every server here refuses; queries it answers."""
    lab.bridge.server("ns1", lab.dns, unsigned_transfer=True)


def give(lab):
    lab.bridge.server("ns1", lab.dns)


def read_by(lab):
    return {z["read_by"] for z in lab.bridge.json("list", "zones")}


def test_names_come_change_and_go_and_the_rest_stays(lab):
    keep(lab)
    dns = lab.dns
    dns.add(f"theirs.{FORWARD}", "A", "198.51.100.1")
    dns.add(f"host3.{FORWARD}", "A", "198.51.100.3")
    lab.lease(1, "host1")
    lab.lease(2, "host2")
    lab.lease(3, "host3")
    r = lab.bridge.ok("reconcile")
    assert r.stderr.count(SAID) == len(dns.zones) and "hint: let the transfer key" in r.stderr, r
    assert lab.quiet(conflicts=1)["pulled"] == 0
    assert (f"host3.{FORWARD}", "A") in lab.conflicts()
    assert read_by(lab) == {"queries"}
    assert "read by queries" in lab.bridge.ok("status").stdout
    # A client that calls itself something else, one that goes, a name that is free again.
    lab.leases4.rename("192.0.2.1", "desktop")
    lab.leases4.release("192.0.2.2")
    dns.delete(f"host3.{FORWARD}")
    r = lab.bridge.ok("reconcile")
    assert SAID not in r.stderr, r
    theirs = f"theirs.{FORWARD} A 198.51.100.1"
    lab.expect(pair(f"desktop.{FORWARD}", "192.0.2.1", mac=mac(1)),
               pair(f"host3.{FORWARD}", "192.0.2.3", mac=mac(3)), theirs)
    # People: one takes ours away, one edits a PTR, one adds to a name of ours.
    dns.delete(f"host3.{FORWARD}", "A")
    dns.replace(ptr("192.0.2.1"), "PTR", f"anna.{FORWARD}.")
    lab.lease(4, "host4")
    lab.reconcile()
    dns.add(f"host4.{FORWARD}", "A", "198.51.100.4")
    lab.reconcile()
    lab.reconcile()
    assert dns.query(f"host3.{FORWARD}") == ["192.0.2.3"]
    assert dns.query(f"anna.{FORWARD}") == ["192.0.2.1"]
    assert dns.query(f"desktop.{FORWARD}") == []
    assert dns.query(f"host4.{FORWARD}") == ["192.0.2.4", "198.51.100.4"]
    lab.quiet(conflicts=0)
    # What was not seen so far is, once the zone is given.
    dns.add(ptr("192.0.2.77"), "PTR", f"nas.{FORWARD}.")
    lab.reconcile()
    assert lab.names("192.0.2.77") == []
    give(lab)
    dns.add(f"more.{FORWARD}", "TXT", "x")
    r = lab.bridge.ok("-v", "reconcile")
    assert "gives the zone again" in r.stderr, r
    assert lab.names("192.0.2.77") == [f"nas.{FORWARD}"]
    lab.bridge_sql("update ipambridge.zone set full_at = null")
    lab.quiet(conflicts=0)
    assert read_by(lab) == {"transfer"}


def test_a_right_that_is_taken_away_and_a_belief_that_is_lost(lab):
    dns = lab.dns
    for n in range(1, 5):
        lab.lease(n, f"host{n}")
    lab.settle()
    keep(lab)
    lab.bridge_sql("update ipambridge.zone set full_at = null")
    before = lab.records()
    dns.delete(f"host2.{FORWARD}")
    got = lab.reconcile()
    assert got["pulled"] == 1, got
    lab.reconcile()
    assert lab.records() == before
    lab.quiet(conflicts=0)
    # Whose they are, their DHCIDs tell.
    lab.bridge_sql("delete from ipambridge.owner")
    lab.bridge_sql("update ipambridge.space set policy_digest = null")
    lab.reconcile()
    assert lab.records() == before
    lab.quiet(conflicts=0)
    lab.leases4.release("192.0.2.3")
    lab.reconcile()
    assert lab.records() == [x for x in before if "host3." not in x and ptr("192.0.2.3") not in x]


def test_a_zone_that_went_back_is_brought_up_to_date(labs, start):
    from test_reverse import copy_zones, lose_all_since
    server = start(Bind, zones=[FORWARD, REV24])
    lab = labs(dns=server)
    keep(lab)
    lab.lease(1, "host1")
    lab.reconcile()
    saved = copy_zones(server)
    lab.lease(2, "host2")
    lab.reconcile()
    before = lab.records()
    lose_all_since(server, saved)
    r = lab.bridge.run("--json", "reconcile")
    assert r.rc == 0 and "went back" in r.stderr, r
    assert lab.records() == before
    lab.quiet(conflicts=0)


DEEP = f"deep.sub.{FORWARD}"      # below a delegation of the zone
CHILD = "198.51.100.9"            # in a child zone that the server has too


def with_cuts(lab):
    keep(lab)
    lab.dns.add(f"sub.{FORWARD}", "NS", "ns.example.net.")
    return lab.records()


def add_below_cuts(lab):
    lab.bridge.run("add-host", DEEP, "198.51.8.8")
    lab.bridge.run("add-host", f"child.{FORWARD}", CHILD)


def check_cuts(lab, before):
    assert lab.records() == sorted([*before, f"child.{FORWARD} A {CHILD}"])
    for name in DEEP, CHILD:
        assert "below a delegation" in lab.bridge.ok("why", name).stdout


def test_nothing_is_written_below_a_cut_that_no_transfer_shows(labs, make):
    lab = labs(make, zones=[FORWARD, REV16])
    before = with_cuts(lab)
    add_below_cuts(lab)
    lab.quiet(conflicts=2)
    check_cuts(lab, before)
    # The delegation goes, and what waited for that is written.
    lab.dns.delete(f"sub.{FORWARD}", "NS")
    lab.reconcile()
    assert lab.dns.query(DEEP) == ["198.51.8.8"]
    assert lab.dns.query(ptr("198.51.8.8"), "PTR") == [DEEP]


def test_the_daemon_asks_before_its_first_word(labs):
    lab = labs(Bind, zones=[FORWARD, REV16])
    before = with_cuts(lab)
    lab.bridge.daemon()
    add_below_cuts(lab)
    wait_for(lambda: len(lab.conflicts()) == 2, 20, "both names below cuts stand as conflicts")
    check_cuts(lab, before)


def test_the_daemon_does_not_begin_where_the_cut_is_elsewhere(start, bridges, database):
    """The first look at the zone is that of the process which sends."""
    dns = start(Bind, zones=[FORWARD, "0.192.in-addr.arpa"])
    b = bridges(database).server("ns1", dns).zone(FORWARD, "ns1").zone(REV24, "ns1")
    b.subnet("192.0.2.0/24", FORWARD)
    b.init()
    p = b.daemon("serve", "--role", "push")
    wait_for(lambda: "has no zone" in p.log_text(), 20, "the push process says so")
    assert "not begun" in p.log_text()
