"""serve --role http: metrics and health, and clients and databases that misbehave."""

import contextlib
import http.client
import json
import signal
import socket

import pytest

from harness import Bind, wait_for
from harness.lab import Lab
from harness.proc import free_port
from harness.servers import tool
from test_metrics import pick, read

MAX_CLIENTS = 64


class Served:
    def __init__(self, bridge, *words):
        self.bridge, self.port = bridge, free_port()
        bridge.http(f"127.0.0.1:{self.port}")
        self.process = bridge.daemon("serve", *words)
        wait_for(self.alive, 10, "the port answers")

    def get(self, path, method="GET", timeout=10):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, path)
            r = c.getresponse()
            return r.status, r.headers, r.read().decode()
        finally:
            c.close()

    def alive(self):
        try:
            return self.get("/livez", timeout=5)[0] == 200
        except OSError:
            return False

    def ready(self):
        status, headers, body = self.get("/readyz")
        assert headers["Content-Type"] == "application/json"
        body = json.loads(body)
        assert (status == 200) == body["ready"] == (body["failing"] == [])
        return {(f["part"], f["name"]): f["error"] for f in body["failing"]}


@pytest.fixture
def served(labs):
    lab = labs(Bind)
    lab.lease(7, "laptop")
    lab.bridge.reconcile()
    s = Served(lab.bridge, "--role", "http")
    s.lab = lab
    return s


def test_metrics_are_those_of_the_file(served):
    status, headers, text = served.get("/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    path = served.lab.dir / "scraped"
    path.write_text(text)
    tool("sh", "-c", f'promtool check metrics < "{path}"')
    assert pick(read(text), "source_leases", state="live", source="dhcp4") == 1
    status, headers, text = served.get("/metrics", method="HEAD")
    assert status == 200 and text == ""


def test_readiness_names_what_fails(served):
    sql = served.lab.bridge_sql
    assert served.ready() == {}
    sql("update ipambridge.source set last_error = 'no \"file\" \x1b[2J' where name = 'dhcp4'")
    sql("insert into ipambridge.server_state (name, state, last_error) values "
        "('ns1', 'parked', 'BADKEY'), ('gone', 'unreachable', 'x')")
    sql("insert into ipambridge.role_state (host, pid, role, of, state, status, alive_at) values "
        "('a', 1, 'push', 'ns1', 'failing', 'no database', now()), "
        "('a', 2, 'push', 'ns2', 'failing', 'long dead', now() - interval '1 h')")
    want = {("source", "default/dhcp4"): 'no "file" \\x1b[2J', ("server", "ns1"): "parked: BADKEY",
            ("role", "push:ns1"): "no database"}
    wait_for(lambda: served.ready() == want, 5, "readiness is that of now")


def test_nothing_else_is_there(served):
    assert served.get("/")[0] == 404
    assert served.get("/metrics/../etc/passwd")[0] == 404
    assert served.get("/livez", method="POST")[0] == 501
    assert served.get("/" + "x" * 9000)[0] in (400, 404, 413)
    assert served.alive()


def test_the_session_cannot_write(served):
    """A view in place of a table that is read tells who asks, and how."""
    sql = served.lab.bridge_sql
    sql("insert into ipambridge.role_state (host, pid, role, state) values ('a', 1, 'x', 'x')")
    sql("alter table ipambridge.role_state rename to kept")
    try:
        sql("create view ipambridge.role_state as select host, pid, role, current_user::text || "
            "' read only ' || current_setting('transaction_read_only') as of, state, status, "
            "started_at, alive_at from ipambridge.kept")
        want = {"of": "ipambridge_reader read only on"}
        wait_for(lambda: pick(read(served.get("/metrics")[2]), "role_alive_timestamp_seconds",
                              **want), 5, "the reader asks")
    finally:
        sql("drop view if exists ipambridge.role_state")
        sql("alter table ipambridge.kept rename to role_state")
    granted = sql("select privilege_type from information_schema.role_table_grants "
                  "where grantee = 'ipambridge_reader' and table_schema = 'ipambridge'")
    assert {kind for kind, in granted} == {"SELECT"}


def test_a_database_that_is_away_is_said_and_comes_back(labs, own_postgres, bridges, shared):
    b = bridges(own_postgres.database())
    lab = Lab(b.dir, shared(Bind), b, own_postgres)
    b.init()
    b.reconcile()
    s = Served(b, "--role", "http")
    assert s.ready() == {}
    own_postgres.pause()
    # Past its deadlines the database is away; the loop turns on.
    wait_for(lambda: s.get("/metrics")[0] == 503, 20, "metrics say so")
    assert ("database", "") in s.ready()
    assert s.alive()
    own_postgres.cont()
    wait_for(lambda: s.ready() == {}, 20, "readiness comes back")
    assert s.get("/metrics")[0] == 200
    assert "password" not in s.get("/readyz")[2]


def test_clients_that_hold_connections_are_put_out(served):
    """More than are served at a time, and never silent: others still get their turn."""
    held = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(MAX_CLIENTS + 8)]
    for s in held:
        s.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")

    def drip_and_look():
        for s in held:
            with contextlib.suppress(OSError):
                s.send(b"x")
        return served.alive()

    wait_for(drip_and_look, 40, "the held connections end")
    for s in held:
        s.close()
    assert served.get("/livez")[0] == 200


def test_a_whole_daemon_tells_of_its_servers(labs, start):
    lab = labs(dns=start(Bind))
    lab.lease(7, "laptop")
    s = Served(lab.bridge)

    def status():
        return lab.bridge.json("status")

    def all_well():
        now = status()
        return (now["verdict"] == "all in step" and all(z["pulled_at"] for z in now["zones"]) and
                {(p["role"], p["of"]) for p in now["processes"]} >= {
                    ("push", "ns1"), ("sync", None), ("ingest", "default/dhcp4")} and
                now["servers"][0]["in_flight"] is not None)

    wait_for(all_well, 30, "every process has told of itself")
    wait_for(lambda: s.ready() == {}, 5, "it is ready")
    wait_for(lambda: pick(read(s.get("/metrics")[2]), "dns_updates_total", rcode="NOERROR"), 20,
             "the lease is sent")
    assert pick(read(s.get("/metrics")[2]), "server_up", server="ns1") == 1
    wait_for(all_well, 20, "nothing waits")
    lab.dns.stop()
    lab.leases4.rename("192.0.2.7", "desktop")
    wait_for(lambda: ("server", "ns1") in s.ready(), 30, "readiness names the server")
    assert status()["verdict"].startswith('server "ns1" is unreachable since 20')
    assert pick(read(s.get("/metrics")[2]), "server_up", server="ns1") == 0
    lab.dns.start()
    wait_for(lambda: s.ready() == {}, 60, "it is ready again")
    wait_for(all_well, 20, "all is well again")


def test_it_ends_when_told(served):
    served.process.signal(signal.SIGTERM)
    assert served.process.wait(5) == 0


def test_without_the_section_it_says_so(labs):
    lab = labs(Bind)
    lab.bridge.init()
    r = lab.bridge.run("serve", "--role", "http")
    assert r.rc == 2 and 'role "http"' in r.stderr
