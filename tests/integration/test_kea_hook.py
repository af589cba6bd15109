"""kea-hook: the verb with the environment that Kea gives it, its listener, and a real Kea."""

import concurrent.futures
import contextlib
import pathlib
import re
import socket
import statistics
import struct
import subprocess
import time
import zlib

import pytest

from harness import Kea4, Kea6, Source, server_env, wait_for
from harness.bridge import binary
from harness.lab import duid, mac, pair

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures/kea"
SPOOL_MAX = 16 << 20


class Hook:
    """One socket and one spool, and the verb as Kea starts it."""

    def __init__(self, directory):
        self.dir = directory
        self.socket, self.spool = directory / "h.sock", directory / "h.spool"
        self.readers = []

    def listen(self):
        self.readers.append(Source(self.dir / f"source{len(self.readers)}", "kea-hook",
                                   socket=self.socket, spool=self.spool))
        return self.readers[-1].start()

    def words(self):
        return [binary(), "kea-hook", "--socket", str(self.socket), "--spool", str(self.spool)]

    def tell(self, event, env):
        """An environment of these variables alone; messages are returned."""
        r = subprocess.run([*self.words(), event], env=env, stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=60)
        assert (r.returncode, r.stdout) == (0, b"")
        return r.stderr.decode()

    def lease(self, n, event="lease4_renew", **more):
        env = {"ADDRESS": f"192.0.2.{n}", "CLTT": "1795246552", "HOSTNAME": f"host{n}.lab.example",
               "HWADDR": mac(n), "STATE": "default", "VALID_LIFETIME": "3600", **more}
        return self.tell(event, {f"LEASE4_{k}": v for k, v in env.items()})


@pytest.fixture
def hook(run_dir):
    h = Hook(run_dir)
    yield h
    for r in h.readers:
        r.stop()


def capture(name):
    """(event, environment) as Kea 2.2 gave it."""
    parts = re.split(rb"^===.*argv=\[(\w+)\].*$", (FIXTURES / name).read_bytes(), flags=re.M)
    for event, text in zip(parts[1::2], parts[2::2]):
        text = re.split(rb"^####", text, flags=re.M)[0]
        lines = [line for line in text.split(b"\n") if b"=" in line]
        yield event.decode(), dict(line.split(b"=", 1) for line in lines)


def expected(name):
    """(address, end_why) of each observation, from the file the unit test compares with."""
    out = []
    for line in (FIXTURES / name).read_text().splitlines():
        line = re.sub(r" skipped \d+$", "", line)
        if " " in line:
            m = re.match(r"\w+ (\S+) .* \+\d+( (\w+))?$", line)
            out.append((m[1], m[3]))
    return out


def seen(reader):
    return [(o["address"], o["end_why"]) for o in reader.seen()]


def hosts(reader):
    return sorted(int(o["address"].rsplit(".", 1)[1]) for o in reader.seen())


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_every_event_that_kea_gave_arrives(hook, family):
    reader = hook.listen()
    for event, env in capture(f"hook-{family}-env.txt"):
        assert hook.tell(event, env) == ""
    want = expected(f"hook-{family}-want.txt")
    wait_for(lambda: len(seen(reader)) >= len(want), 10, what=f"{len(want)} observations")
    assert seen(reader) == want
    assert sum(a["n_bad"] for a in reader.answers()) == 0
    # None of them found the socket full: that would have gone through the spool.
    assert hook.spool.stat().st_size == 0


def test_events_wait_in_the_spool_while_nobody_listens(hook):
    for n in range(1, 11):
        assert hook.lease(n) == ""
    reader = hook.listen()
    wait_for(lambda: len(reader.seen()) == 10)
    assert hosts(reader) == list(range(1, 11))
    hook.lease(11)
    wait_for(lambda: len(reader.seen()) == 11)


def fill(path):
    """As many datagrams as the socket takes."""
    n = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as s:
        with contextlib.suppress(BlockingIOError):
            while n < 100000:
                s.sendto(b"nonsense", str(path))
                n += 1
    return n


def test_events_wait_in_the_spool_while_the_listener_is_busy(hook):
    reader = hook.listen()
    reader.process.pause()
    n = fill(hook.socket)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        told = list(pool.map(hook.lease, range(1, 41)))
    assert hook.spool.stat().st_size > 40 * 100
    reader.process.cont()
    assert set(told) == {""}
    wait_for(lambda: len(reader.seen()) == 40)
    assert hosts(reader) == list(range(1, 41))
    wait_for(lambda: sum(a["n_bad"] for a in reader.answers()) == n)
    assert "lost" not in [a["answer"] for a in reader.answers()]


def header(at, end, lost=0):
    b = b"ipaspool" + struct.pack(">QQQ", at, end, lost)
    return b + struct.pack(">I", zlib.crc32(b))


def test_what_a_full_spool_refuses_is_counted_and_told(hook):
    # Everything but the last bytes was read already.
    hook.spool.write_bytes(header(SPOOL_MAX - 40, SPOOL_MAX - 40))
    for n in range(3):
        assert "lost (No such file or directory; spool" in hook.lease(n)
    reader = hook.listen()
    wait_for(lambda: "spool, full, 3 events lost" in reader.process.log_text())
    assert [a["answer"] for a in reader.answers()] == ["lost"]
    # Cut, now that it was read to its end: there is room again.
    wait_for(lambda: hook.spool.read_bytes() == header(36, 36))
    reader.stop()
    assert hook.lease(7) == ""
    after = hook.listen()
    wait_for(lambda: hosts(after) == [7])


def test_hostile_words_of_a_client_arrive_as_they_are(hook):
    reader = hook.listen()
    name = "$(touch pwned)`id`\n'\";x=\\é\x1b[31m"
    hook.lease(1, HOSTNAME=name, CLIENT_ID="01:ff")
    hook.lease(2, HOSTNAME="x" * 100000)
    hook.lease(3, CLIENT_ID="x" * 100000)
    hook.lease(4)
    wait_for(lambda: 4 in hosts(reader))
    assert hosts(reader) == [1, 4]
    raw = name.encode()
    escaped = "".join("\\\\" if b == 0x5c else chr(b) if 32 <= b < 127 else f"\\x{b:02x}"
                      for b in raw)
    assert reader.seen()[0]["name"] == escaped
    assert [w for a in reader.answers() for w in a["bad"]] == [
        "the host name is longer than 255 bytes", "the client id is not one"]


def test_kea_is_never_told_of_a_failure(hook, run_dir):
    assert 'event "lease4_select" is not known' in hook.tell("lease4_select", {})
    hook.socket = run_dir / "no" / "h.sock"
    hook.spool = run_dir / "no" / "h.spool"
    assert "lease4_renew, lost" in hook.lease(1)
    hook.socket = run_dir / ("x" * 200)
    hook.spool = run_dir / "h.spool"
    assert hook.lease(1) == ""
    assert hook.spool.exists()


def test_a_configuration_is_not_needed(hook, run_dir):
    reader = hook.listen()
    env = {"IPAMBRIDGE_CONFIG": str(run_dir / "none"), "LEASE4_ADDRESS": "192.0.2.1",
           "LEASE4_CLTT": "1", "LEASE4_STATE": "default", "LEASE4_VALID_LIFETIME": "9"}
    assert hook.tell("lease4_renew", env) == ""
    wait_for(lambda: hosts(reader) == [1])


def test_how_long_an_event_takes(hook):
    """Printed only: a machine that is busy is no fault of ours.  The goal is 50 ms."""
    reader = hook.listen()

    def median(runs=20):
        times = []
        for n in range(runs):
            t0 = time.monotonic()
            hook.lease(n + 1)
            times.append((time.monotonic() - t0) * 1000)
        return statistics.median(times)

    print(f"kea-hook: {median():.1f} ms to the socket", end="")
    wait_for(lambda: len(reader.seen()) == 20)
    reader.stop()
    print(f", {median():.1f} ms to the spool (medians of 20)")


# ---- the real Kea ----------------------------------------------------------------------------

def run_script(hook):
    """Kea's clauses: lease commands, and our script as contrib/kea has it."""
    words = " ".join(hook.words()[1:])
    shipped = pathlib.Path(__file__).parents[2] / "contrib/kea/ipambridge-hook"
    text = shipped.read_text().replace("/usr/local/bin/ipambridge kea-hook",
                                       f"{binary()} {words}")
    assert words in text
    script = hook.dir / "ipambridge-hook"
    script.write_text(text)
    script.chmod(0o755)
    hooks = server_env()["HOOKS"]
    return {"hooks-libraries": [
        {"library": f"{hooks}/libdhcp_lease_cmds.so"},
        {"library": f"{hooks}/libdhcp_run_script.so",
         "parameters": {"name": str(script), "sync": False}}]}


@pytest.mark.parametrize("kind, subnet, who", [(Kea4, "192.0.2.0/24", mac),
                                               (Kea6, "2001:db8:0:1::/64", duid)])
def test_the_real_kea_tells_of_a_lease_that_expired(hook, start, kind, subnet, who):
    reader = hook.listen()
    kea = start(kind, [subnet], **run_script(hook))
    address = subnet.split("/")[0].removesuffix("0") + "7"
    kea.add(address, who(7), "host.lab.example.", valid_lft=1)
    wait_for(lambda: seen(reader) == [(address, "reclaimed")], 20)
    assert reader.seen()[0]["name"] == "host.lab.example."


# ---- the daemon ------------------------------------------------------------------------------

@pytest.fixture
def told(bind_lab):
    """A site whose daemon listens in its state directory, and Kea's side of that."""
    lab = bind_lab
    lab.bridge.source("hook", "kea-hook")
    # Once in a day: nothing but the event may bring the name.
    lab.bridge._section("schedule", None, "", {"reconcile": "24h", "pull": "24h"})
    lab.reconcile()
    hook = Hook(lab.bridge.dir / "state")
    hook.socket, hook.spool = hook.dir / "hook.sock", hook.dir / "hook.spool"
    return hook


def lease_of(hook, n, event="lease4_renew", **more):
    assert hook.lease(n, event, CLTT=str(int(time.time())), **more) == ""


def names(lab, n):
    return lambda: lab.records() == pair(f"host{n}.lab.example", f"192.0.2.{n}", mac=mac(n))


def test_the_daemon_takes_a_lease_from_its_event_to_dns(bind_lab, told):
    lab = bind_lab
    daemon = lab.bridge.daemon()
    wait_for(told.socket.exists)
    lease_of(told, 7)
    wait_for(names(lab, 7), 20)
    lease_of(told, 7, "lease4_release")
    wait_for(lambda: lab.records() == [], 20)
    # While it is away.
    daemon.stop()
    assert not told.socket.exists()
    lease_of(told, 8)
    lab.bridge.daemon()
    wait_for(names(lab, 8), 20)


def test_a_pass_leaves_events_to_the_daemon(bind_lab, told):
    lab = bind_lab
    lease_of(told, 7)
    lab.reconcile()
    assert lab.records() == []
    assert "reads no file" in lab.bridge.ok("import", "--type", "kea-hook", "/dev/null",
                                            rc=2).stderr
    lab.bridge.daemon()
    wait_for(names(lab, 7), 20)
