"""What makes names of leases: Kea's D2 and ipambridge serve, and the clocks for both."""

import json
import os
import subprocess


from lab import FORWARD, REVERSE

from harness import free_port, server_env, wait_for
from harness.proc import Process, children_of


# ---- clocks ------------------------------------------------------------------------------------

def cpu_ns(pid):
    """Of all threads; 0 for a process that is gone."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total


class Clock:
    """Processor time of processes since start; those that came later count whole."""

    def __init__(self, pids):
        self.pids = pids
        self.before = {p: cpu_ns(p) for p in pids()}

    def seconds(self):
        return sum(cpu_ns(p) - self.before.get(p, 0) for p in self.pids()) / 1e9


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))


def database_pids(lab):
    master = lab.pg.postmaster_pid()
    return [master, *children_of(master)]


# ---- Kea's own -----------------------------------------------------------------------------------

class D2:
    """kea-dhcp-ddns with the defaults of its package, but patient: Knot now and then answers after
    a second only, and what is not answered in dns-server-timeout is lost."""

    label = "D2"
    window = 128            # more at once does not fit its socket

    def __init__(self, lab, server):
        self.dir = lab.fresh("d2-")
        self.dir.mkdir()
        self.port = free_port()
        self.server = server
        config = self.dir / "kea-dhcp-ddns.conf"
        config.write_text(json.dumps({"DhcpDdns": self.settings()}))
        env = server_env(KEA_PIDFILE_DIR=str(self.dir), KEA_LOCKFILE_DIR=str(self.dir))
        self.process = Process(["kea-dhcp-ddns", "-c", config], self.dir / "d2.log", env, self.dir)

    def settings(self):
        key = self.server.key
        at = [{"ip-address": self.server.address, "port": self.server.port}]

        def domain(zone):
            return {"ddns-domains": [{"name": f"{zone}.", "key-name": key.name, "dns-servers": at}]}

        return {
            "ip-address": "127.0.0.1", "port": self.port, "dns-server-timeout": 3000,
            "tsig-keys": [{"name": key.name, "algorithm": key.algorithm.upper(),
                           "secret": key.secret}],
            "forward-ddns": domain(FORWARD), "reverse-ddns": domain(REVERSE),
            "loggers": [{"name": "kea-dhcp-ddns", "severity": "INFO",
                         "output_options": [{"output": str(self.dir / "ddns.log")}]}]}

    def start(self):
        self.process.start()
        log = self.dir / "ddns.log"
        self.process.wait_ready(lambda: log.exists() and "DHCP_DDNS_STARTED" in log.read_text())
        return self

    def pids(self):
        return [self.process.pid]

    def stop(self):
        self.process.stop()

    @property
    def feed(self):
        return [], self.port


# ---- ours ----------------------------------------------------------------------------------------

# "ncr": requests that stand for themselves; "confirmed": requests that make it look into the
# lease file; "leases": the lease file alone.
VIAS = os.environ.get("BENCH_VIA", "ncr confirmed").split()


class Ours:
    """The whole daemon, told in one of those ways."""

    def __init__(self, lab, server, via="ncr", bridge=None):
        self.lab = lab
        self.kept = bridge is not None
        self.via = via
        self.label = f"serve ({via})"
        self.port = 0
        self.bridge = bridge or lab.bridge(server)
        if via != "leases":
            self.port = free_port()
            more = {"confirm": "dhcp"} if via == "confirmed" else {}
            self.bridge.source("ncr", "kea-ncr", listen=f"127.0.0.1:{self.port}", **more)

    def start(self):
        self.process = self.bridge.daemon()
        want = 3 if self.via == "leases" else 4
        self.wait(lambda: self.roles() >= want, 30, "the daemon up")
        return self

    def wait(self, cond, deadline, what):
        try:
            wait_for(cond, deadline, what)
        except AssertionError as e:
            raise SystemExit(f"bench: {e}\n{self.process.log_tail()}") from None

    def in_step(self):
        return int(self.lab.pg.sql("select count(*) from ipambridge.owner where state = 'in-step'",
                                   self.bridge.database)[0][0])

    def roles(self):
        if not self.process.running():
            raise SystemExit(f"bench: {self.process.log_tail()}")
        return int(self.lab.pg.sql("select count(*) from ipambridge.role_state "
                                   "where state = 'running'", self.bridge.database)[0][0])

    def pids(self):
        return [self.process.pid, *children_of(self.process.pid)]

    def stop(self):
        self.process.stop()
        if not self.kept:
            self.lab.forget(self.bridge)

    @property
    def feed(self):
        return [] if self.via == "ncr" else ["-l", self.bridge.leases], self.port


# ---- feeding -------------------------------------------------------------------------------------

def feed(lab, teller, server, hosts, *words, first=0):
    """Runs ncr.c; its lines."""
    more, port = teller.feed
    argv = [lab.tool("ncr"), *more, *words, server.other.file, server.port, port, FORWARD, REVERSE,
            first, hosts]
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=900)
    if r.returncode != 0:
        raise SystemExit(f"bench: ncr: {r.stderr}")
    return r.stdout.split()
