"""What a pass costs that finds nothing, little or everything to do, by how many hosts there are.

Two zones and one lease file.  Server, database and bridge speak TCP in a network namespace of
their own, where a tap (tap.c) hears each packet of theirs; UPDATE messages are counted by the name
server, WAL by the database.
"""

import collections
import os
import statistics
import subprocess
import time

import compare
from lab import DATABASE_PORT, FORWARD, VALID, ZONES, address, lease, name, say, write_leases
from push import bare, check, limit, reverse
from stage import wal
from tellers import Ours

SIZES = [int(n) for n in os.environ.get("SIZES", "10000 100000 1000000").split()]
FEW = 100
PULL_S = 4                      # so long that connections to name servers are not kept
WATCH_S = 21                    # five passes of the daemon
APART_S = 0.1                   # packets of one pass are not further apart
SETTLE_S = 2

Burst = collections.namedtuple("Burst", "port client start end opened to came turns")


# ---- what a pass costs ---------------------------------------------------------------------------

class Meter:
    """Everything that the servers are asked, and what the database writes, while it is open."""

    def __init__(self, lab, server, bridge):
        self.lab, self.server, self.bridge = lab, server, bridge

    def __enter__(self):
        self.wal = wal(self.lab, self.bridge)
        self.updates = self.server.updates()
        self.tap = subprocess.Popen([self.lab.tool("tap"), str(self.server.port),
                                     str(DATABASE_PORT)], stdout=subprocess.PIPE, text=True)
        if self.tap.stdout.readline() != "ready\n":
            raise SystemExit("bench: no tap: run it by make bench-reconcile")
        return self

    def __exit__(self, *_):
        self.tap.terminate()
        *lines, lost = self.tap.communicate()[0].splitlines()
        if lost != "lost 0":
            raise SystemExit(f"bench: the tap {lost} packets")
        rows = [[float(x) for x in line.split()] for line in lines]
        self.bursts = sorted((Burst(*r) for r in rows), key=lambda b: b.start)
        self.wal = wal(self.lab, self.bridge) - self.wal
        self.updates = self.server.updates() - self.updates

    def turns(self, bursts=None):
        return sum(b.turns for b in self.bursts if bursts is None or b in bursts)

    def bytes(self):
        return sum(b.to + b.came for b in self.bursts)

    def text(self):
        return (f"{self.turns():.0f} round trips, {size(self.bytes())} on the wire, "
                f"{self.updates} UPDATEs, {size(self.wal)} of WAL")


def size(n):
    for unit in ("B", "KB", "MB"):
        if n < 10000:
            break
        n /= 1000
        unit = {"B": "KB", "KB": "MB", "MB": "GB"}[unit]
    return f"{n:.3g} {unit}" if n < 1000 else f"{n:.0f} {unit}"


def over(a, b):
    return [x / y for x, y in zip(a, b)]


def both(a, b, unit):
    return f"{statistics.median(a):.3g} / {statistics.median(b):.3g} {unit}"


def memory(hosts):
    return 32 + 64 * hosts / 2 ** 20


# ---- everything new ------------------------------------------------------------------------------

def taken_up(lab, hosts):
    """A daemon that is started beside a full lease file: hosts/s until all is in step."""
    server = lab.server("bind")
    bridge = lab.bridge(server)
    write_leases(bridge.leases, hosts)
    lab.settle()
    d = Ours(lab, server, "leases", bridge)
    began = time.monotonic()
    d.start()
    while d.in_step() < 2 * hosts:
        if not d.process.running() or time.monotonic() > began + 900:
            raise SystemExit(f"bench: {d.process.log_tail()}")
        time.sleep(hosts / 500000)      # counting takes time too
    t = time.monotonic() - began
    check(server, hosts)
    d.stop()
    lab.drop(server)
    lab.forget(bridge)
    return hosts / t


def everything(lab, hosts, pairs):
    """Ends with a server, and a bridge that is in step with it."""
    rate, most, daemon = [], [], []
    for n in range(pairs):
        daemon.append(taken_up(lab, hosts))
        most.append(limit(lab, "bind", 400, hosts))
        if n > 0:
            lab.drop(server)
            lab.forget(bridge)
        server = lab.server("bind")
        bridge = lab.bridge(server)
        write_leases(bridge.leases, hosts)
        lab.settle()
        with Meter(lab, server, bridge) as m:
            t, kib = lab.verb(bridge, "reconcile")
        check(server, hosts)
        rate.append(hosts / t)
        say(f"{hosts} new {n + 1}/{pairs}: {t:.1f} s, {rate[-1]:.0f} hosts/s, serve "
            f"{daemon[-1]:.0f}, limit {most[-1]:.0f}; {kib / 1024:.1f} MiB; {m.text()}")
    lab.pg.sql("vacuum analyze", bridge.database, deadline=300)
    what = f"{hosts:,} hosts, everything new"
    return server, bridge, [
        (f"{what}, serve: rate / limit of the server", over(daemon, most), "x", ">=", 0.6,
         both(daemon, most, "hosts/s")),
        (f"{what}, reconcile: rate / limit of the server", over(rate, most), "x", ">=", 0.6,
         both(rate, most, "hosts/s") + f"; {m.text()}, {kib / 1024:.0f} MiB at its peak"),
    ]


# ---- compared whole ------------------------------------------------------------------------------

def cold(lab, server, bridge, hosts, pairs, label="BIND", goal=1.3):
    """Of the pass the start of a process that has nothing to do is taken off."""
    us, base, peak, sent = [], [], [], []
    for n in range(pairs):
        lab.settle()
        trivial = lab.verb(bridge, "db", "status")[0]
        with Meter(lab, server, bridge) as least:
            base.append(compare.floor(lab, server, bridge, hosts))
        compare.make_due(lab, bridge)
        with Meter(lab, server, bridge) as m:
            t, kib = lab.verb(bridge, "reconcile")
        us.append(t - trivial)
        peak.append(kib / 1024)
        sent.append(m.updates)
        say(f"{hosts} compared, {label} {n + 1}/{pairs}: {us[-1]:.3f} s, AXFR + COPY "
            f"{base[-1]:.3f} s; {peak[-1]:.1f} MiB; {m.text()}; theirs: {least.text()}")
    what = f"{hosts:,} hosts, compared whole, {label}"
    return [
        (f"{what}: time / AXFR + COPY", over(us, base), "x", "<=", goal,
         both(us, base, "s") + f"; {m.text()}, of AXFR + COPY {size(least.bytes())}"),
        (f"{what}: UPDATE messages", [max(sent)], "", "<=", 0, ""),
        (f"{what}: peak memory", peak, " MiB", "<=", memory(hosts), "32 MiB + 64 B a host"),
    ]


def cold_knot(lab, other, bridge, hosts, pairs):
    """The same zones on Knot; the bridge believes for a while that it always wrote to this one."""
    server = lab.server("knot")
    bare(lab, server, 0, hosts, 400)
    check(server, hosts)
    move(lab, bridge, server)
    rows = cold(lab, server, bridge, hosts, pairs, "Knot", 2)
    move(lab, bridge, other)
    lab.drop(server)
    return rows


def move(lab, bridge, server):
    bridge.server("ns1", server)
    for zone in ZONES:
        lab.pg.sql(f"update ipambridge.zone set serial = {server.serial(zone)}, "
                   f"sent_serial = null where name = '{zone}'", bridge.database)


# ---- nothing changed, in a daemon ----------------------------------------------------------------

class Daemon(Ours):
    """Looks at the servers every so many seconds."""

    def __init__(self, lab, server, bridge, pull_s):
        super().__init__(lab, server, "leases", bridge)
        bridge.sections[""]["schedule", None] = {"pull": f"{pull_s}s"}

    def start(self):
        before = self.passes()
        super().start()
        self.wait(lambda: self.passes() >= before + 2 or self.long() and self.passes() > before,
                  60, "zones that were looked at")
        return self

    def long(self):
        return self.bridge.sections[""]["schedule", None]["pull"] != f"{PULL_S}s"

    def passes(self):
        return int(self.lab.pg.sql("select count(*) from ipambridge.pass where verb = 'sync'",
                                   self.bridge.database)[0][0])

    def names(self):
        """Client ports of the database's sessions: whose they are."""
        rows = self.lab.pg.sql("select client_port, application_name from pg_stat_activity "
                               "where client_port is not null", self.bridge.database)
        return {int(port): who for port, who in rows}

    def most_memory(self):
        """Highest resident size of any of its processes until now, MiB."""
        return max(hwm_kib(p) for p in self.pids()) / 1024


def hwm_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:"))


def looks(bursts, names, dns):
    """Passes: bursts of the process that looks at the zones, joined, of those the whole ones that
    asked the name server."""
    mine = [b for b in bursts if b.port == dns or names.get(b.client) == "ipambridge sync"]
    joined = []
    for b in mine:
        if joined and b.start <= max(x.end for x in joined[-1]) + APART_S:
            joined[-1].append(b)
        else:
            joined.append([b])
    return [j for j in joined if any(b.port == dns for b in j) and
            any(b.port != dns for b in j)]


def source_looks(bursts, names):
    return [b for b in bursts if names.get(b.client) == "ipambridge ingest"]


def took(look):
    return max(b.end for b in look) - min(b.start for b in look)


def ixfr(lab, server):
    """Microseconds of one that is up to date."""
    r = subprocess.run([lab.tool("ixfr_floor"), server.other.file, str(server.port), FORWARD,
                        str(server.serial(FORWARD)), "10", "100"], capture_output=True, text=True,
                       timeout=60)
    if r.returncode != 0:
        raise SystemExit(f"bench: ixfr_floor: {r.stderr}")
    return statistics.median(float(x) for x in r.stdout.split())


def nothing(lab, server, bridge, hosts, pairs):
    """A look at both zones, the clock, and the source."""
    d = Daemon(lab, server, bridge, PULL_S).start()
    lab.settle()
    time.sleep(WATCH_S)
    us, base, turns, came, sent, grown = [], [], [], [], [], []
    for n in range(pairs):
        base.append(ixfr(lab, server) / 1000)
        names, before = d.names(), d.passes()
        with Meter(lab, server, bridge) as m:
            time.sleep(WATCH_S)
        passes = max(1, d.passes() - before)
        seen, source = looks(m.bursts, names, server.port), source_looks(m.bursts, names)
        us.append(1000 * statistics.median(took(x) for x in seen))
        turns.append(statistics.median(m.turns(x) for x in seen)
                     + statistics.median(b.turns for b in source))
        came.append(statistics.median(sum(b.came for b in x) for x in seen)
                    + statistics.median(b.came for b in source))
        sent.append(m.updates)
        grown.append(m.wal / passes / 1000)
        say(f"{hosts} in step {n + 1}/{pairs}: {us[-1]:.2f} ms, IXFR {base[-1]:.3f} ms, "
            f"{turns[-1]:.0f} round trips, {came[-1]:.0f} B came, {sent[-1]} UPDATEs, "
            f"{grown[-1]:.1f} KB of WAL, {d.most_memory():.1f} MiB")
    most = d.most_memory()
    d.stop()
    what = f"{hosts:,} hosts, nothing changed, serve"
    return us, [
        (f"{what}: a look / one up-to-date IXFR", over(us, base), "x", "<=", 10,
         both(us, base, "ms")),
        (f"{what}: round trips", turns, "", "<=", 6, "name server and database"),
        (f"{what}: bytes read", came, " B", "<=", 4096, ""),
        (f"{what}: UPDATE messages", [max(sent)], "", "<=", 0, ""),
        (f"{what}: WAL", grown, " KB", "<=", 10, "of all roles, for each look"),
        (f"{what}: memory of the largest process", [most], " MiB", "<=", 32, "at its peak"),
    ]


# ---- a few changes, in a daemon ------------------------------------------------------------------

def new_leases(bridge, first, hosts):
    """Unix seconds when they were there to be read."""
    expire = int(time.time()) + VALID
    text = "".join(lease(i, expire) for i in range(first, first + hosts))
    with open(bridge.leases, "a") as f:
        f.write(text)
    return time.time()


def change(d, server, first):
    """FEW new leases: the meter, and the seconds until the last answer to an update."""
    want = d.in_step() + 2 * FEW
    d.lab.settle()
    with Meter(d.lab, server, d.bridge) as m:
        began = new_leases(d.bridge, first, FEW)
        time.sleep(SETTLE_S)
    d.wait(lambda: d.in_step() >= want, 30, "all in step")
    for i in (first, first + FEW - 1):
        if server.query(name(i)) != [address(i)] or server.query(reverse(i), "PTR") != [name(i)]:
            raise SystemExit(f"bench: host {i} is not there")
    written = [b.end for b in m.bursts if b.port == server.port and b.to > 1000]
    return m, max(written) - began


def few(lab, server, bridge, hosts, pairs):
    d = Daemon(lab, server, bridge, 86400).start()
    first = hosts + FEW
    change(d, server, hosts)
    us, base, sent = [], [], []
    for n in range(pairs):
        base.append(bare(lab, server, first, FEW, FEW) * 1000)
        m, t = change(d, server, first + FEW)
        first += 2 * FEW
        us.append(t * 1000)
        sent.append(m.updates)
        say(f"{hosts} and {FEW} new {n + 1}/{pairs}: {us[-1]:.1f} ms, two messages "
            f"{base[-1]:.1f} ms; {m.text()}, {d.most_memory():.1f} MiB")
    most = d.most_memory()
    d.stop()
    what = f"{hosts:,} hosts, {FEW} new leases, serve"
    return [
        (f"{what}: until the last answer / two messages", over(us, base), "x", "<=", 4,
         both(us, base, "ms") + f"; {m.text()}"),
        (f"{what}: UPDATE messages", sent, "", "<=", 4, ""),
        (f"{what}: memory of the largest process", [most], " MiB", "<=", 32, "at its peak"),
    ]


# ---- all of it -----------------------------------------------------------------------------------

def autovacuum(lab, state):
    """What it writes after a load is no cost of the looks that come then."""
    lab.pg.sql(f"alter system set autovacuum = {state}")
    lab.pg.sql("select pg_reload_conf()")


def run(lab, pairs):
    lab.over_tcp()
    rows, idle = [], []
    for hosts in SIZES:
        server, bridge, new = everything(lab, hosts, pairs if hosts <= 100000 else 1)
        rows += new + cold(lab, server, bridge, hosts, pairs)
        if hosts == max(SIZES):
            rows += cold_knot(lab, server, bridge, hosts, pairs)
        autovacuum(lab, "off")
        us, warm = nothing(lab, server, bridge, hosts, pairs)
        idle.append(statistics.median(us))
        rows += warm + few(lab, server, bridge, hosts, pairs)
        autovacuum(lab, "on")
        lab.drop(server)
        lab.forget(bridge)
    if len(SIZES) > 1:
        rows.append((f"nothing changed: a look at {SIZES[-1]:,} hosts / at {SIZES[0]:,}",
                     [idle[-1] / idle[0]], "x", "<=", 1.5, both(idle[-1:], idle[:1], "ms")))
    return rows
