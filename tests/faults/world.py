"""One site: PostgreSQL, a name server, the line to it, the daemon, and everybody who writes."""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import time

import dns.exception

from harness import Bind, Bridge, Knot, LeaseFile4, LeaseFile6, Postgres, free_port, wait_for
from harness.bridge import binary
from harness.lab import FORWARD, REV24, REV24_INNER, REV64, dhcid, duid, mac, raw_records
from harness.servers import server_env

from .crew import Apart, Supervised
from .proxy import Proxy
from .script import CANARY, STABLE, TTL, client_id, family, fqdn, wire

MAKES = {"bind": Bind, "knot": Knot}
ZONES = [FORWARD, REV24, REV24_INNER, REV64]
FOLLOWERS = {4: "ingest:default/dhcp", 6: "ingest:default/dhcp6"}
DIRECT = "ingest:default/direct"
ROLES = [*FOLLOWERS.values(), "ingest:default/ncr", DIRECT, "push:ns1", "sync:"]
# In the zone files from the beginning: (zone, owner, type, RDATA).
STATIC = [
    (FORWARD, f"server.{FORWARD}", "A", "203.0.113.1"),
    (FORWARD, f"server.{FORWARD}", "TXT", '"Do Not Touch"'),
    (FORWARD, f"alias.{FORWARD}", "CNAME", "Server.Example.NET."),
    (REV24, f"253.{REV24}", "PTR", "Gateway.Example.NET."),
]
VERB_DEADLINE = 90
AHEAD = 1000                   # serials
SHORT = 2                      # seconds that a short lease lasts


def static_records(zone):
    return {(owner, TTL, kind, wire(kind, rdata)) for z, owner, kind, rdata in STATIC if z == zone}


class World:
    def __init__(self, directory, make, rng):
        self.dir = directory
        self.postgres = Postgres(directory / "pg", fast=False)
        self.dns = MAKES[make](directory / "dns", ZONES, {
            zone: [f"{owner}. {TTL} IN {kind} {rdata}" for z, owner, kind, rdata in STATIC
                   if z == zone] for zone in ZONES})
        self.rng = rng
        self.proxy = self.crew = None
        self.verbs = []
        self.cleanups = []     # kea-lfc at work
        self.ends = 0          # when the last of the short leases is over
        self.late = []         # those that are renewed just before
        self.pace = 0          # seconds that a fault may let pass first
        self.crews = 0
        self.killed = 0        # of the daemon's processes

    # ---- life -------------------------------------------------------------------------------

    def start(self):
        self.dir.chmod(0o711)     # PostgreSQL runs as another user below it
        self.postgres.start()
        # A killed process loses nothing by it, and the disk is not what is tested.
        self.postgres.sql("alter system set fsync = off")
        self.postgres.sql("select pg_reload_conf()")
        self.dns.start()
        self.backup = {z: self.dns.zone_file(z).read_bytes() for z in ZONES}
        self.proxy = Proxy(self.dns.address, self.dns.port, self.rng)
        self.leases = {4: LeaseFile4(self.dir / "kea-leases4.csv"),
                       6: LeaseFile6(self.dir / "kea-leases6.csv")}
        self.ncr_port, self.direct_port = free_port(), free_port()
        self.bridge = self._bridge()
        return self

    def _bridge(self):
        b = Bridge(self.dir / "bridge", self.postgres.database("site"))
        # Changes are many here by intent.  Of ends that are said 50 are let through in a subnet
        # in five minutes, so the subnets are small.
        b.set(brake_min=1000000, statement_timeout="3s")
        b.server("ns1", self.dns, port=self.proxy.port, timeout="3s")
        for zone in ZONES:
            b.zone(zone, "ns1", ttl=f"{TTL}s")
        for n in range(0, 256, 2):
            b.subnet(f"192.0.2.{n}/31", FORWARD)
            b.subnet(f"198.51.100.{n}/31", FORWARD)
            b.subnet(f"2001:db8:0:1::{n:x}/127", FORWARD)
        b.source("dhcp", "kea-leases", file=self.leases[4].path)
        b.source("dhcp6", "kea-leases", file=self.leases[6].path)
        b.source("ncr", "kea-ncr", listen=f"127.0.0.1:{self.ncr_port}", confirm="dhcp")
        b.source("direct", "kea-ncr", listen=f"127.0.0.1:{self.direct_port}")
        b.sections[""]["schedule", None] = {"pull": "1s"}
        return b.init()

    def daemon(self, supervised):
        """In place of the one that runs, if any."""
        self._stop_daemon()
        self.crews += 1
        self.crew = (Supervised if supervised else Apart)(
            self.bridge, ROLES, self.dir / f"daemon{self.crews}.log")
        self.crew.start()

    def _stop_daemon(self):
        if self.crew is not None:
            self.killed += self.crew.killed
            self.crew.stop()

    def stop(self):
        if self.proxy is not None:
            self.proxy.close()
        for p in [*(p for _, p in self.verbs), *self.cleanups]:
            p.kill()
            p.wait()
        self._stop_daemon()
        self.dns.stop()
        self.postgres.cont()
        if self.postgres.conninfo is not None:
            self.postgres.abandon()

    # ---- events: the names of Script's -------------------------------------------------------

    def happen(self, events):
        for method, *words in events:
            getattr(self, method)(*words)

    def lease(self, address, client, label):
        """Kea writes its file first, then asks for the name."""
        if family(address) == 6:
            self.leases[6].add(address, duid(client), fqdn(label) + ".", mac=mac(client))
        else:
            self.leases[4].add(address, mac(client), label, client_id=client_id(client))
        self._ask(address, client, label)

    def prefix(self, address, client, label):
        self.leases[6].add(address, duid(client), fqdn(label) + ".", lease_type=2, prefix_len=64)

    def renew(self, address, valid=7200):
        self.leases[family(address)].renew(address, valid)

    def release(self, address, client, label):
        self.leases[family(address)].release(address)
        self._ask(address, client, label, remove=True)

    def expire(self, address, client, label):
        self.leases[family(address)].expire(address)
        self._ask(address, client, label, remove=True)

    def decline(self, address, client, label):
        self.leases[family(address)].decline(address)
        self._ask(address, client, label, remove=True)

    def rename(self, address, client, old, new):
        self.leases[family(address)].rename(
            address, fqdn(new) + "." if family(address) == 6 else new)
        self._ask(address, client, old, remove=True)
        self._ask(address, client, new)

    def run_out(self, address):
        """It is over soon, and Kea, that would say so, is not there."""
        self.renew(address, SHORT)
        self.ends = int(time.time()) + SHORT

    def renew_late(self, address):
        self.late.append(address)

    def outlast(self):
        """Until the short leases are over; then their sources are heard once more."""
        if self.ends == 0:
            return
        last(self.ends - 0.3 - time.time())
        for address in self.late:
            self.renew(address)
        last(self.ends + 0.01 - time.time())
        self.renew(STABLE[0])
        self.renew(CANARY[6])
        self.ends, self.late = 0, []

    def lfc(self):
        """Kea moves its files away and starts its cleanup, which goes on beside it."""
        self.finish_lfc()
        for f, file in self.leases.items():
            file.rotate()
            env = server_env(KEA_PIDFILE_DIR=str(self.dir), KEA_LOCKFILE_DIR=str(self.dir))
            at = str(file.path)
            self.cleanups.append(subprocess.Popen(
                ["kea-lfc", f"-{f}", "-x", f"{at}.2", "-i", f"{at}.1", "-o", f"{at}.output",
                 "-f", f"{at}.completed", "-p", f"{at}.pid", "-c", "ignored"],
                env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def finish_lfc(self):
        """Kea does not start one while another is at work."""
        cleanups, self.cleanups = self.cleanups, []
        for p in cleanups:
            status = p.wait(30)
            assert status == 0, f"kea-lfc ended with {status}"

    def direct(self, address, client, label):
        self._ncr(self.direct_port, address, client, label)

    def direct_remove(self, address, client, label):
        self._ncr(self.direct_port, address, client, label, remove=True)

    def _ask(self, address, client, label, remove=False):
        """The DHCPv6 server asks for nothing: its file is enough."""
        if family(address) == 4:
            self._ncr(self.ncr_port, address, client, label, remove)

    @staticmethod
    def _ncr(port, address, client, label, remove=False):
        mark = base64.b64decode(dhcid(fqdn(label), mac=mac(client)))
        text = json.dumps({
            "change-type": int(remove), "forward-change": True, "reverse-change": True,
            "fqdn": fqdn(label) + ".", "ip-address": address, "dhcid": mark.hex().upper(),
            "lease-expires-on": "19700101000000", "lease-length": 1200,
            "use-conflict-resolution": True}, separators=(",", ":")).encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(struct.pack(">H", len(text)) + text, ("127.0.0.1", port))

    def add_host(self, address, label):
        self._verb("add-host", label, address)

    def del_host(self, address, label):
        self._verb("del-host", label)

    def _verb(self, *words):
        argv = [binary(), "-c", str(self.bridge.config), *words]
        self.verbs.append((argv, self._begin(argv)))

    def _begin(self, argv):
        with open(self.dir / "verbs.log", "ab") as log:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env=self.bridge.env())

    def finish_verbs(self):
        """A command that failed is given again, as whoever gave it would; once it may find that
        it had done its work."""
        verbs, self.verbs = self.verbs, []
        for argv, p in verbs:
            if p.wait(VERB_DEADLINE) not in (0, 4):
                p = self._begin(argv)
                p.wait(VERB_DEADLINE)

    def write_by_hand(self, zone, owner, kind, rdata):
        self.dns.write(zone, ("replace", owner, TTL, kind, rdata))

    def add_by_hand(self, zone, owner, kind, rdata):
        self.dns.write(zone, ("add", owner, TTL, kind, rdata))

    def delete_by_hand(self, zone, owner, *what):
        """what: a type, or a type and RDATA; without it everything at the name."""
        self.dns.write(zone, ("delete", owner, *what))

    # ---- what the servers can suffer -----------------------------------------------------------

    def roll_back(self):
        """The name server comes up with what its zone files were at the very beginning.  Their
        serials must be lower than any that was seen, or nobody could tell."""
        for zone in ZONES:
            self.dns.raise_serial(zone, AHEAD)
        wait_for(lambda: all(z["serial"] == self.dns.serial(z["name"])
                             for z in self.bridge.json("list", "zones")), 30,
                 "the bridge to have seen every zone")
        self.dns.kill()
        for journal in [*self.dns.dir.glob("*.jnl"), self.dns.dir / "journal"]:
            shutil.rmtree(journal) if journal.is_dir() else journal.unlink(missing_ok=True)
        for zone, text in self.backup.items():
            self.dns.zone_file(zone).write_bytes(text)
        self.dns.launch()

    def heal(self):
        self.proxy.heal()
        self.dns.cont()
        if not self.dns.process.running():
            self.dns.launch()
        self.postgres.cont()
        if self.postgres.conninfo is None:
            self.postgres.start()

    # ---- what is there -------------------------------------------------------------------------

    def listening(self):
        """Both receivers of requests have their sockets."""
        with open("/proc/net/udp") as f:
            bound = {line.split()[1] for line in f}
        return all(f"0100007F:{p:04X}" in bound for p in (self.ncr_port, self.direct_port))

    def records(self, zone):
        return {(owner.rstrip("."), *rest) for owner, *rest in raw_records(self.dns, zone)
                if rest[1] != "NS"}

    def as_kept(self, records):
        """Knot keeps names in RDATA in lower case, whoever wrote them."""
        if self.dns.make != "knot":
            return records
        return {(owner, ttl, kind, bytes.fromhex(rdata).lower().hex()
                 if kind in ("CNAME", "MX", "PTR") else rdata)
                for owner, ttl, kind, rdata in records}

    def differences(self, want, maybes=()):
        """Lines for people; none: DNS is as the model says, to the byte, and of each group of
        maybes has all or nothing."""
        try:
            got = {zone: self.as_kept(self.records(zone)) for zone in ZONES}
        except (OSError, EOFError, dns.exception.DNSException) as e:
            return [str(e)]
        there = [m for m in maybes if all(self.as_kept(m[zone]) <= got[zone] for zone in m)]
        lines = []
        for zone in ZONES:
            wanted = self.as_kept(static_records(zone).union(
                want[zone], *(m[zone] for m in there)))
            lines += [f"missing {' '.join(map(str, r))}" for r in sorted(wanted - got[zone])]
            lines += [f"too much {' '.join(map(str, r))}" for r in sorted(got[zone] - wanted)]
        return lines

    def rests(self):
        """Waits until the bridge has nothing left to do, in DNS and in its database."""
        wait_for(lambda: all(z["due"] == 0 for z in self.bridge.json("list", "zones")), 30,
                 "the bridge to be at rest")

    def serials(self):
        return {z: self.dns.serial(z) for z in ZONES}

    def hosts(self):
        return [(h["name"], h["address"]) for h in self.bridge.json("list", "hosts") if h["name"]]

    def evidence(self, names):
        """For whoever reads a failure."""
        words = [("status",), ("list", "conflicts"), *(("why", n) for n in names[:6])]
        return "\n".join(str(self.bridge.run(*w, deadline=30)) for w in words)


def last(seconds):
    """A fault lasts as long as it lasts; nothing is waited for here."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(left)


def keep(directory, where):
    """The logs and configuration of a failed run; not the databases."""
    shutil.rmtree(where, ignore_errors=True)
    left_out = shutil.ignore_patterns("data", "run", "*.key", "*.sock")
    shutil.copytree(directory, where, ignore=left_out)
    return os.path.relpath(where)
