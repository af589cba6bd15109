"""The harness itself: each real server starts, takes a signed update and shows it.

When one of these fails, look here before looking at ipambridge.
"""

import pathlib
import subprocess
import sys
import time

import pytest

from harness import Bind, Kea4, Kea6, LeaseFile4, LeaseFile6, Process, free_port, wait_for

HOST = "host.lab.example"
PTR = "7.2.0.192.in-addr.arpa"


def test_two_runs_at_the_same_time_have_ports_of_their_own():
    mine = free_port()
    other = subprocess.run([sys.executable, "-c", "import harness; print(harness.free_port())"],
                           cwd=pathlib.Path(__file__).parent, capture_output=True, text=True,
                           check=True)
    assert int(other.stdout) // 1000 != mine // 1000


def test_a_signed_update_is_seen_by_query_and_transfer(dns_server):
    s = dns_server
    before = s.serial("lab.example")
    s.write("lab.example", ("add", HOST, 300, "A", "192.0.2.7"), key=s.key)
    s.write("2.0.192.in-addr.arpa", ("add", PTR, 300, "PTR", "Host.lab.example."), key=s.key)
    assert s.query(HOST) == ["192.0.2.7"]
    assert s.axfr("lab.example") == ["host.lab.example A 192.0.2.7"]
    assert s.axfr("2.0.192.in-addr.arpa", ttl=True) == [f"{PTR} 300 PTR host.lab.example"]
    assert s.serial("lab.example") == before + 1


def test_an_unsigned_update_is_refused(dns_server):
    got = dns_server.update("lab.example", ("add", HOST, 300, "A", "192.0.2.7"), signed=False)
    assert got in ("REFUSED", "NOTAUTH")
    assert dns_server.axfr("lab.example") == []


def test_the_bridges_key_may_not_write_other_types(bind):
    got = bind.update("lab.example", ("add", HOST, 300, "MX", "10 mx.example.net."), key=bind.key)
    assert got == "REFUSED"


def test_another_writers_key_may_write_everything(dns_server):
    dns_server.add(HOST, "MX", "10 mx.example.net.")
    assert dns_server.axfr("lab.example") == [f"{HOST} MX 10 mx.example.net."]
    dns_server.delete(HOST)
    assert dns_server.axfr("lab.example") == []


def test_a_failed_prerequisite_changes_nothing(dns_server):
    dns_server.add(HOST, "A", "192.0.2.7")
    got = dns_server.update("lab.example", ("absent", HOST), ("add", HOST, 300, "A", "192.0.2.8"))
    assert got == "YXDOMAIN"
    assert dns_server.query(HOST) == ["192.0.2.7"]


def test_initial_records_are_served(start, make):
    s = start(make, zones=["lab.example", "8.b.d.0.1.0.0.2.ip6.arpa"],
              records={"lab.example": ["printer 300 IN A 192.0.2.9",
                                       'printer 300 IN TXT "second floor"']})
    assert s.axfr("lab.example") == ["printer.lab.example A 192.0.2.9",
                                     'printer.lab.example TXT "second floor"']
    owner = "1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa"
    s.write("8.b.d.0.1.0.0.2.ip6.arpa", ("add", owner, 60, "PTR", "host.lab.example."), key=s.key)
    assert s.query(owner, "PTR") == ["host.lab.example"]


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_updates_survive(dns_server, how):
    s = dns_server
    s.add(HOST, "A", "192.0.2.7")
    serial = s.serial("lab.example")
    if how == "restart":
        s.restart()
    else:
        s.kill()
        s.launch()
    assert s.axfr("lab.example") == ["host.lab.example A 192.0.2.7"]
    assert s.serial("lab.example") == serial


def test_a_paused_server_does_not_answer_until_it_goes_on(dns_server):
    s = dns_server
    s.pause()
    assert not s.answers()
    s.cont()
    wait_for(s.answers, 10)


def test_a_frozen_zone_refuses_updates(bind):
    bind.freeze("lab.example")
    assert bind.update("lab.example", ("add", HOST, 300, "A", "192.0.2.7")) == "REFUSED"
    bind.thaw("lab.example")
    bind.add(HOST, "A", "192.0.2.7")


def test_a_type_missing_in_knots_acl_looks_like_a_wrong_key(knot):
    got = knot.update("lab.example", ("add", HOST, 300, "MX", "10 mx.example.net."), key=knot.key)
    assert got == "BADKEY"


def test_two_servers_of_one_make_run_side_by_side(start):
    a, b = start(Bind), start(Bind)
    a.add(HOST, "A", "192.0.2.7")
    assert b.axfr("lab.example") == []


# ---- Kea -----------------------------------------------------------------------------------

def test_the_lease_file_of_the_real_kea4_has_the_writers_form(start, run_dir):
    kea = start(Kea4, ["192.0.2.0/24"])
    kea.add("192.0.2.7", "02:00:00:00:00:07", "host.lab.example.")
    ours = LeaseFile4(run_dir / "ours.csv")
    ours.add("192.0.2.7", "02:00:00:00:00:07", "host.lab.example.")
    theirs = wait_for(lambda: kea.lease_file.read_text().splitlines()[1:], 5)
    now = int(time.time())
    assert kea.lease_file.read_text().splitlines()[0] == ",".join(ours.header)
    mine = ours.path.read_text().splitlines()[1].split(",")
    row = theirs[0].split(",")
    at = ours.header.index("expire")
    assert abs(int(row[at]) - now - 3600) <= 5
    assert row[:at] + row[at + 1:] == mine[:at] + mine[at + 1:]


def test_the_real_kea6_writes_the_writers_header(start, run_dir):
    kea = start(Kea6, ["2001:db8::/64"])
    kea.add("2001:db8::7", "00:01:02:03:04:05", "host.lab.example.")
    header = ",".join(LeaseFile6(run_dir / "ours.csv").header)
    wait_for(lambda: "2001:db8::7" in kea.lease_file.read_text(), 5)
    assert kea.lease_file.read_text().splitlines()[0] == header


def test_the_real_kea_reads_what_the_writer_wrote(start, run_dir):
    (run_dir / "kea40").mkdir()
    ours = LeaseFile4(run_dir / "kea40/leases4.csv")
    ours.add("192.0.2.7", "02:00:00:00:00:07", "a,b&c")
    ours.add("192.0.2.8", "02:00:00:00:00:08", "gone")
    ours.release("192.0.2.8")
    kea = start(Kea4, ["192.0.2.0/24"])
    leases = kea.command("lease4-get-all")["leases"]
    assert [(x["ip-address"], x["hostname"]) for x in leases] == [("192.0.2.7", "a,b&c")]


def test_a_rotated_lease_file_keeps_live_leases_in_the_snapshot(run_dir):
    f = LeaseFile4(run_dir / "l.csv")
    f.add("192.0.2.7", "02:00:00:00:00:07", "a")
    f.add("192.0.2.8", "02:00:00:00:00:08", "b")
    f.release("192.0.2.8")
    f.rotate()
    assert f.path.read_text().count("\n") == 1
    f.lfc()
    snapshot = (run_dir / "l.csv.2").read_text()
    assert "192.0.2.7" in snapshot and "192.0.2.8" not in snapshot
    assert not (run_dir / "l.csv.1").exists()


# ---- PostgreSQL ----------------------------------------------------------------------------

def test_each_test_has_an_empty_database(postgres, database):
    assert postgres.sql("select 1 + 1", database) == [["2"]]
    assert postgres.sql("select count(*) from pg_class where relnamespace = "
                        "'public'::regnamespace", database) == [["0"]]


def test_a_paused_cluster_hangs_and_goes_on(own_postgres):
    own_postgres.pause()
    with pytest.raises(Exception, match="timed out"):
        own_postgres.sql("select 1", deadline=0.5)
    own_postgres.cont()
    assert own_postgres.sql("select 1") == [["1"]]


def test_a_crashed_cluster_recovers(own_postgres):
    own_postgres.sql("create table t(x int); insert into t values (1)")
    own_postgres.kill()
    own_postgres.start()
    assert own_postgres.sql("select x from t") == [["1"]]


# ---- processes -----------------------------------------------------------------------------

def test_a_program_that_ends_at_once_fails_with_its_log(run_dir):
    p = Process(["sh", "-c", "echo no such thing; exit 3"], run_dir / "log")
    p.start()
    with pytest.raises(AssertionError, match="no such thing"):
        p.wait_ready(lambda: False)
