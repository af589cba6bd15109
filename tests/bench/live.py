"""New leases until their names are visible: ipambridge serve beside Kea's own D2.

Both are told the same requests and write to servers of the same make with empty zones.  D2 is
given so few at once that it loses none, except where the loss is the figure.
"""

import statistics
import time

from lab import say, write_leases
from push import check
from tellers import D2, VIAS, Clock, Ours, database_pids, feed, pss_kib

HOSTS = 5000
SINGLE = 300
REST_MS = 30
IDLE_HOSTS = 100000
IDLE_S = 20
LABEL = {"bind": "BIND", "knot": "Knot"}


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p))]


# ---- many hosts ----------------------------------------------------------------------------------

class Run:
    """HOSTS new hosts through one teller, on a new server."""

    def __init__(self, lab, make, teller, *words):
        server = lab.server(make)
        t = teller(server)
        t.start()
        lab.settle()
        own, database = Clock(t.pids), Clock(lambda: database_pids(lab))
        out = feed(lab, t, server, HOSTS, *words)
        self.rate = HOSTS / float(out[0])
        self.lost = 2 * HOSTS - int(out[1]) - int(out[2])
        self.cpu_us = 1e6 * own.seconds() / HOSTS
        self.database_us = 1e6 * database.seconds() / HOSTS
        if self.lost == 0:
            check(server, HOSTS)
        t.stop()
        lab.drop(server)


def rate(lab, make, pairs):
    d2, ours = [], {via: [] for via in VIAS}
    for n in range(pairs):
        d2.append(Run(lab, make, lambda s: D2(lab, s), "-w", D2.window))
        for via, runs in ours.items():
            runs.append(Run(lab, make, lambda s, v=via: Ours(lab, s, v)))
        say(f"{make} {n + 1}/{pairs}: hosts/s D2 {d2[-1].rate:.0f} ({d2[-1].lost} lost), "
            + ", ".join(f"{via} {runs[-1].rate:.0f} ({runs[-1].lost} lost)"
                        for via, runs in ours.items()))
    flood = Run(lab, make, lambda s: D2(lab, s))
    out = []
    for via, runs in ours.items():
        what = f"{LABEL[make]}, {via}"
        out += [
            (f"{what}: 5,000 hosts / D2", [u.rate / d.rate for u, d in zip(runs, d2)], "x", ">=",
             12, both([u.rate for u in runs], [d.rate for d in d2], "hosts/s")),
            (f"{what}: A and PTR missing after a burst of 5,000", [max(u.lost for u in runs)], "",
             "<=", 0, f"of {2 * HOSTS}; D2 lacks {flood.lost}"),
            (f"{what}: CPU of all roles / D2", [u.cpu_us / d.cpu_us for u, d in zip(runs, d2)],
             "x", "<=", 0.15,
             both([u.cpu_us for u in runs], [d.cpu_us for d in d2], "us a host")
             + f"; PostgreSQL {statistics.median(u.database_us for u in runs):.0f} us"),
        ]
    return out


def both(a, b, unit):
    return f"{statistics.median(a):.4g} / {statistics.median(b):.4g} {unit}"


# ---- one host ------------------------------------------------------------------------------------

def latency(lab, make, pairs):
    """All stand idle beside each other; a few events for each in turn."""
    tellers = []
    for new in (lambda s: D2(lab, s), *(lambda s, v=via: Ours(lab, s, v) for via in VIAS)):
        server = lab.server(make)
        tellers.append((new(server).start(), server, []))
    each = -(-SINGLE // pairs)
    for n in range(pairs):
        lab.settle()
        for t, server, took in tellers:
            took.append([float(us) / 1000 for us in
                         feed(lab, t, server, each, "-e", REST_MS, first=n * each)])
        say(f"{make} {n + 1}/{pairs}: ms from event to PTR, median "
            + ", ".join(f"{t.label} {statistics.median(took[-1]):.2f}" for t, _, took in tellers))
    for t, server, _ in tellers:
        t.stop()
        lab.drop(server)
    (_, _, d2), *ours = tellers
    out = []
    for t, _, took in ours:
        what = f"{LABEL[make]}, {t.via}: one event to PTR"
        out += [(f"{what}, median / D2",
                 [statistics.median(u) / statistics.median(d) for u, d in zip(took, d2)], "x", "<=",
                 1.3, both(flat(took), flat(d2), "ms")),
                (f"{what}, p99 / D2", [percentile(flat(took), .99) / percentile(flat(d2), .99)],
                 "x", "<=", 2,
                 f"{percentile(flat(took), .99):.3g} / {percentile(flat(d2), .99):.3g} ms")]
    return out


def flat(lists):
    return [x for v in lists for x in v]


# ---- nothing to do -------------------------------------------------------------------------------

def idle(lab, pairs):
    """100,000 leases in step."""
    del pairs
    server = lab.server("bind")
    t = Ours(lab, server, "confirmed")
    write_leases(t.bridge.leases, IDLE_HOSTS)
    t0 = time.monotonic()
    t.start()
    t.wait(lambda: t.in_step() >= 2 * IDLE_HOSTS, 600, "all in step")
    loaded = time.monotonic() - t0
    lab.settle()
    time.sleep(5)
    own, database = Clock(t.pids), Clock(lambda: database_pids(lab))
    time.sleep(IDLE_S)
    used, theirs = own.seconds(), database.seconds()
    memory = sum(pss_kib(p) for p in t.pids()) / 1024
    t.stop()
    lab.drop(server)
    return [
        ("idle at 100,000 hosts: CPU of all roles", [100 * used / IDLE_S], " %", "<=", 0.5,
         f"of a core; PostgreSQL {100 * theirs / IDLE_S:.2f} %; loaded in {loaded:.1f} s"),
        ("idle at 100,000 hosts: memory of all roles", [memory], " MiB", "<=", 64, "PSS"),
    ]
