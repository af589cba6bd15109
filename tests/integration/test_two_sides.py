"""The daemon beside people and Kea's own D2, leases of seconds: nobody's record is lost, no fight.

TWO_SIDES_S: how long everybody is busy; TWO_SIDES_SEED: with what.
"""

import os
import random
import re
import time

import pytest

from harness import free_port, wait_for
from harness.d2 import D2, ncr, send
from harness.lab import FORWARD, mac, ptr

BUSY_S = float(os.environ.get("TWO_SIDES_S", "12"))
SEED = int(os.environ.get("TWO_SIDES_SEED", "1"))
EACH_S = 0.05            # between two events
SHORT, LONG = (3, 30), 86400
CLIENTS = range(1, 61)
ADDRESSES = range(1, 121)
TAKEN = range(1, 9)      # names that a person may have before a client asks for them
NET = "192.0.2."
SOON = 40
STILL_S = 3
PASSES = 10


def label(n):
    return f"taken{n}" if n in TAKEN else f"pc{n}"


def fqdn(n):
    return f"{label(n)}.{FORWARD}"


class Life:
    """Who holds what, and what a person wrote at names that no client has."""

    def __init__(self, lab, d2):
        self.lab = lab
        self.d2 = d2
        self.rng = random.Random(SEED)
        self.held = {}                   # n of the address: (client, end)
        self.person = {}                 # (name, type): rdata
        self.port = free_port()
        self.leases = lab.leases4
        lab.bridge.source("ncr", "kea-ncr", listen=f"127.0.0.1:{self.port}", confirm="dhcp4")
        lab.bridge.sections[""]["schedule", None] = {"pull": "1s"}
        # So many ends at once are no mistake here; explicit ones are counted by subnet.
        lab.bridge.set(brake_min=1000000)
        del lab.bridge.sections[""]["subnet", f"{NET}0/24"]
        for n in range(0, 256, 8):
            lab.bridge.subnet(f"{NET}{n}/29", [FORWARD])

    # ---- clients ----------------------------------------------------------------------------

    def tell(self, at, client, remove=False):
        request = ncr(fqdn(client), f"{NET}{at}", remove, mac=mac(client))
        self.d2.send(request)
        send(self.port, request)

    def lease(self, at, client, valid):
        self.held[at] = client, time.time() + valid
        self.leases.add(f"{NET}{at}", mac(client), label(client), valid=valid)
        self.tell(at, client)

    def end(self, at, told=True):
        client, _ = self.held.pop(at)
        if told:
            self.leases.release(f"{NET}{at}")
            self.tell(at, client, remove=True)

    def new(self):
        busy = {client for client, _ in self.held.values()}
        client = self.rng.choice(CLIENTS)
        at = self.rng.choice(ADDRESSES)
        if client not in busy and at not in self.held:
            self.lease(at, client, self.rng.randint(*SHORT))

    def renew(self):
        if self.held:
            at = self.rng.choice(sorted(self.held))
            self.lease(at, self.held[at][0], self.rng.randint(*SHORT))

    def release(self):
        if self.held:
            self.end(self.rng.choice(sorted(self.held)))

    def run_out(self):
        """Kea reclaims most of them at once; some it forgets about."""
        for at in [at for at, (_, end) in self.held.items() if end <= time.time()]:
            self.end(at, told=self.rng.random() < .7)

    # ---- a person ---------------------------------------------------------------------------

    def put(self, name, kind, rdata):
        name = f"{name}.{FORWARD}"
        if (name, kind) not in self.person:
            self.lab.dns.add(name, kind, rdata)
            self.person[name, kind] = rdata

    def write(self):
        n = self.rng.randrange(40)
        kind, rdata = self.rng.choice([("A", f"203.0.113.{n}"), ("TXT", f'"by hand {n}"')])
        self.put(f"person{n}", kind, rdata)

    def take(self):
        """A name before its client asks for it.  Later D2 would replace what stands there."""
        client = self.rng.choice(TAKEN)
        self.d2.idle()
        if client not in {c for c, _ in self.held.values()} and \
                not any(self.lab.dns.query(fqdn(client), kind) for kind in ("A", "DHCID")):
            self.put(label(client), "A", f"203.0.113.{100 + client}")

    def erase(self):
        if self.person:
            name, kind = self.rng.choice(sorted(self.person))
            self.lab.dns.delete(name, kind, self.person.pop((name, kind)))

    def rename(self):
        if self.held:
            at = self.rng.choice(sorted(self.held))
            self.lab.dns.replace(ptr(f"{NET}{at}"), "PTR", f"byhand{at}.{FORWARD}.")

    def remove(self):
        if self.held:
            client, _ = self.held[self.rng.choice(sorted(self.held))]
            if (fqdn(client), "A") not in self.person:
                self.lab.dns.delete(fqdn(client), "A")

    # ---- all of them ------------------------------------------------------------------------

    def live(self, seconds):
        kinds = {self.new: 10, self.renew: 4, self.release: 3, self.write: 1, self.take: 1,
                 self.erase: 1, self.rename: 1, self.remove: 1}
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            self.run_out()
            self.rng.choices(list(kinds), list(kinds.values()))[0]()
            wait_for(lambda: time.monotonic() >= now + EACH_S, 2)

    def settle_down(self):
        """Who is there stays, and says so."""
        for at, (client, _) in sorted(self.held.items()):
            self.lease(at, client, LONG)
        self.d2.idle()

    # ---- how it must be ---------------------------------------------------------------------

    def faults(self):
        lines = set(self.lab.records())
        out = [f"a person's record is gone: {name} {kind} {rdata}"
               for (name, kind), rdata in self.person.items() if f"{name} {kind} {rdata}" not in lines]
        conflicts = {owner for owner, _ in self.lab.conflicts()}
        for at in self.held:
            address = f"{NET}{at}"
            names = self.lab.names(address)
            if not any({f"{name} A {address}", f"{ptr(address)} PTR {name}"} <= lines
                       for name in names) and not conflicts & {*names, ptr(address)}:
                out.append(f"{address} ({', '.join(names)}) has no pair, and no conflict is listed")
        theirs = {f"{name} {kind} {rdata}" for (name, kind), rdata in self.person.items()}
        for line in lines - theirs:
            owner, kind, rdata = line.split(" ", 2)
            if kind == "A" and rdata.startswith(NET) and int(rdata.rsplit(".", 1)[1]) not in self.held:
                out.append(f"left over: {line}")
        return out


    def report(self):
        """The faults, and what the bridge says of the first."""
        faults = self.faults()
        owners = re.findall(rf"[\w.-]+\.{FORWARD}|{NET}\d+", "\n".join(faults[:3]))
        said = [str(self.lab.bridge.run(*words, owner))
                for owner in owners for words in (["why"], ["journal"])]
        return "\n".join([*faults, *said])


@pytest.mark.parametrize("make", ["bind", "knot"], indirect=True)
def test_nobody_loses_a_record_and_nobody_fights(labs, make, run_dir):
    lab = labs(make)
    d2 = D2(run_dir / "d2", lab.dns)
    life = Life(lab, d2.start())
    daemon = lab.bridge.daemon()
    try:
        life.live(BUSY_S)
        life.settle_down()
        try:
            wait_for(lambda: not life.faults(), SOON)
        except AssertionError:
            raise AssertionError(life.report()) from None
        wait_for(lambda: still(lab, STILL_S), SOON, "the serials to stand still")
    finally:
        d2.stop()
    assert daemon.stop() == 0
    before = lab.serials(), lab.raw()
    for _ in range(PASSES):
        assert lab.reconcile()["changed"] == 0
    assert (lab.serials(), lab.raw()) == before


def still(lab, seconds):
    before, end = lab.serials(), time.monotonic() + seconds
    wait_for(lambda: lab.serials() != before or time.monotonic() > end, 2 * seconds)
    return lab.serials() == before
