"""The events of a run, by seed, and what DNS must show once they are through.

The model below shares no line with the program: it knows who holds what, and nothing else.
Every name and address has one writer, so that the end does not depend on who came first.
"""

import base64
import random

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from harness.lab import FORWARD, REV24, REV24_INNER, dhcid, mac, ptr

TTL = 300
STABLE = range(1, 41)          # leases that are only renewed
LEASED = range(41, 201)
MANUAL = range(201, 240)
DIRECT = range(1, 201)         # of 198.51.100.0/24: requests without a lease file
LABELS = ["router.Example.NET.", "Mail.Example.NET.", "spare.example.net."]


def leased(n):
    return f"192.0.2.{n}"


def direct(n):
    return f"198.51.100.{n}"


def wire(kind, rdata):
    """RDATA as a server sends it."""
    rdtype = dns.rdatatype.from_text(kind)
    return dns.rdata.from_text(dns.rdataclass.IN, rdtype, rdata).to_wire(origin=None).hex()


class Script:
    """events(cycle) answers what happens next, and changes the model as if it had."""

    def __init__(self, seed):
        self.seed = seed
        self.used = 0
        self.leases = {n: (n, f"stable{n}") for n in STABLE}    # n: (client, label)
        self.direct = {}                                        # n: (client, label)
        self.manual = {}                                        # n: label
        self.foreign = {}                                       # (zone, owner, type): [rdata]

    # ---- what must be there -----------------------------------------------------------------

    def records(self):
        """{zone: set of (owner, ttl, type, RDATA in hex)}, without SOA and the apex's NS."""
        want = {FORWARD: set(), REV24: set(), REV24_INNER: set()}
        for n, (client, label) in self.leases.items():
            self._pair(want, REV24, leased(n), f"{label}.{FORWARD}", client)
        for n, (client, label) in self.direct.items():
            self._pair(want, REV24_INNER, direct(n), f"{label}.{FORWARD}", client)
        for n, label in self.manual.items():
            self._pair(want, REV24, leased(n), f"{label}.{FORWARD}")
        for (zone, owner, kind), values in self.foreign.items():
            want[zone] |= {(owner, TTL, kind, wire(kind, v)) for v in values}
        return want

    @staticmethod
    def _pair(want, zone, address, name, client=None):
        back = ptr(address)
        want[FORWARD].add((name, TTL, "A", wire("A", address)))
        want[zone].add((back, TTL, "PTR", wire("PTR", name + ".")))
        if client is not None:
            mark = base64.b64decode(dhcid(name, mac=mac(client))).hex()
            want[FORWARD].add((name, TTL, "DHCID", mark))
            want[zone].add((back, TTL, "DHCID", mark))

    def hosts(self):
        """{(name, address)}, as "list hosts" must say."""
        return ({(f"{label}.{FORWARD}", leased(n)) for n, (_, label) in self.leases.items()} |
                {(f"{label}.{FORWARD}", direct(n)) for n, (_, label) in self.direct.items()} |
                {(f"{label}.{FORWARD}", leased(n)) for n, label in self.manual.items()})

    # ---- what happens -----------------------------------------------------------------------

    def person(self, rng):
        """What a person writes by hand: [(method of World, arguments)]."""
        return [self._write(rng)] if rng.random() < 0.3 else []

    def command(self, rng):
        """Somebody's add-host or del-host.  Commands run at the same time: one in a cycle."""
        if rng.random() < 0.7:
            return []
        if self.manual and rng.random() < 0.4:
            n = rng.choice(sorted(self.manual))
            return [("del_host", n, self.manual.pop(n))]
        n = self._free(rng, MANUAL, self.manual, set())
        self.manual[n] = self._label()
        return [("add_host", n, self.manual[n])]

    def lfc(self, rng):
        """Kea's cleanup takes the rows of released leases away: not before they were taken in."""
        return [("lfc",)] if rng.random() < 0.05 else []

    def events(self, rng, n, direct):
        """n events, with or without requests that no lease file confirms."""
        busy = set()
        return [e for _ in range(n) for e in self._event(rng, busy, direct)]

    def _event(self, rng, busy, direct):
        kinds = [(10, self._new), (4, self._release), (4, self._rename), (2, self._renew),
                 (3, self._move), (2, self._hand_over), (2, self._take_name), (2, self._expire),
                 (1, self._decline)]
        if direct:
            kinds += [(4, self._direct_add), (2, self._direct_remove), (2, self._direct_rename)]
        make = rng.choices([k for _, k in kinds], [w for w, _ in kinds])[0]
        return make(rng, busy)

    def _label(self):
        self.used += 1
        return f"host{self.used}"

    def _client(self):
        self.used += 1
        return 1000 + self.used

    @staticmethod
    def _free(rng, room, taken, busy, where="leased"):
        """An address that nobody has, not even since a moment ago."""
        free = [n for n in room if n not in taken and (where, n) not in busy]
        n = rng.choice(free) if free else None
        busy.add((where, n))
        return n

    @staticmethod
    def _held(rng, room, taken, busy, where="leased"):
        held = [n for n in sorted(taken) if n in room and (where, n) not in busy]
        n = rng.choice(held) if held else None
        busy.add((where, n))
        return n

    def _new(self, rng, busy):
        n = self._free(rng, LEASED, self.leases, busy)
        if n is None:
            return self._release(rng, busy)
        self.leases[n] = who = (self._client(), self._label())
        return [("lease", n, *who)]

    def _release(self, rng, busy):
        n = self._held(rng, LEASED, self.leases, busy)
        if n is None:
            return []
        return [("release", n, *self.leases.pop(n))]

    def _expire(self, rng, busy):
        n = self._held(rng, LEASED, self.leases, busy)
        if n is None:
            return []
        return [("expire", n, *self.leases.pop(n))]

    def _decline(self, rng, busy):
        n = self._held(rng, LEASED, self.leases, busy)
        if n is None:
            return []
        return [("decline", n, *self.leases.pop(n))]

    def _renew(self, rng, busy):
        n = self._held(rng, STABLE, self.leases, busy)
        return [] if n is None else [("renew", n)]

    def _rename(self, rng, busy):
        n = self._held(rng, LEASED, self.leases, busy)
        if n is None:
            return []
        client, old = self.leases[n]
        self.leases[n] = (client, self._label())
        return [("rename", n, client, old, self.leases[n][1])]

    def _move(self, rng, busy):
        """A client leaves its address and gets another, under its name."""
        old = self._held(rng, LEASED, self.leases, busy)
        new = self._free(rng, LEASED, self.leases, busy)
        if old is None or new is None:
            return []
        self.leases[new] = who = self.leases.pop(old)
        return [("release", old, *who), ("lease", new, *who)]

    def _hand_over(self, rng, busy):
        """An address goes from one client to another at once."""
        n = self._held(rng, LEASED, self.leases, busy)
        if n is None:
            return []
        before = self.leases[n]
        self.leases[n] = after = (self._client(), self._label())
        return [("release", n, *before), ("lease", n, *after)]

    def _take_name(self, rng, busy):
        """A name goes from a client that leaves to another that comes."""
        old = self._held(rng, LEASED, self.leases, busy)
        new = self._free(rng, LEASED, self.leases, busy)
        if old is None or new is None:
            return []
        before = self.leases.pop(old)
        self.leases[new] = after = (self._client(), before[1])
        return [("release", old, *before), ("lease", new, *after)]

    def _direct_add(self, rng, busy):
        n = self._free(rng, DIRECT, self.direct, busy, "direct")
        if n is None:
            return []
        self.direct[n] = who = (self._client(), self._label())
        return [("direct", n, *who)]

    def _direct_remove(self, rng, busy):
        n = self._held(rng, DIRECT, self.direct, busy, "direct")
        return [] if n is None else [("direct_remove", n, *self.direct.pop(n))]

    def _direct_rename(self, rng, busy):
        n = self._held(rng, DIRECT, self.direct, busy, "direct")
        if n is None:
            return []
        client, old = self.direct[n]
        self.direct[n] = (client, self._label())
        return [("direct_remove", n, client, old), ("direct", n, *self.direct[n])]

    def _write(self, rng):
        """Replaces or deletes one RRset at a name that no client asks for, or beside one."""
        kind = rng.choice(["A", "TXT", "MX", "CNAME", "beside", "PTR"])
        n = rng.randrange(12)
        zone, owner, rdata = FORWARD, f"{kind.lower()}{n}.by-hand.{FORWARD}", None
        if kind == "A":
            rdata = f"203.0.113.{rng.randrange(1, 255)}"
        elif kind == "TXT":
            rdata = f'"Text {rng.randrange(1000)}; by hand"'
        elif kind == "MX":
            rdata = f"{rng.randrange(100)} {rng.choice(LABELS)}"
        elif kind == "CNAME":
            rdata = rng.choice(LABELS)
        elif kind == "beside":
            kind, owner, rdata = "TXT", f"stable{n + 1}.{FORWARD}", f'"rack {rng.randrange(99)}"'
        else:
            zone, owner, rdata = REV24, f"{n + 241}.{REV24}", rng.choice(LABELS)
        if (zone, owner, kind) in self.foreign and rng.random() < 0.4:
            del self.foreign[zone, owner, kind]
            return ("delete_by_hand", zone, owner, kind)
        self.foreign[zone, owner, kind] = [rdata]
        return ("write_by_hand", zone, owner, kind, rdata)


def of_cycle(seed, cycle):
    """The dice of one cycle: what happens in it depends on nothing that came before."""
    return random.Random(f"{seed}:{cycle}")
