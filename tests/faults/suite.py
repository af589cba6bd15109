"""Cycles: things happen, something breaks meanwhile, it is healed, and all must be as it should.

Each cycle ends when DNS is, to the byte, what the model of the events says; every so often, and at
the end, nothing may move any more.
"""

import collections
import contextlib
import pathlib
import re
import shutil
import signal
import tempfile
import time

from harness import REPO, wait_for
from harness.lab import mac

from .crew import kill
from .proxy import MODES
from .script import Script, leased, of_cycle
from .world import ROLES, World, keep, last

HEALED_DEADLINE = 60      # from healing until DNS is right; backoffs and one timeout are in it
CHAPTER = 10              # cycles with one daemon
QUIET = 10                # seconds in which no serial may move
QUIET_EVERY = 100         # cycles
SENDING = ["write", "sendto", "recvfrom", "poll", "read", "connect", "openat", "close", "fcntl"]


# ---- faults: contexts in which events go on happening -----------------------------------------

@contextlib.contextmanager
def killed_role(world, rng, role):
    last(rng.uniform(0, 0.1))
    world.crew.kill(role)
    yield
    # Under serve a second death waits longer each time; here it need not.
    if world.crew.restarts_at_once:
        last(rng.uniform(0, 0.1))
        world.crew.kill(role)
    world.crew.tend()


@contextlib.contextmanager
def killed_at_a_call(world, rng, role):
    """The suite's own processes only: a new one, which dies at its n-th call of something."""
    world.crew.trace(role, rng.choice(SENDING), int(2 ** rng.uniform(0, 7)))
    yield
    if role == DIRECT:
        world.crew.untrace(role)


@contextlib.contextmanager
def killed_all(world, rng):
    last(rng.uniform(0, 0.1))
    world.crew.kill_all()
    yield
    world.crew.start()


@contextlib.contextmanager
def paused_role(world, rng):
    pid = world.crew.pid(rng.choice(ROLES))
    kill(pid, signal.SIGSTOP)
    yield
    last(rng.uniform(0, 0.5))
    kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def killed_dns(world, rng):
    last(rng.uniform(0, 0.05))
    world.dns.kill()
    yield
    world.dns.launch()


@contextlib.contextmanager
def paused_dns(world, rng):
    last(rng.uniform(0, 0.05))
    world.dns.pause()
    yield
    last(rng.choice([0.1, 0.3, 0.5, 4]))
    world.dns.cont()


@contextlib.contextmanager
def restarted_dns(world, rng):
    world.dns.process.stop()
    yield
    world.dns.launch()


@contextlib.contextmanager
def rolled_back_dns(world, rng):
    world.roll_back()
    yield


@contextlib.contextmanager
def killed_postgres(world, rng):
    last(rng.uniform(0, 0.1))
    world.postgres.kill()
    yield
    world.postgres.start()


@contextlib.contextmanager
def paused_postgres(world, rng):
    last(rng.uniform(0, 0.05))
    world.postgres.pause()
    yield
    last(rng.choice([0.1, 0.3, 0.5, 4]))
    world.postgres.cont()


@contextlib.contextmanager
def restarted_postgres(world, rng):
    world.postgres.abandon()
    yield
    world.postgres.start()


@contextlib.contextmanager
def bad_line(world, rng, mode):
    world.proxy.go_bad(mode)
    yield
    last(rng.choice([0.1, 0.3, 4] if mode in ("swallow", "late") else [0.1, 0.3]))
    world.proxy.heal()


# While its receiver is killed, requests that no lease file confirms are lost: by design.
DIRECT = "ingest:default/direct"
# name: (weight, loses such requests, context)
FAULTS = {
    **{f"kill {role}": (12 if role == "push:ns1" else 8, role == DIRECT,
                        lambda w, rng, role=role: killed_role(w, rng, role)) for role in ROLES},
    "pause a role": (3, False, paused_role),
    "kill all": (5, True, killed_all),
    "kill named": (2, False, killed_dns),
    "pause named": (2, False, paused_dns),
    "restart named": (1, False, restarted_dns),
    "roll named back": (1, False, rolled_back_dns),
    "kill PostgreSQL": (1, False, killed_postgres),
    "pause PostgreSQL": (1, False, paused_postgres),
    "restart PostgreSQL": (1, False, restarted_postgres),
    **{f"line: {mode}": (1, False, lambda w, rng, mode=mode: bad_line(w, rng, mode))
       for mode in MODES},
}
AT_A_CALL = {
    f"call of {role}": (20 if role == "push:ns1" else 10, role == DIRECT,
                        lambda w, rng, role=role: killed_at_a_call(w, rng, role))
    for role in ROLES
}


class Suite:
    def __init__(self, seed, make="bind", say=lambda line: None, faults=None):
        self.seed = seed
        self.make = make
        self.say = say
        self.only = faults
        self.counts = collections.Counter()
        self.slowest = (0, "")
        self.log = []

    # ---- a run --------------------------------------------------------------------------------

    def run(self, cycles):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="ipambridge-faults-"))
        self.world = World(directory, self.make, of_cycle(self.seed, "line"))
        self.script = Script(self.seed)
        cycle = -1
        try:
            self.world.start()
            self._begin()
            for cycle in range(cycles):
                self._cycle(cycle)
                if (cycle + 1) % QUIET_EVERY == 0 or cycle + 1 == cycles:
                    self._quiet()
        except Exception as e:
            raise self._failure(e, cycle) from e
        finally:
            self.world.stop()
            shutil.rmtree(directory, ignore_errors=True)

    def _begin(self):
        self.world.daemon(supervised=True)
        for n, (client, label) in self.script.leases.items():
            self.world.leases.add(leased(n), mac(client), label)
        self._settle()

    def _cycle(self, cycle):
        rng = of_cycle(self.seed, cycle)
        supervised = cycle // CHAPTER % 2 == 0
        if cycle % CHAPTER == 0 and cycle > 0:
            self.world.daemon(supervised)
            self._listening()
        name, loses_direct, fault = self._choose(rng, supervised)
        n = rng.choice([1, 2, 4, 8, 8, 30])
        by_hand = self.script.person(rng) + self.script.command(rng)
        before = self.script.lfc(rng) + self.script.events(rng, n // 2, not loses_direct)
        if "roll" in name:
            self.script.foreign.clear()
        during = self.script.events(rng, n - n // 2, not loses_direct)
        self.log.append(f"{cycle}: {name}\n\t{by_hand}\n\t{before}\n\t{during}")
        self.counts[name.split(":")[0]] += 1
        began = time.monotonic()
        self.world.happen(by_hand + before)
        with fault(self.world, rng):
            self.world.happen(during)
        self.world.heal()
        self._settle()
        took = time.monotonic() - began
        self.log[-1] += f"\n\t{took:.2f} s"
        self.say(f"cycle {cycle}: {name}, {n} events, {took:.2f} s")
        self.slowest = max(self.slowest, (took, f"cycle {cycle}, {name}"))

    def _choose(self, rng, supervised):
        faults = {**FAULTS, **({} if supervised else AT_A_CALL)}
        if self.only:
            faults = {k: v for k, v in faults.items() if self.only in k} or faults
        names = list(faults)
        name = rng.choices(names, [faults[n][0] for n in names])[0]
        return (name, *faults[name][1:])

    def _listening(self):
        def ready():
            self.world.crew.tend()
            return self.world.listening()
        wait_for(ready, HEALED_DEADLINE, "both receivers to listen")

    def _settle(self):
        self.world.finish_verbs()
        want = self.script.records()
        different = []

        def done():
            self.world.crew.tend()
            different[:] = self.world.differences(want)
            return not different
        try:
            wait_for(done, HEALED_DEADLINE)
        except AssertionError:
            lines = "\n".join(different[:40])
            raise AssertionError(f"DNS is not as it should be:\n{lines}") from None
        self._listening()

    def _quiet(self):
        before = self.world.serials()
        last(QUIET)
        assert self.world.serials() == before, f"serials moved: {before}, {self.world.serials()}"
        self._settle()
        assert sorted(self.world.hosts()) == sorted(self.script.hosts()), "list hosts"
        assert self.world.bridge.json("list", "conflicts") == []

    # ---- failures -----------------------------------------------------------------------------

    def _failure(self, e, cycle):
        where = REPO / "build" / "faults" / f"{self.make}-{self.seed}"
        names = re.findall(r"^(?:missing|too much) (\S+) \d+ ", str(e), re.M)
        evidence = ""
        with contextlib.suppress(Exception):
            evidence = self.world.evidence(list(dict.fromkeys(names)))
        (self.world.dir / "cycles.log").write_text("\n".join(self.log) + "\n")
        (self.world.dir / "evidence.txt").write_text(f"{e}\n{evidence}\n")
        kept = keep(self.world.dir, where)
        return AssertionError(
            f"cycle {cycle} of seed {self.seed} on {self.make}: {type(e).__name__}: {e}\n"
            f"{self.log[-1] if self.log else ''}\nlogs: {kept}\n"
            f"replay: tests/faults/run --make {self.make} --seed {self.seed} "
            f"--cycles {cycle + 1}")

    def summary(self):
        what = ", ".join(f"{n} {k}" for k, n in sorted(self.counts.items()))
        return (f"{sum(self.counts.values())} cycles, {self.world.killed} processes killed; {what}; "
                f"slowest {self.slowest[0]:.1f} s ({self.slowest[1]})")
