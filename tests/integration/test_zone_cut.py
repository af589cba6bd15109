"""Reverse zones wherever they are cut: at octets and nibbles, inside an octet (RFC 2317) with the
CNAMEs of the zone above, and cuts that are not where the configuration has them.
"""

from harness import Bind, LeaseFile4, LeaseFile6
from harness.lab import FORWARD, mac, ptr

WHOLE = "2.0.192.in-addr.arpa"
HALF = f"0/25.{WHOLE}"


def cnames(numbers, zone=HALF):
    return [f"{n} 300 IN CNAME {n}.{zone}." for n in numbers]


def delegation(zone=HALF):
    return [f"{zone}. 300 IN NS ns.example.net."]


def half(start, run_dir, above):
    """BIND with the zone of the first half of the /24, and the zone above it."""
    (run_dir / "bind0" / "0").mkdir(parents=True)    # "/" in a zone's name is one in its file's
    return start(Bind, zones=[FORWARD, WHOLE, HALF], records={WHOLE: delegation() + above})


def bridge_of(bridges, database, dns):
    return with_half(bridges(database), dns)


def with_half(b, dns, **settings):
    b.server("ns1", dns).zone(FORWARD, "ns1")
    b.zone(HALF, "ns1", classless="192.0.2.0/25", **settings)
    b.subnet("192.0.2.0/25", FORWARD)
    return b.init()


def test_a_delegated_half_gets_its_ptrs_and_their_edits_come_back(start, bridges, database, run_dir):
    dns_ = half(start, run_dir, cnames(range(1, 127)))
    b = bridge_of(bridges, database, dns_)
    leases = LeaseFile4(run_dir / "leases4.csv")
    b.source("dhcp", "kea-leases", file=leases.path)
    leases.add("192.0.2.5", mac(5), "host5")
    leases.add("192.0.2.126", mac(6), "host6")
    r = b.ok("reconcile")
    assert "CNAME" not in r.stderr, r
    assert [x for x in dns_.axfr(HALF) if " PTR " in x] == [
        f"126.{HALF} PTR host6.{FORWARD}", f"5.{HALF} PTR host5.{FORWARD}"]
    # What resolvers ask for leads there.
    assert dns_.query(ptr("192.0.2.5"), "CNAME") == [f"5.{HALF}"]
    assert dns_.query(f"5.{HALF}", "PTR") == [f"host5.{FORWARD}"]
    assert b.reconcile()["changed"] == 0
    # A person's edit renames the host, by either name of its PTR.
    dns_.replace(f"5.{HALF}", "PTR", f"anna.{FORWARD}.")
    b.reconcile()
    assert dns_.query(f"anna.{FORWARD}", "A") == ["192.0.2.5"]
    for what in ("192.0.2.5", f"5.{HALF}", ptr("192.0.2.5")):
        assert f"anna.{FORWARD}" in b.ok("why", what).stdout
        assert f"5.{HALF}" in b.ok("journal", what).stdout
    # By hand, too.
    b.ok("add-host", "printer", "192.0.2.9")
    assert dns_.query(f"9.{HALF}", "PTR") == [f"printer.{FORWARD}"]
    b.ok("del-host", "192.0.2.9")
    assert dns_.query(f"9.{HALF}", "PTR") == []
    # The end of the lease takes the PTR with it; nothing was ever written above.
    leases.release("192.0.2.126")
    b.reconcile()
    assert dns_.query(f"126.{HALF}", "PTR") == []
    assert not [x for x in dns_.axfr(WHOLE) if " PTR " in x]


def test_a_ptr_that_was_never_ours_is_read_back_from_a_half(start, bridges, database, run_dir):
    dns_ = half(start, run_dir, cnames(range(1, 127)))
    b = bridge_of(bridges, database, dns_)
    dns_.add(f"7.{HALF}", "PTR", f"nas.{FORWARD}.")
    dns_.add(f"200.{HALF}", "PTR", f"stray.{FORWARD}.")      # of the other half
    b.reconcile()
    hosts = b.ok("list", "hosts", "--json").json
    assert [(h["name"], h["address"], h["kind"]) for h in hosts] == [
        (f"nas.{FORWARD}", "192.0.2.7", "dns")]


def test_cnames_that_are_missing_or_lead_elsewhere_are_said_once_a_day(start, bridges, database,
                                                                       run_dir):
    above = cnames([n for n in range(1, 127) if n not in (3, 4)])
    above.append(f"4 300 IN CNAME 4.other.{WHOLE}.")
    dns_ = half(start, run_dir, above)
    b = bridge_of(bridges, database, dns_)
    r = b.ok("reconcile")
    assert f"does not lead 2 of 126 addresses here: 192.0.2.3 has no CNAME there" in r.stderr, r
    assert f'adds "{ptr("192.0.2.3")}. CNAME 3.{HALF}."' in r.stderr, r
    # A warning, no refusal.
    r = b.ok("add-host", "host3", "192.0.2.3")
    assert dns_.query(f"3.{HALF}", "PTR") == [f"host3.{FORWARD}"]
    assert "does not lead" not in r.stderr + b.ok("reconcile").stderr


def test_a_zone_above_that_is_not_there_is_said(start, bridges, postgres, database, run_dir):
    (run_dir / "bind0" / "0").mkdir(parents=True)
    dns_ = start(Bind, zones=[FORWARD, HALF])
    b = bridge_of(bridges, database, dns_)
    r = b.ok("reconcile")
    assert f"the CNAMEs of zone {WHOLE} were not looked at" in r.stderr, r
    assert "parent-server names a server that has it" in r.stderr
    # Another server has it.
    other = start(Bind, zones=[WHOLE], records={WHOLE: delegation() + cnames(range(1, 127))})
    b = bridges(postgres.database()).server("isp", address=other.address, port=other.port)
    b = with_half(b, dns_, parent_server="isp")
    assert "CNAME" not in b.ok("reconcile").stderr


# ---- octets and nibbles ---------------------------------------------------------------------

def test_zones_narrower_and_wider_than_the_subnet(start, bridges, database, run_dir):
    """/8, /16, /24, and a /14 and a /23 made of several zones: the longest has the address."""
    zones = [FORWARD, "10.in-addr.arpa", "20.172.in-addr.arpa", "21.172.in-addr.arpa",
             "1.20.172.in-addr.arpa", "2.0.192.in-addr.arpa", "3.0.192.in-addr.arpa"]
    dns_ = start(Bind, zones=zones)
    b = bridges(database).serve_zones(dns_)
    for prefix in ("10.0.0.0/9", "172.20.0.0/14", "192.0.2.0/23"):
        b.subnet(prefix, FORWARD)
    b.init()
    where = {"10.1.2.3": zones[1], "172.20.0.1": zones[2], "172.21.5.6": zones[3],
             "172.20.1.9": zones[4], "192.0.2.4": zones[5], "192.0.3.4": zones[6]}
    leases = LeaseFile4(run_dir / "leases4.csv")
    b.source("dhcp", "kea-leases", file=leases.path)
    for n, address in enumerate([*where, "172.22.0.1"]):
        leases.add(address, mac(n), f"host{n}")
    b.reconcile()
    got = {x.split()[0]: z for z in zones[1:] for x in dns_.axfr(z) if " PTR " in x}
    assert got == {ptr(a): z for a, z in where.items()}
    assert dns_.query(f"host6.{FORWARD}", "A") == ["172.22.0.1"]   # no zone: no PTR
    assert b.reconcile()["changed"] == 0


def test_ip6_zones_at_any_nibble(start, bridges, database, run_dir):
    """/32, /36, /52 and /124 below each other, and a subnet at no nibble."""
    base = "8.b.d.0.1.0.0.2.ip6.arpa"
    deepest = ".".join("0" * 22) + f".1.{base}"
    zones = [FORWARD, base, f"1.{base}", f"2.0.0.0.1.{base}", deepest]
    dns_ = start(Bind, zones=zones)
    b = bridges(database).serve_zones(dns_)
    b.subnet("2001:db8::/33", FORWARD)
    b.init()
    where = {"2001:db8::5": zones[1], "2001:db8:1fff::5": zones[2],
             "2001:db8:1000:2fff::5": zones[3], "2001:db8:1000::f": zones[4]}
    leases = LeaseFile6(run_dir / "leases6.csv")
    b.source("dhcp6", "kea-leases", file=leases.path)
    for n, address in enumerate(where):
        leases.add(address, f"00:01:00:01:29:aa:bb:cc:{mac(n)}", f"host{n}")
    b.reconcile()
    got = {x.split()[0]: z for z in zones[1:] for x in dns_.axfr(z) if " PTR " in x}
    assert got == {ptr(a): z for a, z in where.items()}
    # And back: an edit in the deepest of them.
    dns_.replace(ptr("2001:db8:1000::f"), "PTR", f"anna.{FORWARD}.")
    b.reconcile()
    assert dns_.query(f"anna.{FORWARD}", "AAAA") == ["2001:db8:1000::f"]


# ---- cuts that are elsewhere ----------------------------------------------------------------

def test_a_zone_that_is_a_part_of_another_is_named(start, bridges, database):
    dns_ = start(Bind, zones=[FORWARD, "0.192.in-addr.arpa"])
    b = bridges(database).server("ns1", dns_).zone(FORWARD, "ns1").zone(WHOLE, "ns1")
    b.subnet("192.0.2.0/24", FORWARD)
    b.init()
    before = dns_.axfr("0.192.in-addr.arpa")
    r = b.run("add-host", "printer", "192.0.2.9")
    r = b.run("reconcile")
    assert r.rc == 4, r
    assert f'has no zone "{WHOLE}": the name lies in its zone "0.192.in-addr.arpa"' in r.stderr, r
    assert 'hint: configure zone "0.192.in-addr.arpa" instead' in r.stderr, r
    assert dns_.axfr("0.192.in-addr.arpa") == before
    assert dns_.query(f"printer.{FORWARD}", "A") == ["192.0.2.9"]


def test_a_zone_that_is_delegated_away_is_said(start, bridges, database):
    dns_ = start(Bind, zones=[FORWARD, "0.192.in-addr.arpa"], records={
        "0.192.in-addr.arpa": [f"{WHOLE}. 300 IN NS ns.example.net."]})
    b = bridges(database).server("ns1", dns_).zone(FORWARD, "ns1").zone(WHOLE, "ns1")
    b.subnet("192.0.2.0/24", FORWARD)
    b.init()
    before = dns_.axfr("0.192.in-addr.arpa")
    b.run("add-host", "printer", "192.0.2.9")
    r = b.run("reconcile")
    assert r.rc == 4, r
    assert f'delegates "{WHOLE}": zone "{WHOLE}" is kept elsewhere' in r.stderr, r
    assert dns_.axfr("0.192.in-addr.arpa") == before


def test_nothing_is_written_below_a_cut_inside_the_zone(start, bridges, database):
    """BIND takes such an update and hides it behind the delegation."""
    dns_ = start(Bind, zones=[FORWARD, "0.192.in-addr.arpa"], records={
        "0.192.in-addr.arpa": [f"{WHOLE}. 300 IN NS ns.example.net."]})
    b = bridges(database).serve_zones(dns_)
    b.subnet("192.0.0.0/16", FORWARD)
    b.init()
    before = dns_.axfr("0.192.in-addr.arpa")
    b.reconcile()
    b.run("add-host", "printer", "192.0.2.9")
    b.run("reconcile")
    assert dns_.axfr("0.192.in-addr.arpa") == before
    assert "below a delegation" in b.ok("why", "192.0.2.9").stdout
    b.ok("add-host", "other", "192.0.3.9")
    assert dns_.query(ptr("192.0.3.9"), "PTR") == [f"other.{FORWARD}"]


def test_ptrs_move_when_a_half_gets_a_zone_of_its_own(start, bridges, database, run_dir):
    dns_ = half(start, run_dir, [])
    b = bridges(database).server("ns1", dns_).zone(FORWARD, "ns1").zone(WHOLE, "ns1")
    b.subnet("192.0.2.0/24", FORWARD)
    b.init()
    b.ok("add-host", "low", "192.0.2.5")
    b.ok("add-host", "high", "192.0.2.205")
    assert dns_.query(ptr("192.0.2.5"), "PTR") == [f"low.{FORWARD}"]
    b.zone(HALF, "ns1", classless="192.0.2.0/25")
    b.reconcile()
    assert dns_.query(ptr("192.0.2.5"), "PTR") == []
    assert dns_.query(f"5.{HALF}", "PTR") == [f"low.{FORWARD}"]
    assert dns_.query(ptr("192.0.2.205"), "PTR") == [f"high.{FORWARD}"]
    assert b.reconcile()["changed"] == 0
