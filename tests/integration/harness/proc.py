"""Processes, ports and waiting."""

import ctypes
import functools
import itertools
import os
import signal
import socket
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def wait_for(cond, deadline=10.0, what=None):
    """The first true answer of cond(); AssertionError when there was none in deadline seconds."""
    end = time.monotonic() + deadline
    pause = 0.005
    while True:
        got = cond()
        if got:
            return got
        if time.monotonic() >= end:
            raise AssertionError(f"after {deadline} s still not true: {what or cond}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


@functools.lru_cache(maxsize=None)
def _ports():
    """A thousand ports of this process alone, below those that outgoing connections take.

    An abstract socket's name stands for them: as the ports it is of the network namespace, and it
    goes with its process.
    """
    for base in range(12000, 32000, 1000):
        held = socket.socket(socket.AF_UNIX)
        try:
            held.bind(f"\0ipambridge tests, ports from {base}")
        except OSError:
            held.close()
            continue
        return held, itertools.cycle(range(base, base + 1000))
    raise AssertionError("too many test runs at once: each has a thousand ports")


def free_port(address="127.0.0.1"):
    """A port that is free for UDP and TCP, and given to nobody else for a long while."""
    for port in _ports()[1]:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
             socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind((address, port))
                udp.bind((address, port))
            except OSError:
                continue
            return port


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans():
    """Daemons that our children leave behind become our children instead of init's."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Process:
    """One program with its output in a log file."""

    def __init__(self, argv, log, env=None, cwd=None):
        self.argv = [str(a) for a in argv]
        self.log = log
        self.env = env
        self.cwd = cwd
        self.child = None

    def start(self):
        assert self.child is None, f"{self.argv[0]} runs already"
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self.env,
                cwd=self.cwd, preexec_fn=_die_with_parent, start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child is not None and self.child.poll() is None

    def signal(self, number):
        if self.running():
            self.child.send_signal(number)

    def stop(self, deadline=10.0):
        """Asks with SIGTERM, then kills; the exit status."""
        if self.child is None:
            return None
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.child.wait(deadline)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        return self._ended()

    def kill(self):
        """The crash: no time to write anything."""
        if self.child is None:
            return None
        self.child.kill()
        self.child.wait()
        return self._ended()

    def _ended(self):
        status, self.child = self.child.returncode, None
        return status

    def pause(self):
        """Hangs: connections stay open, nothing answers."""
        self.signal(signal.SIGSTOP)
        wait_for(lambda: process_state(self.pid) == "T", what=f"{self.argv[0]} stopped")

    def cont(self):
        self.signal(signal.SIGCONT)

    def wait(self, deadline):
        self.child.wait(deadline)
        return self._ended()

    def log_text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def wait_ready(self, cond, deadline=15.0):
        """cond() true, or a failure that shows the end of the log."""
        def ready():
            return not self.running() or cond()
        try:
            wait_for(ready, deadline)
        except AssertionError as e:
            raise AssertionError(f"{self.argv[0]} is not ready: {e}\n{self.log_tail()}") from None
        if not self.running():
            raise AssertionError(f"{self.argv[0]} ended at start\n{self.log_tail()}")

    def log_tail(self, n=25):
        return f"{self.log}:\n" + "\n".join(self.log_text().splitlines()[-n:])


def process_state(pid):
    """The state letter of /proc/PID/stat, or None; the name before it may hold anything."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def children_of(pid):
    """Pids of all direct children."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found.append(int(name))
    return found
