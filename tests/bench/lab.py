"""The bench's servers, lease files and clocks."""

import base64
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tests/integration"))

from harness import Bind, Bridge, Knot, LeaseFile4, Postgres, server_env  # noqa: E402
from harness.bridge import binary  # noqa: E402

FORWARD, REVERSE = "bench.example", "10.in-addr.arpa"
ZONES = (FORWARD, REVERSE)
TTL = 300
VALID = 86400
DATABASE_PORT = 5432


def say(*words):
    print(*words, file=sys.stderr, flush=True)


# ---- clients ------------------------------------------------------------------------------------

def address(i):
    return f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


def mac(i):
    return f"02:00:00:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"


def name(i):
    return f"h{i:07d}.{FORWARD}"


def dhcid(i):
    """RFC 4701 3.5: identifier type 1 (client identifier), digest 1, SHA-256(identifier, name)."""
    client = bytes.fromhex("01" + mac(i).replace(":", ""))
    wire = b"".join(bytes([len(x)]) + x.encode() for x in name(i).split(".")) + b"\0"
    return base64.b64encode(b"\0\1\1" + hashlib.sha256(client + wire).digest()).decode()


def write_leases(path, n, expire=None, names=True):
    """Client i has address i, MAC i and client identifier 01 and the MAC."""
    expire = expire or int(time.time()) + VALID
    with open(path, "w") as f:
        f.write(",".join(LeaseFile4.columns["2.4"]) + "\n")
        f.writelines(lease(i, expire, names) for i in range(n))


def lease(i, expire, names=True):
    host = name(i) if names else ""
    return f"{address(i)},{mac(i)},01:{mac(i)},{VALID},{expire},1,1,1,{host},0,,0\n"


# ---- servers ------------------------------------------------------------------------------------

class Named(Bind):
    """With as many threads as named takes by itself; the tests give it one."""

    def launch(self):
        argv = self.process.argv
        if "-n" in argv:
            at = argv.index("-n")
            del argv[at:at + 2]
        super().launch()

    def updates(self):
        """UPDATE messages that came since it began."""
        path = self.dir / "named.stats"
        path.unlink(missing_ok=True)
        self.rndc("stats")
        found = re.search(r"^ *(\d+) UPDATE$", path.read_text(), re.M)
        return int(found[1]) if found else 0


class Knotd(Knot):
    """Counts what it is asked."""

    def launch(self):
        before, after = self.config.read_text().split("template:\n  - id: default\n")
        self.config.write_text(f"{before}template:\n  - id: default\n"
                               f"    global-module: mod-stats\n{after}")
        super().launch()

    def updates(self):
        found = re.search(r"server-operation\[update\] = (\d+)", self.knotc("stats"))
        return int(found[1]) if found else 0


class Lab:
    """A directory, a durable PostgreSQL, and name servers as they are asked for."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ipambridge-bench.",
                                                 dir=os.environ.get("BENCH_DIR")))
        self.dir.chmod(0o755)
        self.pg = Postgres(self.dir / "pg", fast=False)
        self.servers = []
        self.made = 0
        self.tools = {}

    def __enter__(self):
        self.pg.start()
        return self

    def __exit__(self, *_):
        for s in self.servers:
            s.stop()
        self.pg.stop()
        subprocess.run(["rm", "-rf", self.dir], check=False)

    def tool(self, source):
        """A program of this directory, compiled against the build's libraries."""
        if source not in self.tools:
            build = pathlib.Path(binary()).parent
            pkgs = "ldns libpq jansson libcurl libevent libmnl libconfuse smartcols libcrypto"
            flags = subprocess.run(["pkg-config", "--cflags", "--libs", *pkgs.split()], check=True,
                                   capture_output=True, text=True).stdout.split()
            out = self.dir / source
            subprocess.run(["gcc", "-std=gnu11", "-O2", "-D_GNU_SOURCE", f"-I{REPO}",
                            f"{REPO}/tests/bench/{source}.c", "-o", out,
                            *(build / f"lib{x}.a" for x in ("rest", "decode", "pure")),
                            *flags, "-lm"], check=True)
            self.tools[source] = out
        return self.tools[source]

    def over_tcp(self):
        """From here on the database is spoken to where a tap hears it."""
        where = f"host={self.pg.dir}/run"
        with open(self.pg.dir / "data/postgresql.conf", "a") as f:
            f.write(f"listen_addresses = '127.0.0.1'\nport = {DATABASE_PORT}\n")
        self.pg.restart()
        self.pg.conninfo = self.pg.conninfo.replace(where, f"host=127.0.0.1 port={DATABASE_PORT}")

    def fresh(self, prefix):
        self.made += 1
        return self.dir / f"{prefix}{self.made}"

    def server(self, make):
        """A new server with empty zones."""
        s = {"bind": Named, "knot": Knotd}[make](self.fresh(make), zones=ZONES)
        s.start()
        self.servers.append(s)
        return s

    def drop(self, server):
        server.stop()
        self.servers.remove(server)
        subprocess.run(["rm", "-rf", server.dir], check=False)

    def bridge(self, server):
        """A bridge with an empty database and an empty lease file."""
        b = Bridge(self.fresh("bridge"), self.pg.database())
        b.deadline = 900
        b.leases = b.dir / "leases4.csv"
        LeaseFile4(b.leases, version="2.4")
        b.serve_zones(server, ttl="5m")
        b.set(run_timeout="30m", statement_timeout="10m")
        b.subnet("10.0.0.0/8", zone=FORWARD)
        b.source("dhcp", "kea-leases", file=b.leases, timeout="10m")
        b.init()
        return b

    def forget(self, bridge):
        name = bridge.database.rsplit("dbname=", 1)[1]
        self.pg.sql(f'drop database "{name}" with (force)')
        subprocess.run(["rm", "-rf", bridge.dir], check=False)

    # ---- clocks -------------------------------------------------------------------------------

    def settle(self):
        """Dirty pages of the run before must not be written during the next."""
        self.pg.sql("checkpoint", deadline=300)
        os.sync()

    def verb(self, bridge, *words):
        """Runs a verb: seconds by the wall from fork to end, and its peak memory in KiB."""
        bridge.write_config()
        note = self.dir / "peak.txt"
        argv = [self.tool("peak"), note, binary(), "-c", bridge.config, *words]
        r = subprocess.run(argv, capture_output=True, text=True, env=bridge.env(), timeout=900)
        if r.returncode != 0:
            raise SystemExit(f"bench: {' '.join(words)} ended with {r.returncode}\n"
                             f"{r.stdout}{r.stderr}")
        seconds, kib = note.read_text().split()
        self.last_output = r.stdout
        return float(seconds), int(kib)

    def seconds(self, argv, check=None):
        """A peer's run by the wall."""
        t0 = time.monotonic()
        r = subprocess.run([str(a) for a in argv], capture_output=True, text=True,
                           env=server_env(), timeout=900)
        t1 = time.monotonic()
        if r.returncode != 0 or (check and check in r.stdout + r.stderr):
            raise SystemExit(f"bench: {argv} ended with {r.returncode}\n{r.stdout}{r.stderr}")
        return t1 - t0
