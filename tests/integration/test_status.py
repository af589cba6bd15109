"""status and journal: the verdict tells what is wrong, and lines are found again."""

from harness import Bind


def verdict(lab):
    text = lab.bridge.ok("status").stdout
    status = lab.bridge.json("status")
    assert text.splitlines()[0] == status["verdict"].replace("\x1b", "\\x1b")
    return status["verdict"], status


def test_the_verdict_follows_what_happens(labs, start):
    dns = start(Bind)
    lab = labs(dns=dns)
    said, status = verdict(lab)
    assert said == "no pass was made yet and no daemon runs" and status["troubles"] == 1
    lab.lease(7, "laptop")
    lab.reconcile()
    said, status = verdict(lab)
    assert said == "all in step" and status["troubles"] == 0
    assert [p["exit"] for p in status["passes"]] == [0] and status["passes"][0]["changed"] == 4
    assert [(s["name"], s["state"]) for s in status["servers"]] == [("ns1", "ok")]

    dns.stop()
    lab.leases4.rename("192.0.2.7", "desktop")
    lab.reconcile(rc=4)
    said, status = verdict(lab)
    assert said.startswith('server "ns1" is failing: ') and "more)" in said
    assert status["servers"][0]["queue"] > 0
    assert status["passes"][0]["exit"] == 4

    dns.start()
    lab.leases4.path.rename(lab.dir / "away")
    lab.reconcile(rc=4)
    said, status = verdict(lab)
    assert said.startswith('source "dhcp4" cannot be read, last read 20')
    (lab.dir / "away").rename(lab.leases4.path)
    lab.reconcile()
    assert verdict(lab)[0] == "all in step"


def test_without_a_database_status_cannot_look(labs):
    lab = labs(Bind)
    lab.bridge.database = "host=/nowhere dbname=x"
    assert lab.bridge.run("status").rc == 1


def test_a_daemons_word_about_a_server_counts(labs):
    lab = labs(Bind)
    lab.reconcile()
    lab.bridge_sql("insert into ipambridge.server_state (name, state, last_error, in_flight) "
                   "values ('ns1', 'parked', 'BADKEY \x1b[2J', 3)")
    said, status = verdict(lab)
    assert said.startswith('server "ns1" is parked since 20') and said.endswith("[2J")
    assert "\x1b" not in lab.bridge.ok("status").stdout
    assert status["servers"][0]["in_flight"] == 3


def test_journal_finds_lines_by_name_address_zone_and_time(labs):
    lab = labs(Bind)
    for n, name in ((7, "laptop"), (8, "printer")):
        lab.lease(n, name)
    lab.reconcile()
    journal = lambda *words: lab.bridge.json("journal", *words)  # noqa: E731
    everything = journal()
    assert [r["at"] for r in everything] == sorted(r["at"] for r in everything)
    assert {r["owner"] for r in journal("laptop")} == {"laptop.lab.example"}
    assert journal("laptop.LAB.example.") == journal("laptop")
    of_address = journal("192.0.2.8")
    assert {r["address"] for r in of_address} >= {"192.0.2.8"}
    assert {r["owner"] for r in of_address} >= {"8.2.0.192.in-addr.arpa"}
    assert journal("8.2.0.192.in-addr.arpa") == of_address
    assert {r["zone"] for r in journal("--zone", "lab.example")} == {"lab.example"}
    assert journal("laptop", "--zone", "2.0.192.in-addr.arpa") == []
    assert journal("--limit", "1") == everything[-1:]
    lab.bridge_sql("insert into ipambridge.journal (at, event, why) values "
                   "('2001-01-01', 'old', 'x\x1b')")
    assert journal("--limit", "1")[0]["event"] == "old"
    assert [r["event"] for r in journal("--since", "2001-01-01")].count("old") == 1
    assert "old" not in [r["event"] for r in journal("--since", "2001-01-01T00:00:01Z")]
    assert "old" not in [r["event"] for r in journal("--since", "1h")]
    assert "\x1b" not in lab.bridge.ok("journal").stdout
    assert journal("nobody") == []


def test_journal_refuses_what_it_does_not_understand(labs):
    lab = labs(Bind)
    for words in (("--since", "yesterday"), ("--limit", "0"), ("--limit", "x"),
                  ("--limit", "100001"), ("--zone", "a..b"), ("a..b",)):
        assert lab.bridge.run("journal", *words).rc == 2, words
