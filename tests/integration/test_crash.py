"""A crash at any instruction loses nothing and repeats nothing visible.

One fixed scenario is reconciled under strace, which kills the program at the N-th call of one
system call; now and then the run that should repair it is killed too.  Then it is run again
until nothing is left to do; DNS and IPAM must be what they are after a run that nobody disturbed.

	SEED=n            which points are taken; printed, random by default
	CRASH_POINTS=n    how many, 150 by default; 0: every one, each once
	CRASH_AT=sendto:17[+recvfrom:4]   this one alone
"""

import collections
import os
import random
import re
import subprocess
import time

import dns.name
import dns.update
import dns.query
import dns.rcode
import pytest

from harness import Bind, LeaseFile4, LeaseFile6
from harness.bridge import binary

FORWARD, REVERSE, REVERSE6 = "lab.example", "2.0.192.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"
ZONES = [FORWARD, REVERSE, REVERSE6]
# A sanitizer's build starts slowly, and what it looks for does not depend on the point.
POINTS = int(os.environ.get("CRASH_POINTS", "30" if "address" in binary() else "150"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
# Where the program touches the world.  What moves things out of it gets half of the points.
SENDING = ["write", "writev", "sendto", "sendmsg", "pwrite64", "fsync"]
OTHER = ["recvfrom", "recvmsg", "poll", "ppoll", "epoll_wait", "read", "pread64", "connect",
         "socket", "openat", "close", "newfstatat", "fstat", "lseek", "getsockopt", "setsockopt",
         "getrandom", "munmap", "mmap", "brk", "fcntl", "exit_group"]
QUIET_RUNS = 5
TWICE = 5          # every fifth point is followed by a second crash
# LeakSanitizer and strace cannot trace the same process.
NO_LEAK_CHECK = {"ASAN_OPTIONS": "detect_leaks=0"}


def v6(n):
    return f"2001:db8::{n:x}"


def ptr6(n):
    return f"{n & 15:x}." + "0." * 23 + REVERSE6


class Scenario:
    """What was before, and what a pass has to do."""

    def __init__(self, server, postgres, bridge, run_dir):
        self.server = server
        self.postgres = postgres
        self.bridge = bridge
        self.four = LeaseFile4(run_dir / "leases4.csv")
        self.six = LeaseFile6(run_dir / "leases6.csv")
        bridge.subnet("192.0.2.0/24", FORWARD).subnet("2001:db8::/64", FORWARD)
        bridge.source("dhcp4", "kea-leases", file=self.four.path)
        bridge.source("dhcp6", "kea-leases", file=self.six.path)
        self.template = bridge.database.split("dbname=")[-1]
        self.made = 0
        self.before()
        self.changes()
        self.base = self.zones()

    def before(self):
        for n in range(1, 17):
            self.four.add(f"192.0.2.{n}", f"02:00:00:00:00:{n:02x}", f"host{n}")
        for n in range(1, 7):
            self.six.add(v6(n), f"00:03:00:01:02:00:00:00:01:{n:02x}", f"six{n}")
        self.bridge.init()
        self.bridge.reconcile()
        self.bridge.ok("add-host", f"tv.{FORWARD}", "192.0.2.200", "2001:db8::c8")
        self.bridge.ok("add-host", f"nas.{FORWARD}", "192.0.2.201")
        self.bridge.reconcile()

    def changes(self):
        """Thirty leases: new, renamed, released; two edits, one removal, one stranger."""
        for n in range(17, 25):
            self.four.add(f"192.0.2.{n}", f"02:00:00:00:00:{n:02x}", f"host{n}")
        for n in 1, 2, 3, 4:
            self.four.rename(f"192.0.2.{n}", f"renamed{n}")
        for n in 5, 6, 7:
            self.four.release(f"192.0.2.{n}")
        for n in 7, 8:
            self.six.add(v6(n), f"00:03:00:01:02:00:00:00:01:{n:02x}", f"six{n}")
        self.six.rename(v6(1), "moved1")
        self.six.release(v6(2))
        s = self.server
        # Manual names carry no DHCID: only what was offered tells that a record is ours.
        s.stop()
        for n in range(10):
            self.bridge.run("add-host", f"late{n}.{FORWARD}", f"192.0.2.{210 + n}")
        s.launch()
        s.replace(f"8.{REVERSE}", "PTR", f"edited8.{FORWARD}.")
        s.replace(ptr6(3), "PTR", f"edited6.{FORWARD}.")
        s.delete(f"host9.{FORWARD}", "A")
        s.add(f"host18.{FORWARD}", "A", "192.0.2.99")

    # ---- state ------------------------------------------------------------------------------

    def zones(self):
        return {z: self.server.axfr(z, ttl=True) for z in ZONES}

    def ipam(self):
        """Hosts, conflicts, and how many owners of each zone are ours, refused, due."""
        rows = self.bridge.json("list", "hosts")
        for r in rows:
            del r["expires_at"], r["last_seen"]
        conflicts = self.bridge.json("list", "conflicts")
        keys = ("owner", "type", "wanted", "published", "seen")
        zones = self.bridge.json("list", "zones")
        counted = ("name", "ours", "agreed", "conflicts", "refused", "due")
        return (rows, [{k: c[k] for k in keys} for c in conflicts],
                [{k: z[k] for k in counted} for z in zones])

    def fresh(self, now=None):
        """A database as before, and the zones from the state now back to it."""
        name = f"{self.template}_{self.made}"
        if self.made > 0:
            self.postgres.sql(f'drop database "{name}" with (force)')
        self.made += 1
        name = f"{self.template}_{self.made}"
        self.postgres.sql(f'create database "{name}" template "{self.template}"')
        self.bridge.database = self.postgres.conninfo_for(name)
        # What a person does who restores a database on purpose.
        (self.bridge.dir / "state" / "journal-mark").unlink(missing_ok=True)
        for zone in ZONES if now else []:
            self.restore(zone, set(now[zone]), set(self.base[zone]))

    def restore(self, zone, has, wants):
        if has == wants:
            return
        m = dns.update.UpdateMessage(dns.name.from_text(zone), **self.server.other.args())
        for line in has - wants:
            owner, _, rdtype, rdata = line.split(None, 3)
            m.delete(dns.name.from_text(owner), rdtype, absolute(rdtype, rdata))
        for line in wants - has:
            owner, ttl, rdtype, rdata = line.split(None, 3)
            m.add(dns.name.from_text(owner), int(ttl), rdtype, absolute(rdtype, rdata))
        r = dns.query.tcp(m, self.server.address, port=self.server.port, timeout=10)
        assert r.rcode() == dns.rcode.NOERROR

    # ---- running ----------------------------------------------------------------------------

    def traced(self, *options):
        self.bridge.write_config()
        return subprocess.run(["strace", "-qq", *options, binary(), "-c", self.bridge.config,
                               "reconcile"], capture_output=True, text=True,
                              env={**self.bridge.env(), **NO_LEAK_CHECK}, timeout=60)

    def crash(self, call, n):
        """Was it killed?  The counts move a little from run to run."""
        r = self.traced("-o", "/dev/null", "-e", f"trace={call}",
                        "-e", f"inject={call}:signal=KILL:when={n}")
        return r.returncode in (-9, 137)

    def settle(self):
        """Runs until a pass finds nothing to do."""
        said = []
        end = time.monotonic() + 20
        while len(said) < QUIET_RUNS and time.monotonic() < end:
            r = self.bridge.run("reconcile", "--json")
            # The dead program's session may hold the lock for a moment.
            if r.rc == 6:
                continue
            assert r.rc == 0, f"the run after the crash\n{r}"
            said.append(r.json)
            if r.json["changed"] == 0 and r.json["pending"] == 0:
                return said
        raise AssertionError(f"does not come to rest: {said}")


def absolute(rdtype, rdata):
    return rdata + "." if rdtype in ("PTR", "CNAME", "NS") else rdata


def counts(trace):
    """{system call: how often} of one whole run."""
    return collections.Counter(re.findall(r"^([a-z0-9_]+)\(", trace, re.M))


def choose(found):
    """The points of this run: "CALL:N", or "CALL:N+CALL:N" for two crashes in a row."""
    if "CRASH_AT" in os.environ:
        return [os.environ["CRASH_AT"]]
    sending = [f"{s}:{n}" for s in SENDING for n in range(1, found[s] + 1)]
    other = [f"{s}:{n}" for s in OTHER for n in range(1, found[s] + 1)]
    if POINTS == 0:
        return sending + other
    rng = random.Random(SEED)
    points = rng.sample(sending, min(len(sending), POINTS // 2))
    points += rng.sample(other, min(len(other), POINTS - len(points)))
    return [p if i % TWICE else f"{p}+{rng.choice(sending + other)}"
            for i, p in enumerate(points)]


@pytest.fixture
def scenario(start, bridges, postgres, database, run_dir):
    server = start(Bind, ZONES)
    return Scenario(server, postgres, bridges(database).serve_zones(server), run_dir)


def test_a_crash_at_any_system_call_is_repaired_by_the_next_run(scenario, run_dir):
    s = scenario
    s.fresh()
    trace = run_dir / "trace"
    r = s.traced("-o", trace)
    assert r.returncode == 0, r
    s.settle()
    want_zones, want_ipam = s.zones(), s.ipam()
    sanity(want_zones, want_ipam)
    points = choose(counts(trace.read_text()))
    print(f"SEED={SEED} CRASH_POINTS={POINTS}: {len(points)} points")
    now, killed = want_zones, 0
    for point in points:
        replay = f"replay: SEED={SEED} CRASH_AT={point}"
        s.fresh(now)
        died = [s.crash(*p.split(":")) for p in point.split("+")]
        killed += died[0]
        try:
            s.settle()
            now = s.zones()
            assert now == want_zones, difference(want_zones, now)
            assert s.ipam() == want_ipam
        except AssertionError as e:
            raise AssertionError(f"{replay}\n{e}") from None
    assert killed >= len(points) * 9 // 10, f"only {killed} of {len(points)} were killed"


def sanity(zones, ipam):
    """The undisturbed run did what the scenario is about."""
    text = "\n".join(sum(zones.values(), []))
    for word in (f"renamed1.{FORWARD} 300 A 192.0.2.1", f"host24.{FORWARD} 300 A 192.0.2.24",
                 f"edited8.{FORWARD} 300 A 192.0.2.8", f"edited6.{FORWARD} 300 AAAA 2001:db8::3",
                 f"moved1.{FORWARD} 300 AAAA 2001:db8::1", f"host9.{FORWARD} 300 A 192.0.2.9",
                 f"host18.{FORWARD} 300 A 192.0.2.99", f"late7.{FORWARD} 300 A 192.0.2.217",
                 f"tv.{FORWARD} 300 AAAA 2001:db8::c8"):
        assert word in text, f"{word} is missing\n{text}"
    for gone in f"host5.{FORWARD}", f"host8.{FORWARD}", f"six2.{FORWARD}":
        assert gone not in text, f"{gone} is still there"
    assert len(ipam[0]) >= 30


def difference(want, got):
    lines = []
    for z in want:
        lines += [f"missing {line}" for line in sorted(set(want[z]) - set(got[z]))]
        lines += [f"too much {line}" for line in sorted(set(got[z]) - set(want[z]))]
    return "\n".join(lines)
