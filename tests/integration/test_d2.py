"""Kea's own D2 and the bridge on the same zones: one after the other, and both at once."""

import time

import pytest

from harness import free_port, wait_for
from harness.d2 import D2, ncr, send
from harness.lab import FORWARD, mac, pair

SOON = 20
TTL = 1200         # of D2's requests and of the bridge's zones: no reason to write again
QUIET = 5

both = pytest.mark.parametrize("make", ["bind", "knot"], indirect=True)


def client_id(n):
    return f"01:{mac(n)}"


def who(n):
    """Clients of each kind that v4 knows; as the lease file and as DHCIDs name them."""
    return {"client_id": client_id(n)} if n % 3 else {"mac": mac(n)}


class Site:
    """A lab, D2 beside it, and one list of leases that is told to either or to both."""

    def __init__(self, lab, d2):
        self.lab = lab
        self.d2 = d2
        self.port = free_port()
        self.held = {}              # address: (client, name)
        self.leases = lab.leases4
        lab.bridge.source("ncr", "kea-ncr", listen=f"127.0.0.1:{self.port}", confirm="dhcp4")
        lab.bridge.sections[""]["schedule", None] = {"pull": "1s"}
        self.daemon = None
        self.to_d2 = self.to_bridge = True

    def start(self):
        self.daemon = self.lab.bridge.daemon()

    def stop(self):
        assert self.daemon.stop() == 0

    # ---- events -----------------------------------------------------------------------------

    def _tell(self, n, label, address, remove=False):
        request = ncr(f"{label}.{FORWARD}", address, remove, TTL, **who(n))
        if self.to_d2:
            self.d2.send(request)
            # D2 works on two names at a time, also on two of one address: in the end its removal
            # of the old PTR may have taken the new one away.  That is between D2 and the server.
            if remove and not self.to_bridge:
                self.d2.idle()
        if self.to_bridge:
            send(self.port, request)

    def lease(self, n, label, at):
        address = f"192.0.2.{at}"
        self.held[address] = (n, label)
        self.leases.add(address, mac(n), label, client_id=who(n).get("client_id", ""))
        self._tell(n, label, address)

    def release(self, at):
        address = f"192.0.2.{at}"
        n, label = self.held.pop(address)
        self.leases.release(address)
        self._tell(n, label, address, remove=True)

    def rename(self, at, label):
        """As Kea does it: the old name is removed, the new one added."""
        address = f"192.0.2.{at}"
        n, old = self.held[address]
        self.held[address] = (n, label)
        self.leases.rename(address, label)
        self._tell(n, old, address, remove=True)
        self._tell(n, label, address)

    def move(self, at, to):
        n, label = self.held[f"192.0.2.{at}"]
        self.release(at)
        self.lease(n, label, to)

    # ---- what there is ----------------------------------------------------------------------

    def expected(self):
        return sorted(line for address, (n, label) in self.held.items()
                      for line in pair(f"{label}.{FORWARD}", address, TTL, **who(n)))

    def agrees(self):
        want = self.expected()

        def done():
            return self.lab.records(ttl=True) == want
        try:
            wait_for(done, SOON)
        except AssertionError:
            self.lab.expect(want, ttl=True)

    def owned(self):
        """All names are the bridge's, none is refused or waits."""
        def done():
            r = self.lab.bridge.run("--json", "list", "zones")
            zones = r.json if r.rc == 0 else []
            return zones and sum(z["ours"] for z in zones) == 2 * len(self.held) and \
                all(z["due"] == z["refused"] == z["conflicts"] == 0 for z in zones)
        try:
            wait_for(done, SOON, "all names to be ours")
        except AssertionError as e:
            asked = [("why", f"192.0.2.{n}") for n in (1, 2, 3)]
            words = ("list", "conflicts"), *asked, ("list", "zones"), ("journal",)
            said = "\n".join(str(self.lab.bridge.run(*w)) for w in words)
            raise AssertionError(f"{e}\n{said}\n{self.daemon.log_tail()}") from None

    def still(self):
        """Nothing moves any more."""
        before = self.lab.serials()
        end = time.monotonic() + QUIET
        wait_for(lambda: self.lab.serials() != before or time.monotonic() > end, 2 * QUIET)
        assert self.lab.serials() == before


@pytest.fixture
def site(labs, make, run_dir):
    lab = labs(make, ttl=f"{TTL}s")
    d2 = D2(run_dir / "d2", lab.dns)
    s = Site(lab, d2.start())
    yield s
    d2.stop()


def clients(site, numbers):
    for n in numbers:
        site.lease(n, f"pc{n}", n)


@both
def test_names_that_d2_made_are_taken_over_without_a_write(site):
    site.to_bridge = False
    clients(site, range(1, 31))
    site.d2.idle()
    site.agrees()
    before = site.lab.raw(), site.lab.serials()
    site.start()
    site.owned()
    assert (site.lab.raw(), site.lab.serials()) == before
    # They are the bridge's to change and to end.
    site.to_bridge, site.to_d2 = True, False
    for n in 1, 2, 3:
        site.rename(n, f"renamed{n}")
        site.release(10 + n)
        site.move(20 + n, 40 + n)
    site.owned()
    site.agrees()
    site.still()


@both
def test_names_of_the_bridge_go_back_to_d2_without_a_refusal(site):
    site.to_d2 = False
    site.start()
    clients(site, range(1, 31))
    site.agrees()
    site.stop()
    site.to_d2, site.to_bridge = True, False
    for n in 1, 2, 3:
        site.rename(n, f"renamed{n}")
        site.release(10 + n)
        site.move(20 + n, 40 + n)
    # The same client at another address without a word about the first: D2 replaces.
    site.d2.idle()
    site.agrees()
    assert site.d2.refusals() == []
    for n in range(4, 8):
        site.d2.send(ncr(f"pc{n}.{FORWARD}", f"192.0.2.{60 + n}", ttl=TTL, **who(n)))
    site.d2.idle()
    assert site.d2.refusals() == []
    for n in range(4, 8):
        assert site.lab.dns.query(f"pc{n}.{FORWARD}") == [f"192.0.2.{60 + n}"]


@both
def test_there_and_back_and_there_again(site):
    """Each finds what the other did in the meantime."""
    clients(site, range(1, 11))
    for turn in range(2):
        site.to_bridge, site.to_d2 = False, True
        site.rename(1 + turn, f"by-d2-{turn}")
        site.move(3 + turn, 100 + turn)
        site.lease(50 + turn, f"d2-{turn}", 50 + turn)
        site.d2.idle()
        site.agrees()
        site.to_bridge, site.to_d2 = True, False
        site.start()
        site.owned()
        site.rename(5 + turn, f"by-us-{turn}")
        site.move(7 + turn, 110 + turn)
        site.release(50 + turn)
        site.agrees()
        site.stop()
    assert site.d2.refusals() == []


@both
def test_both_at_once_end_in_agreement(site):
    site.start()
    clients(site, range(1, 31))
    site.agrees()
    for n in 1, 2, 3:
        site.rename(n, f"renamed{n}")
        site.release(10 + n)
        site.move(20 + n, 40 + n)
        site.lease(60 + n, f"new{n}", 60 + n)
    site.d2.idle()
    site.owned()
    site.agrees()
    site.still()
    assert site.lab.bridge.json("list", "conflicts") == []
