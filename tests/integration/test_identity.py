"""One host over IPv4 and IPv6, wired and wireless, with a hardware address that changes."""

import hashlib

import pytest

from harness import Bind
from harness.lab import FORWARD, dhcid, ptr, unhex

WIRED, RADIO = "00:00:5e:00:53:01", "00:00:5e:00:53:02"
LOCAL, AGAIN = "02:00:5e:00:53:01", "06:00:5e:00:53:02"
DUID = f"00:01:00:01:29:aa:bb:cc:{WIRED}"
RFC4361 = f"ff:00:00:00:01:{DUID}"
PC = "pc.lab.example"
SIX = "2001:db8:0:1::7"


@pytest.fixture
def lab(labs):
    return labs(Bind)


def addresses(lab):
    """{name: addresses} of the forward zone; every one of them has its PTR and nobody else has."""
    got, pointed = {}, set()
    for line in lab.records():
        owner, kind, value = line.split(" ", 2)
        if kind in ("A", "AAAA"):
            got.setdefault(owner, set()).add(value)
        elif kind == "PTR":
            pointed.add((owner, value))
    assert pointed == {(ptr(a), name) for name, all_of in got.items() for a in all_of}
    return got


def suffixed(identity):
    return f"pc-{hashlib.sha256(unhex(identity)).hexdigest()[:4]}.{FORWARD}"


def why(lab, address):
    """What was decided about the address, in words."""
    row, = [d for d in lab.why(address)["decisions"] if d["address"] == address]
    return row["why"]


def client_dhcid(lab, name=PC):
    return [line.split(" ")[-1] for line in lab.records(zones=[FORWARD])
            if line.startswith(f"{name} DHCID ")]


def test_the_duid_of_a_v4_client_identifier_joins_both_families_and_both_interfaces(lab):
    lab.leases4.add("192.0.2.7", WIRED, "pc", client_id=RFC4361)
    lab.settle()
    lab.leases4.add("192.0.2.8", RADIO, "pc", client_id=f"ff:00:00:00:02:{DUID}")
    lab.leases6.add(SIX, DUID, "pc", mac=RADIO)
    lab.settle(conflicts=0)
    assert addresses(lab) == {PC: {"192.0.2.7", "192.0.2.8", SIX}}
    # The first identity is the owner's.
    assert client_dhcid(lab) == [dhcid(PC, duid=DUID)]
    assert "one host with 192.0.2.7 (same DUID)" in why(lab, "192.0.2.8")
    assert "one host with 192.0.2.7 (same DUID)" in why(lab, SIX)
    lab.leases4.release("192.0.2.7")
    lab.settle()
    assert addresses(lab) == {PC: {"192.0.2.8", SIX}}


def test_a_v6_lease_joins_the_wire_through_the_radio(lab):
    lab.leases4.add("192.0.2.7", WIRED, "pc", client_id="00:aa:bb")
    lab.settle()
    lab.leases4.add("192.0.2.8", RADIO, "pc", client_id="00:aa:bb")
    lab.leases6.add(SIX, DUID, "pc", mac=RADIO)
    lab.settle(conflicts=0)
    assert addresses(lab) == {PC: {"192.0.2.7", "192.0.2.8", SIX}}
    assert client_dhcid(lab) == [dhcid(PC, client_id="00:aa:bb")]
    assert "one host with 192.0.2.7 (same client identifier)" in why(lab, "192.0.2.8")
    assert "one host with 192.0.2.8 (same hardware address)" in why(lab, SIX)


def test_two_hardware_addresses_and_nothing_else_are_two_hosts(lab):
    lab.leases4.add("192.0.2.7", WIRED, "pc")
    lab.settle()
    lab.leases4.add("192.0.2.8", RADIO, "pc")
    lab.settle()
    assert addresses(lab) == {PC: {"192.0.2.7"}, suffixed(RADIO): {"192.0.2.8"}}
    assert "held by 192.0.2.7 (another hardware address)" in why(lab, "192.0.2.8")


def test_a_person_gives_one_name_to_both_interfaces(lab):
    lab.bridge.ok("add-host", "pc", "192.0.2.7", "--mac", WIRED)
    lab.bridge.ok("add-host", "pc", "192.0.2.8", "--mac", RADIO)
    lab.quiet()
    assert addresses(lab) == {PC: {"192.0.2.7", "192.0.2.8"}}
    # What proves nothing does not join.
    lab.leases4.add("192.0.2.9", LOCAL, "pc")
    lab.settle()
    assert addresses(lab) == {PC: {"192.0.2.7", "192.0.2.8"}, suffixed(LOCAL): {"192.0.2.9"}}
    assert "a person's name, and nothing proves" in why(lab, "192.0.2.9")


def test_a_hardware_address_that_changes_tells_no_families_apart(lab):
    lab.leases4.add("192.0.2.7", LOCAL, "pc", client_id=f"01:{LOCAL}")
    lab.leases6.add(SIX, f"00:03:00:01:{AGAIN}", "pc", mac=AGAIN)
    lab.settle(conflicts=0)
    assert addresses(lab) == {PC: {"192.0.2.7", SIX}}
    assert "same name in the other family" in why(lab, SIX)
    # A client identifier of its own stays when the hardware address goes.
    lab.leases4.add("192.0.2.8", LOCAL, "phone", client_id="00:aa")
    lab.leases4.add("192.0.2.9", AGAIN, "phone", client_id="00:aa")
    lab.settle(conflicts=0)
    assert addresses(lab)["phone.lab.example"] == {"192.0.2.8", "192.0.2.9"}


def test_where_the_newest_counts_a_changed_client_keeps_its_name(lab):
    lab.bridge.zone(FORWARD, "ns1", addresses="newest")
    lab.leases4.add("192.0.2.7", LOCAL, "pc", valid=1000)
    lab.leases6.add(SIX, DUID, "pc")
    lab.settle()
    assert addresses(lab) == {PC: {"192.0.2.7", SIX}}
    lab.leases4.add("192.0.2.8", AGAIN, "pc", valid=2000)
    lab.settle()
    assert addresses(lab) == {PC: {"192.0.2.8", SIX}}
    assert "hardware addresses that change" in why(lab, "192.0.2.8")
    owner, = [o for o in lab.why("192.0.2.7")["owners"] if o["owner"] == ptr("192.0.2.7")]
    assert owner["why"] == "a newer lease of the host has the name"
    # Both are renewed: two clients after all.
    lab.leases4.renew("192.0.2.7", valid=3000)
    lab.settle()
    assert addresses(lab) == {PC: {"192.0.2.7", SIX}, suffixed(AGAIN): {"192.0.2.8"}}


def test_the_policy_on_addresses_may_change(lab):
    lab.leases4.add("192.0.2.7", WIRED, "pc", client_id="00:aa:bb")
    lab.settle()
    lab.leases4.add("192.0.2.8", RADIO, "pc", client_id="00:aa:bb")
    lab.settle()
    for policy, shown in (("newest", {"192.0.2.8"}), ("all", {"192.0.2.7", "192.0.2.8"})):
        lab.bridge.zone(FORWARD, "ns1", addresses=policy)
        lab.settle()
        assert addresses(lab) == {PC: shown}
