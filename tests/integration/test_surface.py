"""The surface as scripts see it: JSON, exit codes, help, and what a dry run leaves behind."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from harness import Bind, Bridge, Process, server_env, wait_for
from harness import golden
from harness.bridge import binary
from harness.kea import INFINITE
from harness.lab import FORWARD, REV24, ZONES, Lab, duid, mac, pair, ptr

# Verbs that print no results, or nothing that --json could shape.
NO_JSON = {"serve", "kea-hook"}


def verbs():
    text = subprocess.run([binary(), "--help"], capture_output=True, text=True, check=True).stdout
    block = text.split("verbs:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in block.splitlines()]


# ---- golden files ----------------------------------------------------------------------------

ARP = """? (192.0.2.30) at 02:00:00:00:00:30 on em0 expires in 1199 seconds [ethernet]
? (192.0.2.31) at (incomplete) on em0 expired [ethernet]
? (203.0.113.1) at 02:00:00:00:01:01 on em1 permanent [ethernet]
not a line of arp
"""
# As Kea writes a lease without end that was given at a certain second.
ALWAYS = {"valid": INFINITE, "expire": 1700000000 + INFINITE}


def play(lab):
    """A small story; {golden name: what --json printed}."""
    b, said = lab.bridge, {}

    def say(name, *words, rc=0, **more):
        said[name] = b.json(*words, rc=rc, **more)

    b.source("arp", "neighbour", format="bsd", file=lab.dir / "arp.txt")
    (lab.dir / "arp.txt").write_text(ARP)
    lab.dns.add("taken.lab.example", "A", "198.51.100.1")
    lab.dns.add(ptr("192.0.2.40"), "PTR", "switch.lab.example.")
    lab.dns.add(ptr("192.0.2.41"), "PTR", "switch.elsewhere.test.")
    for n, name in ((7, "Laptop"), (8, "laptop"), (9, "taken"), (10, "x','') --")):
        lab.lease(n, name, **ALWAYS)
    lab.leases6.add("2001:db8:0:1::7", duid(7), "laptop", mac=mac(7), **ALWAYS)
    say("db-status", "db", "status")
    say("check-config", "check-config")
    say("pull", "pull")
    say("plan", "plan")
    say("plan-exit-code", "plan", "--exit-code", rc=3)
    say("reconcile-dry-run", "reconcile", "--dry-run")
    say("reconcile", "reconcile")
    say("reconcile-again", "reconcile")
    say("add-host", "add-host", "nas", "192.0.2.50", "2001:db8:0:1::50", "--mac", mac(50),
        "--note", "rack 3", "--ttl", "1h")
    say("add-host-again", "add-host", "nas", "192.0.2.50")
    say("add-host-replace", "add-host", "nas", "192.0.2.51", "--replace")
    say("add-host-conflict", "add-host", "taken", "192.0.2.52", rc=4)
    for what in ("hosts", "addresses", "subnets", "zones", "sources", "conflicts"):
        say(f"list-{what}", "list", what)
    say("status", "status")
    say("journal", "journal", "laptop")
    say("why-name", "why", "laptop")
    say("why-address", "why", "192.0.2.9")
    say("why-nothing", "why", "nobody.lab.example")
    say("del-host", "del-host", "nas")
    say("del-host-nothing", "del-host", "nas")
    say("del-host-still", "del-host", "192.0.2.7")
    say("import", "import", "--type", "neighbour", "-", rc=4, stdin=ARP)
    say("resolve", "resolve", "taken", "--take", "dns")
    say("resolve-nothing", "resolve", "taken", "--take", "dns")
    lab.dns.add("printer.lab.example", "A", "192.0.2.60")
    b.ok("add-host", "printer", "192.0.2.60")
    say("adopt", "adopt", "printer")
    say("disown", "disown", "p*.lab.example")
    return said


@pytest.fixture(scope="module")
def said(shared, postgres, template):
    path = pathlib.Path(tempfile.mkdtemp(prefix="ipambridge-"))
    b = Bridge(path, postgres.database(template=template))
    yield play(Lab(path, shared(Bind), b, postgres))
    shutil.rmtree(path, ignore_errors=True)


def golden_names():
    return sorted(p.stem for p in golden.DIR.glob("*.json"))


def test_every_answer_is_as_its_golden_file(said):
    different = []
    for name, value in said.items():
        try:
            golden.check(name, value)
        except AssertionError as e:
            different.append(f"{name}: {e}")
    assert not different, "\n".join(different)
    assert sorted(said) == golden_names()


def test_every_verb_has_a_golden_file():
    named = {v for v in verbs() for n in golden_names() if n == v or n.startswith(v + "-")}
    assert set(verbs()) - named == NO_JSON & set(verbs())


def test_keys_are_snake_case_and_times_are_utc(said):
    def walk(value, key="key"):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", key)
        if isinstance(value, dict):
            for k, v in value.items():
                walk(v, k)
        elif isinstance(value, list):
            for v in value:
                walk(v, key)
        elif isinstance(value, str) and (key.endswith("_at") or key.startswith("last_")):
            assert golden.TIME.match(value), f"{key}: {value}"

    for value in said.values():
        walk(value)


def test_names_have_no_final_dot_and_addresses_no_prefix_length(said):
    for row in said["list-hosts"] + said["plan"]:
        for key in ("name", "owner", "zone"):
            assert not (row.get(key) or "").endswith(".")
        assert "/" not in (row.get("address") or "")


# ---- options and help ------------------------------------------------------------------------

@pytest.mark.parametrize("verb", verbs())
def test_help_of_a_verb_needs_no_configuration(run_dir, verb):
    for words in ([verb, "--help"], [verb, "-h"], ["-c", "/nonexistent", verb, "--help"]):
        r = subprocess.run([binary(), *words], capture_output=True, text=True, cwd=run_dir,
                           env={"PATH": "/usr/bin"}, timeout=20)
        assert r.returncode == 0 and r.stderr == ""
        assert r.stdout.startswith(f"usage: ipambridge [-c FILE] [-v] [--json] {verb}")
        usage, text = r.stdout.split("\n", 1)
        assert all(len(line) <= 80 for line in text.splitlines())
        assert "example" in text
        for option in re.findall(r"--[a-z-]+", usage.replace("--json", "")):
            assert option in text


def test_help_and_version_of_the_whole():
    r = subprocess.run([binary(), "--help"], capture_output=True, text=True, timeout=20)
    assert r.returncode == 0 and "exit codes: 0" in r.stdout
    r = subprocess.run([binary(), "--version"], capture_output=True, text=True, timeout=20)
    assert r.returncode == 0 and re.match(r"ipambridge \d", r.stdout)


def test_json_stands_before_or_after_the_verb(bind_lab):
    b = bind_lab.bridge
    bind_lab.lease(7, "host")
    before, after = b.ok("--json", "plan"), b.ok("plan", "--json")
    assert before.stdout == after.stdout and json.loads(before.stdout)
    assert b.ok("list", "--json", "zones").json and b.ok("list", "zones", "--json").json


def test_without_json_there_is_a_table_and_a_sentence(bind_lab):
    lab = bind_lab
    lab.lease(7, "host")
    r = lab.bridge.ok("plan")
    assert r.stdout.splitlines()[0].split() == ["OWNER", "TYPE", "ACTION", "FROM", "TO", "TTL",
                                                "WHY"]
    assert r.stdout.splitlines()[-1] == "plan: 4 changes, 0 held, 0 conflicts"
    r = lab.bridge.ok("reconcile")
    assert r.stdout.startswith("reconcile: 4 changed, 0 refused, 0 pending") and r.stderr == ""
    r = lab.bridge.ok("list", "hosts")
    assert r.stdout.splitlines()[1].split()[:3] == ["default", "host.lab.example", "192.0.2.7"]
    assert lab.bridge.ok("list", "conflicts").stdout == ""
    assert lab.bridge.ok("--json", "list", "conflicts").stdout == "[]\n"


def test_space_and_view_narrow_what_is_listed(labs):
    lab = labs(Bind)
    b = lab.bridge
    b.zone("other.example", "ns1", view="inside")
    b.zone("branch.example", "ns1", space="branch")
    b.subnet("192.0.2.0/24", ["branch.example"], space="branch")
    b.source("branch4", "kea-leases", space="branch", file=lab.dir / "branch.csv")
    assert {z["name"] for z in b.json("list", "zones", "--space", "branch")} == {"branch.example"}
    assert {z["name"] for z in b.json("--view", "inside", "list", "zones")} == {"other.example"}
    assert len(b.json("list", "zones")) == len(ZONES) + 1
    assert {s["name"] for s in b.json("list", "sources", "--space", "branch")} == {
        "branch4", "manual", "dns"}
    r = b.run("list", "zones", "--space", "nosuch")
    assert r.rc == 2 and "nosuch" in r.stderr


# ---- exit codes ------------------------------------------------------------------------------

def test_0_when_there_is_nothing_to_do_and_with_standing_conflicts(bind_lab):
    lab = bind_lab
    assert lab.bridge.run("reconcile").rc == 0
    lab.dns.add("host.lab.example", "A", "198.51.100.1")
    lab.lease(7, "host")
    assert lab.bridge.run("reconcile").rc == 0
    assert lab.bridge.run("reconcile").rc == 0
    assert lab.bridge.run("plan", "--exit-code").rc == 0


@pytest.mark.parametrize("verb", ["reconcile", "plan", "pull", "list zones", "why a.lab.example",
                                  "add-host a 192.0.2.7", "del-host a", "db status",
                                  "import --type neighbour -"])
def test_1_when_the_database_cannot_be_reached(bridges, run_dir, verb):
    b = bridges(f"host={run_dir} port=1 dbname=nosuch connect_timeout=2")
    b.server("ns1", address="127.0.0.1", port=1)
    b.zone(FORWARD, "ns1").subnet("192.0.2.0/24", [FORWARD])
    b.source("arp", "neighbour", format="bsd", file=run_dir / "arp.txt")
    r = b.run(*verb.split())
    assert r.rc == 1 and r.stdout == "" and r.stderr.startswith("ipambridge: ")
    assert "hint: " in r.stderr


def test_2_when_the_schema_is_not_there(bridges, database):
    b = bridges(database)
    for verb in (["list", "zones"], ["reconcile"], ["add-host", "a", "192.0.2.7"]):
        r = b.run(*verb)
        assert r.rc == 2 and r.stdout == "" and "db init" in r.stderr


def test_1_when_standard_output_cannot_be_written(bind_lab):
    lab = bind_lab
    lab.bridge.write_config()
    for words in (["list", "zones"], ["--json", "list", "zones"], ["--json", "plan"],
                  ["check-config"], ["--json", "why", "192.0.2.7"], ["db", "status"]):
        with open("/dev/full", "w") as full:
            r = subprocess.run([binary(), "-c", lab.bridge.config, *words], stdout=full,
                               stderr=subprocess.PIPE, text=True, timeout=30)
        assert r.returncode == 1 and "standard output" in r.stderr, words


@pytest.mark.parametrize("words, says", [
    (["frobnicate"], 'unknown verb "frobnicate"'),
    (["reconcil"], 'did you mean "reconcile"'),
    ([], '"ipambridge --help" lists the verbs'),
    (["reconcile", "--nosuch"], '"--nosuch"'),
    (["reconcile", "--dry-run=x"], '"--dry-run=x"'),
    (["reconcile", "--force"], '"--force"'),
    (["reconcile", "extra"], "usage: ipambridge reconcile"),
    (["add-host", "name"], "usage: ipambridge add-host"),
    (["add-host", "name", "192.0.2.300"], '"192.0.2.300" is no IP address'),
    (["add-host", "name", "192.0.2.7/24"], "is no IP address"),
    (["add-host", "name", "0.0.0.0"], "not an address a host could have"),
    (["add-host", "name", "192.0.2.7", "--ttl", "0"], "is no TTL"),
    (["add-host", "name", "192.0.2.7", "--ttl", "8d"], "is no TTL"),
    (["add-host", "name", "192.0.2.7", "--mac", "x"], "is no hardware address"),
    (["list"], "usage: ipambridge list"),
    (["list", "host"], 'did you mean "list hosts"'),
    (["why", "a..b"], "neither a name nor an address"),
    (["import"], "import needs --type"),
    (["import", "--type", "nosuch"], 'no source type "nosuch"'),
    (["import", "--type", "neighbour"], 'no source of type "neighbour"'),
    (["reconcile", "--force", "nosuch.example"], 'no zone "nosuch.example"'),
    (["db", "drop"], "usage: ipambridge db"),
])
def test_2_for_what_is_said_wrongly(bind_lab, words, says):
    r = bind_lab.bridge.run(*words)
    assert r.rc == 2 and r.stdout == "", r
    assert says in r.stderr and r.stderr.startswith("ipambridge: "), r


@pytest.mark.parametrize("text, says", [
    ("tttl = 5", 'there is no setting or section "tttl"'),
    ('zone "a.example" { server = "ns1" tttl = 5m }', 'did you mean "ttl"?'),
    ('zone "a.example" { server = "nosuch" }', 'nosuch'),
    ('subnet "192.0.2.0/33" { zone = "a.example" }', "192.0.2.0/33"),
    ('source "x" { type = kea }', 'there is no type "kea"'),
    ('server "ns1" { address = "localhost" }', "localhost"),
    ("brake-percent = 101", "101"),
    ('database = "', "not closed"),
    ("}", "closes nothing"),
])
@pytest.mark.parametrize("verb", ["check-config", "reconcile"])
def test_2_for_a_configuration_that_is_wrong_with_file_and_line(run_dir, text, says, verb):
    path = run_dir / "bad.conf"
    path.write_text(text + "\n")
    r = subprocess.run([binary(), "-c", path, "--json", verb], capture_output=True, text=True,
                       timeout=20)
    assert r.returncode == 2 and r.stdout == ""
    assert r.stderr.startswith(f"ipambridge: {path}:1: ") and says in r.stderr, r.stderr


@pytest.mark.parametrize("how", ["missing", "writable by others", "a directory"])
def test_2_for_a_configuration_file_that_cannot_be_trusted(run_dir, how):
    path = run_dir / "x.conf"
    if how == "a directory":
        path.mkdir()
    elif how != "missing":
        path.write_text("\n")
        path.chmod(0o666)
    r = subprocess.run([binary(), "-c", path, "check-config"], capture_output=True, text=True,
                       timeout=20)
    assert r.returncode == 2 and str(path) in r.stderr


@pytest.mark.parametrize("how", ["missing", "readable by others", "garbage", "symlink"])
def test_a_key_file_that_cannot_be_used_is_named_by_check_config(bind_lab, how):
    lab = bind_lab
    path = lab.dir / "bad.key"
    path.write_text("nonsense\n" if how == "garbage" else lab.dns.key.file.read_text())
    path.chmod(0o644 if how == "readable by others" else 0o600)
    if how == "missing":
        path.unlink()
    if how == "symlink":
        path.rename(lab.dir / "real.key")
        path.symlink_to(lab.dir / "real.key")
    lab.bridge.server("ns1", lab.dns, key_file=path)
    r = lab.bridge.run("check-config")
    assert r.rc == 2 and str(path) in r.stderr
    assert lab.dns.key.secret not in r.stderr
    lab.lease(7, "host")
    r = lab.bridge.run("reconcile")
    assert r.rc in (1, 2, 4) and str(path) in r.stderr, r


def test_3_when_plan_finds_changes_and_was_asked_to_say_so(bind_lab):
    lab = bind_lab
    assert lab.bridge.run("plan", "--exit-code").rc == 0
    lab.lease(7, "host")
    assert lab.bridge.run("plan").rc == 0
    assert lab.bridge.run("plan", "--exit-code").rc == 3
    lab.reconcile()
    assert lab.bridge.run("plan", "--exit-code").rc == 0


def test_4_when_a_server_is_unreachable_and_0_when_it_is_back(bind_lab):
    lab = bind_lab
    good = lab.dns
    lab.bridge.server("ns1", good, port=1)
    lab.lease(7, "host")
    got = lab.reconcile(rc=4)
    assert got["changed"] == 0 and got["pending"] > 0
    assert lab.bridge.run("plan", "--exit-code").rc == 4
    errors = {z["error"] is None for z in lab.bridge.json("list", "zones")}
    assert errors == {False}
    lab.bridge.server("ns1", good)
    got = lab.reconcile()
    assert got["changed"] == 4
    assert all(z["error"] is None for z in lab.bridge.json("list", "zones"))


def test_4_when_the_server_refuses_and_the_reason_is_told_once(bind_lab):
    lab = bind_lab
    wrong = lab.dir / "wrong.key"
    wrong.write_text(lab.dns.key.file.read_text().replace("ipambridge", "nosuch"))
    wrong.chmod(0o600)
    lab.bridge.server("ns1", lab.dns, key_file=wrong)
    lab.lease(7, "host")
    r = lab.bridge.run("--json", "reconcile")
    assert r.rc == 4 and "BADKEY" in r.stderr
    assert lab.dns.axfr(FORWARD) == []


def test_5_when_rows_are_held_and_it_beats_4(bind_lab):
    lab = bind_lab
    for n in range(1, 121):
        lab.lease(n, f"host{n}")
    lab.settle()
    for n in range(1, 101):
        lab.leases4.release(f"192.0.2.{n}")
    lab.bridge.source("arp", "neighbour", format="bsd", file=lab.dir / "nosuch")
    got = lab.reconcile(rc=5)
    assert got["held"] == 40 and got["pending"] == 1   # 60 of 120 may go at once
    lab.reconcile("--force", REV24, rc=4)
    held = lab.reconcile("--force", FORWARD, rc=4)["held"]
    assert held == 0
    lab.expect(*(pair(f"host{n}.lab.example", f"192.0.2.{n}", mac=mac(n))
                 for n in range(101, 121)))


def test_6_while_another_run_holds_the_lock(bind_lab):
    lab = bind_lab
    lab.reconcile()
    lab.lease(7, "host")
    lab.bridge.write_config()
    lab.dns.pause()
    try:
        first = Process([binary(), "-c", lab.bridge.config, "reconcile"], lab.dir / "first.log")
        first.start()
        wait_for(lambda: lab.bridge_sql("select 1 from pg_locks where locktype = 'advisory'"), 5)
        r = lab.bridge.run("reconcile")
        assert r.rc == 6 and r.stdout == "" and "hint: " in r.stderr
        assert lab.bridge.run("plan").rc == 6
        # Looking is always possible.
        assert lab.bridge.run("list", "hosts").rc == 0
    finally:
        lab.dns.cont()
    assert first.wait(30) == 0
    lab.expect(pair("host.lab.example", "192.0.2.7", mac=mac(7)))


# ---- nothing is changed ----------------------------------------------------------------------

def dump(lab):
    """All rows of the database; sequences run on even when a transaction is taken back."""
    env = server_env()
    r = subprocess.run([f"{env['PGBIN']}/pg_dump", "--data-only", "--schema=ipambridge",
                        "-d", lab.bridge.database], env=env, capture_output=True, text=True,
                       check=True, timeout=60)
    # A line of its own, new in each dump.
    return [line for line in r.stdout.splitlines()
            if "setval" not in line and not line.startswith(("\\restrict", "\\unrestrict"))]


@pytest.mark.parametrize("words", [["plan"], ["plan", "--exit-code"], ["reconcile", "--dry-run"],
                                   ["pull", "--dry-run"]])
@pytest.mark.parametrize("state", ["new", "lived in"])
def test_looking_changes_neither_the_database_nor_dns(bind_lab, words, state):
    lab = bind_lab
    lab.dns.add(ptr("192.0.2.40"), "PTR", "switch.lab.example.")
    lab.dns.add("taken.lab.example", "A", "198.51.100.1")
    for n in range(1, 11):
        lab.lease(n, f"host{n}")
    if state == "lived in":
        lab.lease(20, "taken")
        lab.reconcile()
        lab.leases4.rename("192.0.2.3", "renamed")
        lab.leases4.release("192.0.2.4")
        lab.leases4.add("192.0.2.11", mac(11), "new")
        lab.dns.replace(ptr("192.0.2.5"), "PTR", "edited.lab.example.")
        lab.dns.delete("host6.lab.example")
        lab.dns.delete(ptr("192.0.2.40"))
    rows, records, serials = dump(lab), lab.raw(), lab.serials()
    for _ in range(2):
        r = lab.bridge.run("--json", *words)
        assert r.rc in (0, 3) and r.json
    assert dump(lab) == rows
    assert lab.raw() == records and lab.serials() == serials


def test_a_plan_is_what_the_pass_then_does(bind_lab):
    lab = bind_lab
    for n in range(1, 6):
        lab.lease(n, f"host{n}")
    lab.reconcile()
    lab.leases4.rename("192.0.2.3", "renamed")
    lab.leases4.release("192.0.2.4")
    lab.leases4.add("192.0.2.6", mac(6), "new")
    before = set(lab.records(ttl=True))
    plan = lab.bridge.json("plan")
    dry = lab.reconcile("--dry-run")
    got = lab.reconcile()
    after = set(lab.records(ttl=True))
    assert got["changed"] == dry["changed"] == len(plan)
    added = {f"{r['owner']} {r['ttl_to']} {r['type']} {v}" for r in plan
             for v in r["to"] if v not in r["from"]}
    gone = {f"{r['owner']} {r['ttl_from'] or 300} {r['type']} {v}" for r in plan
            for v in r["from"] if v not in r["to"]}
    assert added == after - before and gone == before - after
    assert {r["action"] for r in plan} == {"add", "change", "delete"}
    assert all(r["why"] for r in plan)


# ---- import ----------------------------------------------------------------------------------

KEA4 = ("address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,"
        "state,user_context\n"
        "192.0.2.7,02:00:00:00:00:07,,3600,4000000000,1,1,1,host,0,\n"
        "192.0.2.8,02:00:00:00:00:08,,3600,4000000000,1,1\n"
        "192.0.2.9,02:00:00:00:00:09,,3600,4000000000,1,1,1,other,0,\n"
        "192.0.2.x,02:00:00:00:00:0a,,3600,4000000000,1,1,1,bad,0,\n")
KEA6 = ("address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,"
        "fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source\n"
        "2001:db8:0:1::7,00:01:02:03:04:05,3600,4000000000,1,3600,0,1,128,1,1,six,,0,,,\n"
        "2001:db8:0:1::8,xx,3600,4000000000,1,3600,0,1,128,1,1,bad,,0,,,\n"
        "2001:db8:0:3::,00:01:02:03:04:06,3600,4000000000,1,3600,2,1,64,1,1,pd,,0,,,\n")
BSD = ("? (192.0.2.7) at 02:00:00:00:00:07 on em0 expires in 1199 seconds [ethernet]\n"
       "? (192.0.2.8) at zz on em0 expires in 9 seconds [ethernet]\n"
       "? (192.0.2.9) at (incomplete) on em0 expired [ethernet]\n")
JSON = ('[{"dst":"192.0.2.7","dev":"eth0","lladdr":"02:00:00:00:00:07","state":["REACHABLE"]},'
        '{"dst":"nonsense","dev":"eth0","lladdr":"02:00:00:00:00:08","state":["STALE"]}]\n')
# type, settings, text, good, numbers of the refused records, addresses
SAMPLES = {
    "kea4": ("kea-leases", {}, KEA4, 2, [3, 5], {"192.0.2.7", "192.0.2.9"}),
    "kea6": ("kea-leases", {}, KEA6, 1, [3], {"2001:db8:0:1::7"}),
    "arp": ("neighbour", {"format": "bsd"}, BSD, 1, [2], {"192.0.2.7"}),
    "ip-json": ("neighbour", {}, JSON, 1, [2], {"192.0.2.7"}),
}


@pytest.mark.parametrize("how", ["file", "stdin", "no argument"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_import_takes_what_is_good_and_names_what_is_not(bind_lab, sample, how):
    lab = bind_lab
    kind, settings, text, good, bad, addresses = SAMPLES[sample]
    lab.bridge.source("box", kind, file=lab.dir / "not-there", **settings)
    path = lab.dir / "sample"
    path.write_text(text)
    words = {"file": [path], "stdin": ["-"], "no argument": []}[how]
    got = lab.bridge.json("import", "--type", kind, *words, rc=4,
                          stdin="" if how == "file" else text)
    assert (got["source"], got["good"], got["refused"]) == ("box", good, len(bad))
    assert [r["record"] for r in got["records"]] == bad
    assert all(r["why"] for r in got["records"])
    assert {a for _, a in lab.hosts()} == addresses
    assert lab.records() == []   # nothing is sent


def test_import_says_bad_records_on_standard_error(bind_lab):
    lab = bind_lab
    lab.bridge.source("box", "kea-leases", file=lab.dir / "x")
    r = lab.bridge.run("import", "--type", "kea-leases", "-", stdin=KEA4)
    assert r.rc == 4 and r.stdout.startswith("import: 2 good, 2 refused")
    assert [line.split(" refused: ")[0] for line in r.stderr.splitlines()] == [
        "ipambridge: record 3", "ipambridge: record 5"]


def test_import_chooses_its_source_by_name_when_there_are_several(bind_lab):
    lab = bind_lab
    for name in ("one", "two"):
        lab.bridge.source(name, "kea-leases", file=lab.dir / name)
    lab.bridge.source("arp", "neighbour", format="bsd", file=lab.dir / "arp")
    good = "".join(KEA4.splitlines(keepends=True)[:2])
    r = lab.bridge.run("import", "--type", "kea-leases", "-", stdin=good)
    assert r.rc == 2 and "--source" in r.stderr
    r = lab.bridge.run("import", "--type", "kea-leases", "--source", "arp", "-", stdin=good)
    assert r.rc == 2
    got = lab.bridge.json("import", "--type", "kea-leases", "--source", "two", "-", stdin=good)
    assert got["source"] == "two" and got["good"] == 1
    assert {h["source"] for h in lab.hosts().values()} == {"two"}


def test_what_was_imported_is_published_by_the_next_pass(bind_lab):
    lab = bind_lab
    lab.leases4.add("192.0.2.50", mac(50), "live")
    good = "".join(KEA4.splitlines(keepends=True)[:2])
    lab.bridge.ok("import", "--type", "kea-leases", "-", stdin=good)
    lab.settle()
    lab.expect(pair("host.lab.example", "192.0.2.7", mac=mac(7)),
               pair("live.lab.example", "192.0.2.50", mac=mac(50)))


@pytest.mark.parametrize("what", ["missing", "empty", "no lease file"])
def test_import_of_what_is_no_such_file_fails(bind_lab, what):
    lab = bind_lab
    lab.bridge.source("box", "kea-leases", file=lab.dir / "x")
    path = lab.dir / "sample"
    if what != "missing":
        path.write_text("" if what == "empty" else "hello\nworld\n")
    r = lab.bridge.run("import", "--type", "kea-leases", path)
    assert r.rc == 1 and r.stdout == "" and str(path) in r.stderr
    assert lab.hosts() == {}


def test_every_adapter_has_a_sample(bind_lab):
    r = bind_lab.bridge.run("import", "--type", "nosuch")
    types = r.stderr.split("there is ")[1].strip().split(", ")
    assert set(types) == {kind for kind, *_ in SAMPLES.values()}
