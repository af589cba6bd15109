"""Kea's own DDNS daemon, kea-dhcp-ddns, fed with name change requests."""

import base64
import json
import re
import socket
import struct

from .lab import dhcid
from .proc import Process, free_port, wait_for
from .servers import server_env


def ncr(name, address, remove=False, ttl=1200, **who):
    """One request as Kea sends it: its length, then JSON.  who: for the DHCID, see lab.dhcid."""
    mark = base64.b64decode(dhcid(name, **who)).hex().upper()
    text = json.dumps({
        "change-type": int(remove), "forward-change": True, "reverse-change": True,
        "fqdn": f"{name}.", "ip-address": address, "dhcid": mark,
        "lease-expires-on": "19700101000000", "lease-length": ttl,
        "use-conflict-resolution": True}, separators=(",", ":")).encode()
    return struct.pack(">H", len(text)) + text


def send(port, *requests):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for r in requests:
            s.sendto(r, ("127.0.0.1", port))


class D2:
    """Updates all zones of a server with the other writer's key."""

    def __init__(self, directory, dns):
        self.dir = directory
        self.dir.mkdir(parents=True, exist_ok=True)
        self.dns = dns
        self.port = free_port()
        self.sent = 0
        self.process = None

    def config(self):
        def domains(zones):
            where = [{"ip-address": self.dns.address, "port": self.dns.port}]
            return {"ddns-domains": [{"name": f"{z}.", "key-name": "other", "dns-servers": where}
                                     for z in zones]}
        return {"DhcpDdns": {
            "ip-address": "127.0.0.1", "port": self.port, "dns-server-timeout": 2000,
            "ncr-protocol": "UDP", "ncr-format": "JSON",
            "tsig-keys": [{"name": "other", "algorithm": "HMAC-SHA256",
                           "secret": self.dns.other.secret}],
            "forward-ddns": domains(self.dns.forward), "reverse-ddns": domains(self.dns.reverse),
            "loggers": [{"name": "*", "severity": "INFO",
                         "output_options": [{"output": "stdout"}]}]}}

    def start(self):
        path = self.dir / "d2.conf"
        path.write_text(json.dumps(self.config(), indent=1))
        path.chmod(0o600)
        env = server_env(KEA_PIDFILE_DIR=str(self.dir), KEA_LOCKFILE_DIR=str(self.dir))
        self.process = Process(["kea-dhcp-ddns", "-c", path], self.dir / "d2.log", env, self.dir)
        self.process.start()
        self.process.wait_ready(self._listens)
        return self

    def _listens(self):
        with open("/proc/net/udp") as f:
            return any(line.split()[1] == f"0100007F:{self.port:04X}" for line in f)

    def stop(self):
        if self.process is not None:
            self.process.stop()

    def send(self, *requests):
        self.sent += len(requests)
        send(self.port, *requests)

    def outcomes(self, what=r"(ADD|REMOVE)_(SUCCEEDED|FAILED)"):
        """One line for each request that is done."""
        return [line for line in self.process.log_text().splitlines()
                if re.search(f"DHCP_DDNS_{what} ", line)]

    def idle(self):
        """All requests are done, one way or the other."""
        wait_for(lambda: len(self.outcomes()) >= self.sent, 30, "D2 done with every request")

    def refusals(self):
        return self.outcomes("(ADD|REMOVE)_FAILED")
