"""kea-leases: a lease file that is followed while Kea, kea-lfc or a person writes it."""

import os
import random
import shutil
import statistics
import subprocess
import time

import pytest

from harness import Kea4, LeaseFile4, Source, server_env, wait_for
from harness.lab import mac

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
NO_INOTIFY = ["unshare", "-Ur", "sh", "-c",
              'echo 0 > /proc/sys/user/max_inotify_instances; exec "$0" "$@"']
BIG = 200000


@pytest.fixture
def read(run_dir):
    """read(path) starts a reader of that file; what it told before goes with its cursor."""
    started = []

    def new(path, cursor=None, under=(), fails=False, whole=False):
        s = Source(run_dir / f"source{len(started)}", "kea-leases", cursor, under, whole, file=path)
        started.append(s)
        if not fails:
            return s.start()
        s.process.start()
        assert s.process.wait(10) == 1
        return s

    yield new
    for s in started:
        s.stop()


def names(answers, told=None):
    """{address: name} of the leases that stand after these answers."""
    told = {} if told is None else told
    pending = {}
    for a in answers:
        pending.update({o["address"]: None if o["end"] else o["name"] for o in a["obs"]})
        if a["answer"] == "complete":
            told.clear()
        if a["answer"] in ("complete", "delta"):
            told.update(pending)
            pending = {}
    return {k: v for k, v in told.items() if v is not None}


def words(source):
    """The answers in a row, without the portions."""
    return [a["answer"] for a in source.answers() if a["answer"] != "more"]


def shows(source, **want):
    """The leases are those, by the last byte of their address: n1="web01"."""
    want = {f"192.0.2.{k[1:]}": v for k, v in want.items()}
    wait_for(lambda: names(source.answers()) == want, 10, what=f"{want}")


def cold(read, path):
    source = read(path)
    wait_for(lambda: "complete" in words(source), 10)
    got = names(source.answers())
    source.stop()
    return got


def lfc(path):
    """The real kea-lfc, started as kea-dhcp4 starts it."""
    env = server_env(KEA_PIDFILE_DIR=str(path.parent), KEA_LOCKFILE_DIR=str(path.parent))
    subprocess.run(["kea-lfc", "-4", "-x", f"{path}.2", "-i", f"{path}.1", "-o", f"{path}.output",
                    "-f", f"{path}.completed", "-p", f"{path}.pid", "-c", "ignored"],
                   env=env, check=True, capture_output=True, timeout=30)


@pytest.fixture
def leases(run_dir):
    file = LeaseFile4(run_dir / "kea-leases4.csv")
    file.add("192.0.2.1", mac(1), "one")
    return file


# ---- Kea's own hand --------------------------------------------------------------------------

def test_rotations_of_the_real_kea_are_followed_without_reading_all_again(read, run_dir):
    path = run_dir / "kea" / "leases4.csv"
    kea = Kea4(run_dir / "kea", ["192.0.2.0/24"], **{"lease-database": {
        "type": "memfile", "persist": True, "lfc-interval": 1, "name": str(path)}})
    kea.start()
    try:
        source = read(path)
        cleaned, n = set(), 0

        def enough():
            nonlocal n
            n += 1
            address = f"192.0.2.{n % 50 + 1}"
            if kea.send("lease4-del", {"ip-address": address})["result"] != 0 or n % 3:
                kea.add(address, mac(n), f"host{n}")
            snapshot = path.with_name(path.name + ".2")
            if snapshot.exists():
                cleaned.add(snapshot.stat().st_mtime_ns)
            return len(cleaned) >= 4

        wait_for(enough, 30, what="four rotations")
        kea.add("192.0.2.200", mac(200), "last")
        wait_for(lambda: "192.0.2.200" in names(source.answers()), 10)
        assert words(source).count("complete") == 1
        assert sum(a["n_bad"] for a in source.answers()) == 0
    finally:
        kea.stop()
    assert names(source.answers()) == cold(read, path)


def test_the_real_cleanup_is_followed(read, leases):
    source = read(leases.path)
    shows(source, n1="one")
    for n in range(2, 8):
        leases.add(f"192.0.2.{n}", mac(n), f"old{n}")
        leases.rotate()
        leases.add(f"192.0.2.{n}", mac(n), f"new{n}")
        lfc(leases.path)
        leases.release("192.0.2.1") if n % 2 else leases.add("192.0.2.1", mac(1), f"one{n}")
    shows(source, **{f"n{n}": f"new{n}" for n in range(2, 8)})
    assert words(source).count("complete") == 1
    assert names(source.answers()) == cold(read, leases.path)


# ---- rows ------------------------------------------------------------------------------------

def test_a_row_is_told_in_about_a_millisecond(read, leases):
    source = read(leases.path)
    shows(source, n1="one")
    took = []
    for n in range(100):
        n_before = len(source.answers())
        began = time.monotonic_ns() // 1000
        leases.add("192.0.2.2", mac(2), f"host{n}")
        wait_for(lambda: len(source.answers()) > n_before, 5)
        took.append(source.answers()[-1]["at_us"] - began)
    assert names(source.answers())["192.0.2.2"] == "host99"
    # The writer's own time is in it, and another test's on the same processor.
    assert statistics.median(took) < 3000, sorted(took)


def test_a_torn_row_waits_for_its_end(read, leases):
    source = read(leases.path)
    shows(source, n1="one")
    leases.raw(b"192.0.2.2,02:00:00:00:00:02,,3600,4000000")
    leases.raw(b"000,1,1,1,two,0,")
    # What comes after it in another file is told, so it was looked at.
    assert names(source.answers()) == {"192.0.2.1": "one"}
    leases.raw(b"\n")
    shows(source, n1="one", n2="two")
    assert sum(a["n_bad"] for a in source.answers()) == 0


def test_a_reader_that_is_killed_goes_on_where_it_was(read, leases):
    """At any moment; with the cursor of its last answer, as the database keeps both."""
    rng = random.Random(7)
    told, cursor = {}, None
    for step in range(25):
        source = read(leases.path, cursor)
        for _ in range(rng.randrange(4)):
            leases.add(f"192.0.2.{rng.randrange(1, 20)}", mac(1), f"h{step}x{rng.random()}")
        if rng.random() < 0.2:
            leases.rotate()
            leases.add("192.0.2.30", mac(30), f"h{step}")
            lfc(leases.path)
        if rng.random() < 0.5:
            wait_for(lambda: source.answers(), 10)
        source.process.kill()
        names(source.answers(), told)
        cursor = next((a["cursor"] for a in reversed(source.answers(skip=0)) if a["cursor"]),
                      None)
    source = read(leases.path, cursor)
    wait_for(lambda: source.answers(), 10)
    assert names(source.answers(), told) == cold(read, leases.path)


# ---- another hand ----------------------------------------------------------------------------

def test_a_file_cut_off_or_replaced_is_read_whole(read, leases):
    source = read(leases.path)
    shows(source, n1="one")
    leases.create()
    leases.add("192.0.2.2", mac(2), "two")
    shows(source, n2="two")
    copy = leases.path.with_suffix(".copy")
    shutil.copy(leases.path, copy)
    leases.add("192.0.2.3", mac(3), "three")
    shows(source, n2="two", n3="three")
    copy.replace(leases.path)
    shows(source, n2="two")
    leases.add("192.0.2.4", mac(4), "four")
    shows(source, n2="two", n4="four")


def test_a_file_that_goes_away_is_an_error_and_no_end(read, leases):
    source = read(leases.path)
    shows(source, n1="one")
    leases.path.unlink()
    assert source.process.wait(5) == 1
    assert "No such file" in source.process.log_text()
    assert names(source.answers()) == {"192.0.2.1": "one"}


def test_what_the_cleanup_took_away_is_told_although_all_is_read_again(read, leases):
    for n in range(2, 30):
        leases.add(f"192.0.2.{n}", mac(n), f"h{n}")
    source = read(leases.path, whole=True)
    for n in range(2, 30):
        wait_for(lambda: words(source)[-1:] == ["complete"], 10)
        source.process.pause()
        leases.release(f"192.0.2.{n}")
        leases.rotate()
        leases.add(f"192.0.2.{n + 100}", mac(n + 100), f"h{n + 100}")
        lfc(leases.path)
        source.process.cont()
        wait_for(lambda: any(o["end"] and o["address"] == f"192.0.2.{n}" for o in source.seen()),
                 10, f"the end of 192.0.2.{n}")
        before = len(source.answers())
        wait_for(lambda: "complete" in words(source)[before:], 10)
    assert names(source.answers()) == {"192.0.2.1": "one",
                                       **{f"192.0.2.{n}": f"h{n}" for n in range(102, 130)}}


# ---- what the system refuses -----------------------------------------------------------------

def test_without_inotify_the_file_is_looked_at_and_the_sysctl_named(read, leases):
    source = read(leases.path, under=NO_INOTIFY)
    shows(source, n1="one")
    leases.add("192.0.2.2", mac(2), "two")
    shows(source, n1="one", n2="two")
    leases.add("192.0.2.3", mac(3), "three")
    leases.rotate()
    leases.add("192.0.2.4", mac(4), "four")
    shows(source, n1="one", n2="two", n3="three", n4="four")
    lfc(leases.path)
    leases.rotate()
    lfc(leases.path)
    leases.add("192.0.2.5", mac(5), "five")
    shows(source, n1="one", n2="two", n3="three", n4="four", n5="five")
    assert source.process.log_text().count("fs.inotify.max_user_instances") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="gives its rights up")
def test_a_file_that_may_not_be_read_is_named_with_the_remedy(read, leases):
    leases.path.parent.chmod(0o755)
    leases.path.chmod(0o600)
    source = read(leases.path, under=NOBODY, fails=True)
    log = source.process.log_text()
    assert "Permission denied" in log and "Kea's group" in log
    leases.path.chmod(0o644)
    leases.path.parent.chmod(0o711)     # entered, not listed: no watch
    source = read(leases.path, under=NOBODY)
    shows(source, n1="one")
    leases.add("192.0.2.2", mac(2), "two")
    shows(source, n1="one", n2="two")
    assert "let this program's user read the directory" in source.process.log_text()


# ---- size ------------------------------------------------------------------------------------

def test_a_delta_of_a_large_file_takes_little_memory(read, leases):
    with open(leases.path, "a") as f:
        f.writelines(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255},02:00:00:00:00:01,,3600,4000000000,1,"
                     f"1,1,h{n},0,\n" for n in range(1, BIG) if n & 255 not in (0, 255))
    source = read(leases.path)
    wait_for(lambda: "complete" in words(source), 30)
    cursor = source.answers()[-1]["cursor"]
    source.stop()
    leases.add("192.0.2.2", mac(2), "two")
    source = read(leases.path, cursor)
    wait_for(lambda: words(source) == ["delta"], 10)
    assert names(source.answers()) == {"192.0.2.2": "two"}
    status = open(f"/proc/{source.process.pid}/status").read()
    resident = int(status.split("RssAnon:")[1].split()[0])
    assert resident < 8 * 1024, f"{resident} KiB"
