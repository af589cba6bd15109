"""Two sites with the same private prefix and the same zones, on name servers of their own: what
belongs to one never shows at the other.  One database, one daemon."""

import pytest

from harness import Bind, LeaseFile4, wait_for
from harness.lab import mac, pair

FORWARD, REVERSE = "corp.example", "1.168.192.in-addr.arpa"
NET = "192.168.1.0/24"
SITES = ("default", "branch")
SOON = 15


class Site:
    def __init__(self, space, bridge, directory):
        self.space = space
        self.bridge = bridge
        self.dns = Bind(directory / f"dns-{space}", zones=[FORWARD, REVERSE])
        self.dns.start()
        self.leases = LeaseFile4(directory / f"{space}.csv")
        at = "" if space == "default" else space
        bridge.server(f"ns-{space}", self.dns)
        for zone in (FORWARD, REVERSE):
            bridge.zone(zone, f"ns-{space}", space=at)
        bridge.subnet(NET, [FORWARD], space=at)
        bridge.source("dhcp", "kea-leases", space=at, file=self.leases.path)

    def ok(self, *words, **more):
        return self.bridge.ok("--space", self.space, *words, **more)

    def json(self, *words):
        return self.bridge.json("--space", self.space, *words)

    def records(self):
        lines = []
        for zone in (FORWARD, REVERSE):
            for line in self.dns.axfr(zone):
                head, mark, text = line.partition(" DHCID ")
                lines.append(head + mark + text.replace(" ", "") if mark else line)
        return sorted(lines)

    def serials(self):
        return [self.dns.serial(z) for z in (FORWARD, REVERSE)]

    def hosts(self):
        return sorted((h["name"], h["address"]) for h in self.json("list", "hosts"))


@pytest.fixture
def sites(postgres, template, bridges, run_dir):
    database = postgres.lend(template)
    bridge = bridges(database)
    both = [Site(space, bridge, run_dir) for space in SITES]
    yield both
    bridge.close()
    for site in both:
        site.dns.stop()
    postgres.give_back(database)


def lease(site, n, name, who=None):
    site.leases.add(f"192.168.1.{n}", mac(n if who is None else who), name)


def host(n, name, who=None):
    return pair(f"{name}.{FORWARD}", f"192.168.1.{n}", mac=mac(n if who is None else who))


def quiet(main):
    got = main.bridge.reconcile()
    assert got["changed"] == 0 and got["conflicts"] == 0, got


def test_the_same_address_is_two_hosts(sites):
    main, branch = sites
    lease(main, 7, "printer")
    lease(branch, 7, "till", who=70)
    lease(branch, 8, "printer", who=80)
    assert main.bridge.reconcile()["conflicts"] == 0
    # Names and addresses are taken at one site only.
    assert main.records() == host(7, "printer")
    assert branch.records() == sorted(host(7, "till", 70) + host(8, "printer", 80))
    quiet(main)
    assert main.hosts() == [(f"printer.{FORWARD}", "192.168.1.7")]
    assert branch.hosts() == [(f"printer.{FORWARD}", "192.168.1.8"),
                              (f"till.{FORWARD}", "192.168.1.7")]
    # A client that is known at both is no reason either.
    lease(main, 8, "till", who=70)
    main.bridge.reconcile()
    assert main.records() == sorted(host(7, "printer") + host(8, "till", 70))
    branch.leases.release("192.168.1.7")
    main.bridge.reconcile()
    assert main.records() == sorted(host(7, "printer") + host(8, "till", 70))
    assert branch.records() == host(8, "printer", 80)


def test_why_tells_of_one_site(sites):
    main, branch = sites
    lease(main, 7, "printer")
    lease(branch, 7, "till", who=70)
    main.bridge.reconcile()
    for site, name, who in ((main, "printer", 7), (branch, "till", 70)):
        for what in ("192.168.1.7", f"{name}.{FORWARD}", name):
            told = site.json("why", what)
            rows = [r for part in ("sightings", "decisions", "owners", "journal")
                    for r in told[part]]
            assert {r["space"] for r in rows} == {site.space}
            assert [s["mac"] for s in told["sightings"]] == [mac(who)]
            owner, = [o for o in told["owners"] if o["owner"] == f"{name}.{FORWARD}"]
            # DNS is asked at the site's own server.
            assert any("192.168.1.7" in str(r) for r in owner["dns"]["records"]), owner
    other = branch.json("why", f"printer.{FORWARD}")
    assert not other["sightings"] and not other["decisions"] and not other["journal"]
    owner, = other["owners"]
    assert owner["space"] == "branch" and not owner["dns"]["records"]
    # Without a space both are told, each as it is.
    told = main.bridge.json("why", "192.168.1.7")
    assert {(s["space"], s["mac"]) for s in told["sightings"]} == {
        ("default", mac(7)), ("branch", mac(70))}
    reverse = [o for o in told["owners"] if o["owner"].endswith("in-addr.arpa")]
    assert sorted(o["space"] for o in reverse) == ["branch", "default"]
    told = main.bridge.json("why", f"till.{FORWARD}")
    assert sorted(o["space"] for o in told["owners"] if o["owner"] == f"till.{FORWARD}") == [
        "branch", "default"]


def test_a_person_speaks_for_one_site(sites):
    main, branch = sites
    branch.ok("add-host", "nas", "192.168.1.9")
    assert branch.records() == pair(f"nas.{FORWARD}", "192.168.1.9")
    assert main.records() == []
    main.ok("add-host", "gw", "192.168.1.9")
    assert main.records() == pair(f"gw.{FORWARD}", "192.168.1.9")
    for what in ("addresses", "subnets", "zones", "sources"):
        for site in sites:
            rows = site.json("list", what)
            assert rows and {r["space"] for r in rows} == {site.space}
    # The name is known at the other site only.
    main.bridge.run("--space", "default", "del-host", "nas")
    assert branch.records() == pair(f"nas.{FORWARD}", "192.168.1.9")
    main.ok("del-host", "192.168.1.9")
    assert main.records() == []
    assert branch.records() == pair(f"nas.{FORWARD}", "192.168.1.9")
    quiet(main)


def test_what_stands_in_one_zone_is_no_conflict_in_the_other(sites):
    main, branch = sites
    branch.dns.write(FORWARD, ("add", f"pc.{FORWARD}", 300, "A", "192.168.1.99"))
    branch.dns.write(REVERSE, ("add", f"50.{REVERSE}", 300, "PTR", f"old.{FORWARD}."))
    lease(main, 7, "pc")
    lease(branch, 7, "pc")
    main.bridge.reconcile()
    assert main.records() == host(7, "pc")
    assert main.json("list", "conflicts") == []
    assert {c["space"] for c in branch.json("list", "conflicts")} == {"branch"}
    # A name read back from one site's reverse zone is that site's.
    assert (f"old.{FORWARD}", "192.168.1.50") in branch.hosts()
    assert "192.168.1.50" not in [a for _, a in main.hosts()]
    # A site that is away keeps the other from nothing.
    branch.dns.stop()
    lease(main, 8, "tv")
    main.bridge.run("reconcile")
    assert main.records() == sorted(host(7, "pc") + host(8, "tv"))


def test_the_daemon_keeps_them_apart(sites):
    main, branch = sites
    lease(main, 7, "printer")
    daemon = main.bridge.daemon()

    def soon(site, *want):
        want = sorted(line for h in want for line in h)
        try:
            wait_for(lambda: site.records() == want, SOON, what=f"{want} at {site.space}")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{site.records()}\n{daemon.log_tail(40)}") from None

    soon(main, host(7, "printer"))
    lease(branch, 7, "till", who=70)
    soon(branch, host(7, "till", 70))
    branch.ok("add-host", "nas", "192.168.1.9")
    soon(branch, host(7, "till", 70), pair(f"nas.{FORWARD}", "192.168.1.9"))
    main.leases.release("192.168.1.7")
    soon(main)
    soon(branch, host(7, "till", 70), pair(f"nas.{FORWARD}", "192.168.1.9"))
    before = main.serials() + branch.serials()
    quiet(main)
    assert main.serials() + branch.serials() == before
