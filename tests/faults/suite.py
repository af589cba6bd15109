"""Cycles: things happen, something breaks meanwhile, it is healed, and all must be as it should.

Each cycle ends when DNS is, to the byte, what the model of the events says; every so often, and at
the end, nothing may move any more.
"""

import collections
import contextlib
import dataclasses
import pathlib
import re
import shutil
import signal
import tempfile
import time
import typing

from harness import REPO, wait_for

from .crew import kill
from .proxy import MODES
from .script import Script, of_cycle
from .world import DIRECT, FOLLOWERS, ROLES, World, keep, last

HEALED_DEADLINE = 60      # from healing until DNS is right; backoffs and one timeout are in it
CHAPTER = 10              # cycles with one daemon
SLOW = 0.06               # of the cycles wait for clocks: leases end, somebody's edit is noticed
COMPACT = 0.08            # of the cycles have Kea's cleanup right after releases
PACE, SLOW_PACE = 0.1, 1.5     # seconds that a fault may let pass first
QUIET = 10                # seconds in which no serial may move
QUIET_EVERY = 100         # cycles
SENDING = ["write", "sendto", "recvfrom", "poll", "read", "connect", "openat", "close", "fcntl"]


# ---- faults: contexts in which events go on happening -----------------------------------------

@contextlib.contextmanager
def killed_role(world, rng, role):
    last(rng.uniform(0, world.pace))
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
    last(rng.uniform(0, world.pace))
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
    last(rng.uniform(0, world.pace / 2))
    world.dns.kill()
    yield
    world.dns.launch()


@contextlib.contextmanager
def paused_dns(world, rng):
    last(rng.uniform(0, world.pace / 2))
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
    last(rng.uniform(0, world.pace))
    world.postgres.kill()
    yield
    world.postgres.start()


@contextlib.contextmanager
def paused_postgres(world, rng):
    last(rng.uniform(0, world.pace / 2))
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


@dataclasses.dataclass
class Fault:
    weight: int
    run: typing.Callable
    # Roles that end by it, or begin anew.  What was only said, and what Kea's cleanup takes out of
    # a file meanwhile, they never get to know: by design.
    ends: set = frozenset()


EVERY_FOLLOWER = set(FOLLOWERS.values())
FAULTS = {
    **{f"kill {role}": Fault(12 if role == "push:ns1" else 8,
                             lambda w, rng, role=role: killed_role(w, rng, role), {role})
       for role in ROLES},
    "pause a role": Fault(3, paused_role, EVERY_FOLLOWER),
    "kill all": Fault(5, killed_all, set(ROLES)),
    "kill named": Fault(2, killed_dns),
    "pause named": Fault(2, paused_dns),
    "restart named": Fault(1, restarted_dns),
    "roll named back": Fault(1, rolled_back_dns),
    "kill PostgreSQL": Fault(1, killed_postgres, EVERY_FOLLOWER),
    "pause PostgreSQL": Fault(1, paused_postgres, EVERY_FOLLOWER),
    "restart PostgreSQL": Fault(1, restarted_postgres, EVERY_FOLLOWER),
    **{f"line: {mode}": Fault(1, lambda w, rng, mode=mode: bad_line(w, rng, mode))
       for mode in MODES},
}
AT_A_CALL = {
    f"call of {role}": Fault(20 if role == "push:ns1" else 10,
                             lambda w, rng, role=role: killed_at_a_call(w, rng, role), {role})
    for role in ROLES
}


class Suite:
    def __init__(self, seed, make="bind", say=lambda line: None, faults=None):
        self.seed = seed
        self.make = make
        self.say = say
        self.only = faults
        self.counts = collections.Counter()     # of faults
        self.events = collections.Counter()
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
        for address, who in self.script.leases.items():
            self.world.lease(address, *who)
        self._settle()

    def _cycle(self, cycle):
        rng = of_cycle(self.seed, cycle)
        supervised = cycle // CHAPTER % 2 == 0
        if cycle % CHAPTER == 0 and cycle > 0:
            self.world.daemon(supervised)
            self._listening()
        name, fault = self._choose(rng, supervised)
        self.log.append(f"{cycle}: {name}")
        self.counts[name.split(":")[0]] += 1
        began = time.monotonic()
        before, during = self._script(rng, fault)
        if "roll" in name:
            self.script.roll_back()
        self._happen(before)
        with fault.run(self.world, rng):
            self._happen(during)
            self.world.outlast()
        self.world.heal()
        self._settle()
        took = time.monotonic() - began
        self.log[-1] += f"\n\t{took:.2f} s"
        self.say(f"cycle {cycle}: {name}, {len(before) + len(during)} events, {took:.2f} s")
        self.slowest = max(self.slowest, (took, f"cycle {cycle}, {name}"))

    def _happen(self, events):
        self.log[-1] += f"\n\t{events}"
        self.events.update(method for method, *_ in events)
        self.world.happen(events)

    def _choose(self, rng, supervised):
        faults = {**FAULTS, **({} if supervised else AT_A_CALL)}
        if self.only:
            faults = {k: v for k, v in faults.items() if self.only in k} or faults
        names = list(faults)
        name = rng.choices(names, [faults[n].weight for n in names])[0]
        return name, faults[name]

    def _script(self, rng, fault):
        """What happens before the fault, and during it."""
        script = self.script
        script.begin()
        n, direct, busy = rng.choice([1, 2, 4, 8, 8, 30]), DIRECT not in fault.ends, set()
        kind = rng.choices(["usual", "slow", "compact"], [1 - SLOW - COMPACT, SLOW, COMPACT])[0]
        self.world.pace = SLOW_PACE if kind == "slow" else PACE
        if kind == "compact":
            return self._compact(rng, n, fault)
        before = script.found_again() + script.lfc(rng)
        if kind == "slow":
            self.world.rests()
            before += script.meddle(rng, busy) + script.clock(rng, busy)
        before += script.person(rng, busy) + script.command(rng)
        before += script.events(rng, n // 2, direct, busy)
        return before, script.events(rng, n - n // 2, direct, busy)

    def _compact(self, rng, n, fault):
        """Kea's cleanup right after releases.  A source that was just seen to be followed misses
        none of them; one that ends may, and nothing else may have ended before."""
        script, f, busy = self.script, rng.choice([4, 6]), set()
        unread = FOLLOWERS[f] in fault.ends
        if not unread:
            self._happen(script.canary(f))
            self._settle()
        before = script.found_again()
        during = script.compaction(rng, f, busy, unread)
        return before, during + script.events(rng, n, DIRECT not in fault.ends, busy)

    def _listening(self):
        def ready():
            self.world.crew.tend()
            return self.world.listening()
        wait_for(ready, HEALED_DEADLINE, "both receivers to listen")

    def _settle(self):
        self.world.finish_verbs()
        self.world.finish_lfc()
        want, maybes = self.script.records(), self.script.maybes()
        different = []

        def done():
            self.world.crew.tend()
            different[:] = self.world.differences(want, maybes)
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
        maybe = self.script.maybe_hosts()
        hosts = sorted(h for h in self.world.hosts() if h not in maybe)
        assert hosts == sorted(self.script.hosts()), "list hosts"
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
        return (f"{sum(self.counts.values())} cycles, {self.world.killed} processes killed; "
                f"{told(self.counts)}; slowest {self.slowest[0]:.1f} s ({self.slowest[1]}); "
                f"{told(self.events)}")


def told(counts):
    return ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
