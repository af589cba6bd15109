"""Names that clients, people and zones can send: kept as evidence byte for byte, shown escaped,
and never in DNS unless the rule makes a host name of them.
"""

import json
import subprocess

import pytest

from harness import LeaseFile4
from harness.bridge import binary
from harness.lab import FORWARD, REV24, mac, pair, ptr

# What a DHCP client may call itself; None: refused, else the name that it becomes.
NAMES = {
    "sql": ("x','') --", None),
    "sql-drop": ("'; drop table ipambridge.host; --", None),
    "dollar": ("$(id)", None),
    "backtick": ("`id`", None),
    "percent": ("%s%n%x", None),
    "html": ("<script>alert(1)</script>", None),
    "amp": ("a&b,c", None),
    "quotes": ("\"'\\", None),
    "escape": ("\x1b[2J\x1b]0;owned\x07", None),
    "csi": ("\x9b31m", None),
    "bell": ("a\x07b", None),
    "cr": ("a\rb", None),
    "tab": ("a\tb", None),
    "del": ("a\x7fb", None),
    "utf8": ("dröhnung", None),
    "rtl": ("a\u202egpj.exe", None),
    "emoji": ("\U0001f4a9", None),
    "long": ("x" * 300, None),
    "label64": ("x" * 64, None),
    "label63": ("x" * 63, "x" * 63),
    "deep": (".".join(["a"] * 120), "a"),
    "dots": ("..", None),
    "dot": (".", None),
    "two-dots": ("a..b", None),
    "lead-dot": (".a", None),
    "wpad": ("wpad", None),
    "isatap": ("ISATAP", None),
    "localhost": ("localhost", None),
    "wildcard": ("*", None),
    "wild-in": ("*.lab.example.", None),
    "apex": ("lab.example.", None),
    "dash": ("-rf", None),
    "dash-end": ("a-", None),
    "digits": ("12345", None),
    "address": ("192.0.2.1", None),
    "address6": ("::1", None),
    "reverse": ("7.2.0.192.in-addr.arpa.", "7"),
    "space": ("Anna s iPad", "anna-s-ipad"),
    "underscore": ("my_phone", "my-phone"),
    "upper": ("UPPER.Lab.Example.", "upper"),
    "option": ("--force", None),
    "null-word": ("NULL", "null"),
    "punycode": ("xn--drhnung-90a", "xn--drhnung-90a"),
    "copy-end": ("\\.", None),
    "copy-null": ("\\N", None),
    "json": ('{"a":1}', None),
    "semicolon": ("a;b", None),
    "at": ("a@b", None),
    "slash": ("../../etc/passwd", None),
    "zero": ("\x00", None),
    "nul-in": ("host\x00evil", None),
}


def printable(text):
    """Nothing that a terminal would act on; newlines end lines."""
    return all(0x20 <= ord(c) < 0x7f or c == "\n" for c in text)


def raw_lease(lab, n, name):
    """A row with the name's bytes as they are, but for Kea's own two escapes."""
    row = LeaseFile4(lab.dir / "row.csv")
    row.add(f"192.0.2.{n}", mac(n), "NAME")
    text = row.path.read_bytes().splitlines(keepends=True)[1]
    name = name.replace("&", "&#x26").replace(",", "&#x2c")
    lab.leases4.raw(text.replace(b"NAME", name.encode("utf-8", "surrogateescape")))


@pytest.fixture
def crowd(bind_lab):
    """One lease for every name above."""
    lab = bind_lab
    for n, (name, _) in enumerate(NAMES.values(), 1):
        raw_lease(lab, n, name)
    lab.lease(200, "honest")
    lab.reconcile()
    return lab


def test_only_legal_names_reach_dns(crowd):
    lab = crowd
    lab.quiet(conflicts=0)
    named = {"honest.lab.example": "192.0.2.200"}
    for n, (_, becomes) in enumerate(NAMES.values(), 1):
        if becomes is not None:
            named[f"{becomes}.lab.example"] = f"192.0.2.{n}"
    assert {name: a for name, a in lab.hosts() if name is not None} == named
    legal = set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    for zone in (FORWARD, REV24):
        for line in lab.dns.axfr(zone):
            assert set(line.split(" ", 1)[0]) <= legal
    owners = {line.split(" ")[0] for line in lab.dns.axfr(FORWARD)}
    assert owners == set(named)


def test_every_name_is_kept_as_it_came_and_its_refusal_has_a_reason(crowd):
    lab = crowd
    rows = {a["address"]: a for a in lab.bridge.json("list", "addresses")}
    stored = dict(lab.bridge_sql(
        "select host(address), encode(name, 'hex') from ipambridge.observation"))
    bad = {}
    for n, (key, (name, becomes)) in enumerate(NAMES.items(), 1):
        address = f"192.0.2.{n}"
        if address not in rows:
            bad[address] = key
            continue
        if becomes is None:
            assert rows[address]["names"] == [] and rows[address]["note"].startswith("no name: ")
        got = bytes.fromhex(stored[address])
        # Kea never stores more than 255 bytes of a name.
        assert got == name.encode()[:len(got)] and (len(got) >= 255 or got == name.encode()), key
    source = next(s for s in lab.bridge.json("list", "sources") if s["name"] == "dhcp4")
    assert source["bad"] == len(bad)
    assert set(bad.values()) <= {"long", "zero", "nul-in", "cr"}


@pytest.mark.parametrize("words", [["list", "hosts"], ["list", "addresses"], ["list", "sources"],
                                   ["list", "conflicts"], ["plan"], ["reconcile"]])
def test_nothing_that_a_terminal_obeys_is_printed(crowd, words):
    for json_too in ([], ["--json"]):
        r = crowd.bridge.run(*json_too, *words)
        assert r.rc == 0 and printable(r.stdout) and printable(r.stderr)


def test_why_shows_every_name_escaped(crowd):
    lab = crowd
    rows = {a["address"] for a in lab.bridge.json("list", "addresses")}
    for n, (key, (name, _)) in enumerate(NAMES.items(), 1):
        if f"192.0.2.{n}" not in rows or key == "long":
            continue
        if not printable(name):
            r = lab.bridge.ok("why", f"192.0.2.{n}")
            assert printable(r.stdout) and r.stderr == "", key
        r = lab.bridge.ok("--json", "why", f"192.0.2.{n}")
        assert printable(r.stdout), key
        sighting, = r.json["sightings"]
        shown = sighting["name"]
        # JSON has escapes of its own; what is no UTF-8 is escaped before.
        assert shown == name or "\\x" in shown, key


def test_the_journal_says_them_escaped(crowd):
    for event, why in crowd.bridge_sql("select event, why from ipambridge.journal"):
        assert printable(why), (event, why)
    for what, in crowd.bridge_sql("select why from ipambridge.host"):
        assert printable(what)


def test_verbose_output_is_escaped_too(bind_lab):
    lab = bind_lab
    for n, (name, _) in enumerate(NAMES.values(), 1):
        raw_lease(lab, n, name)
    r = lab.bridge.run("-v", "-v", "reconcile")
    assert r.rc == 0 and printable(r.stderr) and printable(r.stdout)


def test_words_of_the_command_line_are_never_obeyed(bind_lab):
    b = bind_lab.bridge
    everywhere = {"sql", "dollar", "percent", "escape", "csi", "utf8", "long", "dash", "quotes"}
    for key, (name, _) in NAMES.items():
        if "\x00" in name:
            continue
        verbs = [["add-host", "--", name, "203.0.113.7"], ["why", "--", name]]
        if key in everywhere:
            verbs += [["del-host", "--", name], ["list", "--", name],
                      ["--space", name, "list", "hosts"], ["--view", name, "list", "zones"],
                      ["reconcile", "--force", name, "--dry-run"],
                      ["import", "--type", name, "-"]]
        for words in verbs:
            r = b.run(*words)
            assert r.rc in (0, 1, 2), r
            assert printable(r.stdout) and printable(r.stderr), r


def test_a_note_is_any_text_and_is_shown_escaped(bind_lab):
    lab = bind_lab
    note = "'; drop --\x1b[31m <b>ö\n$(id) %s"
    lab.bridge.ok("add-host", "nas", "192.0.2.7", "--note", note)
    r = lab.bridge.ok("why", "nas")
    assert printable(r.stdout)
    r = lab.bridge.ok("--json", "why", "nas")
    assert printable(r.stdout) and r.json["sightings"][0]["raw"] == note


# ---- a newline in a name ---------------------------------------------------------------------

def test_a_newline_in_a_name_breaks_its_own_row_alone(bind_lab):
    """Kea writes it raw: one row becomes two, and neither may become somebody else's lease."""
    lab = bind_lab
    lab.lease(7, "before")
    forged = "evil\n192.0.2.50,02:00:00:00:00:50,,3600,4000000000,1,1,1,forged,0,\nx"
    raw_lease(lab, 8, forged.replace(",", "\x00"))
    text = lab.leases4.path.read_bytes().replace(b"\x00", b"&#x2c")
    lab.leases4.path.write_bytes(text)
    lab.lease(9, "after")
    lab.settle(conflicts=0)
    lab.expect(pair("before.lab.example", "192.0.2.7", mac=mac(7)),
               pair("after.lab.example", "192.0.2.9", mac=mac(9)))
    source = next(s for s in lab.bridge.json("list", "sources") if s["name"] == "dhcp4")
    assert source["bad"] >= 2


# ---- names in DNS ----------------------------------------------------------------------------

PTR_TARGETS = [r"x\'\,\'\'\)\032--.lab.example.", r"\036\(id\).lab.example.",
               r"\027[2J.lab.example.", r"\<script\>.lab.example.", r"a\000b.lab.example.",
               r"a\.b.lab.example.", r"\255\254.lab.example.", ".", "lab.example.",
               "x" * 63 + ".lab.example.", "wpad.lab.example.", "*.lab.example.",
               ".".join(["y" * 61] * 3) + ".lab.example."]


@pytest.mark.parametrize("make", ["knot", "pdns"], indirect=True)
def test_hostile_targets_of_pointers_are_evidence_alone(lab, make):
    """BIND refuses most of them itself."""
    stored = 0
    for n, target in enumerate(PTR_TARGETS, 1):
        stored += lab.dns.update(REV24, ("add", ptr(f"192.0.2.{n}"), 60, "PTR", target)) == (
            "NOERROR")
    assert stored >= 5
    before = lab.raw()
    lab.settle(changed=0)
    assert lab.raw() == before
    for words in (["list", "hosts"], ["list", "addresses"], ["why", "192.0.2.1"],
                  ["why", "192.0.2.3"], ["why", "192.0.2.5"]):
        for json_too in ([], ["--json"]):
            r = lab.bridge.ok(*json_too, *words)
            assert printable(r.stdout), (words, r.stdout)
    names = {name for name, _ in lab.hosts() if name is not None}
    assert names <= {"x" * 63 + ".lab.example", ".".join(["y" * 61] * 3) + ".lab.example"}


@pytest.mark.parametrize("make", ["knot"], indirect=True)
def test_a_hostile_edit_of_our_pointer_changes_no_name(lab):
    lab.lease(7, "host")
    lab.settle()
    lab.dns.replace(ptr("192.0.2.7"), "PTR", r"\027[2J\'\;--.lab.example.")
    lab.reconcile()
    lab.quiet()
    assert ("host.lab.example", "192.0.2.7") in lab.hosts()
    assert lab.dns.query("host.lab.example") == ["192.0.2.7"]
    assert [line for line in lab.dns.axfr(FORWARD) if " A " in line] == [
        "host.lab.example A 192.0.2.7"]
    for words in (["list", "conflicts"], ["why", "192.0.2.7"], ["plan"]):
        r = lab.bridge.ok(*words)
        assert printable(r.stdout), r.stdout


def test_owners_with_any_bytes_pass_by(lab):
    """Records of others at names that no host could have."""
    for owner in (r"\000.lab.example.", r"a\.b.lab.example.", r"\032\032.lab.example.",
                  r"\255.lab.example.", r"\(\).lab.example.", "_dmarc.lab.example.",
                  "x" * 63 + ".lab.example."):
        lab.dns.update(FORWARD, ("add", owner, 60, "TXT", '"any"'))
    before = lab.raw()
    lab.lease(7, "host")
    lab.settle(changed=4, conflicts=0)
    lab.leases4.release("192.0.2.7")
    lab.settle(changed=4)
    assert lab.raw() == before


# ---- other sources ---------------------------------------------------------------------------

GARBAGE = {"zeros": b"\0" * 5000, "not-utf8": b"\xff\xfe" * 500, "one-line": b"x" * 100_000,
           "empty-lines": b"\n" * 10_000, "arrays": b"[" * 100_000, "objects": b'{"a":' * 50_000}


@pytest.mark.parametrize("what", GARBAGE)
@pytest.mark.parametrize("kind", ["kea-leases", "neighbour"])
def test_garbage_as_a_source_ends_in_words(bind_lab, kind, what):
    lab = bind_lab
    path = lab.dir / "garbage"
    path.write_bytes(GARBAGE[what])
    lab.bridge.source("box", kind, file=path)
    for words in (["import", "--type", kind, path], ["reconcile"]):
        r = lab.bridge.run(*words)
        assert r.rc in (0, 1, 4), r
        assert printable(r.stdout) and printable(r.stderr)
        assert len(r.stderr) < 20_000
    assert lab.hosts() == {}


def test_json_output_is_ascii_and_one_document(crowd):
    lab = crowd
    r = subprocess.run([binary(), "-c", lab.bridge.config, "--json", "list", "addresses"],
                       capture_output=True, timeout=30)
    assert r.returncode == 0 and r.stdout.isascii() and r.stderr == b""
    assert len(json.loads(r.stdout)) == len(lab.bridge.json("list", "addresses"))
