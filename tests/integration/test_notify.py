"""NOTIFY of real servers: what people write is known long before the schedule says so."""

import socket

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import pytest

from harness import Bind, Knot
from harness.lab import FORWARD, REV24, ptr
from harness.proc import free_port, wait_for


def bind_notifies(port, signed):
    key = " key ipambridge" if signed else ""
    return ("notify no;", f"notify-delay 0; notify explicit; also-notify {{ 127.0.0.1 port {port}{key}; }};")


def knot_notifies(port, signed):
    key = "    key: ipambridge\n" if signed else ""
    return ("template:\n  - id: default\n",
            f"remote:\n  - id: bridge\n    address: 127.0.0.1@{port}\n{key}\n"
            "template:\n  - id: default\n    notify: bridge\n")


NOTIFIES = {Bind: bind_notifies, Knot: knot_notifies}


@pytest.fixture
def listening(labs, start):
    """A site whose daemon listens, on a server that sends."""
    def new(make, signed=False):
        server = start(make, zones=[FORWARD, REV24])
        lab = labs(dns=server)
        lab.port = free_port()
        old, text = NOTIFIES[make](lab.port, signed)
        before = server.config.read_text()
        assert old in before
        server.process.stop()
        server.config.write_text(before.replace(old, text))
        server.launch()
        lab.bridge.set(notify_listen=f"127.0.0.1:{lab.port}")
        lab.lease(1, "host1")
        lab.settle()
        lab.process = lab.bridge.daemon("-v", "-v", "serve")
        wait_for(lambda: "listens at 127.0.0.1" in lab.process.log_text(), 20, "it listens")
        wait_for(lambda: all(lab.bridge_sql("select pulled_at from ipambridge.zone")), 20)
        return lab
    return new


@pytest.mark.parametrize("make, signed", [(Bind, False), (Knot, True)])
def test_what_people_write_is_taken_in_at_once(listening, make, signed):
    lab = listening(make, signed)
    lab.dns.replace(ptr("192.0.2.1"), "PTR", f"anna.{FORWARD}.")
    wait_for(lambda: lab.dns.query(f"anna.{FORWARD}") == ["192.0.2.1"], 30, "the edit has come back")
    assert "NOTIFY" not in lab.process.log_text()           # none was refused
    assert lab.bridge_sql("select name from ipambridge.zone where hinted_at is not null "
                          "and name like '%arpa'") == [[REV24]]


def notify(lab, zone, source="127.0.0.1", tcp=False, key=None):
    """The rcode that a NOTIFY gets."""
    m = dns.message.make_query(zone, "SOA")
    m.set_opcode(dns.opcode.NOTIFY)
    m.flags = (m.flags & ~dns.flags.RD) | dns.flags.AA
    if key is not None:
        m.use_tsig(key.args()["keyring"], key.name, algorithm=key.args()["keyalgorithm"])
    ask = dns.query.tcp if tcp else dns.query.udp
    return dns.rcode.to_text(ask(m, "127.0.0.1", port=lab.port, timeout=5, source=source).rcode())


def test_who_may_say_what_and_how_often(listening):
    lab = listening(Bind)
    for tcp in False, True:
        assert notify(lab, FORWARD, tcp=tcp) == "NOERROR"
        assert notify(lab, FORWARD, tcp=tcp, key=lab.dns.key) == "NOERROR"   # dnspython checks ours
        assert notify(lab, FORWARD, tcp=tcp, key=lab.dns.other) == "NOTAUTH"
        assert notify(lab, "x\\027[2J.example", tcp=tcp) == "NOTAUTH"
    assert notify(lab, FORWARD, source="127.0.0.2") == "REFUSED"
    assert "NOTIFY for" in lab.process.log_text() and "\x1b" not in lab.process.log_text()
    # Hung up on before it says a word (one who has spoken may see a reset instead of the end), and
    # at once: a silent friend is only put out after five seconds.
    with socket.create_connection(("127.0.0.1", lab.port), 3, ("127.0.0.2", 0)) as stranger:
        assert stranger.recv(1) == b""
    # A storm costs few looks, and the last of it is followed.
    for _ in range(300):
        assert notify(lab, FORWARD) == "NOERROR"
    lab.dns.add(f"theirs.{FORWARD}", "A", "198.51.100.1")
    wait_for(lambda: lab.bridge_sql("select 1 from ipambridge.owner where seen like "
                                    "'%198.51.100.1%'"), 20, "what came with it is seen")
    assert lab.process.log_text().count("its server says that it changed") < 20
