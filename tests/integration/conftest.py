"""Fixtures of the integration tests.

A server that cannot be had is a failure, never a skip: a green run that tested nothing is
worse than a red one.  IPAMBRIDGE_REQUIRE_SERVERS=0 turns that into a skip, by hand only.
"""

import contextlib
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import Bind, Bridge, Knot, Pdns, Postgres, server_env  # noqa: E402
from harness.lab import ZONES, Lab, wipe                            # noqa: E402
from harness.servers import ServersMissing                          # noqa: E402

MAKES = {"bind": Bind, "knot": Knot, "pdns": Pdns}


def servers_required():
    return os.environ.get("CI") or os.environ.get("IPAMBRIDGE_REQUIRE_SERVERS", "1") != "0"


@pytest.fixture(scope="session")
def servers():
    try:
        return server_env()
    except ServersMissing as e:
        if servers_required():
            pytest.fail(f"the servers are missing: {e}", pytrace=False)
        pytest.skip(f"NOT TESTED, the servers are missing: {e}")


@pytest.fixture
def run_dir():
    """A short private directory: a Unix socket's path has at most 107 bytes."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="ipambridge-"))
    yield path
    if os.environ.get("IPAMBRIDGE_KEEP"):
        print(f"kept: {path}")
    else:
        shutil.rmtree(path, ignore_errors=True)


def _memory():
    """Where files lie in memory, or None: no test here pulls a plug, and a database for each test is
    three hundred files."""
    shm = "/dev/shm"
    if not os.access(shm, os.W_OK) or shutil.disk_usage(shm).free < 2 << 30:
        return None
    return shm


@contextlib.contextmanager
def _cluster(fast):
    path = pathlib.Path(tempfile.mkdtemp(prefix="ipambridge-pg-", dir=_memory()))
    path.chmod(0o711)   # PostgreSQL runs as another user below it
    pg = Postgres(path / "pg", fast)
    try:
        yield pg.start()
    finally:
        pg.abandon() if fast else pg.stop()
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(servers):
    """One cluster for the whole run; every test gets a database of its own."""
    with _cluster(fast=True) as pg:
        yield pg


@pytest.fixture
def own_postgres(servers):
    """A durable cluster of this test alone, to be paused and killed."""
    with _cluster(fast=False) as pg:
        yield pg


@pytest.fixture
def database(postgres):
    """The libpq string of a new empty database."""
    return postgres.database()


@pytest.fixture
def start(servers, run_dir):
    """start(Bind, zones=[...]) starts a server of that make and stops it at the end."""
    started = []

    def launch(kind, *words, **settings):
        server = kind(run_dir / f"{kind.__name__.lower()}{len(started)}", *words, **settings)
        started.append(server)
        return server.start()

    yield launch
    for server in started:
        server.stop()


@pytest.fixture
def bind(start):
    return start(Bind)


@pytest.fixture
def knot(start):
    return start(Knot)


@pytest.fixture
def pdns(start):
    return start(Pdns)


@pytest.fixture(params=sorted(MAKES))
def make(request):
    """The class of each make of server in turn: start(make, zones=[...])."""
    return MAKES[request.param]


@pytest.fixture
def dns_server(start, make):
    """Each make in turn, with a forward and a reverse zone."""
    return start(make)


@pytest.fixture
def bridges(run_dir):
    """bridges(database) makes a Bridge; several on one database are fine."""
    made = []

    def new(database):
        b = Bridge(run_dir / f"bridge{len(made)}", database)
        made.append(b)
        return b

    yield new
    for b in made:
        b.close()


@pytest.fixture
def bridge(bridges, database, dns_server):
    """An initialised bridge with the zones of dns_server and one subnet."""
    b = bridges(database).serve_zones(dns_server)
    b.subnet("192.0.2.0/24", "lab.example")
    return b.init()


# ---- a whole site ----------------------------------------------------------------------------

@pytest.fixture(scope="session")
def shared(servers):
    """shared(Bind): one server of that make for the whole run, each time with empty zones."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="ipambridge-dns-", dir=_memory()))
    running = {}

    def get(kind):
        if kind not in running:
            running[kind] = kind(path / kind.make, zones=ZONES)
            running[kind].start()
        wipe(running[kind])
        return running[kind]

    yield get
    for server in running.values():
        server.stop()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def template(postgres):
    """A database with the schema, to be copied."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="ipambridge-db-"))
    Bridge(path, postgres.database("schema")).init()
    shutil.rmtree(path, ignore_errors=True)
    return "schema"


@pytest.fixture
def labs(postgres, template, bridges, shared, run_dir):
    """labs(Bind) makes a site on the shared server of that make; labs(dns=server) on another."""
    lent = []

    def new(kind=Bind, dns=None, zones=None, **zone_settings):
        lent.append(postgres.lend(template))
        b = bridges(lent[-1])
        return Lab(b.dir, dns or shared(kind), b, postgres, zones, **zone_settings)

    yield new
    for database in lent:
        postgres.give_back(database)


@pytest.fixture
def lab(labs, make):
    """A site on each make in turn."""
    return labs(make)


@pytest.fixture
def bind_lab(labs):
    return labs(Bind)
