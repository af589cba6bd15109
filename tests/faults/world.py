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

from harness import Bind, Bridge, Knot, LeaseFile4, Postgres, free_port
from harness.bridge import binary
from harness.lab import FORWARD, REV24, REV24_INNER, dhcid, mac, raw_records

from .crew import Apart, Supervised
from .proxy import Proxy
from .script import TTL, direct, leased, wire

MAKES = {"bind": Bind, "knot": Knot}
ZONES = [FORWARD, REV24, REV24_INNER]
ROLES = ["ingest:default/dhcp", "ingest:default/ncr", "ingest:default/direct", "push:ns1", "sync:"]
# In the zone files from the beginning: (zone, owner, type, RDATA).
STATIC = [
    (FORWARD, f"server.{FORWARD}", "A", "203.0.113.1"),
    (FORWARD, f"server.{FORWARD}", "TXT", '"Do Not Touch"'),
    (FORWARD, f"alias.{FORWARD}", "CNAME", "Server.Example.NET."),
    (REV24, f"253.{REV24}", "PTR", "Gateway.Example.NET."),
]
VERB_DEADLINE = 90


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
        self.leases = LeaseFile4(self.dir / "kea-leases4.csv")
        self.ncr_port, self.direct_port = free_port(), free_port()
        self.bridge = self._bridge()
        return self

    def _bridge(self):
        b = Bridge(self.dir / "bridge", self.postgres.database("site"))
        # Changes are many here by intent; ends that are said count a subnet at a time.
        b.set(brake_min=1000000, statement_timeout="3s")
        b.server("ns1", self.dns, port=self.proxy.port, timeout="3s")
        for zone in ZONES:
            b.zone(zone, "ns1", ttl=f"{TTL}s")
        for n in range(0, 256, 8):
            b.subnet(f"192.0.2.{n}/29", FORWARD)
            b.subnet(f"198.51.100.{n}/29", FORWARD)
        b.source("dhcp", "kea-leases", file=self.leases.path)
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
        for argv, p in self.verbs:
            p.kill()
        self._stop_daemon()
        self.dns.stop()
        self.postgres.cont()
        if self.postgres.conninfo is not None:
            self.postgres.abandon()

    # ---- events: the names of Script's -------------------------------------------------------

    def happen(self, events):
        for method, *words in events:
            getattr(self, method)(*words)

    def lease(self, n, client, label):
        """Kea writes its file first, then asks for the name."""
        self.leases.add(leased(n), mac(client), label)
        self._ncr(self.ncr_port, leased(n), client, label)

    def renew(self, n):
        self.leases.renew(leased(n), 7200)

    def release(self, n, client, label):
        self.leases.release(leased(n))
        self._ncr(self.ncr_port, leased(n), client, label, remove=True)

    def expire(self, n, client, label):
        self.leases.expire(leased(n))
        self._ncr(self.ncr_port, leased(n), client, label, remove=True)

    def decline(self, n, client, label):
        self.leases.decline(leased(n))
        self._ncr(self.ncr_port, leased(n), client, label, remove=True)

    def rename(self, n, client, old, new):
        self.leases.rename(leased(n), new)
        self._ncr(self.ncr_port, leased(n), client, old, remove=True)
        self._ncr(self.ncr_port, leased(n), client, new)

    def lfc(self):
        self.leases.rotate()
        self.leases.lfc()

    def direct(self, n, client, label):
        self._ncr(self.direct_port, direct(n), client, label)

    def direct_remove(self, n, client, label):
        self._ncr(self.direct_port, direct(n), client, label, remove=True)

    @staticmethod
    def _ncr(port, address, client, label, remove=False):
        mark = base64.b64decode(dhcid(f"{label}.{FORWARD}", mac=mac(client)))
        text = json.dumps({
            "change-type": int(remove), "forward-change": True, "reverse-change": True,
            "fqdn": f"{label}.{FORWARD}.", "ip-address": address, "dhcid": mark.hex().upper(),
            "lease-expires-on": "19700101000000", "lease-length": 1200,
            "use-conflict-resolution": True}, separators=(",", ":")).encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(struct.pack(">H", len(text)) + text, ("127.0.0.1", port))

    def add_host(self, n, label):
        self._verb("add-host", label, leased(n))

    def del_host(self, n, label):
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

    def delete_by_hand(self, zone, owner, kind):
        self.dns.write(zone, ("delete", owner, kind))

    # ---- what the servers can suffer -----------------------------------------------------------

    def roll_back(self):
        """The name server comes up with what its zone files were at the very beginning."""
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

    def differences(self, want):
        """Lines for people; none: DNS is as the model says, to the byte."""
        lines = []
        for zone in ZONES:
            try:
                got = self.as_kept(self.records(zone))
            except (OSError, EOFError, dns.exception.DNSException) as e:
                return [f"{zone}: {e}"]
            wanted = self.as_kept(want[zone] | static_records(zone))
            lines += [f"missing {' '.join(map(str, r))}" for r in sorted(wanted - got)]
            lines += [f"too much {' '.join(map(str, r))}" for r in sorted(got - wanted)]
        return lines

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
