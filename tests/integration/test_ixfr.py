"""IXFR: after the first look only what changed is read, and that comes to the same as all of it."""

from harness import Bind, free_port
from harness.lab import FORWARD, REV24, ptr
from test_reverse import BIND_AND_KNOT, copy_zones, lose_all_since


@BIND_AND_KNOT
def test_only_what_changed_is_read_and_comes_to_the_same(lab):
    server = lab.dns
    server.add("gone.lab.example", "MX", "5 mx.other.test.")
    for n in range(1, 40):   # BIND sends all of a zone that has changed by more than its size
        lab.lease(n, f"host{n}")
    lab.reconcile()
    lab.leases4.release("192.0.2.4")
    lab.reconcile()
    server.replace(ptr("192.0.2.1"), "PTR", "printer.lab.example.")
    server.add("theirs.lab.example", "A", "198.51.100.1")
    server.delete("gone.lab.example", "MX")
    server.delete("host2.lab.example", "A")
    server.add("host3.lab.example", "TXT", "hello")
    r = lab.bridge.run("-v", "-v", "pull")
    assert r.rc == 0 and r.stderr.count("what changed") == 2 and "all of it" not in r.stderr
    # A whole comparison finds nothing that this missed.
    lab.bridge_sql("update ipambridge.zone set full_at = null")
    r = lab.bridge.run("-v", "-v", "pull")
    assert r.rc == 0 and "pull, done" not in r.stderr
    # Our own changes are no news either.
    lab.lease(9, "host9")
    lab.settle()
    r = lab.bridge.run("-v", "-v", "pull")
    assert r.rc == 0 and "pull, done" not in r.stderr and "all of it" not in r.stderr


def test_a_server_without_history_is_read_whole(labs, start):
    server = start(Bind, zones=[FORWARD, REV24])
    lab = labs(dns=server)
    lab.lease(1, "host1")
    lab.reconcile()
    lab.bridge.ok("pull")
    server.add("theirs.lab.example", "A", "198.51.100.1")
    server.rndc("sync", "-clean")   # the journal goes
    server.restart()
    r = lab.bridge.run("-v", "-v", "pull")
    assert r.rc == 0 and "all of it is read" in r.stderr and "1 names differed" in r.stderr
    lab.quiet()


def test_the_loss_of_the_last_writes_is_seen(labs, start):
    server = start(Bind, zones=[FORWARD, REV24])
    lab = labs(dns=server)
    for n in range(1, 4):
        lab.lease(n, f"host{n}")
    lab.reconcile()
    saved = copy_zones(server)
    lab.leases4.release("192.0.2.1")
    lab.lease(9, "host9")
    lab.reconcile()
    before = lab.records()
    lose_all_since(server, saved)
    r = lab.bridge.run("--json", "reconcile")
    assert r.rc == 0 and "went back" in r.stderr
    assert lab.records() == before
    lab.quiet(conflicts=0)


def test_many_zones_are_looked_at_together(start, bridges, postgres, database):
    zones = [f"z{n}.example" for n in range(9)]
    server = start(Bind, zones=zones)
    bridge = bridges(database).serve_zones(server)
    bridge.server("ns1", server, window=3)
    bridge.server("away", address="127.0.0.1", port=free_port(), key_file=server.key.file)
    bridge.zone("z9.example", "away")
    bridge.init().ok("pull", rc=4)
    server.add("theirs.z4.example", "A", "198.51.100.1")
    postgres.sql("update ipambridge.zone set pulled_at = 'epoch', last_error = 'x'", database)
    r = bridge.run("-v", "-v", "pull")
    assert r.rc == 4 and r.stderr.count("what changed") == 1 and r.stderr.count("failed") == 1, r
    looked = postgres.sql("select name, coalesce(pulled_at > now() - interval '1 minute', false), "
                          "last_error is null from ipambridge.zone order by name", database)
    assert looked == [[f"z{n}.example", *("tt" if n < 9 else "ff")] for n in range(10)]
