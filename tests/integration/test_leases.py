"""Kea's lease files, v4 and v6, become A, AAAA, PTR and DHCID on each make of server.

After every change a second pass must send nothing and move no serial: Lab.settle() sees to it.
"""

import hashlib
import time

import pytest

from harness import Bind, Kea4, Kea6, LeaseFile4, wait_for
from harness.kea import INFINITE
from harness.lab import (FORWARD, REV16, REV24, REV24_INNER, REV48, REV64, dhcid, duid, mac, pair,
                         ptr, unhex)

HOST = "host.lab.example"


def suffixed(label, identity):
    """The name of whoever came second: SHA-256 of what identifies the client."""
    return f"{label}-{hashlib.sha256(unhex(identity)).hexdigest()[:4]}.lab.example"


def host4(n, name=HOST):
    return pair(name, f"192.0.2.{n}", mac=mac(n))


# ---- the life of one lease -------------------------------------------------------------------

def test_a_new_lease_gets_its_pair_with_the_zones_ttl(lab):
    lab.lease(7, "host")
    lab.settle(changed=4, conflicts=0)
    lab.expect(pair(HOST, "192.0.2.7", ttl=300, mac=mac(7)), ttl=True)


def test_a_new_v6_lease_gets_its_pair(lab):
    lab.leases6.add("2001:db8:0:1::7", duid(7), "host.lab.example.")
    lab.settle(changed=4)
    lab.expect(pair(HOST, "2001:db8:0:1::7", duid=duid(7)))


def test_a_client_identifier_comes_before_the_hardware_address(lab):
    lab.lease(7, "host", client_id="01:02:03:04:05:06:07")
    lab.settle()
    lab.expect(pair(HOST, "192.0.2.7", client_id="01:02:03:04:05:06:07"))


def test_a_renewal_sends_nothing(lab):
    lab.lease(7, "host", valid=600)
    lab.settle()
    ends = lab.hosts()[HOST, "192.0.2.7"]["expires_at"]
    lab.leases4.renew("192.0.2.7", valid=7200)
    lab.quiet()
    assert lab.hosts()[HOST, "192.0.2.7"]["expires_at"] > ends


def test_a_rename_replaces_both_directions(lab):
    lab.lease(7, "host")
    lab.settle()
    lab.leases4.rename("192.0.2.7", "New-Name.lab.example.")
    lab.settle()
    lab.expect(host4(7, "new-name.lab.example"))


def test_a_client_that_moves_takes_its_name_along(lab):
    lab.lease(7, "host")
    lab.settle()
    lab.leases4.release("192.0.2.7")
    lab.leases4.add("192.0.2.8", mac(7), "host")
    lab.settle()
    lab.expect(pair(HOST, "192.0.2.8", mac=mac(7)))


def test_a_client_with_two_addresses_has_both_under_one_name(lab):
    lab.lease(7, "host")
    lab.settle()
    lab.leases4.add("192.0.2.8", mac(7), "host")
    lab.settle()
    lab.expect(set(pair(HOST, "192.0.2.7", mac=mac(7)) + pair(HOST, "192.0.2.8", mac=mac(7))))
    lab.leases4.release("192.0.2.7")
    lab.settle()
    lab.expect(pair(HOST, "192.0.2.8", mac=mac(7)))


def test_a_release_removes_everything_that_was_ours(lab):
    lab.lease(7, "host")
    lab.lease(8, "stays")
    lab.settle()
    lab.leases4.release("192.0.2.7")
    lab.settle(changed=4)
    lab.expect(host4(8, "stays.lab.example"))


@pytest.mark.parametrize("end", ["decline", "expire"])
def test_a_declined_or_reclaimed_lease_has_no_name(lab, end):
    lab.lease(7, "host")
    lab.settle()
    getattr(lab.leases4, end)("192.0.2.7")
    lab.settle(changed=4)
    lab.expect()


def test_a_released_v6_lease_goes(lab):
    lab.leases6.add("2001:db8:0:1::7", duid(7), "host")
    lab.settle()
    lab.leases6.release("2001:db8:0:1::7")
    lab.settle(changed=4)
    lab.expect()


def test_a_lease_ends_by_the_clock(bind_lab):
    lab = bind_lab
    lab.lease(7, "host", valid=3600, expire=time.time() + 2)
    lab.lease(8, "stays")
    lab.settle()
    lab.expect(host4(7), host4(8, "stays.lab.example"))
    wait_for(lambda: lab.reconcile()["changed"] == 4, 5)
    lab.expect(host4(8, "stays.lab.example"))
    lab.quiet()


def test_a_lease_that_is_over_at_the_first_look_is_never_published(bind_lab):
    bind_lab.lease(7, "host", expire=time.time() - 10)
    bind_lab.lease(8, "other")
    bind_lab.settle(changed=4)
    bind_lab.expect(host4(8, "other.lab.example"))


def test_an_infinite_lease_does_not_end(lab):
    lab.lease(7, "host", valid=INFINITE)
    lab.settle()
    lab.expect(host4(7))
    assert lab.hosts()[HOST, "192.0.2.7"]["expires_at"] is None


def test_a_lease_that_loses_its_name_keeps_its_host(lab):
    lab.lease(7, "host")
    lab.settle()
    lab.leases4.rename("192.0.2.7", "")
    lab.settle()
    lab.expect()
    assert lab.hosts()[None, "192.0.2.7"]["mac"] == mac(7)


def test_an_address_that_goes_to_another_client_is_renamed(lab):
    lab.lease(7, "host")
    lab.settle()
    lab.leases4.release("192.0.2.7")
    lab.leases4.add("192.0.2.7", mac(9), "next")
    lab.settle()
    lab.expect(pair("next.lab.example", "192.0.2.7", mac=mac(9)))


def test_a_delegated_prefix_gets_no_records(bind_lab):
    bind_lab.leases6.add("2001:db8:0:1::", duid(7), "host", lease_type=2, prefix_len=64)
    bind_lab.settle(changed=0)
    bind_lab.expect()


def test_without_dhcid_only_addresses_and_pointers_are_written(labs, make):
    lab = labs(make, dhcid=False)
    lab.lease(7, "host")
    lab.settle(changed=2)
    lab.expect(pair(HOST, "192.0.2.7"))
    lab.leases4.rename("192.0.2.7", "other")
    lab.settle()
    lab.expect(pair("other.lab.example", "192.0.2.7"))
    lab.leases4.release("192.0.2.7")
    lab.settle()
    lab.expect()


# ---- several clients -------------------------------------------------------------------------

def test_two_families_share_one_name_and_one_dhcid(lab):
    iaid_duid = f"ff:00:00:00:01:{duid(7)}"
    lab.leases4.add("192.0.2.7", mac(7), "host", client_id=iaid_duid)
    lab.settle()
    lab.leases6.add("2001:db8:0:1::7", duid(7), "host.lab.example.")
    lab.settle()
    both = [*pair(HOST, "192.0.2.7", duid=duid(7)), *pair(HOST, "2001:db8:0:1::7", duid=duid(7))]
    lab.expect(set(both))


@pytest.mark.parametrize("leaves", [4, 6])
def test_the_family_that_stays_keeps_the_name_when_the_other_leaves(lab, leaves):
    lab.lease(7, "host")
    lab.leases6.add("2001:db8:0:1::7", duid(7), "host", mac=mac(7))
    lab.settle()
    lines = lab.records()
    assert f"{HOST} A 192.0.2.7" in lines and f"{HOST} AAAA 2001:db8:0:1::7" in lines
    assert len([line for line in lines if line.startswith(f"{HOST} DHCID")]) == 1
    if leaves == 4:
        lab.leases4.release("192.0.2.7")
        stays = pair(HOST, "2001:db8:0:1::7", duid=duid(7))
    else:
        lab.leases6.release("2001:db8:0:1::7")
        stays = host4(7)
    lab.settle()
    lab.expect(stays)


def test_families_of_two_known_clients_do_not_share_a_name(lab):
    lab.leases4.add("192.0.2.7", mac(7), "host", client_id=f"ff:00:00:00:01:{duid(7)}")
    lab.settle()
    lab.leases6.add("2001:db8:0:1::8", duid(8), "host")
    lab.settle()
    lab.expect(pair(HOST, "192.0.2.7", duid=duid(7)),
               pair(suffixed("host", duid(8)), "2001:db8:0:1::8", duid=duid(8)))


def test_the_second_client_of_a_name_gets_a_suffix_and_keeps_it(lab):
    lab.lease(7, "host")
    lab.settle()
    lab.lease(8, "host")
    lab.settle()
    second = suffixed("host", mac(8))
    lab.expect(host4(7), host4(8, second))
    lab.leases4.release("192.0.2.7")
    lab.settle()
    lab.expect(host4(8, second))
    lab.lease(9, "host")
    lab.settle()
    lab.expect(host4(8, second), host4(9))


def test_two_clients_of_one_name_in_one_read_both_get_names(lab):
    lab.lease(8, "host")
    lab.lease(7, "host")
    lab.settle()
    lab.expect(host4(7), host4(8, suffixed("host", mac(8))))


def test_two_clients_swap_their_names(lab):
    lab.lease(7, "a")
    lab.lease(8, "b")
    lab.settle()
    lab.leases4.rename("192.0.2.7", "b")
    lab.leases4.rename("192.0.2.8", "a")
    lab.settle()
    lab.expect(host4(8, "a.lab.example"), host4(7, "b.lab.example"))


def test_a_name_moves_on_through_a_chain_of_renames(lab):
    lab.lease(7, "a")
    lab.lease(8, "b")
    lab.settle()
    lab.leases4.rename("192.0.2.8", "c")
    lab.leases4.rename("192.0.2.7", "b")
    lab.settle()
    lab.expect(host4(7, "b.lab.example"), host4(8, "c.lab.example"))


def test_two_clients_swap_their_addresses(lab):
    lab.lease(7, "a")
    lab.lease(8, "b")
    lab.settle()
    for address in ("192.0.2.7", "192.0.2.8"):
        lab.leases4.release(address)
    lab.leases4.add("192.0.2.8", mac(7), "a")
    lab.leases4.add("192.0.2.7", mac(8), "b")
    lab.settle()
    lab.expect(pair("a.lab.example", "192.0.2.8", mac=mac(7)),
               pair("b.lab.example", "192.0.2.7", mac=mac(8)))


def test_a_dual_stack_client_is_renamed_one_family_after_the_other(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    lab.leases6.add("2001:db8:0:1::7", duid(7), "host", mac=mac(7))
    lab.settle()
    lab.leases4.rename("192.0.2.7", "new")
    lab.settle()
    lab.expect(host4(7, "new.lab.example"), pair(HOST, "2001:db8:0:1::7", duid=duid(7)))
    lab.leases6.rename("2001:db8:0:1::7", "new")
    lab.settle()
    lines = lab.records(zones=[FORWARD])
    assert [line.split(" DHCID")[0] for line in lines] == [
        "new.lab.example A 192.0.2.7", "new.lab.example AAAA 2001:db8:0:1::7", "new.lab.example"]
    lab.leases4.release("192.0.2.7")
    lab.leases6.release("2001:db8:0:1::7")
    lab.settle()
    lab.expect()


def test_the_longest_names_fit(bind_lab):
    lab = bind_lab
    deep = ".".join(["a" * 63] * 3) + ".lab.example"
    lab.lease(7, deep + ".")
    lab.lease(8, "b" * 63)
    lab.lease(9, "b" * 63)
    lab.settle()
    second, = lab.names("192.0.2.9")
    assert len(second.split(".")[0]) == 63 and second.startswith("b" * 58 + "-")
    lab.expect(host4(7, deep), host4(8, "b" * 63 + ".lab.example"), host4(9, second))


def test_a_burst_of_leases_takes_few_messages(lab):
    before = lab.serials()
    for n in range(1, 241):
        lab.lease(n, f"burst{n}")
    lab.settle(changed=960)
    lab.expect(*(host4(n, f"burst{n}.lab.example") for n in range(1, 241)))
    after = lab.serials()
    assert 1 <= after[FORWARD] - before[FORWARD] <= 2
    assert 1 <= after[REV24] - before[REV24] <= 2


# ---- zones -----------------------------------------------------------------------------------

def test_a_pointer_stands_in_the_longest_zone_that_holds_it(lab):
    addresses = {"198.51.100.7": REV24_INNER, "198.51.7.7": REV16, "192.0.2.7": REV24}
    for n, address in enumerate(addresses, 1):
        lab.leases4.add(address, mac(n), f"v4-{n}")
    lab.leases6.add("2001:db8:0:1::7", duid(4), "v6-4")
    lab.leases6.add("2001:db8:0:2::7", duid(5), "v6-5")
    addresses |= {"2001:db8:0:1::7": REV64, "2001:db8:0:2::7": REV48}
    lab.settle(changed=20)
    for n, (address, zone) in enumerate(addresses.items(), 1):
        name = f"v{6 if ':' in address else 4}-{n}.lab.example"
        assert f"{ptr(address)} PTR {name}" in lab.dns.axfr(zone)
    for zone in (REV16, REV24, REV24_INNER, REV48, REV64):
        assert len(lab.dns.axfr(zone)) == 2   # PTR and DHCID


def test_without_a_reverse_zone_the_name_stands_alone(bind_lab):
    bind_lab.bridge.subnet("203.0.113.0/24", ["lab.example"])
    bind_lab.leases4.add("203.0.113.7", mac(7), "host")
    bind_lab.settle(changed=2)
    bind_lab.expect(f"{HOST} A 203.0.113.7", f"{HOST} DHCID {dhcid(HOST, mac=mac(7))}")


def test_a_name_below_another_configured_zone_goes_there(lab):
    lab.lease(7, "host.other.example.")
    lab.lease(8, "box.elsewhere.test.")
    lab.settle()
    lab.expect(host4(7, "host.other.example"), host4(8, "box.lab.example"))


def test_a_rename_into_another_zone_leaves_nothing_behind(lab):
    lab.lease(7, "host")
    lab.settle()
    lab.leases4.rename("192.0.2.7", "host.other.example.")
    lab.settle()
    lab.expect(host4(7, "host.other.example"))


def test_spaces_with_the_same_addresses_do_not_meet(bind_lab):
    lab = bind_lab
    branch = LeaseFile4(lab.dir / "branch.csv")
    del lab.bridge.sections[""]["zone", "other.example"]
    lab.bridge.zone("other.example", "ns1", space="branch")
    lab.bridge.subnet("192.0.2.0/24", ["other.example"], space="branch")
    lab.bridge.source("branch4", "kea-leases", space="branch", file=branch.path)
    branch.add("192.0.2.7", mac(70), "host")
    lab.lease(7, "host")
    lab.settle()
    theirs = ["host.other.example A 192.0.2.7",
              f"host.other.example DHCID {dhcid('host.other.example', mac=mac(70))}"]
    lab.expect(host4(7), theirs)
    lab.bridge.ok("--space", "branch", "add-host", "nas", "192.0.2.9")
    lab.expect(host4(7), theirs, "nas.other.example A 192.0.2.9")
    branch.release("192.0.2.7")
    lab.settle()
    lab.expect(host4(7), "nas.other.example A 192.0.2.9")


def test_an_address_outside_every_subnet_is_listed_without_a_name(bind_lab):
    bind_lab.leases4.add("203.0.113.7", mac(7), "host")
    bind_lab.settle(changed=0)
    bind_lab.expect()
    row, = bind_lab.bridge.json("list", "addresses")
    assert row["address"] == "203.0.113.7" and row["subnet"] is None
    assert row["note"] == "outside every subnet"


# ---- the configuration changes ---------------------------------------------------------------

def test_a_ttl_that_was_changed_reaches_every_record_once(lab):
    lab.lease(7, "host")
    lab.leases6.add("2001:db8:0:1::7", duid(8), "six")
    lab.settle()
    before = lab.serials()
    for zone in lab.zones:
        lab.bridge.zone(zone, "ns1", ttl="10m")
    lab.settle()
    lab.expect(pair(HOST, "192.0.2.7", ttl=600, mac=mac(7)),
               pair("six.lab.example", "2001:db8:0:1::7", ttl=600, duid=duid(8)), ttl=True)
    moved = {z for z, serial in lab.serials().items() if serial != before[z]}
    assert moved == {FORWARD, REV24, REV64}


def test_dhcids_go_and_come_with_the_setting(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    lab.settle()
    for dhcid_wanted, expected in ((False, pair(HOST, "192.0.2.7")), (True, host4(7))):
        for zone in lab.zones:
            lab.bridge.zone(zone, "ns1", dhcid=dhcid_wanted)
        lab.settle()
        lab.expect(expected)


def test_a_subnet_that_is_configured_later_names_its_addresses(bind_lab):
    lab = bind_lab
    lab.leases4.add("203.0.113.7", mac(7), "host")
    lab.settle(changed=0)
    lab.bridge.subnet("203.0.113.0/24", ["lab.example"])
    lab.settle(changed=2)
    lab.expect(f"{HOST} A 203.0.113.7", f"{HOST} DHCID {dhcid(HOST, mac=mac(7))}")


def test_a_zone_that_is_configured_later_gets_its_pointers(labs):
    lab = labs(Bind, zones=[FORWARD, REV16])
    lab.leases4.add("198.51.7.7", mac(7), "host")
    lab.bridge.subnet("192.0.2.0/24", ["lab.example"])
    lab.lease(8, "second")
    lab.settle(changed=6)
    lab.bridge.zone(REV24, "ns1")
    lab.settle(changed=2)
    lab.expect(pair(HOST, "198.51.7.7", mac=mac(7)), host4(8, "second.lab.example"))


def test_a_zone_that_is_left_out_is_left_alone_and_known_when_it_returns(bind_lab):
    lab = bind_lab
    lab.leases4.add("198.51.7.7", mac(7), "host")
    lab.settle()
    zones = dict(lab.bridge.sections[""])
    del lab.bridge.sections[""]["zone", REV16]
    lab.settle(changed=0)
    lab.leases4.rename("198.51.7.7", "new")
    lab.settle()
    assert lab.dns.query(ptr("198.51.7.7"), "PTR") == [HOST]
    lab.bridge.sections[""] = zones
    lab.settle(conflicts=0)
    lab.expect(pair("new.lab.example", "198.51.7.7", mac=mac(7)))


def test_hosts_move_along_when_their_subnet_gets_another_zone(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    lab.settle()
    lab.bridge.subnet("192.0.2.0/24", ["other.example"])
    lab.settle()
    lab.expect(host4(7, "host.other.example"))


def test_a_name_that_is_protected_later_is_taken_back(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    lab.lease(8, "second")
    lab.settle()
    lab.bridge.set(protect=["host"])
    lab.settle(changed=4)
    lab.expect(host4(8, "second.lab.example"))
    lab.bridge.set(protect=[])
    lab.settle(changed=4)
    lab.expect(host4(7), host4(8, "second.lab.example"))


def test_a_kind_that_is_left_out_of_rank_later_names_no_more(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    lab.settle()
    lab.bridge.subnet("192.0.2.0/24", ["lab.example"], rank=["manual"])
    lab.settle(changed=4)
    lab.expect()


# ---- the file --------------------------------------------------------------------------------

def test_a_row_that_is_not_written_out_waits_for_its_end(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    whole = LeaseFile4(lab.dir / "other.csv")
    whole.add("192.0.2.8", mac(8), "late")
    row = whole.path.read_bytes().splitlines(keepends=True)[1]
    lab.leases4.raw(row[:40])
    lab.settle(changed=4)
    lab.expect(host4(7))
    lab.leases4.raw(row[40:])
    lab.settle(changed=4)
    lab.expect(host4(7), host4(8, "late.lab.example"))


def test_broken_rows_are_counted_and_the_others_are_read(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    lab.leases4.raw(b"not,a,lease\n999.0.2.8,02:00:00:00:00:08,,1,1,1,1,1,x,0,\n\n")
    lab.lease(9, "after")
    lab.settle(changed=8)
    lab.expect(host4(7), host4(9, "after.lab.example"))
    source = next(s for s in lab.bridge.json("list", "sources") if s["name"] == "dhcp4")
    assert source["bad"] == 2 and source["rows"] == 2 and source["error"] is None


def test_a_file_with_nothing_but_its_header_ends_nothing(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    lab.settle()
    lab.leases4.create()
    got = lab.reconcile(rc=4)
    assert got["changed"] == 0 and got["pending"] == 1
    lab.expect(host4(7))
    source = next(s for s in lab.bridge.json("list", "sources") if s["name"] == "dhcp4")
    assert "empty" in source["error"]
    lab.leases4.renew("192.0.2.7")
    lab.quiet()


@pytest.mark.parametrize("how", ["gone", "unreadable header", "empty"])
def test_a_file_that_cannot_be_read_ends_nothing(bind_lab, how):
    lab = bind_lab
    lab.lease(7, "host")
    lab.settle()
    if how == "gone":
        lab.leases4.path.unlink()
    else:
        lab.leases4.path.write_text("address\n" if how == "unreadable header" else "")
    got = lab.reconcile(rc=4)
    assert got["changed"] == 0 and got["pending"] == 1
    lab.expect(host4(7))


def test_the_cleanup_of_the_lease_file_changes_nothing(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    lab.lease(8, "second")
    lab.settle()
    lab.leases4.rotate()
    lab.quiet()
    lab.leases4.add("192.0.2.9", mac(9), "meanwhile")
    lab.settle(changed=4)
    lab.leases4.lfc()
    lab.quiet()
    lab.leases4.release("192.0.2.8")
    lab.settle(changed=4)
    lab.leases4.rotate()
    lab.quiet()
    lab.leases4.lfc()
    lab.quiet()
    lab.expect(host4(7), host4(9, "meanwhile.lab.example"))


def test_a_first_look_during_the_cleanup_sees_all_leases(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    lab.leases4.rotate()
    lab.leases4.lfc()
    lab.lease(8, "second")
    lab.leases4.rotate()
    lab.lease(9, "third")
    lab.settle(changed=12)
    lab.expect(host4(7), host4(8, "second.lab.example"), host4(9, "third.lab.example"))


def test_a_lease_that_is_only_missing_stays_until_its_time_is_over(bind_lab):
    """The cleanup can swallow a release between two looks; absence alone is no end."""
    lab = bind_lab
    lab.lease(7, "host", expire=time.time() + 3)
    lab.lease(8, "second")
    lab.settle()
    lab.leases4.release("192.0.2.7")
    lab.leases4.rotate()
    lab.leases4.lfc()
    assert lab.reconcile()["changed"] == 0
    lab.expect(host4(7), host4(8, "second.lab.example"))
    wait_for(lambda: lab.reconcile()["changed"] == 4, 6)
    lab.expect(host4(8, "second.lab.example"))


def test_a_lease_file_of_a_newer_kea_is_read_alike(bind_lab):
    lab = bind_lab
    newer = LeaseFile4(lab.dir / "newer.csv", version="2.4")
    lab.bridge.source("dhcp4", "kea-leases", file=newer.path)
    newer.add("192.0.2.7", mac(7), "host")
    lab.settle(changed=4)
    lab.expect(host4(7))


# ---- the real Kea ----------------------------------------------------------------------------

def test_leases_of_the_real_kea_come_and_go(labs, start):
    lab = labs(Bind)
    kea4 = start(Kea4, ["192.0.2.0/24"])
    kea6 = start(Kea6, ["2001:db8:0:1::/64"])
    lab.bridge.source("dhcp4", "kea-leases", file=kea4.lease_file)
    lab.bridge.source("dhcp6", "kea-leases", file=kea6.lease_file)
    kea4.add("192.0.2.7", mac(7), "host.lab.example.")
    kea6.add("2001:db8:0:1::8", duid(8), "six.lab.example.")
    wait_for(lambda: "192.0.2.7" in kea4.lease_file.read_text(), 5)
    wait_for(lambda: "2001:db8:0:1::8" in kea6.lease_file.read_text(), 5)
    lab.settle(changed=8)
    lab.expect(host4(7), pair("six.lab.example", "2001:db8:0:1::8", duid=duid(8)))
    kea4.delete("192.0.2.7")
    kea6.delete("2001:db8:0:1::8")
    lab.settle(changed=8)
    lab.expect()


def test_an_expired_lease_of_the_real_kea_goes(labs, start):
    lab = labs(Bind)
    kea = start(Kea4, ["192.0.2.0/24"])
    lab.bridge.source("dhcp4", "kea-leases", file=kea.lease_file)
    kea.add("192.0.2.7", mac(7), "host", valid_lft=2)
    kea.add("192.0.2.8", mac(8), "stays")
    wait_for(lambda: "192.0.2.8" in kea.lease_file.read_text(), 5)
    lab.reconcile()
    assert lab.dns.query("stays.lab.example") == ["192.0.2.8"]
    wait_for(lambda: lab.reconcile()["changed"] == 4, 8)
    lab.expect(host4(8, "stays.lab.example"))
    lab.quiet()
