"""kea-ncr: the name change requests of a real Kea, and bursts of them."""

import socket

import pytest

from harness import Kea4, Kea6, Source, free_port, wait_for
from harness.lab import dhcid, duid, mac

DHCID = "000101758F14CB6B55A30F10639911DD9158BA481680EA81A13CF094B0EFEC67BDFEA7"
DDNS = {"enable-updates": True, "ncr-protocol": "UDP", "ncr-format": "JSON"}
BURST = 5000


@pytest.fixture
def source(run_dir):
    """source(listen=..., allow=...) starts a receiver."""
    started = []

    def new(**settings):
        started.append(Source(run_dir / f"source{len(started)}", "kea-ncr", **settings))
        return started[-1].start()

    yield new
    for s in started:
        s.stop()


def events(receiver):
    return [(o["end"], o["address"], o["name"]) for o in receiver.seen()]


def expect(receiver, *want):
    wait_for(lambda: len(events(receiver)) >= len(want), 10, what=f"{len(want)} requests")
    assert events(receiver) == list(want)
    assert sum(a["n_bad"] for a in receiver.answers()) == 0


# ---- the real Kea ----------------------------------------------------------------------------

def ddns_to(host, port):
    return {"dhcp-ddns": {**DDNS, "server-ip": host, "server-port": port},
            "ddns-send-updates": True}


def test_leases_of_the_real_kea_are_added_and_removed(source, start):
    port = free_port()
    receiver = source(listen=f"127.0.0.1:{port}")
    kea = start(Kea4, ["192.0.2.0/24"], **ddns_to("127.0.0.1", port))
    kea.add("192.0.2.7", mac(7), "host.lab.example.")
    kea.command("lease4-resend-ddns", ip_address="192.0.2.7")
    add = (False, "192.0.2.7", "host.lab.example.")
    expect(receiver, add)
    kea.command("lease4-del", ip_address="192.0.2.7", update_ddns=True)
    expect(receiver, add, (True, "192.0.2.7", "host.lab.example."))
    assert receiver.seen()[1]["end_why"] == "removed by the DHCP server"
    assert [o["dhcid"] for o in receiver.seen()] == [dhcid("host.lab.example", mac=mac(7))] * 2


def test_an_expired_lease_of_the_real_kea_is_removed(source, start):
    port = free_port()
    receiver = source(listen=f"127.0.0.1:{port}")
    kea = start(Kea4, ["192.0.2.0/24"], **ddns_to("127.0.0.1", port))
    kea.add("192.0.2.7", mac(7), "host.lab.example.", valid_lft=1)
    expect(receiver, (True, "192.0.2.7", "host.lab.example."))
    assert receiver.seen()[0]["dhcid"] == dhcid("host.lab.example", mac=mac(7))


def test_leases_of_the_real_kea_over_ipv6(source, start):
    port = free_port()
    receiver = source(listen=f"[::1]:{port}")
    kea = start(Kea6, ["2001:db8:0:1::/64"], **ddns_to("::1", port))
    kea.add("2001:db8:0:1::8", duid(8), "six.lab.example.")
    kea.command("lease6-resend-ddns", ip_address="2001:db8:0:1::8")
    add = (False, "2001:db8:0:1::8", "six.lab.example.")
    expect(receiver, add)
    kea.command("lease6-del", ip_address="2001:db8:0:1::8", update_ddns=True)
    expect(receiver, add, (True, "2001:db8:0:1::8", "six.lab.example."))
    assert [o["dhcid"] for o in receiver.seen()] == [dhcid("six.lab.example", duid=duid(8))] * 2


def test_names_that_kea_escapes_arrive_as_they_were(source, start):
    names = ["sp ace.lab.example.", 'q"uote.lab.example.', "semi;x.lab.example.",
             "at@dollar$.lab.example.", "comma,amp&x_y.lab.example.", "par(en).lab.example."]
    port = free_port()
    receiver = source(listen=f"127.0.0.1:{port}")
    kea = start(Kea4, ["192.0.2.0/24"], **ddns_to("127.0.0.1", port))
    for n, name in enumerate(names, 1):
        kea.add(f"192.0.2.{n}", mac(n), name)
        kea.command("lease4-resend-ddns", ip_address=f"192.0.2.{n}")
    expect(receiver, *((False, f"192.0.2.{n}", name) for n, name in enumerate(names, 1)))


def test_kea_goes_on_while_nobody_listens(source, start):
    port = free_port()
    kea = start(Kea4, ["192.0.2.0/24"], **ddns_to("127.0.0.1", port))
    for n in range(1, 21):
        kea.add(f"192.0.2.{n}", mac(n), f"host{n}.lab.example.")
        kea.command("lease4-resend-ddns", ip_address=f"192.0.2.{n}")
    receiver = source(listen=f"127.0.0.1:{port}")
    kea.command("lease4-resend-ddns", ip_address="192.0.2.20")
    expect(receiver, (False, "192.0.2.20", "host20.lab.example."))


# ---- bursts ----------------------------------------------------------------------------------

def request(n):
    text = (f'{{"change-type":0,"forward-change":true,"reverse-change":true,'
            f'"fqdn":"host{n}.lab.example.","ip-address":"10.0.{n >> 8}.{n & 255}",'
            f'"dhcid":"{DHCID}","lease-expires-on":"20261121075554","lease-length":1200,'
            f'"use-conflict-resolution":true}}').encode()
    return len(text).to_bytes(2, "big") + text


def burst(receiver, port):
    """All at once at somebody who does not look."""
    receiver.process.pause()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for n in range(BURST):
            s.sendto(request(n), ("127.0.0.1", port))
    receiver.process.cont()


def drained(receiver, port):
    """What came before a last request of another address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(request(0xffff), ("127.0.0.1", port))
    wait_for(lambda: any(o["address"] == "10.0.255.255" for o in receiver.seen()))
    return [o["name"] for o in receiver.seen() if o["address"] != "10.0.255.255"]


def test_a_burst_is_whole_or_said_to_be_lost(source):
    port = free_port()
    receiver = source(listen=f"127.0.0.1:{port}")
    burst(receiver, port)
    wait_for(lambda: len(receiver.seen()) >= BURST or
             any(a["answer"] == "lost" for a in receiver.answers()))
    names = drained(receiver, port)
    lost = any(a["answer"] == "lost" for a in receiver.answers())
    assert lost or names == [f"host{n}.lab.example." for n in range(BURST)]
    # Unprivileged, with a small net.core.rmem_max, the buffer may be too small for all.
    assert not lost or "instead of" in receiver.process.log_text()


def test_a_burst_beyond_the_buffer_is_said_without_another_request(source):
    port = free_port()
    receiver = source(listen=f"127.0.0.1:{port}", receive_buffer="64k")
    burst(receiver, port)
    wait_for(lambda: any(a["answer"] == "lost" for a in receiver.answers()))
    wait_for(lambda: "requests lost" in receiver.process.log_text())
    names = drained(receiver, port)
    assert 0 < len(names) < BURST
    assert f"{BURST - len(names)} requests lost" in receiver.process.log_text()


def test_others_than_the_allowed_are_counted(source):
    port = free_port()
    receiver = source(listen=f"0.0.0.0:{port}", allow="127.0.0.2,192.0.2.0/24")
    for n, sender in enumerate(["127.0.0.1", "127.0.0.2"]):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((sender, 0))
            s.sendto(request(n), ("127.0.0.1", port))
    wait_for(lambda: len(receiver.seen()) == 1)
    assert receiver.seen()[0]["name"] == "host1.lab.example."
    assert [w for a in receiver.answers() for w in a["bad"]] == [
        "the sender 127.0.0.1 is not allowed"]
