"""What every authoritative server can be asked, over TCP and with a key, by dnspython."""

import base64
import os

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update

from .proc import free_port, wait_for


def lower_fqdn(name):
    """As ipambridge prints names: lower case, no final dot."""
    return str(name).lower().rstrip(".")


def is_reverse(zone):
    return zone.rstrip(".").endswith(("in-addr.arpa", "ip6.arpa"))


class Key:
    """A TSIG key with its file in BIND's form."""

    def __init__(self, name, directory, algorithm="hmac-sha256", secret=None):
        self.name = name
        self.algorithm = algorithm
        self.secret = secret or base64.b64encode(os.urandom(32)).decode()
        self.file = directory / f"{name}.key"
        fd = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write(f'key "{name}" {{\n\talgorithm {algorithm};\n\tsecret "{self.secret}";\n}};\n')

    def args(self):
        """For dnspython's update and transfer functions."""
        return {"keyring": dns.tsigkeyring.from_text({self.name: self.secret}),
                "keyname": self.name, "keyalgorithm": dns.name.from_text(self.algorithm)}


class DnsServer:
    """Base of Bind, Knot and Pdns: they bring start(), the rest is the same for all.

    zones     names; those below in-addr.arpa and ip6.arpa get the policy of reverse zones
    records   {zone: ["printer 300 IN A 192.0.2.9", ...]} in master file form
    key       what the bridge uses; other: a person or another program, allowed everything
    """

    make = None

    def __init__(self, directory, zones=("lab.example", "2.0.192.in-addr.arpa"), records=None):
        self.dir = directory
        self.dir.mkdir(parents=True, exist_ok=True)
        self.zones = [z.rstrip(".") for z in zones]
        self.records = records or {}
        unknown = set(self.records) - set(self.zones)
        assert not unknown, f"records for zones that are not served: {unknown}"
        self.address = "127.0.0.1"
        self.port = free_port()
        self.key = Key("ipambridge", directory)
        self.other = Key("other", directory)
        self.process = None

    @property
    def forward(self):
        return [z for z in self.zones if not is_reverse(z)]

    @property
    def reverse(self):
        return [z for z in self.zones if is_reverse(z)]

    @property
    def log(self):
        return self.process.log

    def log_text(self):
        return self.process.log_text()

    # ---- life -------------------------------------------------------------------------------

    def launch(self):
        """Starts the process again on what is on disk."""
        self.process.start()
        self.process.wait_ready(self.answers)

    def answers(self):
        try:
            return all(self.query(z, "SOA", timeout=1) for z in self.zones)
        except (OSError, EOFError, dns.exception.DNSException):
            return False

    def stop(self):
        if self.process is not None:
            self.process.stop()

    def kill(self):
        self.process.kill()

    def restart(self):
        self.process.stop()
        self.launch()

    def pause(self):
        self.process.pause()

    def cont(self):
        self.process.cont()

    # ---- asking -----------------------------------------------------------------------------

    def query(self, name, rdtype="A", timeout=5):
        """Sorted RDATA texts of the answer; names lower case without the final dot."""
        m = dns.message.make_query(dns.name.from_text(name), rdtype)
        m.flags &= ~dns.flags.RD
        r = dns.query.tcp(m, self.address, port=self.port, timeout=timeout)
        want = dns.rdatatype.from_text(rdtype)
        return sorted(rdata_text(rd) for s in r.answer if s.rdtype == want for rd in s)

    def ttl(self, name, rdtype="A"):
        m = dns.message.make_query(dns.name.from_text(name), rdtype)
        r = dns.query.tcp(m, self.address, port=self.port, timeout=5)
        return next((s.ttl for s in r.answer if s.rdtype == dns.rdatatype.from_text(rdtype)), None)

    def rcode(self, name, rdtype="A"):
        m = dns.message.make_query(dns.name.from_text(name), rdtype)
        r = dns.query.tcp(m, self.address, port=self.port, timeout=5)
        return dns.rcode.to_text(r.rcode())

    def axfr(self, zone, ttl=False, apex=False):
        """The zone as sorted lines "owner type rdata", or "owner ttl type rdata".

        Without the SOA and, unless apex is true, without the apex's NS: what is left is what
        somebody put into the zone.
        """
        origin = dns.name.from_text(zone)
        lines = set()
        for m in dns.query.xfr(self.address, origin, port=self.port, relativize=False,
                               lifetime=30, **self.other.args()):
            for s in m.answer:
                if s.rdtype == dns.rdatatype.SOA:
                    continue
                if s.rdtype == dns.rdatatype.NS and s.name == origin and not apex:
                    continue
                where = lower_fqdn(s.name) + (f" {s.ttl}" if ttl else "")
                lines |= {f"{where} {dns.rdatatype.to_text(s.rdtype)} {rdata_text(rd)}" for rd in s}
        return sorted(lines)

    def serial(self, zone):
        m = dns.message.make_query(dns.name.from_text(zone), "SOA")
        r = dns.query.tcp(m, self.address, port=self.port, timeout=5)
        return r.answer[0][0].serial

    # ---- writing behind the bridge's back -----------------------------------------------------

    def update(self, zone, *changes, key=None, signed=True):
        """Sends one UPDATE, by default as the other writer; the rcode as text, of NOTAUTH with
        a TSIG error that error.

        changes: ("add", owner, ttl, type, rdata), ("delete", owner[, type[, rdata]]),
        ("replace", owner, ttl, type, rdata), ("present", owner[, type[, rdata]]),
        ("absent", owner[, type]).  Owners are whole names.
        """
        use = (key or self.other).args() if signed else {}
        m = dns.update.UpdateMessage(dns.name.from_text(zone), **use)
        for verb, owner, *rest in changes:
            getattr(m, verb)(dns.name.from_text(owner), *rest)
        try:
            r = dns.query.tcp(m, self.address, port=self.port, timeout=10)
        except dns.tsig.PeerBadKey:
            return "BADKEY"
        except dns.tsig.PeerBadSignature:
            return "BADSIG"
        except dns.tsig.PeerBadTime:
            return "BADTIME"
        return dns.rcode.to_text(r.rcode())

    def write(self, zone, *changes, key=None):
        """update() that must succeed."""
        rcode = self.update(zone, *changes, key=key)
        assert rcode == "NOERROR", f"{self.make} answered {rcode} to {changes}"

    def zone_of(self, name):
        """The longest served zone that holds name."""
        name = name.rstrip(".")
        holders = [z for z in self.zones if name == z or name.endswith("." + z)]
        assert holders, f"no zone for {name}"
        return max(holders, key=len)

    def add(self, name, rdtype, rdata, ttl=300, key=None):
        self.write(self.zone_of(name), ("add", name, ttl, rdtype, rdata), key=key)

    def delete(self, name, *rest, key=None):
        self.write(self.zone_of(name), ("delete", name, *rest), key=key)

    def replace(self, name, rdtype, rdata, ttl=300, key=None):
        self.write(self.zone_of(name), ("replace", name, ttl, rdtype, rdata), key=key)

    def raise_serial(self, zone, by):
        m = dns.message.make_query(dns.name.from_text(zone), "SOA")
        soa = dns.query.tcp(m, self.address, port=self.port, timeout=5).answer[0]
        self.write(zone, ("add", zone, soa.ttl, soa[0].replace(serial=soa[0].serial + by)))

    def wait_serial_above(self, zone, old, deadline=10):
        return wait_for(lambda: self.serial(zone) > old, deadline, f"{zone} has a serial > {old}")


def rdata_text(rd):
    """Canonical text; only names are lower-cased, DHCID and TXT are case-sensitive."""
    named = {dns.rdatatype.PTR, dns.rdatatype.CNAME, dns.rdatatype.NS, dns.rdatatype.DNAME}
    return lower_fqdn(rd) if rd.rdtype in named else rd.to_text()
