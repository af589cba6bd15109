"""ipambridge itself: writes its configuration, runs its verbs."""

import json
import os
import subprocess
import time

from .proc import Process
from .servers import REPO


class Result:
    """What one verb did."""

    def __init__(self, argv, rc, stdout, stderr, seconds):
        self.argv = argv
        self.rc = rc
        self.stdout = stdout
        self.stderr = stderr
        self.seconds = seconds

    @property
    def json(self):
        try:
            return json.loads(self.stdout)
        except ValueError:
            raise AssertionError(f"no JSON on standard output\n{self}") from None

    def __str__(self):
        return (f"{' '.join(self.argv)} -> {self.rc} in {self.seconds:.2f} s\n"
                f"--- stdout\n{self.stdout}--- stderr\n{self.stderr}")


def binary():
    return os.environ.get("IPAMBRIDGE_BIN", str(REPO / "build/gcc/ipambridge"))


def quote(value):
    """A value of the configuration file; lists become { "a", "b" }."""
    if isinstance(value, (list, tuple)):
        return "{ " + ", ".join(quote(v) for v in value) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


class Bridge:
    """Collect servers, zones, subnets and sources, then run() verbs.

    Settings are given as keyword arguments with _ for -, as in every="5m" or
    key_file=path.  Each call may be made again later: the file is written before every run.
    """

    def __init__(self, directory, database):
        self.dir = directory
        self.dir.mkdir(parents=True, exist_ok=True)
        self.database = database
        self.config = self.dir / "ipambridge.conf"
        self.options = {}
        self.sections = {"": {}}
        self.deadline = 60
        self.daemons = []

    # ---- configuration ----------------------------------------------------------------------

    def set(self, **options):
        self.options.update(options)
        return self

    def _section(self, kind, title, space, settings):
        self.sections.setdefault(space, {})[(kind, title)] = settings
        return self

    def server(self, name, dns=None, **settings):
        """dns: a running DnsServer, whose address, port and key are taken."""
        if dns is not None:
            settings = {"address": dns.address, "port": dns.port, "key_file": dns.key.file,
                        **settings}
        return self._section("server", name, "", settings)

    def zone(self, name, server, space="", **settings):
        return self._section("zone", name, space, {"server": server, **settings})

    def subnet(self, prefix, zone=None, space="", **settings):
        if zone is not None:
            settings = {"zone": zone, **settings}
        return self._section("subnet", prefix, space, settings)

    def source(self, name, type, space="", **settings):
        return self._section("source", name, space, {"type": type, **settings})

    def http(self, listen):
        return self._section("http", None, "", {"listen": listen})

    def serve_zones(self, dns, name="ns1", **settings):
        """One server and all its zones."""
        self.server(name, dns)
        for zone in dns.zones:
            self.zone(zone, name, **settings)
        return self

    def config_text(self):
        lines = [f"database = {quote(self.database)}", f"state-dir = {quote(self.dir / 'state')}"]
        lines += [f"{k.replace('_', '-')} = {quote(v)}" for k, v in self.options.items()]
        for space, sections in self.sections.items():
            if space:
                lines.append(f"space {quote(space)} {{")
            for (kind, title), settings in sections.items():
                lines.append(f"{kind} {{" if title is None else f"{kind} {quote(title)} {{")
                lines += [f"\t{k.replace('_', '-')} = {quote(v)}" for k, v in settings.items()]
                lines.append("}")
            if space:
                lines.append("}")
        return "\n".join(lines) + "\n"

    def write_config(self):
        (self.dir / "state").mkdir(exist_ok=True)
        # In one step: a daemon may be reading it just now.
        new = self.config.with_suffix(".new")
        new.write_text(self.config_text())
        new.replace(self.config)

    # ---- running ----------------------------------------------------------------------------

    def env(self):
        """A plain one: the libraries that were unpacked for the servers are not for us."""
        keep = ("HOME", "USER", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                **{k: os.environ[k] for k in keep if k in os.environ}}

    def run(self, *words, deadline=None, stdin="", env=None):
        """One verb with its words; never raises for a status."""
        self.write_config()
        argv = [binary(), "-c", str(self.config), *[str(w) for w in words]]
        t0 = time.monotonic()
        try:
            r = subprocess.run(argv, input=stdin, capture_output=True, text=True,
                               errors="replace", env={**self.env(), **(env or {})},
                               timeout=deadline or self.deadline)
        except subprocess.TimeoutExpired as e:
            raise AssertionError(f"{argv} still ran after {e.timeout} s\n"
                                 f"{(e.stderr or b'').decode(errors='replace')}") from None
        return Result(argv, r.returncode, r.stdout, r.stderr, time.monotonic() - t0)

    def ok(self, *words, rc=0, **more):
        """run() that must end with this status."""
        r = self.run(*words, **more)
        assert r.rc == rc, f"expected {rc}\n{r}"
        return r

    def json(self, *words, rc=0, **more):
        """The parsed answer of a verb with --json."""
        return self.ok("--json", *words, rc=rc, **more).json

    def init(self):
        self.ok("db", "init")
        return self

    def reconcile(self, *words, rc=0, **more):
        return self.json("reconcile", *words, rc=rc, **more)

    def daemon(self, *words, env=None):
        """serve in the background; it ends with the fixture."""
        self.write_config()
        p = Process([binary(), "-c", self.config, *(words or ("serve",))],
                    self.dir / f"daemon{len(self.daemons)}.log", {**self.env(), **(env or {})})
        p.start()
        self.daemons.append(p)
        return p

    def close(self):
        for p in self.daemons:
            p.stop()
