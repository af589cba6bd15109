"""PowerDNS Authoritative with the sqlite3 back-end on a private directory."""

import pathlib
import sqlite3

from .dns import DnsServer
from .proc import Process
from .servers import REPO, render, server_env, tool


class Pdns(DnsServer):
    make = "pdns"

    def start(self):
        env = server_env()
        self.config = render("powerdns/pdns.conf.in", self.dir / "pdns.conf", DIR=self.dir,
                             ADDRESS=self.address, PORT=self.port, MODULES=env["PDNS_MODULES"])
        self._make_database(env)
        tool(REPO / "contrib/powerdns/setup.sh", self.key.file, *self.zones,
             env=server_env(PDNS_CONFIG_DIR=str(self.dir), OTHER_KEY_FILE=str(self.other.file),
                            NS="ns.example.net"))
        for zone, lines in self.records.items():
            for line in lines:
                self._add_record(zone, line)
        self.process = Process(["pdns_server", f"--config-dir={self.dir}", "--daemon=no",
                                "--guardian=no", "--disable-syslog"],
                               self.dir / "pdns.log", env, self.dir)
        self.launch()
        return self

    def _make_database(self, env):
        schema = (pathlib.Path(env["IPAMBRIDGE_SERVERS"]) / "root",  pathlib.Path("/"))
        name = "usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql"
        text = next((p / name).read_text() for p in schema if (p / name).exists())
        with sqlite3.connect(self.dir / "pdns.sqlite3") as db:
            db.executescript("PRAGMA journal_mode = WAL;\n" + text)
        db.close()

    def _add_record(self, zone, line):
        """One master file line: owner [ttl] [IN] type rdata."""
        owner, *rest = line.split()
        ttl = rest.pop(0) if rest[0].isdigit() else "300"
        if rest[0] == "IN":
            rest.pop(0)
        rdtype, rdata = rest[0], " ".join(rest[1:])
        if owner.endswith("."):
            owner = owner.rstrip(".").removesuffix(zone).rstrip(".") or "@"
        self.pdnsutil("add-record", zone, owner, rdtype, ttl, rdata)

    def pdnsutil(self, *words):
        return tool("pdnsutil", f"--config-dir={self.dir}", *words)
