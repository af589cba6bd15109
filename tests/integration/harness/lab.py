"""A whole small site: one name server, one bridge with an empty database, lease files.

The names and prefixes are those of RFC 2606, RFC 3849 and RFC 5737; zones are cut at several
depths so that the longest match matters.
"""

import base64
import hashlib
import ipaddress

import dns.name
import dns.query
import dns.rdatatype

from .kea import LeaseFile4, LeaseFile6

FORWARD = "lab.example"
OTHER = "other.example"
REV24 = "2.0.192.in-addr.arpa"
REV16 = "51.198.in-addr.arpa"             # 198.51.0.0/16, and of it:
REV24_INNER = "100.51.198.in-addr.arpa"   # 198.51.100.0/24
REV48 = "0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
REV64 = "1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
ZONES = [FORWARD, OTHER, REV24, REV16, REV24_INNER, REV48, REV64]


def mac(n):
    return f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}"


def duid(n):
    """DUID-LLT over mac(n)."""
    return f"00:01:00:01:29:aa:bb:cc:{mac(n)}"


def ptr(address):
    return ipaddress.ip_address(address).reverse_pointer


def unhex(text):
    return bytes.fromhex(text.replace(":", ""))


def dhcid(name, mac=None, client_id=None, duid=None):
    """RFC 4701 3: type of the identifier, digest type 1, SHA-256 of identifier and name."""
    if duid:
        kind, identifier = 2, unhex(duid)
    elif client_id:
        kind, identifier = 1, unhex(client_id)
    else:
        kind, identifier = 0, b"\x01" + unhex(mac)
    wire = dns.name.from_text(name.lower()).to_wire()
    digest = hashlib.sha256(identifier + wire).digest()
    return base64.b64encode(kind.to_bytes(2, "big") + b"\x01" + digest).decode()


def pair(name, address, ttl=None, **who):
    """The lines of one name at one address, forward and reverse; who: for the DHCID, as above."""
    at = "" if ttl is None else f"{ttl} "
    lines = [f"{name} {at}{'AAAA' if ':' in address else 'A'} {address}",
             f"{ptr(address)} {at}PTR {name}"]
    if who:
        lines += [f"{owner} {at}DHCID {dhcid(name, **who)}" for owner in (name, ptr(address))]
    return sorted(lines)


def raw_records(server, zone):
    """Everything but the SOA exactly as the server sends it: case, TTL and RDATA's bytes."""
    lines = set()
    for m in dns.query.xfr(server.address, dns.name.from_text(zone), port=server.port,
                           relativize=False, lifetime=30, **server.other.args()):
        for s in m.answer:
            if s.rdtype != dns.rdatatype.SOA:
                kind = dns.rdatatype.to_text(s.rdtype)
                lines |= {(str(s.name), s.ttl, kind, rd.to_wire(origin=None).hex()) for rd in s}
    return sorted(lines)


def wipe(server):
    """Empties every zone of a server that several tests share."""
    for zone in server.zones:
        changes = set()
        for line in server.axfr(zone):
            owner, kind, _ = line.split(" ", 2)
            at_apex = owner == zone
            changes.add(("delete", owner, kind) if at_apex else ("delete", owner))
        if changes:
            server.write(zone, *sorted(changes))


class Lab:
    """dns: a running DnsServer with the zones above, or some of them.

    bridge is configured with all its zones and with subnets for them, and initialised;
    leases4 and leases6 are sources as soon as they are used.
    """

    def __init__(self, directory, dns, bridge, postgres, zones=None, **zone_settings):
        self.dir = directory
        self.postgres = postgres
        self.dns = dns
        self.bridge = bridge
        self.zones = zones or dns.zones
        self._leases4 = self._leases6 = None
        bridge.server("ns1", dns)
        for zone in self.zones:
            bridge.zone(zone, "ns1", **zone_settings)
        for zone, prefix in ((REV24, "192.0.2.0/24"), (REV16, "198.51.0.0/16"),
                             (REV48, "2001:db8::/48")):
            if zone in self.zones:
                bridge.subnet(prefix, [FORWARD])

    # ---- evidence ---------------------------------------------------------------------------

    @property
    def leases4(self):
        if self._leases4 is None:
            self._leases4 = LeaseFile4(self.dir / "kea-leases4.csv")
            self.bridge.source("dhcp4", "kea-leases", file=self._leases4.path)
        return self._leases4

    @property
    def leases6(self):
        if self._leases6 is None:
            self._leases6 = LeaseFile6(self.dir / "kea-leases6.csv")
            self.bridge.source("dhcp6", "kea-leases", file=self._leases6.path)
        return self._leases6

    def lease(self, n, name, **more):
        """A v4 lease of client n at 192.0.2.n."""
        self.leases4.add(f"192.0.2.{n}", mac(n), name, **more)

    # ---- passes -----------------------------------------------------------------------------

    def reconcile(self, *words, rc=0, **more):
        return self.bridge.reconcile(*words, rc=rc, **more)

    def settle(self, rc=0, **expected):
        """A pass with these counts; one right after it must find nothing to do."""
        got = self.reconcile(rc=rc)
        for key, want in expected.items():
            assert got[key] == want, f"{key}: {got}"
        self.quiet()
        return got

    def serials(self):
        return {z: self.dns.serial(z) for z in self.dns.zones}

    def quiet(self, **expected):
        """A further pass sends nothing, and no zone's serial moves."""
        before = self.serials()
        got = self.reconcile()
        assert got["changed"] == 0 and got["refused"] == 0 and got["pending"] == 0, got
        for key, want in expected.items():
            assert got[key] == want, f"{key}: {got}"
        assert self.serials() == before
        return got

    def bridge_sql(self, text):
        """One statement on the bridge's database; its rows."""
        return self.postgres.sql(text, self.bridge.database)

    # ---- what is there ----------------------------------------------------------------------

    def records(self, ttl=False, zones=None):
        """All records of all zones as sorted lines; base64 without its blanks."""
        lines = [line for z in zones or self.dns.zones for line in self.dns.axfr(z, ttl=ttl)]
        return sorted(join_base64(line) for line in lines)

    def expect(self, *groups, ttl=False):
        """The zones hold exactly these lines, or lists of lines."""
        want = sorted(line for g in groups for line in ([g] if isinstance(g, str) else g))
        got = self.records(ttl)
        extra, missing = sorted(set(got) - set(want)), sorted(set(want) - set(got))
        assert got == want, "\n".join(["not expected:", *extra[:20], "missing:", *missing[:20]])

    def raw(self):
        return {z: raw_records(self.dns, z) for z in self.dns.zones}

    def hosts(self):
        """{(name, address): row} of list hosts."""
        return {(h["name"], h["address"]): h for h in self.bridge.json("list", "hosts")}

    def names(self, address):
        return sorted(h["name"] for h in self.bridge.json("list", "hosts")
                      if h["address"] == address and h["name"] is not None)

    def conflicts(self):
        """{(owner, type): row} of list conflicts."""
        return {(c["owner"], c["type"]): c for c in self.bridge.json("list", "conflicts")}

    def why(self, what):
        return self.bridge.json("why", what)


def join_base64(line):
    head, mark, text = line.partition(" DHCID ")
    return head + mark + text.replace(" ", "") if mark else line
