"""What the bridge did not write it does not touch: whatever stands in the zones, and whoever asks
for its names, the records of others are the same bytes afterwards.
"""

import pytest

from harness import Bind
from harness.lab import FORWARD, REV24, dhcid, mac, pair, ptr

BIND_AND_KNOT = pytest.mark.parametrize("make", ["bind", "knot"], indirect=True)

# label, type, RDATA: each at a name of its own that a client will ask for.
FOREIGN = [
    ("a", "A", "198.51.100.1"),
    ("aaaa", "AAAA", "2001:db8:ffff::1"),
    ("caa", "CAA", '0 issue "ca.example.net"'),
    ("cert", "CERT", "1 12345 8 AwEAAbcd"),
    ("cname", "CNAME", "Target.Example.NET."),
    ("dhcid", "DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="),
    ("dname", "DNAME", "elsewhere.example.net."),
    ("hinfo", "HINFO", '"VAX-11/780" "UNIX"'),
    ("loc", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
    ("mx", "MX", "10 Mail.Example.NET."),
    ("naptr", "NAPTR", '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.net!" .'),
    ("cut", "NS", "ns.example.net."),
    ("openpgp", "OPENPGPKEY", "mQCNAzIG"),
    ("ptr", "PTR", "somewhere.example.net."),
    ("rp", "RP", "admin.example.net. txt.example.net."),
    ("srv", "SRV", "0 5 5060 Sip.Example.NET."),
    ("sshfp", "SSHFP", "4 2 " + "ab" * 32),
    ("tlsa", "TLSA", "3 1 1 " + "cd" * 32),
    ("txt", "TXT", '"some \\"text\\"; with all" "sorts"'),
    ("unknown", "TYPE65280", "\\# 4 0a000001"),
    ("uri", "URI", '10 1 "https://www.example.net/"'),
]
LABELS = [label for label, _, _ in FOREIGN]
# A person's name may stand beside these; it may not beside the rest.
APART = {"a", "aaaa", "cname", "cut", "dhcid"}


def seed(lab):
    zone = []
    for label, kind, rdata in FOREIGN:
        zone.append(("add", f"{label}.lab.example", 1234, kind, rdata))
    zone += [
        ("add", "*.wild.lab.example", 60, "A", "198.51.100.9"),
        ("add", "*.wild.lab.example", 60, "TXT", '"any"'),
        ("add", "many.lab.example", 60, "A", "198.51.100.3"),
        ("add", "many.lab.example", 60, "A", "198.51.100.4"),
        ("add", "many.lab.example", 60, "MX", "5 mx.example.net."),
        ("add", "lab.example", 60, "TXT", '"v=spf1 -all"'),
        ("add", "lab.example", 60, "CAA", '0 issue ";"'),
        ("add", "_sip._udp.lab.example", 60, "SRV", "0 0 5060 sip.example.net."),
    ]
    lab.dns.write(FORWARD, *zone)
    lab.dns.write(
        REV24,
        ("add", ptr("192.0.2.200"), 77, "PTR", "Router.Example.NET."),
        ("add", ptr("192.0.2.201"), 77, "CNAME", "201.sub.example.net."),
        ("add", "sub." + REV24, 77, "NS", "ns.example.net."),
        ("add", ptr("192.0.2.202"), 77, "TXT", '"rack 3"'))


def ours(lab, before):
    """What is there beyond before; what was there must still be there."""
    after = lab.raw()
    for zone, lines in before.items():
        lost = set(lines) - set(after[zone])
        assert not lost, f"{zone} lost {lost}"
    return {z: sorted(set(after[z]) - set(before[z])) for z in before}


def nothing_of_ours(lab, before):
    assert lab.raw() == before


@BIND_AND_KNOT
def test_leases_that_ask_for_foreign_names_change_nothing(lab):
    seed(lab)
    before = lab.raw()
    for n, label in enumerate(LABELS, 1):
        lab.lease(n, label)
    lab.lease(100, "below.cut.lab.example.")
    lab.lease(101, "below.dname.lab.example.")
    lab.lease(102, "many")
    got = lab.reconcile()
    assert got["changed"] == 0 and got["refused"] == 0 and got["pending"] == 0
    for _ in range(3):
        lab.quiet()
    nothing_of_ours(lab, before)
    listed = {owner for owner, kind in lab.conflicts() if kind == "A"}
    clashes = [*LABELS, "below.cut", "below.dname", "many"]
    assert listed == {f"{label}.lab.example" for label in clashes}
    for n in range(1, len(LABELS) + 1):
        lab.leases4.release(f"192.0.2.{n}")
    for n in (100, 101, 102):
        lab.leases4.release(f"192.0.2.{n}")
    lab.quiet(conflicts=0)
    nothing_of_ours(lab, before)


@BIND_AND_KNOT
def test_each_clash_is_listed_with_all_its_values(lab):
    seed(lab)
    lab.lease(1, "a")
    lab.lease(2, "cname")
    lab.lease(3, "mx")
    lab.reconcile()
    rows = lab.conflicts()
    assert {k: (r["wanted"], r["published"], r["seen"]) for k, r in rows.items()} == {
        ("a.lab.example", "A"): (["192.0.2.1"], [], ["198.51.100.1"]),
        ("cname.lab.example", "A"): (["192.0.2.2"], [], ["CNAME target.example.net"]),
        ("mx.lab.example", "A"): (["192.0.2.3"], [], rows["mx.lab.example", "A"]["seen"])}
    assert all(r["why"] and r["zone"] == FORWARD and r["space"] == "default"
               for r in rows.values())


@BIND_AND_KNOT
def test_a_client_below_a_wildcard_gets_a_name_of_its_own(lab):
    seed(lab)
    before = lab.raw()
    lab.lease(1, "host.wild.lab.example.")
    lab.settle(changed=4, conflicts=0)
    ours(lab, before)
    assert lab.dns.query("host.wild.lab.example") == ["192.0.2.1"]
    assert lab.dns.query("x.wild.lab.example") == ["198.51.100.9"]
    lab.leases4.release("192.0.2.1")
    lab.settle(changed=4)
    nothing_of_ours(lab, before)


@BIND_AND_KNOT
def test_a_persons_name_may_stand_beside_other_types_and_leaves_them_there(lab):
    seed(lab)
    before = lab.raw()
    expected = []
    lab.reconcile()
    for n, label in enumerate(LABELS, 1):
        lab.bridge.run("add-host", f"{label}.lab.example", f"192.0.2.{n}")
        if label not in APART:
            expected += pair(f"{label}.lab.example", f"192.0.2.{n}")
    for name, address in (("below.cut", "192.0.2.100"), ("below.dname", "192.0.2.101")):
        lab.bridge.run("add-host", f"{name}.lab.example", address)
    lab.quiet()
    new = [line for group in ours(lab, before).values() for line in group]
    assert len(new) == len(expected)
    assert set(expected) <= set(lab.records())
    listed = {owner for owner, kind in lab.conflicts() if kind == "A"}
    assert listed == {f"{label}.lab.example" for label in [*APART, "below.cut", "below.dname"]}
    for label in [*LABELS, "below.cut", "below.dname"]:
        lab.bridge.ok("del-host", f"{label}.lab.example")
    lab.quiet(conflicts=0)
    nothing_of_ours(lab, before)


@BIND_AND_KNOT
def test_foreign_pointers_and_what_stands_beside_them_stay(lab):
    seed(lab)
    before = lab.raw()
    for n in (200, 201, 202):
        lab.lease(n, f"host{n}")
    lab.reconcile()
    lab.quiet()
    new = [line for group in ours(lab, before).values() for line in group]
    # Three names; a pointer for 202 alone, where there is only a TXT.
    assert {line[0] for line in new} == {"host200.lab.example.", "host201.lab.example.",
                                         "host202.lab.example.", ptr("192.0.2.202") + "."}
    assert {owner for owner, _ in lab.conflicts()} == {ptr("192.0.2.200"), ptr("192.0.2.201")}
    for n in (200, 201, 202):
        lab.leases4.release(f"192.0.2.{n}")
    lab.settle(conflicts=0)
    nothing_of_ours(lab, before)


@BIND_AND_KNOT
def test_targets_of_mx_srv_ns_and_cname_are_no_clients_names(lab):
    lab.dns.write(FORWARD,
                  # BIND wants the addresses of an MX record's target to be there.
                  ("add", "mailhost.lab.example", 60, "AAAA", "2001:db8:ffff::25"),
                  ("add", "x.lab.example", 60, "MX", "5 mailhost.lab.example."),
                  ("add", "x.lab.example", 60, "SRV", "0 0 1 srvhost.lab.example."),
                  ("add", "y.lab.example", 60, "CNAME", "aliased.lab.example."),
                  ("add", "z.lab.example", 60, "NS", "nshost.lab.example."))
    before = lab.raw()
    names = ["mailhost", "srvhost", "aliased", "nshost"]
    for n, name in enumerate(names, 1):
        lab.lease(n, name)
    lab.lease(9, "free")
    lab.reconcile()
    lab.quiet()
    assert {line[0] for line in sum(ours(lab, before).values(), [])} == {
        "free.lab.example.", ptr("192.0.2.9") + "."}
    lab.bridge.ok("add-host", "srvhost.lab.example", "192.0.2.50")
    assert lab.dns.query("srvhost.lab.example") == ["192.0.2.50"]


@BIND_AND_KNOT
@pytest.mark.parametrize("cut", ["NS", "DNAME"])
def test_below_a_cut_that_was_never_seen_nothing_is_written(lab, cut):
    """The very first thing that is ever done: no zone was transferred yet."""
    lab.dns.add("cut.lab.example", cut, "ns.example.net.")
    before = lab.raw()
    lab.bridge.ok("add-host", "below.cut.lab.example", "192.0.2.7", rc=4)
    nothing_of_ours(lab, before)
    lab.reconcile()
    lab.quiet()
    nothing_of_ours(lab, before)
    assert ("below.cut.lab.example", "A") in lab.conflicts()


# ---- equal by chance -------------------------------------------------------------------------

@BIND_AND_KNOT
def test_records_that_agree_are_neither_sent_nor_deleted(lab):
    lab.dns.add("host.lab.example", "A", "192.0.2.7", ttl=900)
    lab.dns.add(ptr("192.0.2.7"), "PTR", "host.lab.example.", ttl=900)
    before = lab.raw()
    lab.lease(7, "host")
    lab.settle(changed=0, conflicts=0)
    zone = next(z for z in lab.bridge.json("list", "zones") if z["name"] == FORWARD)
    assert zone["agreed"] == 1 and zone["ours"] == 0
    lab.leases4.release("192.0.2.7")
    lab.settle(changed=0)
    nothing_of_ours(lab, before)


@BIND_AND_KNOT
def test_an_agreed_name_that_a_person_gives_up_stays(lab):
    lab.dns.add("host.lab.example", "A", "192.0.2.7")
    before = lab.raw()
    lab.bridge.run("add-host", "host.lab.example", "192.0.2.7")
    lab.quiet()
    lab.bridge.ok("del-host", "host.lab.example")
    lab.quiet()
    assert lab.raw()[FORWARD] == before[FORWARD]


# ---- together with us at one name ------------------------------------------------------------

@BIND_AND_KNOT
def test_records_added_to_a_set_of_ours_survive_it(lab):
    lab.lease(7, "host")
    lab.settle()
    lab.dns.add("host.lab.example", "A", "192.0.2.77")
    lab.dns.add("host.lab.example", "TXT", '"a note"')
    lab.dns.add(ptr("192.0.2.7"), "PTR", "alias.example.net.")
    theirs = ["host.lab.example A 192.0.2.77", 'host.lab.example TXT "a note"',
              f"{ptr('192.0.2.7')} PTR alias.example.net"]
    lab.settle(changed=0)
    lab.expect(pair("host.lab.example", "192.0.2.7", mac=mac(7)), theirs)
    lab.leases4.release("192.0.2.7")
    lab.leases4.add("192.0.2.8", mac(7), "host")
    lab.settle()
    lab.expect(pair("host.lab.example", "192.0.2.8", mac=mac(7)), theirs)
    lab.leases4.release("192.0.2.8")
    lab.settle()
    lab.expect(theirs)


@BIND_AND_KNOT
@pytest.mark.parametrize("what", ["forward", "reverse"])
def test_what_somebody_removes_is_added_again_until_the_third_time(lab, what):
    lab.lease(7, "host")
    lab.settle()
    owner = "host.lab.example" if what == "forward" else ptr("192.0.2.7")
    all_of_it = pair("host.lab.example", "192.0.2.7", mac=mac(7))
    for _ in range(2):
        lab.dns.delete(owner)
        lab.settle(changed=2)
        lab.expect(all_of_it)
    lab.dns.delete(owner)
    before = lab.raw()
    assert f"{owner}: somebody keeps removing it: frozen" in lab.bridge.run("reconcile").stderr
    lab.leases4.renew("192.0.2.7")
    lab.quiet()
    assert lab.raw()[lab.dns.zone_of(owner)] == before[lab.dns.zone_of(owner)]
    rows = [c for (o, _), c in lab.conflicts().items() if o == owner]
    assert rows and "frozen" in rows[0]["why"]


@BIND_AND_KNOT
def test_what_somebody_changes_is_left_as_it_is(lab):
    lab.lease(7, "host")
    lab.settle()
    lab.dns.replace("host.lab.example", "A", "192.0.2.99")
    before = lab.raw()
    lab.reconcile()
    lab.quiet()
    assert lab.raw()[FORWARD] == before[FORWARD]
    row = lab.conflicts()["host.lab.example", "A"]
    assert row["seen"] == ["192.0.2.99"] and row["wanted"] == ["192.0.2.7"]


@BIND_AND_KNOT
def test_a_name_that_becomes_free_is_given_to_its_client(lab):
    lab.dns.add("host.lab.example", "A", "198.51.100.1")
    lab.lease(7, "host")
    lab.reconcile()
    lab.quiet(conflicts=1)
    lab.dns.delete("host.lab.example")
    lab.settle(conflicts=0)
    lab.expect(pair("host.lab.example", "192.0.2.7", mac=mac(7)))


def test_a_name_taken_between_our_look_and_our_update_stays_its_owners(labs):
    """The prerequisites stand guard where the last transfer knows nothing of the name."""
    lab = labs(Bind)
    lab.lease(1, "first")
    lab.settle()
    serial = lab.dns.serial(FORWARD)
    # The transfer is made to look current: the name is written and the serial is as it was.
    lab.dns.add("host.lab.example", "A", "198.51.100.1")
    lab.bridge_sql("update ipambridge.zone set serial = serial + 1, full_at = now() "
                   "where name = 'lab.example'")
    assert lab.dns.serial(FORWARD) == serial + 1
    lab.lease(7, "host")
    got = lab.reconcile()
    assert got["conflicts"] == 1
    assert lab.dns.query("host.lab.example") == ["198.51.100.1"]
    assert lab.dns.query(ptr("192.0.2.7"), "PTR") == []


# ---- another client's mark -------------------------------------------------------------------

@BIND_AND_KNOT
def test_a_name_with_another_clients_dhcid_is_theirs(lab):
    stranger = dhcid("host.lab.example", mac=mac(99))
    lab.dns.write(FORWARD, ("add", "host.lab.example", 300, "A", "192.0.2.99"),
                  ("add", "host.lab.example", 300, "DHCID", stranger))
    before = lab.raw()
    lab.lease(7, "host")
    lab.reconcile()
    lab.quiet(conflicts=1)
    nothing_of_ours(lab, before)


@BIND_AND_KNOT
def test_a_name_with_this_clients_dhcid_is_ours(lab):
    """Kea's own updater or an earlier database of ours wrote it, for the same client."""
    lab.dns.write(FORWARD, ("add", "host.lab.example", 300, "A", "192.0.2.6"),
                  ("add", "host.lab.example", 300, "DHCID",
                   dhcid("host.lab.example", mac=mac(7))))
    lab.lease(7, "host")
    lab.settle(conflicts=0)
    lab.expect(pair("host.lab.example", "192.0.2.7", mac=mac(7)))


# ---- foreign = take --------------------------------------------------------------------------

@pytest.fixture
def taking(labs, make):
    return labs(make, foreign="take")


@BIND_AND_KNOT
def test_where_the_zone_is_given_to_us_another_value_is_replaced(taking):
    lab = taking
    lab.dns.add("host.lab.example", "A", "198.51.100.1")
    lab.dns.add(ptr("192.0.2.7"), "PTR", "old.example.net.")
    lab.dns.add("other.lab.example", "A", "198.51.100.2")
    lab.lease(7, "host")
    lab.settle(conflicts=0)
    lab.expect(pair("host.lab.example", "192.0.2.7", mac=mac(7)),
               "other.lab.example A 198.51.100.2")


@BIND_AND_KNOT
def test_taking_never_touches_other_types(taking):
    lab = taking
    seed(lab)
    before = lab.raw()
    kept = {z: [x for x in lines if x[2] not in ("A", "AAAA", "PTR", "DHCID")]
            for z, lines in before.items()}
    for n, label in enumerate(LABELS, 1):
        lab.lease(n, label)
    lab.reconcile()
    lab.quiet()
    assert lab.dns.query("a.lab.example") == ["192.0.2.1"]
    ours(lab, kept)


@BIND_AND_KNOT
def test_taking_leaves_names_alone_that_nobody_wants(taking):
    lab = taking
    seed(lab)
    before = lab.raw()
    lab.lease(150, "free")
    lab.settle(changed=4)
    lab.leases4.release("192.0.2.150")
    lab.settle(changed=4)
    nothing_of_ours(lab, before)
