"""The daemon's processes, to be found and killed one by one.

Supervised: as "serve" runs them.  Apart: each started by the suite itself, at once again when it
died, so that one can be put under strace, which kills it at its n-th call of something.
"""

import contextlib
import os
import signal

from harness import Process, wait_for
from harness.bridge import binary
from harness.proc import children_of

# LeakSanitizer and strace cannot trace the same process.
NO_LEAK_CHECK = {"ASAN_OPTIONS": "detect_leaks=0"}


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().decode().split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def kill(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Supervised:
    restarts_at_once = False

    def __init__(self, bridge, roles, log):
        self.roles = roles
        self.killed = 0
        self.process = Process([binary(), "-c", bridge.config, "serve"], log, bridge.env())

    def start(self):
        self.process.start()

    def pid(self, role):
        """The running process of this role; it may be between two lives."""
        return wait_for(lambda: self._find(role), 40, f"{role} to run")

    def _find(self, role):
        assert self.process.running(), f"serve ended\n{self.process.log_tail()}"
        return next((p for p in children_of(self.process.pid) if command(p)[-1:] == [role]), None)

    def kill(self, role):
        kill(self.pid(role))
        self.killed += 1

    def tend(self):
        """All must run."""
        for role in self.roles:
            self.pid(role)

    def kill_all(self):
        """The supervisor alone is killed: its children must not outlive it."""
        children = children_of(self.process.pid)
        self.process.kill()
        self.killed += len(children)
        wait_for(lambda: not any(command(p) for p in children), 10, "the children to end")

    def stop(self):
        status = self.process.stop()
        assert status in (0, None), f"serve ended with {status}\n{self.process.log_tail()}"


class Apart:
    restarts_at_once = True

    def __init__(self, bridge, roles, log):
        self.killed = 0
        self.bridge = bridge
        self.roles = roles
        self.log = log
        self.processes = {}
        self.traced = {}

    def start(self):
        for role in self.roles:
            self._launch(role)

    def _launch(self, role, *under):
        p = Process([*under, binary(), "-c", self.bridge.config, "serve", "--role", role],
                    self.log, {**self.bridge.env(), **(NO_LEAK_CHECK if under else {})})
        p.start()
        self.processes[role] = p
        self.traced[role] = bool(under)

    def pid(self, role):
        """The process of this role, never strace itself."""
        self._again(role)
        if self.traced[role]:
            found = wait_for(lambda: self._traced(role) or not self._runs(role), 10,
                             f"{role} to be started by strace")
            if found is not True:
                return found
            self._again(role)
        return self.processes[role].pid

    def _traced(self, role):
        """Ours among strace's children: it starts others first, to learn what the kernel can do."""
        if not self._runs(role):
            return None
        children = children_of(self.processes[role].pid)
        return next((pid for pid in children if command(pid)[:1] == [str(binary())]), None)

    def _runs(self, role):
        return self.processes[role].running()

    def _again(self, role):
        if not self._runs(role):
            self.killed += self.traced[role]
            self._launch(role)

    def kill(self, role):
        kill(self.pid(role))
        self.killed += 1

    def tend(self):
        for role in self.roles:
            self._again(role)

    def trace(self, role, call, n):
        """A new process in place of the old one, to be killed at this call."""
        self._end(role)
        self._launch(role, "strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                     "-e", f"inject={call}:signal=KILL:when={n}")

    def untrace(self, role):
        """Killed now, if it was not yet."""
        if self.traced[role]:
            self._end(role)
            self._launch(role)

    def _end(self, role):
        """strace ends with what it traces; killed itself it might leave that behind."""
        p = self.processes[role]
        if self.traced[role] and p.running():
            pid = wait_for(lambda: self._traced(role) or not p.running(), 10)
            if pid is not True:
                kill(pid)
            p.wait(10)
        p.kill()

    def kill_all(self):
        for role in self.roles:
            self._end(role)
        self.killed += len(self.roles)

    def stop(self):
        self.kill_all()
