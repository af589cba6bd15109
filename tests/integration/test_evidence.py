"""Sources that tell less than the truth: nothing, a half, less each time, yesterday's words.

Whatever they lack or bring back, no name is lost by it, and each is said in one line.
"""

import os
import re
import shutil
import time

import pytest

from harness import LeaseFile4
from harness.faults import clock_env, clock_shim
from harness.lab import FORWARD, REV24, mac

HELD = 5
COUNT = 60


class Net:
    def __init__(self, bridge, dns):
        self.bridge = bridge
        self.dns = dns

    def names(self):
        return {x.split()[0] for x in self.dns.axfr(FORWARD) if " A " in x}

    def pointers(self):
        return {x.split()[0] for x in self.dns.axfr(REV24) if " PTR " in x}

    def source(self, name):
        return next(s for s in self.bridge.json("list", "sources") if s["name"] == name)

    def expect_all(self, count=COUNT):
        assert len(self.names()) == len(self.pointers()) == count


@pytest.fixture
def net(bind_lab):
    return Net(bind_lab.bridge, bind_lab.dns)


def rows(numbers, age=0, valid=3600):
    """(address, mac, name, expire): leases renewed age seconds ago."""
    now = int(time.time())
    return {n: dict(address=f"192.0.2.{n}", mac=mac(n), hostname=f"host{n}", valid=valid,
                    expire=now - age + valid) for n in numbers}


def write(path, leases):
    """Another file of that name, whole."""
    new = LeaseFile4(path.with_name("new.csv"))
    for row in leases.values():
        new.add(**row)
    new.path.replace(path)


# ---- yesterday's copy -----------------------------------------------------------------------

def test_yesterdays_copy_of_the_lease_file_changes_nothing(net, run_dir):
    path = run_dir / "leases4.csv"
    net.bridge.source("dhcp", "kea-leases", file=path)
    # Leases of a day; yesterday's copy lacks ten, has ten that were released and ten old names.
    yesterday = rows(range(1, COUNT + 1), age=86400 - 60, valid=2 * 86400)
    today = rows(range(11, COUNT + 11), age=60, valid=2 * 86400)
    for n in range(11, 21):
        yesterday[n]["hostname"] = f"old{n}"
    write(path, yesterday)
    copy = shutil.copy(path, run_dir / "copy.csv")
    net.bridge.reconcile()
    for n in range(1, 11):
        today[n] = dict(yesterday[n], valid=0, expire=int(time.time()) - 30)   # released
    write(path, today)
    net.bridge.reconcile(rc=0)
    net.expect_all()
    names, pointers = net.names(), net.pointers()
    shutil.copy(copy, path)
    for _ in range(2):
        r = net.bridge.run("reconcile")
        assert r.rc == 4, r
        said = [x for x in r.stderr.splitlines() if "dhcp: " in x]
        assert len(said) == 1 and "is an older copy, its newest row is of " in said[0], r
        assert (net.names(), net.pointers()) == (names, pointers)
    assert "older copy" in net.source("dhcp")["error"]
    # The right file is back.
    write(path, {**today, **rows([200])})
    net.bridge.reconcile()
    assert net.names() == names | {f"host200.{FORWARD}"}


def test_a_file_that_went_back_and_lives_on_is_believed_again(net, run_dir):
    """Kea itself was set back: its next lease shows that this is the file in use."""
    path = run_dir / "leases4.csv"
    net.bridge.source("dhcp", "kea-leases", file=path)
    write(path, rows([1, 2], age=600))
    net.bridge.reconcile()
    write(path, rows([1, 2], age=300))
    net.bridge.reconcile()
    write(path, rows([1, 2], age=600))
    net.bridge.reconcile(rc=4)
    write(path, {**rows([1, 2], age=600), **rows([3])})
    assert net.bridge.reconcile()["changed"] == 4
    assert net.names() == {f"host{n}.{FORWARD}" for n in (1, 2, 3)}


# ---- a half, and less each time -------------------------------------------------------------

def test_half_a_lease_file_ends_nothing_and_is_said(net, run_dir):
    path = run_dir / "leases4.csv"
    net.bridge.source("dhcp", "kea-leases", file=path)
    write(path, rows(range(1, COUNT + 1)))
    net.bridge.reconcile()
    whole = path.read_bytes()
    os.truncate(path, path.stat().st_size // 2)
    shim = clock_shim(run_dir)
    # Renewals are not to be seen: the clock ends nothing either, however late it is.
    for late in (0, 60, 3 * 3600):
        r = net.bridge.run("reconcile", env=clock_env(shim, late))
        said = [x for x in r.stderr.splitlines() if "dhcp: " in x]
        assert len(said) == 1, r
        assert re.search(r"lacks \d+ leases whose time is not over, it shows \d+: nothing is ended",
                         said[0]), r
        net.expect_all()
    assert "lacks" in net.source("dhcp")["error"]
    path.write_bytes(whole)
    assert net.bridge.reconcile()["changed"] == 0
    assert net.source("dhcp")["error"] is None


def test_a_lease_file_five_percent_smaller_each_time_ends_nothing(net, run_dir):
    path = run_dir / "leases4.csv"
    net.bridge.source("dhcp", "kea-leases", file=path)
    left = rows(range(1, COUNT + 1))
    write(path, left)
    net.bridge.reconcile()
    for _ in range(20):
        for n in sorted(left)[:max(1, len(left) // 20)]:
            del left[n]
        write(path, left)
        r = net.bridge.run("reconcile")
    net.expect_all()
    assert r.rc == 4 and "leases whose time is not over" in r.stderr, r


def test_an_inventory_five_percent_smaller_each_time_meets_the_brake(net, run_dir):
    """Its rows end by absence; twenty small steps are no more than one large one."""
    path = run_dir / "inventory.csv"
    net.bridge.source("ipam", "kea-leases", file=path, kind="ipam")
    left = rows(range(1, COUNT + 1))
    write(path, left)
    net.bridge.reconcile()
    said = 0
    for _ in range(20):
        for n in sorted(left)[:max(1, len(left) // 20)]:
            del left[n]
        write(path, left)
        r = net.bridge.run("reconcile")
        said += "held back (too many rows vanished from this source)" in r.stderr
    assert r.rc == HELD and said > 0, r
    limit = COUNT * 30 // 100
    net.expect_all(COUNT - limit)
    held = net.bridge.json("status")["held"]
    assert held > 0
    # They are there again: all of it comes back.
    write(path, rows(range(1, COUNT + 1)))
    net.bridge.reconcile()
    net.expect_all()


# ---- nothing --------------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["command", "file"])
def test_a_table_that_is_suddenly_empty_ends_nothing_and_is_said(net, run_dir, how):
    path = run_dir / "table"
    path.write_text("".join(f"? (192.0.2.{n}) at {mac(n)} [ether] on eth0\n" for n in (1, 2, 3)))
    where = {"command": ["cat", path]} if how == "command" else {"file": path}
    net.bridge.source("arp", "neighbour", stale_after="1m", **where)
    net.bridge.reconcile()
    path.write_text("")
    for _ in range(2):
        r = net.bridge.run("reconcile")
        assert r.rc == 4, r
        assert "arp: read, failed (the source is empty, it had 3 rows: nothing is ended)" in r.stderr
    assert net.source("arp")["error"].startswith("the source is empty")
    assert len(net.bridge.json("list", "addresses")) == 3
