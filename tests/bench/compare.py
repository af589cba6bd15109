"""100,000 hosts in step: what a pass costs that finds nothing to do, and its memory."""

import statistics
import subprocess

from lab import ZONES, say, write_leases

HOSTS = 100000
MEMORY = 32 + 64 * HOSTS / 2 ** 20


def floor(lab, server, bridge, hosts=HOSTS):
    r = subprocess.run([lab.tool("read_floor"), server.other.file, str(server.port),
                        bridge.database, *ZONES], capture_output=True, text=True, timeout=120)
    if r.returncode != 0:
        raise SystemExit(f"bench: read_floor: {r.stderr}")
    t, records, rows = r.stdout.split()
    if int(records) < 4 * hosts or int(rows) < 2 * hosts:
        raise SystemExit(f"bench: {records} records and {rows} rows are too few")
    return float(t)


def make_due(lab, bridge):
    """The next pass trusts nothing: it reads both zones whole and compares."""
    lab.pg.sql("update ipambridge.zone set full_at = 'epoch'", bridge.database)


def run(lab, pairs):
    server = lab.server("bind")
    bridge = lab.bridge(server)
    write_leases(bridge.leases, HOSTS)
    first, first_kib = lab.verb(bridge, "reconcile")
    say(f"compare: first load of {HOSTS} hosts in {first:.1f} s, {first_kib / 1024:.1f} MiB")
    lab.pg.sql("vacuum analyze", bridge.database, deadline=120)
    lab.settle()
    whole, still, base, peak, trivial = [], [], [], [], []
    for n in range(pairs):
        trivial.append(lab.verb(bridge, "db", "status")[0])
        make_due(lab, bridge)
        base.append(floor(lab, server, bridge))
        t, kib = lab.verb(bridge, "reconcile")
        whole.append(t - trivial[-1])
        peak.append(kib / 1024)
        t, kib = lab.verb(bridge, "reconcile")
        still.append(t - trivial[-1])
        say(f"compare {n + 1}/{pairs}: floor {base[-1]:.3f} s, whole {whole[-1]:.3f} s, "
            f"still {still[-1]:.4f} s, db status {trivial[-1]:.4f} s, {peak[-1]:.1f} MiB")
    lab.drop(server)
    lab.forget(bridge)

    def over(a):
        return [x / y for x, y in zip(a, base)]

    def note(a):
        return f"{statistics.median(a):.3f} s / {statistics.median(base):.3f} s"

    return [
        ("100,000 hosts in step, compared whole / AXFR + COPY", over(whole), "x", "<=", 1.3,
         note(whole)),
        ("100,000 hosts in step, nothing moved / AXFR + COPY", over(still), "x", "<=", 0.1,
         note(still)),
        ("peak memory, full comparison of 100,000 hosts", peak, " MiB", "<=", MEMORY,
         "32 MiB + 64 B a host"),
        ("peak memory, first load of 100,000 hosts", [first_kib / 1024], " MiB", "<=", MEMORY,
         f"loaded in {first:.1f} s"),
    ]
