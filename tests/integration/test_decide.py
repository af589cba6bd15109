"""A person's word: resolve, adopt and disown.  Shown before it is done, kept afterwards, and never
a reason for a record to vanish from DNS.
"""

import pytest

from harness.lab import FORWARD, mac, pair, ptr

BIND_AND_KNOT = pytest.mark.parametrize("make", ["bind", "knot"], indirect=True)

HOST, P7 = "host.lab.example", ptr("192.0.2.7")
THEIRS = f"{HOST} A 198.51.100.7"


def decide(lab, *words, rc=0):
    """The plan as --dry-run tells it, and that it changes nothing; then the same for real."""
    before = lab.raw()
    rows = lab.conflicts()
    dry = lab.bridge.json(*words, "--dry-run")
    assert lab.raw() == before and lab.conflicts() == rows
    got = lab.bridge.json(*words, rc=rc)
    assert got == dry
    return got


def lost(lab, before):
    """Owner, type and data of what was there before and is not any more."""
    strip = lambda all: {(z, r[0], r[2], r[3]) for z, v in all.items() for r in v}
    return strip(before) - strip(lab.raw())


def edited(lab, target="nas.lab.example"):
    lab.lease(7, "host")
    lab.settle()
    lab.dns.replace(P7, "PTR", target + ".")
    lab.reconcile()


# ---- resolve ---------------------------------------------------------------------------------

@BIND_AND_KNOT
def test_ipam_is_taken_over_what_stands_there_once(lab):
    lab.dns.add(HOST, "A", "198.51.100.7")
    lab.lease(7, "host")
    lab.settle(conflicts=1)
    row, = decide(lab, "resolve", HOST, "--take", "ipam")
    assert row["owner"] == HOST and row["action"] == "take-ipam"
    assert row["seen"] == ["A 198.51.100.7"] and "A 192.0.2.7" in row["adds"]
    assert row["replaces"] == ["A 198.51.100.7"]
    lab.quiet(conflicts=0)
    lab.expect(pair(HOST, "192.0.2.7", mac=mac(7)))
    # Once: the next word of somebody else is theirs again.
    lab.dns.replace(HOST, "A", "198.51.100.8")
    lab.reconcile()
    lab.quiet(conflicts=1)
    assert lab.dns.query(HOST) == ["198.51.100.8"]


@BIND_AND_KNOT
def test_ipam_joins_a_name_in_use_and_leaves_the_rest_there(lab):
    lab.dns.add(HOST, "TXT", '"rack 3"')
    lab.dns.add(HOST, "AAAA", "2001:db8::7")
    lab.lease(7, "host")
    lab.settle(conflicts=1)
    before = lab.raw()
    row, = decide(lab, "resolve", "host", "--take", "ipam")
    assert row["replaces"] == [] and "A 192.0.2.7" in row["adds"]
    lab.quiet(conflicts=0)
    assert not lost(lab, before)
    assert lab.dns.query(HOST) == ["192.0.2.7"]


def test_an_alias_is_nothing_to_write_over(bind_lab):
    lab = bind_lab
    lab.dns.add(HOST, "CNAME", "www.lab.example.")
    lab.lease(7, "host")
    lab.settle(conflicts=1)
    before = lab.raw()
    said = lab.bridge.run("resolve", HOST, "--take", "ipam")
    assert said.rc == 4 and "alias" in said.stderr
    assert lab.raw() == before and (HOST, "A") in lab.conflicts()


def test_a_name_is_set_aside_until_it_is_taken_again(bind_lab):
    lab = bind_lab
    lab.dns.add(HOST, "A", "198.51.100.7")
    lab.lease(7, "host")
    lab.settle(conflicts=1)
    before = lab.raw()
    row, = decide(lab, "resolve", HOST, "--take", "dns")
    assert row["adds"] == row["replaces"] == [] and "set aside" in row["why"]
    lab.quiet(conflicts=0)
    assert lab.raw() == before
    host, = lab.why("192.0.2.7")["decisions"]
    assert host["name"] is None and "set aside" in host["why"]
    # Another client does not get it either, nor does it come back with new evidence.
    lab.lease(8, "host")
    lab.settle(conflicts=0)
    lab.dns.delete(HOST)
    lab.settle(conflicts=0)
    assert lab.dns.query(HOST) == []
    decide(lab, "resolve", HOST, "--take", "ipam")
    lab.quiet(conflicts=0)
    assert lab.dns.query(HOST) == ["192.0.2.7"] and lab.names("192.0.2.8") != []


def test_a_foreign_ptr_becomes_an_edit(bind_lab):
    lab = bind_lab
    lab.dns.add(P7, "PTR", "nas.lab.example.")
    lab.lease(7, "host")
    lab.settle(conflicts=1)
    before = lab.raw()
    row, = decide(lab, "resolve", "192.0.2.7", "--take", "dns")
    assert row["owner"] == P7 and row["state_then"] == "agreed"
    lab.quiet(conflicts=0)
    assert lab.names("192.0.2.7") == ["nas.lab.example"]
    assert lab.dns.query("nas.lab.example") == ["192.0.2.7"]
    assert not lost(lab, before)


def test_a_ptr_that_cannot_name_is_set_aside(bind_lab):
    lab = bind_lab
    lab.dns.add(P7, "PTR", "nas.elsewhere.test.")
    lab.lease(7, "host")
    lab.settle(conflicts=1)
    before = lab.raw()
    decide(lab, "resolve", "192.0.2.7", "--take", "dns")
    lab.quiet(conflicts=0)
    assert lab.raw() == before
    assert lab.dns.query(P7, "PTR") == ["nas.elsewhere.test"]
    row, = decide(lab, "resolve", "192.0.2.7", "--take", "ipam")
    lab.quiet(conflicts=0)
    lab.expect(pair(HOST, "192.0.2.7", mac=mac(7)))


def test_an_edited_ptr_is_written_over(bind_lab):
    lab = bind_lab
    edited(lab, "nas.elsewhere.test")
    lab.quiet(conflicts=1)
    decide(lab, "resolve", "192.0.2.7", "--take", "ipam")
    lab.quiet(conflicts=0)
    lab.expect(pair(HOST, "192.0.2.7", mac=mac(7)))


def frozen(lab):
    lab.lease(7, "host")
    lab.settle()
    for _ in range(3):
        lab.dns.delete(HOST)
        lab.bridge.run("reconcile")
        lab.bridge.run("reconcile")
    row = lab.conflicts()[HOST, "A"]
    assert "frozen" in row["why"]
    return row


def test_a_frozen_name_is_written_once_more_or_given_up(bind_lab):
    lab = bind_lab
    row = frozen(lab)
    assert row["published"] == ["192.0.2.7"] and row["seen"] == []
    # Both writers, as well as they are known.
    assert 'this bridge wrote A 192.0.2.7' in row["why"] and '"ns1"' in row["why"]
    assert "nothing left there" in row["why"] and "the other writer" in row["why"]
    said = lab.bridge.json("status")
    assert "frozen" in said["verdict"]
    fight, = said["fights"]
    assert fight["owner"] == HOST and "A 192.0.2.7" in fight["wrote"] and fight["reverts"] == 3
    assert fight["seen"] == [] and fight["why"] == row["why"]
    metrics = lab.dir / "metrics"
    lab.bridge.ok("reconcile", "--metrics-file", metrics)
    assert f'space="default",view="",zone="{FORWARD}",kind="frozen"}} 1' in metrics.read_text()
    line = [x for x in lab.bridge.json("journal", HOST) if x["event"] == "frozen"]
    assert line and line[0]["why"] == row["why"]
    decide(lab, "resolve", HOST, "--take", "ipam")
    lab.quiet(conflicts=0)
    assert lab.dns.query(HOST) == ["192.0.2.7"]
    for _ in range(3):
        lab.dns.delete(HOST)
        lab.bridge.run("reconcile")
        lab.bridge.run("reconcile")
    assert "frozen" in lab.conflicts()[HOST, "A"]["why"]
    decide(lab, "resolve", HOST, "--take", "dns")
    lab.quiet(conflicts=0)
    assert lab.dns.query(HOST) == [] and not lab.conflicts()


# ---- adopt and disown -------------------------------------------------------------------------

def test_adopted_records_go_with_their_lease(bind_lab):
    lab = bind_lab
    for n in (7, 8):
        lab.dns.add(f"h{n}.lab.example", "A", f"192.0.2.{n}")
        lab.dns.add(ptr(f"192.0.2.{n}"), "PTR", f"h{n}.lab.example.")
        lab.bridge.ok("add-host", f"h{n}.lab.example", f"192.0.2.{n}")
    lab.dns.add("h9.lab.example", "A", "192.0.2.9")
    lab.quiet()
    serials, before = lab.serials(), lab.raw()
    rows = decide(lab, "adopt", "h?.lab.example")
    rows += decide(lab, "adopt", "*.2.0.192.in-addr.arpa")
    assert sorted(r["owner"] for r in rows) == sorted(
        f(n) for n in (7, 8) for f in ("h{}.lab.example".format,
                                       lambda n: ptr(f"192.0.2.{n}")))
    assert all(r["adds"] == r["replaces"] == [] for r in rows)
    assert lab.serials() == serials and lab.raw() == before
    assert decide(lab, "adopt", "h*") == []
    lab.bridge.ok("del-host", "192.0.2.7")
    lab.quiet()
    lab.expect(pair("h8.lab.example", "192.0.2.8"), ["h9.lab.example A 192.0.2.9"])


def test_the_equal_part_of_a_conflict_is_adopted(bind_lab):
    lab = bind_lab
    lab.dns.add(HOST, "A", "192.0.2.7")
    lab.dns.add(HOST, "A", "198.51.100.7")
    lab.bridge.run("add-host", HOST, "192.0.2.7")
    lab.quiet(conflicts=1)
    row, = decide(lab, "adopt", HOST)
    assert row["ours_then"] == ["A 192.0.2.7"] and row["state_then"] == "in-step"
    lab.quiet(conflicts=0)
    lab.bridge.ok("del-host", HOST)
    lab.quiet()
    lab.expect([THEIRS])


@BIND_AND_KNOT
def test_disowned_records_stay_whatever_happens(lab):
    lab.lease(7, "host")
    lab.settle()
    before = lab.raw()
    rows = decide(lab, "disown", HOST) + decide(lab, "disown", "192.0.2.7")
    assert [r["published"] != [] and r["ours_then"] == [] for r in rows] == [True, True]
    for _ in range(2):
        lab.bridge_sql("update ipambridge.zone set full_at = null")
        lab.quiet(conflicts=0)
    lab.leases4.release("192.0.2.7")
    lab.quiet(conflicts=0)
    assert lab.raw() == before
    lab.dns.delete(HOST)
    lab.lease(7, "host")
    lab.settle(conflicts=1)
    assert lab.dns.query(HOST) == []
    decide(lab, "resolve", HOST, "--take", "ipam")
    lab.quiet(conflicts=0)
    assert lab.dns.query(HOST) == ["192.0.2.7"]


def test_an_edit_ends_by_disown_and_nothing_vanishes(bind_lab):
    lab = bind_lab
    edited(lab)
    lab.quiet()
    assert lab.names("192.0.2.7") == ["nas.lab.example"]
    before = lab.raw()
    decide(lab, "disown", "192.0.2.7")
    lab.quiet()
    assert lab.names("192.0.2.7") == [HOST]
    assert not lost(lab, before)
    assert lab.dns.query(P7, "PTR") == ["nas.lab.example"]
    assert lab.dns.query(HOST) == ["192.0.2.7"]


# ---- words that mean nothing ------------------------------------------------------------------

def test_what_is_not_there_or_not_open_is_said_and_harmless(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    lab.settle()
    before = lab.raw()
    for words, why in ((("resolve", HOST, "--take", "dns"), "nothing to settle"),
                       (("resolve", "nobody.lab.example", "--take", "ipam"), "nothing is known"),
                       (("adopt", HOST), "ours already"),
                       (("disown", "'; drop table x\x07*"), "nothing is known")):
        said = lab.bridge.run(*words)
        assert said.rc == 0 and why in said.stderr and "\x07" not in said.stderr, said
    for words in (("resolve", HOST), ("resolve", HOST, "--take", "both"), ("adopt",)):
        assert lab.bridge.run(*words).rc == 2
    assert lab.raw() == before
    lab.quiet()
