"""add-host and del-host: what a person says, in DNS at once."""

import hashlib

import pytest

from harness import Bind
from harness.lab import FORWARD, duid, mac, pair, unhex

NAS = "nas.lab.example"


def suffixed(label, identity):
    return f"{label}-{hashlib.sha256(unhex(identity)).hexdigest()[:4]}.lab.example"


def add(lab, *words, rc=0):
    return lab.bridge.json("add-host", *words, rc=rc)


def end(lab, *words, rc=0):
    return lab.bridge.json("del-host", *words, rc=rc)


# ---- adding ----------------------------------------------------------------------------------

def test_a_host_is_in_dns_when_the_verb_ends(lab):
    got = add(lab, NAS, "192.0.2.7")
    assert got["open"] == []
    lab.expect(pair(NAS, "192.0.2.7", ttl=300), ttl=True)
    lab.quiet()


def test_a_host_with_addresses_of_both_families(lab):
    addresses = ["192.0.2.7", "198.51.100.7", "2001:db8:0:1::7", "2001:db8:0:2::7"]
    add(lab, NAS, *addresses)
    lab.expect(*(pair(NAS, a) for a in addresses))
    lab.quiet()


def test_a_bare_label_goes_below_the_subnets_zone(bind_lab):
    got = add(bind_lab, "NAS", "192.0.2.7")
    assert [h["name"] for h in got["hosts"]] == [NAS]
    bind_lab.expect(pair(NAS, "192.0.2.7"))


def test_adding_what_is_there_changes_nothing(bind_lab):
    lab = bind_lab
    add(bind_lab, NAS, "192.0.2.7", "2001:db8:0:1::7")
    before, serials = lab.raw(), lab.serials()
    for name in (NAS, "nas", "NAS.Lab.Example."):
        got = add(lab, name, "192.0.2.7", "2001:db8:0:1::7")
        assert {h["action"] for h in got["hosts"]} == {"unchanged"}
    assert lab.raw() == before and lab.serials() == serials


def test_an_address_said_twice_is_one(bind_lab):
    add(bind_lab, NAS, "192.0.2.7", "192.0.2.7", "2001:db8:0:1::7", "2001:0db8:0:1:0::7")
    bind_lab.expect(pair(NAS, "192.0.2.7"), pair(NAS, "2001:db8:0:1::7"))


def test_more_addresses_are_added_to_those_there_are(bind_lab):
    add(bind_lab, NAS, "192.0.2.7")
    add(bind_lab, NAS, "192.0.2.8")
    bind_lab.expect(pair(NAS, "192.0.2.7"), pair(NAS, "192.0.2.8"))


def test_replace_ends_the_names_other_addresses(lab):
    add(lab, NAS, "192.0.2.7", "2001:db8:0:1::7")
    add(lab, "printer", "192.0.2.9")
    got = add(lab, NAS, "192.0.2.8", "--replace")
    assert sorted(e["address"] for e in got["ended"]) == ["192.0.2.7", "2001:db8:0:1::7"]
    lab.expect(pair(NAS, "192.0.2.8"), pair("printer.lab.example", "192.0.2.9"))
    lab.quiet()


def test_the_first_name_of_an_address_gets_its_pointer(lab):
    add(lab, NAS, "192.0.2.7")
    got = add(lab, "files", "192.0.2.7")
    assert got["hosts"][0]["ptr"] is False
    lab.expect(pair(NAS, "192.0.2.7"), "files.lab.example A 192.0.2.7")
    lab.quiet()
    end(lab, NAS)
    lab.expect(pair("files.lab.example", "192.0.2.7"))
    lab.quiet()


def test_a_ttl_of_its_own(lab):
    add(lab, NAS, "192.0.2.7", "--ttl", "1h")
    lab.expect(pair(NAS, "192.0.2.7", ttl=3600), ttl=True)
    add(lab, NAS, "192.0.2.7", "--ttl", "90")
    lab.expect(pair(NAS, "192.0.2.7", ttl=90), ttl=True)
    lab.quiet()


def test_mac_and_note_are_kept_and_shown(bind_lab):
    add(bind_lab, NAS, "192.0.2.7", "--mac", mac(7).upper(), "--note", "rack 3; 'left'")
    assert bind_lab.hosts()[NAS, "192.0.2.7"]["mac"] == mac(7)
    sighting, = bind_lab.why(NAS)["sightings"]
    assert sighting["raw"] == "rack 3; 'left'" and sighting["kind"] == "manual"
    add(bind_lab, NAS, "192.0.2.7", "--note", "rack 4")
    sighting, = bind_lab.why(NAS)["sightings"]
    assert sighting["raw"] == "rack 4" and sighting["mac"] == mac(7)


def test_the_name_of_another_configured_zone(bind_lab):
    add(bind_lab, "nas.other.example", "192.0.2.7")
    bind_lab.expect(pair("nas.other.example", "192.0.2.7"))


def test_a_name_of_many_addresses(lab):
    """BIND takes at most a hundred records of one type at a name."""
    addresses = [f"192.0.2.{n}" for n in range(1, 91)] + [
        f"2001:db8:0:1::{n:x}" for n in range(1, 91)]
    add(lab, "pool", *addresses)
    lab.expect({line for a in addresses for line in pair("pool.lab.example", a)})
    lab.quiet()
    end(lab, "192.0.2.7")
    lab.expect({line for a in addresses if a != "192.0.2.7"
                for line in pair("pool.lab.example", a)})
    lab.quiet()


def test_a_persons_word_is_never_held_back(bind_lab):
    lab = bind_lab
    for name, first in (("one", 1), ("two", 100)):
        add(lab, name, *(f"192.0.2.{n}" for n in range(first, first + 90)))
    add(lab, "one", "192.0.2.1", "--replace")
    lab.quiet(held=0)
    end(lab, "two")
    lab.expect(pair("one.lab.example", "192.0.2.1"))
    lab.quiet(held=0)


# ---- names only a person may give ------------------------------------------------------------

@pytest.mark.parametrize("name", ["lab.example", "*.apps.lab.example", "ns1.lab.example"])
def test_apex_wildcard_and_protected_names_are_a_persons(lab, name):
    add(lab, name, "192.0.2.7")
    # A wildcard is no host: nothing points at it.
    lab.expect([f"{name} A 192.0.2.7"] if name.startswith("*") else pair(name, "192.0.2.7"))
    lab.quiet()
    end(lab, name)
    lab.expect()
    lab.quiet()


@pytest.mark.parametrize("name", ["lab.example.", "*.lab.example.", "www", "ns1", "wpad",
                                  "localhost"])
def test_no_lease_gets_the_apex_a_wildcard_or_a_protected_name(bind_lab, name):
    lab = bind_lab
    lab.lease(7, name)
    lab.lease(8, "other")
    lab.settle(changed=4, conflicts=0)
    lab.expect(pair("other.lab.example", "192.0.2.8", mac=mac(8)))
    assert (None, "192.0.2.7") in lab.hosts()
    reason = lab.why("192.0.2.7")["decisions"][0]["why"]
    assert reason.startswith("no name: ")


def test_what_the_configuration_protects_is_kept_from_everybody(bind_lab):
    lab = bind_lab
    lab.bridge.set(protect=["till-*", "vpn.lab.example"])
    lab.lease(7, "till-3")
    lab.lease(8, "vpn")
    lab.lease(9, "still")
    lab.settle(changed=4)
    lab.expect(pair("still.lab.example", "192.0.2.9", mac=mac(9)))


@pytest.mark.parametrize("name", ["", "a..b", "-x", "x-", "a b\x01", "é", "192.0.2.7", "x" * 64,
                                  "a.*.lab.example", "a*"])
def test_a_name_that_breaks_the_rule_is_refused(bind_lab, name):
    r = bind_lab.bridge.run("add-host", "--", name, "192.0.2.7")
    assert r.rc == 2 and r.stdout == "" and "refused" in r.stderr
    assert bind_lab.hosts() == {}


def test_an_address_outside_every_subnet_is_refused(bind_lab):
    r = bind_lab.bridge.run("add-host", NAS, "192.0.2.7", "203.0.113.7")
    assert r.rc == 2 and "203.0.113.7 is outside every subnet" in r.stderr
    assert bind_lab.hosts() == {}
    bind_lab.expect()


def test_a_manual_address_whose_subnet_goes_is_listed_and_can_be_ended(bind_lab):
    lab = bind_lab
    lab.bridge.subnet("203.0.113.0/24", [FORWARD])
    add(lab, NAS, "203.0.113.7")
    lab.expect(f"{NAS} A 203.0.113.7")
    del lab.bridge.sections[""]["subnet", "203.0.113.0/24"]
    lab.settle(changed=1)
    lab.expect()
    row, = lab.bridge.json("list", "addresses")
    assert row["address"] == "203.0.113.7" and row["subnet"] is None
    end(lab, "203.0.113.7")
    assert lab.bridge.json("list", "addresses") == []


# ---- ending ----------------------------------------------------------------------------------

def test_ending_by_name_removes_all_its_addresses(bind_lab):
    lab = bind_lab
    add(bind_lab, NAS, "192.0.2.7", "2001:db8:0:1::7")
    add(lab, "printer", "192.0.2.9")
    got = end(lab, "nas")
    assert sorted((e["name"], e["address"]) for e in got["ended"]) == [
        (NAS, "192.0.2.7"), (NAS, "2001:db8:0:1::7")]
    assert got["still"] == [] and got["open"] == []
    lab.expect(pair("printer.lab.example", "192.0.2.9"))
    lab.quiet()


def test_ending_by_address_removes_all_its_names(lab):
    add(lab, NAS, "192.0.2.7", "192.0.2.8")
    add(lab, "files", "192.0.2.7")
    got = end(lab, "192.0.2.7")
    assert sorted(e["name"] for e in got["ended"]) == ["files.lab.example", NAS]
    lab.expect(pair(NAS, "192.0.2.8"))
    lab.quiet()


def test_ending_twice_is_no_error(bind_lab):
    add(bind_lab, NAS, "192.0.2.7")
    end(bind_lab, NAS)
    serials = bind_lab.serials()
    assert end(bind_lab, NAS) == {"ended": [], "still": [], "open": []}
    assert bind_lab.serials() == serials


def test_ending_says_what_still_names_the_address(bind_lab):
    lab = bind_lab
    lab.lease(7, "laptop")
    lab.settle()
    add(lab, NAS, "192.0.2.7")
    lab.expect(pair(NAS, "192.0.2.7"))
    still, = end(lab, NAS)["still"]
    assert (still["name"], still["address"], still["kind"], still["source"]) == (
        "laptop.lab.example", "192.0.2.7", "lease", "dhcp4")
    lab.expect(pair("laptop.lab.example", "192.0.2.7", mac=mac(7)))
    lab.quiet()


def test_ending_a_lease_by_hand_ends_nothing_and_says_why(bind_lab):
    lab = bind_lab
    lab.lease(7, "laptop")
    lab.settle()
    got = end(lab, "laptop")
    assert got["ended"] == [] and got["still"][0]["source"] == "dhcp4"
    lab.expect(pair("laptop.lab.example", "192.0.2.7", mac=mac(7)))


# ---- a person and a lease --------------------------------------------------------------------

def test_a_person_beats_the_lease_at_the_same_address(bind_lab):
    lab = bind_lab
    lab.lease(7, "laptop")
    lab.settle()
    add(bind_lab, NAS, "192.0.2.7")
    lab.expect(pair(NAS, "192.0.2.7"))
    lab.quiet()


def test_a_person_takes_a_name_from_a_lease_which_gets_a_suffix(lab):
    lab.lease(7, "nas")
    lab.settle()
    add(lab, NAS, "192.0.2.50")
    second = suffixed("nas", mac(7))
    lab.settle()
    lab.expect(pair(NAS, "192.0.2.50"), pair(second, "192.0.2.7", mac=mac(7)))
    end(lab, NAS)
    lab.settle()
    lab.expect(pair(second, "192.0.2.7", mac=mac(7)))


def test_a_lease_that_asks_for_a_persons_name_gets_a_suffix(bind_lab):
    lab = bind_lab
    add(bind_lab, NAS, "192.0.2.50")
    lab.lease(7, "nas")
    lab.leases6.add("2001:db8:0:1::8", duid(8), "nas")
    lab.settle()
    lab.expect(pair(NAS, "192.0.2.50"), pair(suffixed("nas", mac(7)), "192.0.2.7", mac=mac(7)),
               pair(suffixed("nas", duid(8)), "2001:db8:0:1::8", duid=duid(8)))


def test_a_lease_of_the_machine_that_was_named_joins_the_name(lab):
    """The MAC that add-host was told is the lease's: one host."""
    add(lab, NAS, "2001:db8:0:1::7", "--mac", mac(7))
    lab.lease(7, "nas")
    lab.settle()
    lab.expect(pair(NAS, "2001:db8:0:1::7"), pair(NAS, "192.0.2.7"))


def test_a_lease_becomes_a_persons_name_without_a_gap(lab):
    """Naming by hand what a lease named already: the DHCID goes, the name stays."""
    lab.lease(7, "nas")
    lab.settle()
    add(lab, NAS, "192.0.2.7")
    lab.expect(pair(NAS, "192.0.2.7"))
    lab.quiet()
    end(lab, NAS)
    lab.settle()
    lab.expect(pair(NAS, "192.0.2.7", mac=mac(7)))


def test_the_lease_follows_when_the_person_lets_go(bind_lab):
    lab = bind_lab
    lab.lease(7, "laptop")
    lab.settle()
    add(bind_lab, NAS, "192.0.2.7")
    lab.leases4.release("192.0.2.7")
    lab.settle()
    lab.expect(pair(NAS, "192.0.2.7"))
    end(lab, "192.0.2.7")
    lab.expect()
    lab.quiet()


# ---- against what others wrote ---------------------------------------------------------------

def test_a_name_that_somebody_else_holds_is_a_conflict(bind_lab):
    lab = bind_lab
    lab.dns.add(NAS, "A", "198.51.100.1")
    got = add(lab, NAS, "192.0.2.7", rc=4)
    # Its PTR waits for the name.
    assert [(o["owner"], o["state"]) for o in got["open"]][0] == (NAS, "conflict")
    lab.quiet(conflicts=1)
    lab.expect(f"{NAS} A 198.51.100.1")


def test_a_second_database_finds_its_persons_names_agreed(labs):
    """Without a DHCID nothing tells that they were ours: they are left alone."""
    first = labs(Bind)
    add(first, NAS, "192.0.2.7")
    second = labs(dns=first.dns)
    got = second.bridge.json("add-host", NAS, "192.0.2.7")
    assert got["open"] == []
    second.quiet()
    second.bridge.ok("del-host", NAS)
    second.quiet()
    second.expect(pair(NAS, "192.0.2.7"))


def test_two_hosts_may_share_a_name_by_hand(bind_lab):
    add(bind_lab, "pool", "192.0.2.7", "--mac", mac(7))
    add(bind_lab, "pool", "192.0.2.8", "--mac", mac(8))
    bind_lab.expect(pair("pool.lab.example", "192.0.2.7"), pair("pool.lab.example", "192.0.2.8"))
    bind_lab.quiet()
