"""perfdhcp through a real kea-dhcp4 on a veth pair: what Kea acknowledges, and what is in DNS then.

The bench runs in a network namespace of its own, perfdhcp in a second one.
"""

import json
import os
import re
import socket
import statistics
import subprocess
import time

from lab import FORWARD, REVERSE, say
from tellers import D2, Ours

from harness import server_env, wait_for
from harness.proc import Process

SECONDS = 5
STEADY = 3000
FLOOD = 7000                # more than one thread of Kea acknowledges
DRAIN_S = 60
OUR_SIDE, THEIR_SIDE = "10.0.0.1/8", "10.0.0.2/8"


class Wire:
    """A veth pair; its other end is in a namespace that a waiting process holds."""

    def __enter__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        mine = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != mine, 5, "a namespace")
        for words in ("link add dhcp0 type veth peer name dhcp1 netns {0}",
                      f"addr add {OUR_SIDE} dev dhcp0", "link set dhcp0 up"):
            subprocess.run(["ip", *words.format(self.holder.pid).split()], check=True)
        for words in (f"addr add {THEIR_SIDE} dev dhcp1", "link set dhcp1 up", "link set lo up"):
            subprocess.run([*self.inside(), "ip", *words.split()], check=True)
        return self

    def __exit__(self, *_):
        self.holder.kill()
        self.holder.wait()

    def inside(self):
        return ["nsenter", "-t", str(self.holder.pid), "-n"]


class Kea:
    """kea-dhcp4 with a lease file; ncr_port: who is told of leases, 0 nobody."""

    def __init__(self, lab, leases, ncr_port):
        self.dir = lab.fresh("kea")
        self.dir.mkdir()
        self.leases = leases
        config = self.dir / "kea-dhcp4.conf"
        config.write_text(json.dumps({"Dhcp4": self.settings(ncr_port)}))
        env = server_env(KEA_PIDFILE_DIR=str(self.dir), KEA_LOCKFILE_DIR=str(self.dir))
        self.process = Process(["kea-dhcp4", "-c", config], self.dir / "kea.out", env, self.dir)

    def settings(self, ncr_port):
        return {
            "interfaces-config": {"interfaces": ["dhcp0"]},
            "lease-database": {"type": "memfile", "name": str(self.leases), "lfc-interval": 0},
            "valid-lifetime": 7200,
            "dhcp-ddns": {"enable-updates": ncr_port > 0, "server-ip": "127.0.0.1",
                          **({"server-port": ncr_port} if ncr_port else {})},
            "ddns-send-updates": ncr_port > 0, "ddns-override-client-update": True,
            "ddns-override-no-update": True, "ddns-replace-client-name": "always",
            "ddns-generated-prefix": "h", "ddns-qualifying-suffix": f"{FORWARD}.",
            "subnet4": [{"id": 1, "subnet": "10.0.0.0/8",
                         "pools": [{"pool": "10.64.0.0 - 10.127.255.255"}]}],
            "loggers": [{"name": "kea-dhcp4", "severity": "INFO",
                         "output_options": [{"output": str(self.dir / "kea.log")}]},
                        {"name": "kea-dhcp4.leases", "severity": "WARN",
                         "output_options": [{"output": str(self.dir / "kea.log")}]}]}

    def start(self):
        self.process.start()
        log = self.dir / "kea.log"
        self.process.wait_ready(lambda: log.exists() and "DHCP4_STARTED" in log.read_text())
        return self

    def stop(self):
        self.process.stop()

    def leased(self):
        """(name, address) of all leases that have a name."""
        rows = [line.split(",") for line in self.leases.read_text().splitlines()[1:]]
        return {(row[8].rstrip("."), row[0]) for row in rows if row[8]}


def perfdhcp(wire, rate):
    """Acknowledged leases a second."""
    argv = [*wire.inside(), "perfdhcp", "-4", "-l", "dhcp1", "-r", str(rate), "-R", "1000000",
            "-p", str(SECONDS)]
    r = subprocess.run(argv, capture_output=True, text=True, env=server_env(), timeout=60)
    found = re.search(r"REQUEST-ACK.*?received packets: (\d+)", r.stdout, re.S)
    if found is None:
        raise SystemExit(f"bench: perfdhcp ended with {r.returncode}\n{r.stdout}{r.stderr}")
    return int(found.group(1)) / SECONDS


def missing(server, leased, until):
    """Names and PTRs that are not there when the time is over."""
    while True:
        want = leased()
        a = {tuple(line.split(" A ")) for line in server.axfr(FORWARD) if " A " in line}
        ptr = {line.split(" PTR ")[1] for line in server.axfr(REVERSE) if " PTR " in line}
        lost = len(want - a) + len({name for name, _ in want} - ptr)
        if lost == 0 or time.monotonic() > until:
            return lost, len(want)
        time.sleep(0.5)


def alone(lab, wire, rate, ddns):
    """Kea without DDNS, or with requests that nobody takes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        kea = Kea(lab, lab.fresh("leases"), nobody.getsockname()[1] if ddns else 0).start()
        got = perfdhcp(wire, rate)
        kea.stop()
    return got


def beside(lab, wire, rate, teller):
    """Kea that tells somebody: its rate, what is missing in DNS, leases, seconds to drain."""
    server = lab.server("bind")
    t = teller(server)
    leases = t.bridge.leases if isinstance(t, Ours) else lab.fresh("leases")
    if isinstance(t, Ours):
        leases.unlink()
    kea = Kea(lab, leases, t.port).start()
    t.start()
    lab.settle()
    got = perfdhcp(wire, rate)
    t0 = time.monotonic()
    lost, n = missing(server, kea.leased, t0 + DRAIN_S)
    took = time.monotonic() - t0
    kea.stop()
    t.stop()
    lab.drop(server)
    return got, lost, n, took


def storm(lab, wire, rate, pairs):
    kea, us, gone = [], [], []
    for _ in range(pairs):
        kea.append(alone(lab, wire, rate, True))
        got, lost, n, took = beside(lab, wire, rate, lambda s: Ours(lab, s, "confirmed"))
        us.append(got)
        gone.append(lost)
        say(f"storm {rate}/s: Kea {kea[-1]:.0f} ACK/s, beside us {got:.0f}, {lost} records "
            f"missing of {n} leases, seen {took:.1f} s after")
    without = alone(lab, wire, rate, False)
    d2 = beside(lab, wire, rate, lambda s: D2(lab, s))
    return [
        (f"perfdhcp at {rate}/s: records missing", [max(gone)], "", "<=", 0,
         f"of {2 * n}; D2 lacks {d2[1]} of {2 * d2[2]}"),
        (f"perfdhcp at {rate}/s: ACK rate / Kea whose requests nobody takes",
         [u / k for u, k in zip(us, kea)], "x", ">=", 0.97,
         f"{statistics.median(us):.0f} / {statistics.median(kea):.0f}; "
         f"without DDNS {without:.0f}, beside D2 {d2[0]:.0f}"),
    ]


def run(lab, pairs):
    with Wire() as wire:
        return storm(lab, wire, STEADY, pairs) + storm(lab, wire, FLOOD, pairs)
