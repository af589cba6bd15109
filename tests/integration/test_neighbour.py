"""Neighbour tables: who is there, never how it is called.

The kernel's own table through netlink in a network namespace, printed tables of every format
from a file and from a command, and the end of what was not seen for long.
"""

import os
import subprocess

import pytest

from harness import Bind, LeaseFile4, wait_for
from harness.bridge import binary
from harness.faults import clock_env, clock_shim

FORWARD, REVERSE = "lab.example", "2.0.192.in-addr.arpa"
REVERSE6 = "8.b.d.0.1.0.0.2.ip6.arpa"
A, B, SIX = "192.0.2.21", "192.0.2.22", "2001:db8::21"
MAC_A, MAC_B, MAC_SIX = "02:00:00:00:00:21", "02:00:00:00:00:22", "02:00:00:00:00:21"

PROC = f"""\
IP address       HW type     Flags       HW address            Mask     Device
{A}       0x1         0x2         {MAC_A}     *        eth0
192.0.2.29       0x1         0x0         00:00:00:00:00:00     *        eth0
{B}       0x1         0x2         {MAC_B}     *        eth1
"""

IPROUTE = f"""\
{A} dev eth0 lladdr {MAC_A} REACHABLE
{B} dev eth1 lladdr {MAC_B} STALE
192.0.2.29 dev eth0  FAILED
192.0.2.30 dev eth0  INCOMPLETE
{SIX} dev eth0 lladdr {MAC_SIX} router STALE
fe80::1 dev eth0 lladdr 02:00:00:00:00:99 STALE
"""

IPROUTE_JSON = f"""\
[{{"dst":"{A}","dev":"eth0","lladdr":"{MAC_A}","state":["REACHABLE"]}},
 {{"dst":"{B}","dev":"eth1","lladdr":"{MAC_B}","state":["STALE"]}},
 {{"dst":"192.0.2.29","dev":"eth0","state":["FAILED"]}},
 {{"dst":"{SIX}","dev":"eth0","lladdr":"{MAC_SIX}","state":["STALE"]}}]
"""

ARP_AN = f"""\
? ({A}) at {MAC_A} [ether] on eth0
gateway ({B}) at {MAC_B} [ether] PERM on eth1
? (192.0.2.29) at <incomplete> on eth0
"""

FREEBSD = f"""\
? ({A}) at {MAC_A} on em0 expires in 1195 seconds [ethernet]
? ({B}) at {MAC_B} on em1 permanent [ethernet]
? (192.0.2.29) at (incomplete) on em0 expired [ethernet]
"""

NDP = f"""\
Neighbor                                Linklayer Address  Netif Expire    S Flags
{SIX}                            {MAC_SIX}    em0 23h58m12s S
fe80::1%em0                             02:00:00:00:00:99  em0 permanent R
"""

FOUR = {(A, MAC_A), (B, MAC_B)}
ALL = FOUR | {(SIX, MAC_SIX)}
FORMATS = {
    "proc": ("proc", PROC, FOUR), "iproute": ("iproute", IPROUTE, ALL),
    "iproute-json": ("iproute", IPROUTE_JSON, ALL), "linux-arp": ("bsd", ARP_AN, FOUR),
    "freebsd-arp": ("bsd", FREEBSD, FOUR), "ndp": ("bsd", NDP, {(SIX, MAC_SIX)}),
}


@pytest.fixture
def lab(start, bridges, database):
    dns = start(Bind, [FORWARD, REVERSE, REVERSE6])
    b = bridges(database).serve_zones(dns)
    b.subnet("192.0.2.0/24", FORWARD).subnet("2001:db8::/64", FORWARD)
    b.dns = dns
    return b.init()


def seen(bridge, source="arp"):
    """{(address, mac)} of a source in the list of hosts."""
    return {(h["address"], h["mac"]) for h in bridge.json("list", "hosts")
            if h["source"] == source}


def published(bridge):
    return sum((bridge.dns.axfr(z) for z in bridge.dns.zones), [])


# ---- printed tables -------------------------------------------------------------------------

@pytest.mark.parametrize("given", [True, False], ids=["named", "auto"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_table_in_a_file_is_read(lab, run_dir, form, given):
    name, text, want = FORMATS[form]
    path = run_dir / "table"
    path.write_text(text)
    lab.source("arp", "neighbour", file=path, **({"format": name} if given else {}))
    lab.reconcile()
    assert seen(lab) == want
    assert published(lab) == [], "a neighbour table names nobody"
    assert {h["name"] for h in lab.json("list", "hosts")} == {None}


@pytest.mark.parametrize("form", FORMATS)
def test_a_table_printed_by_a_command_is_read(lab, run_dir, form):
    name, text, want = FORMATS[form]
    path = run_dir / "a table"
    path.write_text(text)
    lab.source("arp", "neighbour", format=name, command=["cat", path])
    lab.reconcile()
    assert seen(lab) == want


def test_only_the_named_interfaces_are_taken(lab, run_dir):
    path = run_dir / "table"
    path.write_text(IPROUTE)
    lab.source("arp", "neighbour", file=path, interface=["eth1", "eth7"])
    lab.reconcile()
    assert seen(lab) == {(B, MAC_B)}


def test_no_shell_reads_the_command(lab, run_dir):
    mark = run_dir / "mark"
    path = run_dir / "table; touch mark"
    path.write_text(ARP_AN)
    lab.source("arp", "neighbour", format="bsd",
               command=["cat", path, f"$(touch {mark})", ";", "touch", mark])
    r = lab.run("reconcile")
    assert r.rc == 4 and "No such file" in r.stderr
    assert not mark.exists()


def test_names_in_a_table_are_not_taken(lab, run_dir):
    """The reverse lookup that arp prints is DNS' own word, or an attacker's."""
    path = run_dir / "table"
    path.write_text(f"evil.lab.example ({A}) at {MAC_A} [ether] on eth0\n"
                    f"dc1 ({B}) at {MAC_B} [ether] on eth0\n")
    lab.source("arp", "neighbour", file=path)
    lab.reconcile()
    assert seen(lab) == FOUR
    assert published(lab) == []


def test_a_neighbour_neither_names_nor_unnames_a_lease(lab, run_dir):
    leases = LeaseFile4(run_dir / "leases4.csv")
    leases.add(A, MAC_A, "laptop")
    path = run_dir / "table"
    path.write_text(ARP_AN)
    lab.source("dhcp", "kea-leases", file=leases.path)
    lab.source("arp", "neighbour", file=path)
    lab.reconcile()
    assert lab.dns.query(f"laptop.{FORWARD}") == [A]
    path.write_text(f"? ({B}) at {MAC_B} [ether] on eth0\n")
    lab.reconcile()
    leases.release(A)
    path.write_text(ARP_AN)
    lab.reconcile()
    assert published(lab) == []
    assert (A, MAC_A) in seen(lab)


def test_a_table_that_a_router_prints_twice_differently_is_followed(lab, run_dir):
    path = run_dir / "table"
    path.write_text(f"? ({A}) at {MAC_A} [ether] on eth0\n")
    lab.source("arp", "neighbour", file=path)
    lab.reconcile()
    path.write_text(f"? ({A}) at {MAC_B} [ether] on eth0\n")
    lab.reconcile()
    assert seen(lab) == {(A, MAC_B)}


# ---- the end --------------------------------------------------------------------------------

def test_an_address_that_is_not_seen_ends_after_stale_after_and_not_before(lab, run_dir):
    path = run_dir / "table"
    command = ["cat", path]
    lab.source("arp", "neighbour", command=command, stale_after="1h")
    path.write_text(ARP_AN)
    lab.reconcile()
    path.write_text(f"? ({B}) at {MAC_B} [ether] on eth0\n")
    shim = clock_shim(run_dir)
    # The name server signs with the true clock: only the evidence is looked at.
    lab.reconcile()
    assert seen(lab) == FOUR
    lab.run("reconcile", env=clock_env(shim, 3500))
    assert seen(lab) == FOUR
    lab.run("reconcile", env=clock_env(shim, 3700))
    assert seen(lab) == {(B, MAC_B)}


def test_a_table_that_cannot_be_read_ends_nothing(lab, run_dir):
    path = run_dir / "table"
    path.write_text(ARP_AN)
    lab.source("arp", "neighbour", command=["cat", path], stale_after="1m")
    lab.reconcile()
    path.unlink()
    shim = clock_shim(run_dir)
    assert lab.run("reconcile").rc == 4
    lab.run("reconcile", env=clock_env(shim, 7200))
    assert seen(lab) == FOUR
    path.write_text("")
    lab.run("reconcile", env=clock_env(shim, 7300))
    lab.run("reconcile", env=clock_env(shim, 9000))
    assert seen(lab) == FOUR, "empty after non-empty is no evidence"


def test_an_address_that_comes_back_lives_on(lab, run_dir):
    path = run_dir / "table"
    path.write_text(ARP_AN)
    lab.source("arp", "neighbour", command=["cat", path], stale_after="1h")
    lab.reconcile()
    path.write_text(f"? ({B}) at {MAC_B} [ether] on eth0\n")
    lab.reconcile()
    path.write_text(ARP_AN)
    lab.reconcile()
    path.write_text(f"? ({B}) at {MAC_B} [ether] on eth0\n")
    shim = clock_shim(run_dir)
    lab.run("reconcile", env=clock_env(shim, 3500))
    lab.run("reconcile", env=clock_env(shim, 3700))
    assert seen(lab) == FOUR


# ---- the kernel -----------------------------------------------------------------------------

class Namespace:
    """A network namespace of its own with a veth pair, held by a sleeping process."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "600"],
                                       stdin=subprocess.DEVNULL)
        mine = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != mine, 5)
        self.ip("link", "set", "lo", "up")
        self.ip("link", "add", "lan0", "type", "veth", "peer", "name", "lan1")
        for link in "lan0", "lan1":
            self.ip("link", "set", link, "up")
        self.ip("addr", "add", "192.0.2.1/24", "dev", "lan0")
        self.ip("-6", "addr", "add", "2001:db8::1/64", "dev", "lan0", "nodad")

    def words(self):
        return ["nsenter", "-t", str(self.holder.pid), "-n"]

    def ip(self, *words):
        subprocess.run([*self.words(), "ip", *words], check=True, capture_output=True)

    def close(self):
        self.holder.kill()
        self.holder.wait()


@pytest.fixture
def namespace():
    ns = Namespace()
    yield ns
    ns.close()


def run_in(ns, bridge, *words):
    """The database is reached by a Unix socket, the name server is not."""
    bridge.write_config()
    return subprocess.run([*ns.words(), binary(), "-c", str(bridge.config), *words],
                          capture_output=True, text=True, env=bridge.env(), timeout=60)


def test_the_kernels_own_table_is_read_for_both_families(lab, namespace):
    ns = namespace
    ns.ip("neigh", "add", A, "lladdr", MAC_A, "dev", "lan0", "nud", "reachable")
    ns.ip("neigh", "add", B, "lladdr", MAC_B, "dev", "lan0", "nud", "stale")
    ns.ip("neigh", "add", SIX, "lladdr", MAC_SIX, "dev", "lan0", "nud", "permanent")
    ns.ip("neigh", "add", "192.0.2.40", "dev", "lan0", "nud", "failed")
    lab.source("arp", "neighbour", interface=["lan0"])
    r = run_in(ns, lab, "reconcile")
    # The name server is outside the namespace: the source is read all the same.
    assert r.returncode == 4 and "arp: " not in r.stderr, r.stderr
    assert seen(lab) == ALL
    ns.ip("neigh", "del", A, "dev", "lan0")
    ns.ip("neigh", "add", "192.0.2.41", "lladdr", "02:00:00:00:00:41", "dev", "lan0",
          "nud", "reachable")
    run_in(ns, lab, "reconcile")
    assert seen(lab) == ALL | {("192.0.2.41", "02:00:00:00:00:41")}


def test_a_table_of_thousands_is_read_whole_from_the_kernel(lab, namespace):
    ns = namespace
    for link in "lan0", "lan1":
        ns.ip("link", "set", link, "up")
    lines = "".join(f"neigh add 192.0.{i // 250}.{i % 250 + 2} lladdr 02:00:00:00:{i >> 8:02x}:"
                    f"{i & 255:02x} dev lan0 nud permanent\n" for i in range(2000))
    subprocess.run([*ns.words(), "ip", "-batch", "-"], input=lines, text=True, check=True)
    lab.subnet("192.0.0.0/23", FORWARD)
    lab.source("arp", "neighbour")
    r = run_in(ns, lab, "reconcile")
    assert "arp: " not in r.stderr
    assert len(seen(lab)) == 2000


def test_an_interface_that_does_not_exist_is_said(lab, namespace):
    lab.source("arp", "neighbour", interface=["lan9"])
    r = run_in(namespace, lab, "reconcile")
    assert r.returncode == 4
    assert 'interface "lan9" does not exist' in r.stderr and "hint" in r.stderr
