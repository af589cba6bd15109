"""BIND 9: named in the foreground on a private directory."""

from .dns import DnsServer, Key
from .proc import Process, free_port
from .servers import render, server_env, tool


class Bind(DnsServer):
    make = "bind"

    def start(self):
        self.rndc_port = free_port()
        self.rndc_key = Key("rndc", self.dir)
        for zone in self.zones:
            path = render("bind/zone.in", self.dir / f"{zone}.zone", NS="ns.example.net")
            with path.open("a") as f:
                f.writelines(line + "\n" for line in self.records.get(zone, []))
        self.config = render(
            "bind/named.conf.in", self.dir / "named.conf", DIR=self.dir, ADDRESS=self.address,
            PORT=self.port, RNDC_PORT=self.rndc_port, KEY_FILE=self.key.file,
            OTHER_KEY_FILE=self.other.file, RNDC_KEY_FILE=self.rndc_key.file,
            FORWARD=self.forward, REVERSE=self.reverse)
        self.process = Process(["named", "-g", "-n", "1", "-c", self.config],
                               self.dir / "named.log", server_env(), self.dir)
        self.launch()
        return self

    def rndc(self, *words):
        return tool("rndc", "-s", self.address, "-p", self.rndc_port, "-k", self.rndc_key.file,
                    *words)

    def freeze(self, zone):
        """Updates are refused until thaw(); the zone file is up to date."""
        self.rndc("freeze", zone)

    def thaw(self, zone):
        self.rndc("thaw", zone)

    def zone_file(self, zone):
        return self.dir / f"{zone}.zone"
