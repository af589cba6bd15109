"""A private PostgreSQL cluster: contrib/local-postgres starts it, on a Unix socket alone."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess

from .proc import adopt_orphans, children_of, process_state, wait_for
from .servers import REPO, server_env

SCRIPT = REPO / "contrib" / "local-postgres"
# A new database is three hundred files.
EMPTY = """select pg_terminate_backend(pid, 5000)
from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
do $$
declare
	names text;
begin
	perform set_config('ipambridge.trim', 'on', true);
	select string_agg(format('ipambridge.%I', tablename), ', ') into names
		from pg_tables where schemaname = 'ipambridge' and tablename not in ('migration', 'identity');
	execute 'truncate ' || names || ' restart identity';
end $$"""


class Postgres:
    """fast: no fsync and asynchronous commit, so kill() may lose what was acknowledged."""

    def __init__(self, directory, fast=True):
        self.dir = pathlib.Path(directory)
        self.fast = fast
        self.conninfo = None
        self.made = 0
        self.paused = []
        self.used = []

    def _script(self, verb, *words):
        # The script's server keeps running: it must not hold our pipe open.
        log = self.dir.parent / f"{self.dir.name}.local-postgres.log"
        with open(log, "ab") as err:
            r = subprocess.run([SCRIPT, verb, self.dir, *words], env=server_env(), stderr=err,
                               stdout=subprocess.PIPE, text=True, timeout=90)
        if r.returncode != 0:
            raise AssertionError(f"local-postgres {verb} ended with {r.returncode}\n"
                                 f"{log.read_text(errors='replace')[-3000:]}")
        return r.stdout.strip()

    def start(self):
        # pg_ctl leaves its server to init, which in a container may never collect the dead: the
        # next pg_ctl would then take the zombie for a running server.
        adopt_orphans()
        self.conninfo = self._script("start", *(["--fast"] if self.fast else [])).splitlines()[-1]
        return self

    def stop(self):
        self.cont()
        if self.conninfo is not None:
            self._script("stop")
            self.conninfo = None

    def abandon(self):
        """Ends without writing hundreds of databases out that nobody will open again."""
        self.cont()
        if self.conninfo is not None:
            master = self.postmaster_pid()
            os.kill(master, signal.SIGQUIT)
            wait_for(lambda: process_state(master) in (None, "Z"), 30, "PostgreSQL ended")
            self.conninfo = None

    def restart(self):
        self.stop()
        self.start()

    # ---- databases and statements -----------------------------------------------------------

    def database(self, name=None, template=None):
        """A new database, empty or a copy of template; its libpq string."""
        self.made += 1
        name = name or f"test_{os.getpid()}_{self.made}"
        like = f' template "{template}"' if template else ""
        self.sql(f'create database "{name}"{like}')
        return self.conninfo_for(name)

    def lend(self, template):
        """A database like template: one that was given back and emptied, or else a new one."""
        if not self.used:
            return self.database(template=template)
        conninfo = self.used.pop()
        self.sql(EMPTY, conninfo)
        return conninfo

    def give_back(self, conninfo):
        self.used.append(conninfo)

    def conninfo_for(self, name):
        """libpq takes the last of two equal keywords."""
        return f"{self.conninfo} dbname={name}"

    def sql(self, text, conninfo=None, deadline=30):
        """Rows as lists of text, NULL as an empty string."""
        env = server_env()
        r = subprocess.run([f"{env['PGBIN']}/psql", "-XqAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=1",
                            "-d", conninfo or self.conninfo, "-c", text],
                           env=env, capture_output=True, text=True, timeout=deadline)
        if r.returncode != 0:
            raise AssertionError(f"{text}\n{r.stderr}")
        return [line.split("\x1f") for line in r.stdout.splitlines()]

    @contextlib.contextmanager
    def listening(self, channel, conninfo=None):
        """A function that tells how many notifications of the channel came until now."""
        env = server_env()
        p = subprocess.Popen([f"{env['PGBIN']}/psql", "-XqAt", "-d", conninfo or self.conninfo],
                             env=env, text=True, bufsize=1, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        heard = 0

        def ask(text, end):
            nonlocal heard
            p.stdin.write(f"{text}\n\\echo {end}\n")
            p.stdin.flush()
            while (line := p.stdout.readline().strip()) != end:
                assert line, f"psql ended: {text}"
                heard += "notification" in line
            return heard

        try:
            ask(f"listen {channel};", "listening")
            # What came since is printed after a statement.
            yield lambda: (ask("select 1;", "asked"), ask("select 1;", "asked"))[1]
        finally:
            p.stdin.close()
            p.wait(10)
            p.stdout.close()

    # ---- faults -----------------------------------------------------------------------------

    def postmaster_pid(self):
        for path in [self.dir / "postmaster.pid", *self.dir.glob("*/postmaster.pid")]:
            if path.exists():
                return int(re.match(r"\d+", path.read_text()).group())
        raise AssertionError(f"no postmaster.pid below {self.dir}")

    def pause(self):
        """The whole cluster hangs, open sessions too: nothing answers, nothing is closed."""
        master = self.postmaster_pid()
        # The master first: it makes no more children then, but one may be ending just now.
        os.kill(master, signal.SIGSTOP)
        self.paused = [master, *children_of(master)]
        for pid in self.paused[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: process_state(master) == "T", what="PostgreSQL stopped")

    def cont(self):
        for pid in self.paused:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        self.paused = []

    def kill(self):
        """The crash of the whole cluster; start() recovers it."""
        master = self.postmaster_pid()
        pids = [master, *children_of(master)]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.waitpid(master, 0)
        wait_for(lambda: all(process_state(p) in (None, "Z") for p in pids), what="all gone")
        self.paused = []
        self.conninfo = None
