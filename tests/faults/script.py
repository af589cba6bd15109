"""The events of a run, by seed, and what DNS must show once they are through.

The model below shares no line with the program: it knows who holds what, and nothing else.
Every name and address has one writer at a time, so that the end does not depend on who came first.
"""

import base64
import collections
import random

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from harness.lab import FORWARD, REV24, REV24_INNER, REV64, dhcid, duid, mac, ptr

TTL = 300


def leased(n):
    return f"192.0.2.{n}"


def leased6(n):
    return f"2001:db8:0:1::{n:x}"


def direct(n):
    return f"198.51.100.{n}"


STABLE = [leased(n) for n in range(1, 41)]          # leases that are only renewed
# One that gets new names for the suite to see that the file is being followed.
CANARY = {4: leased(254), 6: leased6(254)}
LEASED = {4: [leased(n) for n in range(41, 201)], 6: [leased6(n) for n in range(1, 65)]}
MANUAL = [leased(n) for n in range(201, 240)]
DIRECT = [direct(n) for n in range(1, 201)]         # requests without a lease file
NOTED = 12                     # stable leases beside whose names people write
LABELS = ["router.Example.NET.", "Mail.Example.NET.", "spare.example.net."]


def family(address):
    return 6 if ":" in address else 4


def zone_of(address):
    if family(address) == 6:
        return REV64
    return REV24_INNER if address in DIRECT else REV24


def fqdn(label):
    return f"{label}.{FORWARD}"


def client_id(client):
    """Every other v4 client says its DUID (RFC 4361), so that it is the same to both servers."""
    return f"ff:00:00:00:01:{duid(client)}" if client % 2 == 0 else ""


def marks(name, client, families):
    """The client's DHCID, where its first lease under this name was of the first of families."""
    if client % 2 == 0 or families[0] == 6:
        return dhcid(name, duid=duid(client))
    return dhcid(name, mac=mac(client))


def wire(kind, rdata):
    """RDATA as a server sends it."""
    rdtype = dns.rdatatype.from_text(kind)
    return dns.rdata.from_text(dns.rdataclass.IN, rdtype, rdata).to_wire(origin=None).hex()


class Script:
    """Each cycle's events; the model changes as if they had happened already."""

    def __init__(self, seed):
        self.seed = seed
        self.used = 0
        self.leases = {a: (n, f"stable{n}") for n, a in enumerate(STABLE, 1)}
        self.leases |= {a: (500 + f, f"canary{f}") for f, a in CANARY.items()}
        self.direct = {}                      # as leases: {address: (client, label)}
        self.manual = {}                      # {address: label}
        self.foreign = {}                     # {(zone, owner, type): [rdata]}
        self.edits = {}                       # {address: label that a person gave by its PTR}
        self.removals = collections.Counter() # {owner: how often somebody removed ours there}
        self.removals_most = 2                # at one owner: after the third it would be a fight
        self.shared = set()                   # labels that both families had at some time
        self.maybe = {}                       # as leases: given back, which nobody may have read
        self.new = set()                      # addresses that got their name in this cycle

    def begin(self):
        self.new = set()

    # ---- what must be there -----------------------------------------------------------------

    def records(self):
        """{zone: set of (owner, ttl, type, RDATA in hex)}, without SOA and the apex's NS."""
        want = {zone: set() for zone in (FORWARD, REV24, REV24_INNER, REV64)}
        names = collections.defaultdict(list)
        for address, (client, label) in self.leases.items():
            names[label].append((address, client))
        for label, holders in names.items():
            self._name(want, label, [h for h in holders if h[0] not in self.edits])
        for address, (client, label) in self.direct.items():
            self._pair(want, address, label, dhcid(fqdn(label), mac=mac(client)))
        for address, label in self.manual.items():
            self._pair(want, address, label)
        for address, label in self.edits.items():
            self._address(want, address, label)       # the PTR is among what is foreign
        for (zone, owner, kind), values in self.foreign.items():
            want[zone] |= {(owner, TTL, kind, wire(kind, v)) for v in values}
        return want

    def maybes(self):
        """Of each name that may be there still: what it is then, whole, in the form of records()."""
        groups = []
        for address, (client, label) in self.maybe.items():
            groups.append(collections.defaultdict(set))
            self._name(groups[-1], label, [(address, client)])
        return groups

    def _name(self, want, label, holders):
        """All that one client has under one name.  A lease of v4 was there first."""
        families = sorted(family(a) for a, _ in holders)
        for address, client in holders:
            self._pair(want, address, label, marks(fqdn(label), client, families))

    def _pair(self, want, address, label, mark=None):
        zone, owner = zone_of(address), ptr(address)
        self._address(want, address, label)
        want[zone].add((owner, TTL, "PTR", wire("PTR", fqdn(label) + ".")))
        if mark is not None:
            rdata = base64.b64decode(mark).hex()
            want[FORWARD].add((fqdn(label), TTL, "DHCID", rdata))
            want[zone].add((owner, TTL, "DHCID", rdata))

    @staticmethod
    def _address(want, address, label):
        kind = "AAAA" if family(address) == 6 else "A"
        want[FORWARD].add((fqdn(label), TTL, kind, wire(kind, address)))

    def hosts(self):
        """{(name, address)}, as "list hosts" must say."""
        labels = {a: label for holders in (self.leases, self.direct)
                  for a, (_, label) in holders.items()}
        return {(fqdn(label), a) for a, label in {**labels, **self.manual, **self.edits}.items()}

    def maybe_hosts(self):
        return {(fqdn(label), a) for a, (_, label) in self.maybe.items()}

    # ---- what people do ---------------------------------------------------------------------

    def person(self, rng, busy):
        """What a person writes beside us: [(method of World, arguments)]."""
        return self._write(rng, busy) if rng.random() < 0.3 else []

    def command(self, rng):
        """Somebody's add-host or del-host.  Commands run at the same time: one in a cycle."""
        if rng.random() < 0.7:
            return []
        if self.manual and rng.random() < 0.4:
            address = rng.choice(sorted(self.manual))
            return [("del_host", address, self.manual.pop(address))]
        address = self._free(rng, MANUAL, self.manual, set())
        if address is None:
            address = rng.choice(sorted(self.manual))
            return [("del_host", address, self.manual.pop(address))]
        self.manual[address] = self._label()
        return [("add_host", address, self.manual[address])]

    def meddle(self, rng, busy):
        """What a person does to records of ours."""
        makes = [self._edit, self._edit, self._take_back, self._leave_edited, self._remove]
        return [e for _ in range(rng.choice([1, 2, 4])) for e in rng.choice(makes)(rng, busy)]

    def roll_back(self):
        """The zones are as they were before anybody wrote.  What we miss before we see that counts
        as removed by somebody."""
        self.foreign.clear()
        self.edits.clear()
        self.removals_most = 1

    # ---- what happens -----------------------------------------------------------------------

    def lfc(self, rng):
        """Kea's cleanup takes the rows of released leases away: after they were taken in."""
        return [("lfc",)] if rng.random() < 0.05 else []

    def compaction(self, rng, f, busy, unread):
        """The same right after leases were given back.  unread: nobody may have seen that before
        the cleanup took it away, and absence from the file ends no lease."""
        events = []
        for _ in range(rng.choice([1, 3, 6])):
            address = self._held(rng, busy, [a for a in LEASED[f] if self._is_plain(a)])
            if address is None:
                continue
            who = self.leases.pop(address)
            if unread:
                self.maybe[address] = who
            events.append(("release", address, *who))
        return [*events, ("lfc",)] if events else []

    def canary(self, f):
        """Somebody's new name, which can be seen in DNS."""
        return self._renamed(CANARY[f])

    def found_again(self):
        """Addresses of which nobody could say whether they were free are given to others."""
        events = []
        for address in self.maybe:
            self.leases[address] = who = (self._client(), self._label())
            self.new.add(address)
            events.append(("lease", address, *who))
        self.maybe = {}
        return events

    def clock(self, rng, busy):
        """Leases that end because their time is over, and one that is renewed just before."""
        makes = [self._run_out, self._run_out, self._come_and_go, self._renew_late]
        return [e for _ in range(rng.choice([1, 2, 4])) for e in rng.choice(makes)(rng, busy)]

    def events(self, rng, n, direct, busy):
        """n events, with or without requests that no lease file confirms; not about busy ones."""
        busy = set(busy)
        return [e for _ in range(n) for e in self._event(rng, busy, direct)]

    def _event(self, rng, busy, direct):
        kinds = [(10, self._lease), (3, self._lease_both), (3, self._join), (4, self._release),
                 (4, self._rename), (2, self._renew), (3, self._move), (2, self._hand_over),
                 (2, self._take_name), (2, self._expire), (1, self._decline), (1, self._prefix)]
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

    # ---- who may be chosen -------------------------------------------------------------------

    @staticmethod
    def _pick(rng, busy, addresses):
        """One that nothing has happened to since a moment ago; None: there is none."""
        free = [a for a in addresses if a not in busy]
        address = rng.choice(free) if free else None
        busy.add(address)
        return address

    def _free(self, rng, room, taken, busy):
        return self._pick(rng, busy, [a for a in room if a not in taken and a not in self.maybe])

    def _free_lease(self, rng, busy, f=None):
        return self._free(rng, LEASED[f or self._family(rng)], self.leases, busy)

    @staticmethod
    def _family(rng):
        return rng.choice([4, 4, 6])

    def _held(self, rng, busy, room):
        """Leases whose PTR somebody edited are left to him."""
        return self._pick(rng, busy, [a for a in room if a in self.leases and a not in self.edits])

    def _held_lease(self, rng, busy, f=None):
        return self._held(rng, busy, LEASED[f or self._family(rng)])

    def _is_noted(self, label):
        """Somebody wrote records of his beside ours."""
        return any((FORWARD, fqdn(label), kind) in self.foreign for kind in ("A", "TXT"))

    def _is_plain(self, address):
        """A client with this lease alone, under a name with nothing of anybody else's.  Of others
        the first of two files to be read would decide whether its name was free in between."""
        if address not in self.leases:
            return False
        label = self.leases[address][1]
        return label not in self.shared and not self._is_noted(label)

    def _is_dated(self, address):
        """Its name in the other family has the DHCID of whoever came first."""
        client, label = self.leases[address]
        return client % 2 == 1 and label in self.shared

    def _others(self, address):
        """Other addresses under its name."""
        who = self.leases[address]
        return [a for a in self.leases if self.leases[a] == who and a != address]

    # ---- leases ------------------------------------------------------------------------------

    def _lease(self, rng, busy, f=None):
        address = self._free_lease(rng, busy, f)
        if address is None:
            return self._release(rng, busy)
        return self._get(address, self._client(), self._label())

    def _get(self, address, client, label):
        self.leases[address] = (client, label)
        self.new.add(address)
        return [("lease", address, client, label)]

    def _lease_both(self, rng, busy):
        """A client comes with both families at once, as the same to both."""
        both = [self._free_lease(rng, busy, f) for f in (4, 6)]
        if None in both:
            return []
        rng.shuffle(both)
        client, label = self._client(), self._label()
        client += client % 2
        self.shared.add(label)
        return [e for a in both for e in self._get(a, client, label)]

    def _join(self, rng, busy):
        """A client that has its v4 name for a while gets a v6 lease."""
        old = self._held(rng, busy, [
            a for a in STABLE + LEASED[4] if a not in self.new and a in self.leases and
            not self._others(a) and not self._is_noted(self.leases[a][1])])
        new = self._free_lease(rng, busy, 6)
        if old is None or new is None:
            return []
        self.shared.add(self.leases[old][1])
        return self._get(new, *self.leases[old])

    def _end(self, rng, busy, how, f=None):
        address = self._held_lease(rng, busy, f)
        if address is None:
            return []
        return [(how, address, *self.leases.pop(address))]

    def _release(self, rng, busy):
        return self._end(rng, busy, "release")

    def _expire(self, rng, busy):
        return self._end(rng, busy, "expire")

    def _decline(self, rng, busy):
        return self._end(rng, busy, "decline", 4)

    def _renew(self, rng, busy):
        address = self._pick(rng, busy, STABLE)
        return [] if address is None else [("renew", address)]

    def _rename(self, rng, busy):
        """Of a client with both families one or both.  A PTR that was edited stays as it is."""
        f = self._family(rng)
        address = self._pick(rng, busy, [a for a in LEASED[f] if a in self.leases])
        if address is None:
            return []
        others = [a for a in self._others(address) if a not in busy]
        if not others or self._is_dated(address) or rng.random() < 0.5:
            return self._renamed(address)
        busy.update(others)
        label = self._label()
        self.shared.add(label)
        return [e for a in [address, *others] for e in self._renamed(a, label)]

    def _renamed(self, address, label=None):
        client, old = self.leases[address]
        self.leases[address] = (client, label or self._label())
        self.new.add(address)
        return [("rename", address, client, old, self.leases[address][1])]

    def _move(self, rng, busy):
        """A client leaves its address and gets another, under its name."""
        f = self._family(rng)
        old = self._held(rng, busy, [
            a for a in LEASED[f] if a in self.leases and not self._is_noted(self.leases[a][1]) and
            not (f == 4 and self._is_dated(a))])
        new = self._free_lease(rng, busy, f)
        if old is None or new is None:
            return []
        who = self.leases.pop(old)
        return [("release", old, *who), *self._get(new, *who)]

    def _hand_over(self, rng, busy):
        """An address goes from one client to another at once."""
        address = self._held_lease(rng, busy)
        if address is None:
            return []
        before = self.leases.pop(address)
        return [("release", address, *before),
                *self._get(address, self._client(), self._label())]

    def _take_name(self, rng, busy):
        """A name goes from a client that leaves to another that comes."""
        f = self._family(rng)
        old = self._held(rng, busy, [a for a in LEASED[f] if self._is_plain(a)])
        new = self._free_lease(rng, busy, f)
        if old is None or new is None:
            return []
        before = self.leases.pop(old)
        return [("release", old, *before), *self._get(new, self._client(), before[1])]

    def _prefix(self, rng, busy):
        """A delegated prefix, which is no host."""
        self.used += 1
        return [("prefix", f"2001:db8:1:{self.used % 65536:x}::", self._client(), self._label())]

    # ---- leases and the clock ----------------------------------------------------------------

    def _run_out(self, rng, busy):
        address = self._held_lease(rng, busy)
        if address is None:
            return []
        self.leases.pop(address)
        return [("run_out", address)]

    def _come_and_go(self, rng, busy):
        """One so short that it may be over before anybody sees it."""
        address = self._free_lease(rng, busy)
        if address is None:
            return []
        return [("lease", address, self._client(), self._label()), ("run_out", address)]

    def _renew_late(self, rng, busy):
        address = self._pick(rng, busy, STABLE)
        return [] if address is None else [("run_out", address), ("renew_late", address)]

    # ---- requests that no lease file confirms --------------------------------------------------

    def _direct_add(self, rng, busy):
        address = self._free(rng, DIRECT, self.direct, busy)
        if address is None:
            return []
        self.direct[address] = who = (self._client(), self._label())
        return [("direct", address, *who)]

    def _direct_held(self, rng, busy):
        return self._pick(rng, busy, sorted(self.direct))

    def _direct_remove(self, rng, busy):
        address = self._direct_held(rng, busy)
        return [] if address is None else [("direct_remove", address, *self.direct.pop(address))]

    def _direct_rename(self, rng, busy):
        address = self._direct_held(rng, busy)
        if address is None:
            return []
        client, old = self.direct[address]
        self.direct[address] = (client, self._label())
        return [("direct_remove", address, client, old), ("direct", address, *self.direct[address])]

    # ---- a person beside us ------------------------------------------------------------------

    def _write(self, rng, busy):
        """Replaces or deletes one RRset of his own; beside ours he adds to what is there."""
        kind = rng.choice(["A", "TXT", "MX", "CNAME", "PTR", "note", "note", "more", "alias"])
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
        elif kind == "PTR":
            zone, owner, rdata = REV24, f"{n + 241}.{REV24}", rng.choice(LABELS)
        else:
            return self._beside(rng, kind, busy)
        if (zone, owner, kind) in self.foreign and rng.random() < 0.4:
            return [self._delete(zone, owner, kind)]
        return [self._put("write_by_hand", zone, owner, kind, rdata)]

    def _beside(self, rng, what, busy):
        """At a name or address of ours: a TXT, another address, another pointer."""
        noted = STABLE[:NOTED]
        room = noted if what == "alias" else rng.choice([noted, LEASED[4], LEASED[6]])
        address = self._held(rng, set(busy), room)
        if address is None:
            return []
        zone, owner = FORWARD, fqdn(self.leases[address][1])
        kind, rdata = "A", f"203.0.113.{rng.randrange(1, 255)}"
        if what == "note":
            kind, rdata = "TXT", f'"rack {rng.randrange(99)}"'
        elif what == "alias":
            zone, owner, kind, rdata = zone_of(address), ptr(address), "PTR", rng.choice(LABELS)
        if (zone, owner, kind) in self.foreign:
            return [self._delete(zone, owner, kind, self.foreign[zone, owner, kind][0])]
        return [self._put("add_by_hand", zone, owner, kind, rdata)]

    def _put(self, method, zone, owner, kind, rdata):
        self.foreign[zone, owner, kind] = [rdata]
        return (method, zone, owner, kind, rdata)

    def _delete(self, zone, owner, *what):
        del self.foreign[zone, owner, what[0]]
        return ("delete_by_hand", zone, owner, *what)

    # ---- a person's hand on ours ---------------------------------------------------------------

    def _may_remove(self, owner):
        return self.removals[owner] < self.removals_most

    def _remove_edit(self, address):
        self.removals[ptr(address)] += 1
        return self._delete(zone_of(address), ptr(address), "PTR")

    def _edit(self, rng, busy):
        """A PTR is given another name: the address follows it, until somebody takes it away."""
        room = [a for a in self.edits] + [
            a for a in STABLE[NOTED:] + LEASED[4] + LEASED[6] if a in self.leases and
            not self._is_noted(self.leases[a][1]) and not self._is_dated(a) and
            self._may_remove(ptr(a))]
        address = self._pick(rng, busy, room)
        if address is None:
            return []
        self.edits[address] = label = self._label()
        return [self._put("write_by_hand", zone_of(address), ptr(address), "PTR",
                          f"{label.capitalize()}.Lab.Example.")]

    def _edited(self, rng, busy):
        return self._pick(rng, busy, sorted(self.edits))

    def _take_back(self, rng, busy):
        """The lease's own name comes back."""
        address = self._edited(rng, busy)
        if address is None:
            return self._edit(rng, busy)
        del self.edits[address]
        return [self._remove_edit(address)]

    def _leave_edited(self, rng, busy):
        """The lease ends, and the person clears away what he wrote."""
        address = self._pick(rng, busy, [a for a in sorted(self.edits) if a not in STABLE])
        if address is None:
            return self._edit(rng, busy)
        del self.edits[address]
        events = [("release", address, *self.leases.pop(address)), self._remove_edit(address)]
        rng.shuffle(events)
        return events

    def _remove(self, rng, busy):
        """Ours is taken away, at a name or at an address: it is written again."""
        labels = {a: label for holders in (self.leases, self.direct)
                  for a, (_, label) in holders.items()} | self.manual
        address = self._pick(rng, busy, [
            a for a in sorted(labels) if a not in self.edits and a not in CANARY.values() and
            not self._is_noted(labels[a]) and (REV24, ptr(a), "PTR") not in self.foreign])
        if address is None:
            return []
        zone, owner, kind = rng.choice([
            (FORWARD, fqdn(labels[address]), None), (zone_of(address), ptr(address), None),
            (FORWARD, fqdn(labels[address]), "AAAA" if family(address) == 6 else "A"),
            (zone_of(address), ptr(address), "PTR")])
        if not self._may_remove(owner):
            return []
        self.removals[owner] += 1
        if zone == FORWARD and address in self.leases:
            busy.update(self._others(address))
        return [("delete_by_hand", zone, owner, *([kind] if kind else []))]


def of_cycle(seed, cycle):
    """The dice of one cycle: what happens in it depends on nothing that came before."""
    return random.Random(f"{seed}:{cycle}")
