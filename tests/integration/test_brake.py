"""The brake: no source and no edit takes a zone apart at once.

Inferred ends and changes beyond max(10, 30 % of the names) in an hour are held, loudly and with
exit 5; additions go on, and only reappearance, an explicit end or --force frees what is held.
"""

import shutil
import subprocess
import time

import pytest

from harness import Bind, LeaseFile4, LeaseFile6

FORWARD, REVERSE = "lab.example", "2.0.192.in-addr.arpa"
HELD = 5


def name(n):
    return f"host{n}.{FORWARD}"


class Net:
    """Forty leases in DNS."""

    def __init__(self, dns, bridge, leases, count=40):
        self.dns = dns
        self.bridge = bridge
        self.leases = leases
        self.count = count
        for n in range(1, count + 1):
            self.lease(n)
        bridge.reconcile()
        assert len(self.forward()) == len(self.reverse()) == count

    def lease(self, n, hostname=None, **more):
        self.leases.add(f"192.0.2.{n}", f"02:00:00:00:00:{n:02x}", hostname or f"host{n}", **more)

    def forward(self):
        return {line.split()[0] for line in self.dns.axfr(FORWARD) if " A " in line}

    def reverse(self):
        """{last octet: name}."""
        return {int(line.split(".")[0]): line.split()[2]
                for line in self.dns.axfr(REVERSE) if " PTR " in line}

    def edit(self, numbers, to="edited{}"):
        """A person's hand on the PTRs, all in one update."""
        changes = []
        for n in numbers:
            owner = f"{n}.{REVERSE}"
            changes += [("delete", owner, "PTR"),
                        ("add", owner, 300, "PTR", f"{to.format(n)}.{FORWARD}.")]
        self.dns.write(REVERSE, *changes)


@pytest.fixture
def bare(start, bridges, database, run_dir):
    """A server and a bridge; source(type, ...) is up to the test."""
    dns = start(Bind)
    b = bridges(database).serve_zones(dns)
    b.subnet("192.0.2.0/24", FORWARD)
    b.dns = dns
    return b.init()


@pytest.fixture
def net(bare, run_dir):
    leases = LeaseFile4(run_dir / "leases4.csv")
    bare.source("dhcp", "kea-leases", file=leases.path)
    return Net(bare.dns, bare, leases)


# ---- vanished rows --------------------------------------------------------------------------

@pytest.fixture
def table(bare, run_dir):
    """A neighbour-like table of another IPAM: names by absence of rows may end."""
    path = run_dir / "leases4.csv"
    leases = LeaseFile4(path)
    bare.source("ipam", "kea-leases", file=path, kind="ipam")
    return Net(bare.dns, bare, leases)


def export(leases):
    """The same rows in another file of that name: it is read whole again."""
    copy = leases.path.with_suffix(".new")
    shutil.copy(leases.path, copy)
    copy.replace(leases.path)


def keep(leases, wanted):
    """The file with only the rows of these addresses, as a broken export writes it."""
    rows = {a: r for a, r in leases.rows.items() if int(a.split(".")[3]) in wanted}
    leases.create()
    leases.rows = {}
    for row in rows.values():
        leases._append(row)


def test_half_of_a_sources_rows_vanish_and_all_but_the_limit_are_held(table):
    whole = dict(table.leases.rows)
    keep(table.leases, range(1, 21))
    table.bridge.reconcile()                      # absent once: nothing ends
    assert len(table.forward()) == 40
    export(table.leases)
    r = table.bridge.run("reconcile", "--json")
    assert r.stderr.count("held back (too many rows vanished from this source)") == 1
    assert r.rc == HELD, r
    # 30 % of 40 names are 12; the other 8 stay.
    assert r.json["held"] == 8
    assert len(table.forward()) == len(table.reverse()) == 28
    # Additions are no matter of the brake.
    table.lease(50)
    export(table.leases)
    assert table.bridge.run("reconcile").rc == HELD
    assert name(50) in table.forward()
    # The rows are there again: nothing is held any more, everything is back.
    for row in whole.values():
        table.leases._append(row)
    table.bridge.reconcile()
    assert len(table.forward()) == 41


def test_held_rows_never_ripen_and_force_frees_them(table):
    keep(table.leases, range(1, 11))
    table.bridge.reconcile()
    export(table.leases)
    table.bridge.reconcile(rc=HELD)
    held = len(table.forward())
    assert held == 28
    for _ in range(3):
        export(table.leases)
        table.bridge.reconcile(rc=HELD)
        assert len(table.forward()) == held
    # Another zone's name frees nothing here.
    r = table.bridge.run("reconcile", "--force", "nosuch.example")
    assert r.rc == 2
    r = table.bridge.reconcile("--force", FORWARD)
    assert r["held"] == 0
    assert table.forward() == {name(n) for n in range(1, 11)}
    assert table.bridge.reconcile()["changed"] == 0


def test_a_source_that_is_empty_after_it_had_rows_ends_nothing_and_force_ends_it(table):
    table.leases.create()
    for _ in range(3):
        r = table.bridge.run("reconcile")
        assert r.rc == 4 and "nothing is ended" in r.stderr
    assert len(table.forward()) == 40


def test_the_hour_is_kept_across_runs(table):
    """5 % fewer in each of many passes is the same loss, only slower."""
    left = 40
    for step in range(8):
        left -= 3
        keep(table.leases, range(1, left + 1))
        table.bridge.run("reconcile")
        export(table.leases)
        table.bridge.run("reconcile")
    assert len(table.forward()) == 28
    assert table.bridge.run("reconcile").rc == HELD


# ---- changes --------------------------------------------------------------------------------

def test_a_mass_rename_is_held_beyond_the_limit(net):
    for n in range(1, 41):
        net.lease(n, f"renamed{n}")
    net.lease(60, "newcomer")
    r = net.bridge.run("reconcile")
    assert r.rc == HELD, r
    assert "held" in r.stdout
    renamed = {x for x in net.forward() if x.startswith("renamed")}
    assert len(renamed) == 12
    assert f"newcomer.{FORWARD}" in net.forward()
    assert len(net.forward()) == 41
    # Held rows say so, and the old name is still theirs.
    why = net.bridge.ok("why", "192.0.2.40").stdout
    assert "held" in why
    # What comes back as it was is free again.
    for n in range(13, 41):
        net.lease(n)
    assert net.bridge.reconcile()["held"] == 0


def test_force_lets_the_rename_through(net):
    for n in range(1, 41):
        net.lease(n, f"renamed{n}")
    net.bridge.reconcile(rc=HELD)
    net.bridge.reconcile("--force", FORWARD)
    assert net.forward() == {f"renamed{n}.{FORWARD}" for n in range(1, 41)}
    assert set(net.reverse().values()) == net.forward()
    assert net.bridge.reconcile()["changed"] == 0


def test_a_rename_within_the_limit_goes_through(net):
    for n in range(1, 13):
        net.lease(n, f"renamed{n}")
    r = net.bridge.reconcile()
    assert r["held"] == 0
    assert len({x for x in net.forward() if x.startswith("renamed")}) == 12


def test_renewals_and_additions_do_not_count(net):
    for n in range(1, 41):
        net.lease(n, valid=7200)
    for n in range(41, 200):
        net.lease(n)
    assert net.bridge.reconcile()["held"] == 0
    assert len(net.forward()) == 199


def test_sixty_percent_of_the_ptrs_edited_at_once_are_held(net):
    net.edit(range(1, 25))
    net.lease(70)
    r = net.bridge.run("reconcile")
    assert r.rc == HELD, r
    assert name(70) in net.forward()
    # Measured against all names of the reverse zone: 30 % of 40.
    followed = {x for x in net.forward() if x.startswith("edited")}
    assert len(followed) == 12
    # A person's records stay as they are whether the names followed or not.
    assert sum(x.startswith("edited") for x in net.reverse().values()) == 24
    net.bridge.reconcile("--force", REVERSE)
    assert len({x for x in net.forward() if x.startswith("edited")}) == 24
    assert net.bridge.reconcile()["changed"] == 0


def test_a_few_edits_go_through(net):
    net.edit(range(1, 6))
    net.bridge.reconcile()
    assert len({x for x in net.forward() if x.startswith("edited")}) == 5
    assert len(net.forward()) == 40


# ---- explicit ends --------------------------------------------------------------------------

def test_a_class_that_leaves_the_room_is_let_go(net):
    """40 explicit releases are fewer than the 50 that always pass."""
    for n in range(1, 41):
        net.leases.release(f"192.0.2.{n}")
    assert net.bridge.reconcile()["held"] == 0
    assert net.forward() == set() and net.reverse() == {}


def test_a_mass_release_is_held_beyond_half_of_the_subnet(net):
    for n in range(41, 121):
        net.lease(n)
    net.bridge.reconcile()
    assert len(net.forward()) == 120
    for n in range(1, 121):
        net.leases.release(f"192.0.2.{n}")
    net.lease(130)
    r = net.bridge.run("reconcile", "--json")
    assert r.rc == HELD, r
    assert r.json["held"] == 60
    assert len(net.forward()) == 61
    net.bridge.reconcile("--force", FORWARD)
    assert net.forward() == {name(130)}
    assert net.bridge.reconcile()["changed"] == 0


def test_expiry_by_the_clock_is_braked_too(bare, run_dir):
    leases = LeaseFile4(run_dir / "leases4.csv")
    bare.source("dhcp", "kea-leases", file=leases.path)
    for n in range(1, 41):
        leases.add(f"192.0.2.{n}", f"02:00:00:00:00:{n:02x}", f"host{n}", valid=2)
    bare.reconcile()
    end = time.time() + 3
    while time.time() < end:
        subprocess.run(["sleep", "0.2"], check=True)
    r = bare.run("reconcile", "--json")
    assert r.rc == HELD, r
    assert r.json["held"] == 28
    assert len([x for x in bare.dns.axfr(FORWARD) if " A " in x]) == 28


def test_a_held_row_is_freed_by_its_explicit_end(net):
    for n in range(1, 41):
        net.lease(n, f"renamed{n}")
    net.bridge.reconcile(rc=HELD)
    held = [n for n in range(1, 41) if name(n) in net.forward()]
    assert len(held) == 28
    for n in held:
        net.leases.release(f"192.0.2.{n}")
    assert net.bridge.reconcile()["held"] == 0
    assert not any(name(n) in net.forward() for n in held)


def test_the_brake_counts_v6_names_of_the_same_zone_with_the_others(bare, run_dir):
    """One zone, one source each family: each source has its own brake."""
    four = LeaseFile4(run_dir / "leases4.csv")
    six = LeaseFile6(run_dir / "leases6.csv")
    bare.subnet("2001:db8::/64", FORWARD)
    bare.source("dhcp4", "kea-leases", file=four.path)
    bare.source("dhcp6", "kea-leases", file=six.path)
    for n in range(1, 21):
        four.add(f"192.0.2.{n}", f"02:00:00:00:00:{n:02x}", f"four{n}")
        six.add(f"2001:db8::{n:x}", f"00:01:{n:02x}:03", f"six{n}")
    bare.reconcile()
    for n in range(1, 21):
        six.rename(f"2001:db8::{n:x}", f"new{n}")
    for n in range(1, 4):
        four.rename(f"192.0.2.{n}", f"newfour{n}")
    r = bare.run("reconcile", "--json")
    assert r.rc == HELD, r
    assert r.json["held"] == 10
    zone = {x.split()[0].split(".")[0] for x in bare.dns.axfr(FORWARD)}
    assert {"newfour1", "newfour2", "newfour3"} <= zone
