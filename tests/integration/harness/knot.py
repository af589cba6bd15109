"""Knot DNS: knotd in the foreground on a private directory."""

from .dns import DnsServer
from .proc import Process
from .servers import render, server_env, tool


class Knot(DnsServer):
    make = "knot"

    def start(self):
        for zone in self.zones:
            path = render("bind/zone.in", self.dir / f"{zone}.zone", NS="ns.example.net")
            with path.open("a") as f:
                f.writelines(line + "\n" for line in self.records.get(zone, []))
        self.config = render(
            "knot/knot.conf.in", self.dir / "knot.conf", mode=0o600, DIR=self.dir,
            ADDRESS=self.address, PORT=self.port, SECRET=self.key.secret,
            OTHER_SECRET=self.other.secret, FORWARD=self.forward, REVERSE=self.reverse)
        self.process = Process(["knotd", "-c", self.config], self.dir / "knotd.log", server_env(),
                               self.dir)
        self.launch()
        return self

    def knotc(self, *words):
        return tool("knotc", "-c", self.config, *words)

    def freeze(self, zone):
        """Updates wait in a queue and are answered REFUSED when it is full."""
        self.knotc("-b", "zone-freeze", zone)

    def thaw(self, zone):
        self.knotc("-b", "zone-thaw", zone)

    def zone_file(self, zone):
        return self.dir / f"{zone}.zone"
