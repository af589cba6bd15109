"""A database that is older than what was seen of it, or another one: nothing is sent to DNS until
a person has looked, and one line says so.
"""

import pytest

from harness import wait_for
from harness.lab import FORWARD

HELD = 5


class Site:
    def __init__(self, lab, postgres):
        self.lab = lab
        self.bridge = lab.bridge
        self.postgres = postgres
        self.mark = self.bridge.dir / "state" / "journal-mark"

    def backup(self):
        name = self.bridge.database.rpartition("dbname=")[2]
        return self.postgres.database(template=name)

    def forward(self):
        return sorted(x for x in self.lab.dns.axfr(FORWARD) if " A " in x)

    def expect_held(self, words):
        before = self.lab.raw()
        r = self.bridge.run("reconcile")
        assert r.rc == HELD, r
        said = [x for x in r.stderr.splitlines() if "nothing is sent to DNS" in x]
        assert len(said) == 1 and words in said[0], r
        assert f'"ipambridge plan", and to go on with this one remove {self.mark}' in said[0], r
        assert self.lab.raw() == before
        assert self.bridge.ok("status").stdout.startswith("nothing is sent to DNS: ")


@pytest.fixture
def site(bind_lab, postgres):
    bind_lab.lease(7, "host7")
    bind_lab.reconcile()
    return Site(bind_lab, postgres)


def test_an_older_copy_is_held_until_a_person_removes_the_mark(site):
    lab, b = site.lab, site.bridge
    old = site.backup()
    b.ok("add-host", "printer", "192.0.2.9")
    lab.leases4.release("192.0.2.7")
    lab.lease(8, "host8")
    lab.reconcile()
    b.database = old
    site.expect_held("the database lacks what its journal held at ")
    site.expect_held("it was restored from an older copy")      # what it plans is no proof
    assert b.run("add-host", "nas", "192.0.2.11").rc != 0       # kept, not yet in DNS
    assert len(site.forward()) == 2
    # Sources and zones were read: what would be sent is there to be looked at.
    assert f"nas.{FORWARD}" in b.ok("plan").stdout
    assert [h["name"] for h in b.json("list", "hosts") if h["kind"] == "lease"] == [
        f"host8.{FORWARD}"]
    site.mark.unlink()
    lab.reconcile()
    # Nothing of what DNS had is lost: the person's name of the lost time stands, as nobody's.
    assert site.forward() == [f"{n}.{FORWARD} A 192.0.2.{k}"
                              for n, k in (("host8", 8), ("nas", 11), ("printer", 9))]
    assert lab.reconcile()["changed"] == 0


def test_another_database_is_held(site):
    b = site.bridge
    b.database = site.postgres.database()
    b.init()
    site.expect_held("this is another database than the one that was written from")
    assert f"host7.{FORWARD}" in b.ok("list", "hosts").stdout
    site.mark.unlink()
    assert b.reconcile()["changed"] == 0                        # its DHCID says whose it is
    assert site.forward() == [f"host7.{FORWARD} A 192.0.2.7"]


def test_a_mark_that_is_damaged_is_held(site):
    text = site.mark.read_text()
    site.mark.write_text(text[:len(text) // 2])
    site.expect_held("is no mark of a journal")
    site.mark.write_text("")
    site.expect_held("journal-mark")
    site.mark.write_text(text)
    site.lab.reconcile()


def test_a_trimmed_journal_is_no_older_copy(site):
    b = site.bridge
    b.ok("add-host", "printer", "192.0.2.9")
    site.lab.bridge_sql("select ipambridge.journal_trim(now() + interval '1 hour', 100000)")
    assert len(site.lab.bridge_sql("select id from ipambridge.journal")) == 1
    site.lab.reconcile()
    site.lab.bridge_sql("select ipambridge.journal_trim(now() + interval '1 hour', 100000)")
    site.lab.reconcile()


def test_two_bridges_with_marks_of_their_own_do_not_trip(site, bridges):
    lab, b = site.lab, site.bridge
    other = bridges(b.database)
    other.sections = b.sections
    for n in range(20, 24):
        lab.lease(n, f"host{n}")
        (b if n % 2 else other).reconcile()
    assert (other.dir / "state" / "journal-mark").exists()
    assert len(site.forward()) == 5


def test_no_state_directory_is_no_hindrance(site):
    b = site.bridge
    text = b.config_text()
    b.config_text = lambda: text.replace(str(b.dir / "state"), str(b.dir / "nowhere"))
    r = b.run("reconcile")
    assert r.rc == 0 and r.stderr == "", r


def test_a_daemon_holds_and_goes_on(site):
    lab, b = site.lab, site.bridge
    old = site.backup()
    b.ok("add-host", "printer", "192.0.2.9")
    b.reconcile()
    b.database = old
    lab.lease(8, "host8")
    daemon = b.daemon()

    def held():
        return [x for x in daemon.log_text().splitlines() if "nothing is sent to DNS" in x]

    wait_for(held, 15, what="the daemon to say that it holds")
    wait_for(lambda: f"host8.{FORWARD}" in b.ok("list", "hosts").stdout, 15, what="the lease read")
    assert len(site.forward()) == 2
    assert b.ok("status").stdout.startswith("nothing is sent to DNS: ")
    site.mark.unlink()
    wait_for(lambda: len(site.forward()) == 3, 20, what="the lease's name in DNS")
    assert len(held()) == 1
    assert f"printer.{FORWARD} A 192.0.2.9" in site.forward()
