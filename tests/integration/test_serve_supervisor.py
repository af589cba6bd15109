"""serve: starting, stopping, reloading, dying, and what the service manager is told.

But for the last, nothing here needs the database to be there: the daemon comes up and waits
for it.
"""

import os
import signal
import socket
import time

import pytest

from harness import Bind, wait_for
from harness.proc import children_of, free_port, process_state

STOP_MAX = 2.0    # seconds, of everything


def gone(pid):
    try:
        return process_state(pid) in (None, "Z", "X")
    except ProcessLookupError:   # between opening and reading
        return True


class Manager:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.said = []

    def env(self):
        return {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": "1000000"}

    def wait_for(self, words, deadline=20):
        """The first message with these words that came since the last call."""
        end = time.monotonic() + deadline
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                self.said.append(self.socket.recv(65536).decode())
            except TimeoutError:
                break
            if words in self.said[-1]:
                return self.said[-1]
        raise AssertionError(f"nobody said {words!r}; said was {self.said}")


@pytest.fixture
def manager(run_dir):
    m = Manager(run_dir / "notify")
    yield m
    m.socket.close()


@pytest.fixture
def site(bridges):
    """A configuration with a database that is not there."""
    b = bridges("host=/nonexistent dbname=nothing")
    b.http(f"127.0.0.1:{free_port()}")
    b.server("ns1", address="127.0.0.1", port=free_port()).zone("lab.example", "ns1")
    return b


@pytest.fixture
def daemon(site, manager):
    d = site.daemon("serve", env=manager.env())
    manager.wait_for("READY=1")
    return d


def stop(process):
    t0 = time.monotonic()
    pids = children_of(process.pid)
    status = process.stop()
    return status, time.monotonic() - t0, pids


# ---- starting and stopping -------------------------------------------------------------------

def test_it_starts_without_a_database_and_stops_at_once(daemon, manager):
    assert children_of(daemon.pid)
    status, took, pids = stop(daemon)
    assert status == 0
    assert took < STOP_MAX
    assert all(gone(p) for p in pids)
    manager.wait_for("STOPPING=1")


def test_the_stop_of_a_terminal_is_one_too(daemon):
    daemon.signal(signal.SIGINT)
    assert daemon.wait(STOP_MAX) == 0


def test_a_stopped_process_does_not_delay_the_end(daemon):
    """One that hangs in the kernel, as far as anybody can see."""
    for pid in children_of(daemon.pid):
        os.kill(pid, signal.SIGSTOP)
    status, took, pids = stop(daemon)
    assert status == 0
    assert took < STOP_MAX
    assert all(gone(p) for p in pids)


def test_a_bad_configuration_is_a_matter_of_usage(site):
    site.set(nonsense=1)
    r = site.run("serve", deadline=10)
    assert r.rc == 2
    assert f"{site.config}:3: " in r.stderr


@pytest.mark.parametrize("role, words", [
    ("pusher", 'there is no role "pusher"'),
    ("push:ns2", 'nothing to do for role "push:ns2"'),
    ("http:nobody", 'nothing to do for role "http:nobody"'),
])
def test_a_role_that_is_not_there_is_a_matter_of_usage(site, role, words):
    r = site.run("serve", "--role", role, deadline=10)
    assert r.rc == 2
    assert words in r.stderr


def test_one_role_alone(site, manager):
    d = site.daemon("serve", "--role", "http", env=manager.env())
    manager.wait_for("READY=1")
    assert len(children_of(d.pid)) == 1
    assert stop(d)[0] == 0


def test_a_process_of_a_role_without_a_supervisor(site):
    d = site.daemon("serve", "--role", "http:")
    wait_for(lambda: "HTTP" in d.log_text() or "127.0.0.1" in d.log_text(), 10, "it listens")
    assert children_of(d.pid) == []
    assert stop(d)[:2] < (1, STOP_MAX)


# ---- dying -----------------------------------------------------------------------------------

def test_a_killed_process_starts_again(daemon):
    for times in range(3):
        victim = children_of(daemon.pid)[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: gone(victim) and daemon.log_text().count("ended by signal 9") > times
                 and daemon.log_text().count(": started, process") > times + 1,
                 10, "it starts again")
    waits = [int(line.rsplit(" ", 2)[1]) for line in daemon.log_text().splitlines()
             if "starts again in" in line]
    assert len(waits) == 3 and all(w <= 400 for w in waits)
    assert daemon.running()


def test_nothing_outlives_a_killed_supervisor(daemon):
    pids = children_of(daemon.pid)
    daemon.kill()
    wait_for(lambda: all(gone(p) for p in pids), 5, "the processes are gone")


def test_processes_gain_no_rights_and_leave_no_core(daemon):
    for pid in children_of(daemon.pid):
        with open(f"/proc/{pid}/status") as f:
            assert "NoNewPrivs:\t1" in f.read()
        with open(f"/proc/{pid}/limits") as f:
            core = [line for line in f if line.startswith("Max core file size")][0]
        assert core.split()[4:6] == ["0", "0"]


# ---- reloading -------------------------------------------------------------------------------

def test_a_bad_reload_changes_nothing_and_says_so(site, daemon, manager):
    before = sorted(children_of(daemon.pid))
    site.set(nonsense=1).write_config()
    daemon.signal(signal.SIGHUP)
    assert "\nMONOTONIC_USEC=" in manager.wait_for("RELOADING=1")
    manager.wait_for("READY=1")
    assert f"not used: {site.config}:3: " in manager.wait_for("STATUS=")
    assert sorted(children_of(daemon.pid)) == before
    assert "the configuration before stays in use" in daemon.log_text()


def test_a_good_reload_starts_everything_anew(site, daemon, manager):
    before = children_of(daemon.pid)
    port = free_port()
    site.http(f"127.0.0.1:{port}").write_config()
    daemon.signal(signal.SIGHUP)
    manager.wait_for("RELOADING=1")
    manager.wait_for("READY=1")
    assert all(gone(p) for p in before)
    assert len(children_of(daemon.pid)) == len(before)

    def listens():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0
    wait_for(listens, 10, "the new port")


def test_a_storm_of_signals_ends_well(daemon, manager):
    for _ in range(200):
        daemon.signal(signal.SIGHUP)
    wait_for(lambda: "is good" in daemon.log_text(), 10, "a reload")
    daemon.signal(signal.SIGHUP)
    status, took, pids = stop(daemon)
    assert status == 0 and took < STOP_MAX
    assert all(gone(p) for p in pids)


# ---- the service manager ---------------------------------------------------------------------

def test_the_manager_hears_what_is_done_and_that_it_lives(daemon, manager):
    n = len(children_of(daemon.pid))
    said = manager.wait_for("; http: serving")
    assert said.startswith(f"STATUS={n} of {n} processes run; ")
    assert "; push ns1: " in said and "; sync: " in said
    manager.wait_for("WATCHDOG=1")
    t0 = time.monotonic()
    manager.wait_for("WATCHDOG=1")
    assert 0.3 < time.monotonic() - t0 < 1.0   # half of what it asks for


def test_a_supervisor_that_stands_still_is_silent(daemon, manager):
    manager.wait_for("WATCHDOG=1")
    daemon.pause()
    manager.socket.settimeout(0.01)
    with pytest.raises((TimeoutError, BlockingIOError)):   # what was under way
        while True:
            manager.socket.recv(65536)
    manager.socket.settimeout(1.5)
    with pytest.raises(TimeoutError):
        manager.socket.recv(65536)
    daemon.cont()
    manager.wait_for("WATCHDOG=1")


def test_the_socket_is_not_for_the_processes(daemon):
    for pid in children_of(daemon.pid):
        with open(f"/proc/{pid}/environ", "rb") as f:
            names = {v.split(b"=")[0] for v in f.read().split(b"\0")}
        assert not names & {b"NOTIFY_SOCKET", b"WATCHDOG_USEC", b"WATCHDOG_PID"}


# ---- keys ------------------------------------------------------------------------------------

def test_a_program_that_a_source_runs_cannot_read_a_key(labs):
    """The same one pass without confinement shows that only the daemon's walls are in its way."""
    lab = labs(Bind)
    key = lab.dns.key.file
    b = lab.bridge
    b.source("thief", "neighbour", format="iproute", command=["/bin/cat", key], every="1s")
    free = b.run("reconcile").stderr
    assert "thief" in free and "Permission denied" not in free

    d = b.daemon("serve", "--role", "ingest")
    d.wait_ready(lambda: "thief" in d.log_text() and "Permission denied" in d.log_text(), 20)
    assert lab.dns.key.secret not in d.log_text()
    assert "can be read by this role" not in d.log_text()
