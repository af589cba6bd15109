"""Kea: the lease file as Kea writes it, and the real servers driven through their socket.

LeaseFile4 and LeaseFile6 append rows exactly as 2.2 to 3.x do.  Kea4 and Kea6 run the real
program with no interface at all: leases come from the lease commands, no DHCP packet needed.
"""

import json
import os
import shlex
import socket
import time

from .proc import Process
from .servers import server_env

INFINITE = 4294967295


def escape(text):
    """The only two characters that Kea escapes: two hex digits, no semicolon."""
    return text.replace("&", "&#x26").replace(",", "&#x2c")


class LeaseFile:
    """A memfile lease database that somebody else writes; the last row of an address counts."""

    columns = {}
    lifetime = "valid_lifetime"

    def __init__(self, path, version="2.2"):
        self.path = path
        self.header = self.columns[version]
        self.rows = {}
        self.create()

    def create(self):
        """The live file with a header alone, as after a rotation."""
        self.path.write_text(",".join(self.header) + "\n")

    def _append(self, row):
        self.rows[row["address"]] = row
        with open(self.path, "a", newline="") as f:
            f.write(",".join(str(row.get(c, "")) for c in self.header) + "\n")

    def _change(self, address, **what):
        self._append({**self.rows[address], **what})

    def raw(self, data):
        """Bytes as they are: broken rows, half rows."""
        with open(self.path, "ab") as f:
            f.write(data)

    def renew(self, address, valid=3600):
        self._change(address, **{self.lifetime: valid, "expire": int(time.time()) + valid})

    def rename(self, address, hostname):
        self._change(address, hostname=escape(hostname))

    def release(self, address):
        row = self.rows[address]
        self._change(address, expire=row["expire"] - row[self.lifetime], **{self.lifetime: 0})

    def expire(self, address):
        """Expired and reclaimed: Kea empties the name and leaves the times."""
        self._change(address, state=2, hostname="", fqdn_fwd=0, fqdn_rev=0)

    def _beside(self, suffix):
        return self.path.with_name(self.path.name + suffix)

    def rotate(self):
        """LFC begins: X becomes X.1 and a new X holds the header alone."""
        os.rename(self.path, self._beside(".1"))
        self.create()

    def lfc(self):
        """LFC ends: X.2 is a sorted snapshot of X.2 and X.1 without deleted leases."""
        last = {}
        for suffix in (".2", ".1"):
            old = self._beside(suffix)
            if old.exists():
                for line in old.read_text().splitlines()[1:]:
                    last[line.split(",", 1)[0]] = line
        at = self.header.index(self.lifetime)
        kept = [line for _, line in sorted(last.items()) if line.split(",")[at] != "0"]
        done = self._beside(".completed")
        done.write_text("\n".join([",".join(self.header), *kept]) + "\n")
        for suffix in (".2", ".1"):
            self._beside(suffix).unlink(missing_ok=True)
        os.rename(done, self._beside(".2"))


class LeaseFile4(LeaseFile):
    _base = ["address", "hwaddr", "client_id", "valid_lifetime", "expire", "subnet_id",
             "fqdn_fwd", "fqdn_rev", "hostname", "state", "user_context"]
    columns = {"2.2": _base, "2.4": [*_base, "pool_id"]}

    def add(self, address, mac, hostname="", valid=3600, expire=None, client_id="", subnet_id=1,
            fqdn=1, state=0):
        """expire: Unix seconds, by default now + valid.  An infinite lease: valid=INFINITE."""
        self._append({
            "address": address, "hwaddr": mac, "client_id": client_id, "valid_lifetime": valid,
            "expire": int(time.time()) + valid if expire is None else int(expire),
            "subnet_id": subnet_id, "fqdn_fwd": fqdn, "fqdn_rev": fqdn,
            "hostname": escape(hostname), "state": state, "pool_id": 0})

    def decline(self, address, probation=86400):
        self._change(address, hwaddr="", client_id="", hostname="", fqdn_fwd=0, fqdn_rev=0,
                     state=1, valid_lifetime=probation, expire=int(time.time()) + probation)


class LeaseFile6(LeaseFile):
    _base = ["address", "duid", "valid_lifetime", "expire", "subnet_id", "pref_lifetime",
             "lease_type", "iaid", "prefix_len", "fqdn_fwd", "fqdn_rev", "hostname", "hwaddr",
             "state", "user_context", "hwtype", "hwaddr_source"]
    columns = {"2.2": _base, "2.4": [*_base, "pool_id"]}

    def add(self, address, duid, hostname="", valid=3600, expire=None, mac="", subnet_id=1,
            fqdn=1, state=0, lease_type=0, iaid=1, prefix_len=128):
        """lease_type: 0 an address, 2 a delegated prefix."""
        self._append({
            "address": address, "duid": duid, "valid_lifetime": valid,
            "expire": int(time.time()) + valid if expire is None else int(expire),
            "subnet_id": subnet_id, "pref_lifetime": valid, "lease_type": lease_type,
            "iaid": iaid, "prefix_len": prefix_len, "fqdn_fwd": fqdn, "fqdn_rev": fqdn,
            "hostname": escape(hostname), "hwaddr": mac, "state": state,
            "hwtype": 1 if mac else "", "hwaddr_source": 0, "pool_id": 0})


class Kea:
    """A real Kea without interfaces; leases by command(), its memfile in lease_file."""

    family = 0
    binary = ""
    section = ""

    def __init__(self, directory, subnets, **settings):
        """subnets: Kea's own clauses, or prefixes alone; settings go into the section."""
        self.dir = directory
        self.dir.mkdir(parents=True, exist_ok=True)
        self.lease_file = self.dir / f"leases{self.family}.csv"
        self.socket = self.dir / "kea.sock"
        assert len(str(self.socket)) <= 107, f"socket path too long: {self.socket}"
        self.subnets = [s if isinstance(s, dict) else {"id": i, "subnet": s}
                        for i, s in enumerate(subnets, 1)]
        self.settings = settings
        self.process = None

    def config(self, hooks):
        return {self.section: {
            "interfaces-config": {"interfaces": []},
            "control-socket": {"socket-type": "unix", "socket-name": str(self.socket)},
            "lease-database": {"type": "memfile", "persist": True, "lfc-interval": 0,
                               "name": str(self.lease_file)},
            "valid-lifetime": 3600,
            "expired-leases-processing": {"reclaim-timer-wait-time": 1},
            "hooks-libraries": [{"library": f"{hooks}/libdhcp_lease_cmds.so"}],
            f"subnet{self.family}": self.subnets,
            "loggers": [{"name": "*", "severity": "INFO",
                         "output_options": [{"output": "stdout"}]}],
            **self.settings}}

    def start(self):
        env = server_env(KEA_PIDFILE_DIR=str(self.dir), KEA_LOCKFILE_DIR=str(self.dir),
                         KEA_CONTROL_SOCKET_DIR=str(self.dir))
        env["KEA_LFC_EXECUTABLE"] = str(self.cleanup(env))
        path = self.dir / "kea.conf"
        path.write_text(json.dumps(self.config(env["HOOKS"]), indent=1))
        self.process = Process([self.binary, "-c", path], self.dir / "kea.log", env, self.dir)
        self.process.start()
        self.process.wait_ready(self.answers)
        return self

    def cleanup(self, env):
        """Kea starts kea-lfc with an empty environment, in which ours finds no libraries."""
        script = self.dir / "kea-lfc"
        keep = " ".join(f"{k}={shlex.quote(env[k])}" for k in sorted(env)
                        if k.startswith(("KEA_", "LD_")))
        script.write_text(f'#!/bin/sh\nexec env {keep} {env["KEA_LFC_EXECUTABLE"]} "$@"\n')
        script.chmod(0o755)
        return script

    def answers(self):
        try:
            return self.send("status-get")["result"] == 0
        except (OSError, ValueError):
            return False

    def send(self, command, arguments=None):
        """One command, Kea's whole answer."""
        text = {"command": command, **({"arguments": arguments} if arguments else {})}
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(str(self.socket))
            s.sendall(json.dumps(text).encode())
            data = b""
            while chunk := s.recv(65536):
                data += chunk
        return json.loads(data)

    def command(self, command, **arguments):
        """send() that must succeed."""
        answer = self.send(command, {k.replace("_", "-"): v for k, v in arguments.items()})
        assert answer["result"] == 0, f"{command}: {answer}"
        return answer.get("arguments")

    def stop(self):
        if self.process is not None:
            self.process.stop()

    def restart(self):
        self.process.stop()
        self.process.start()
        self.process.wait_ready(self.answers)


class Kea4(Kea):
    family, binary, section = 4, "kea-dhcp4", "Dhcp4"

    def add(self, address, mac, hostname="", **more):
        self.command("lease4-add", ip_address=address, hw_address=mac, hostname=hostname,
                     fqdn_fwd=True, fqdn_rev=True, **more)

    def delete(self, address):
        self.command("lease4-del", ip_address=address)


class Kea6(Kea):
    family, binary, section = 6, "kea-dhcp6", "Dhcp6"

    def config(self, hooks):
        c = super().config(hooks)
        # Its own DUID would be kept in /var/lib/kea.
        c[self.section].setdefault("server-id", {
            "type": "EN", "enterprise-id": 0, "identifier": "0123456789", "persist": False})
        return c

    def add(self, address, duid, hostname="", iaid=1, **more):
        self.command("lease6-add", ip_address=address, duid=duid, iaid=iaid, hostname=hostname,
                     fqdn_fwd=True, fqdn_rev=True, **more)

    def delete(self, address):
        self.command("lease6-del", ip_address=address)
