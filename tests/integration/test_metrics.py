"""Metrics: promtool takes them, they say what happened, and a million hosts make none slow."""

import re

from harness import Bind
from harness.servers import REPO, tool

LARGE = ("observation", "host", "owner", "journal")


def read(text):
    """{(name, (label, value)...): number}"""
    out = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r'(\w+)(?:\{(.*)\})? (-?[0-9.]+)', line).groups()
        pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")
        key = (name, *sorted(pairs))
        assert key not in out, f"{key} stands there twice"
        out[key] = float(value)
    return out


def pick(samples, name, **labels):
    name = f"ipambridge_{name}"
    found = [v for k, v in samples.items()
             if k[0] == name and set(labels.items()) <= set(k[1:])]
    return sum(found) if found else None


def promtool(path):
    tool("sh", "-c", f'promtool check metrics < "{path}"')


def test_a_pass_leaves_metrics_that_promtool_takes(labs):
    lab = labs(Bind)
    path = lab.dir / "ipambridge.prom"
    lab.dns.add("claimed.lab.example", "A", "198.51.100.1")
    for n, name in ((7, "laptop"), (8, "printer"), (9, "claimed")):
        lab.lease(n, name)
    lab.lease(66, 'x" evil{')
    lab.bridge.reconcile("--metrics-file", path)
    promtool(path)
    text = path.read_text()
    s = read(text)
    assert path.stat().st_mode & 0o777 == 0o644
    for name in ("laptop", "printer", "claimed", "evil"):
        assert name not in text
    assert pick(s, "build_info") == 1
    assert pick(s, "reconcile_last_success_timestamp_seconds") > 1700000000
    assert pick(s, "source_last_success_timestamp_seconds", source="dhcp4") > 1700000000
    assert pick(s, "source_failing", source="dhcp4") == 0
    assert pick(s, "source_leases", source="dhcp4", state="live") == 4
    assert pick(s, "drift_records", kind="conflict") == 1
    assert pick(s, "drift_records", kind="conflict", zone="lab.example", server="ns1") == 1
    assert pick(s, "held_records") == 0
    assert pick(s, "queue_depth") == 0
    done = pick(s, "dns_updates_total", rcode="NOERROR", server="ns1")
    assert done == pick(s, "journal_lines_total", event="done") > 0
    assert pick(s, "zone_last_pull_timestamp_seconds", zone="lab.example") > 1700000000
    # Counters go on; folding them changes nothing.
    lab.leases4.rename("192.0.2.7", "desktop")
    lab.bridge.reconcile("--metrics-file", path)
    assert pick(read(path.read_text()), "dns_updates_total", rcode="NOERROR") > done
    assert not list(path.parent.glob("ipambridge.prom.*"))


def test_servers_and_processes_show(labs):
    lab = labs(Bind)
    lab.bridge_sql("insert into ipambridge.server_state (name, state, oldest_due_at, in_flight, "
                   "messages, message_ms) values ('ns1', 'parked', now(), 3, 7, 12034)")
    lab.bridge_sql("insert into ipambridge.role_state (host, pid, role, of, state) values "
                   "('a', 1, 'push', 'ns1', 'running'), ('b', 1, 'push', 'ns1', 'running')")
    path = lab.dir / "ipambridge.prom"
    lab.bridge.reconcile("--metrics-file", path)
    promtool(path)
    s = read(path.read_text())
    assert pick(s, "server_up", server="ns1") == 0
    assert pick(s, "dns_messages_in_flight") == 3
    assert pick(s, "dns_update_duration_seconds_count", server="ns1") == 7
    assert pick(s, "dns_update_duration_seconds_sum", server="ns1") == 12.034
    assert pick(s, "queue_oldest_timestamp_seconds", server="ns1") > 1700000000
    assert pick(s, "role_alive_timestamp_seconds", role="push", of="ns1") > 1700000000


def test_what_is_no_pass_leaves_the_file_alone(labs):
    lab = labs(Bind)
    path = lab.dir / "ipambridge.prom"
    path.write_text("old\n")
    lab.lease(7, "laptop")
    lab.bridge.reconcile("--dry-run", "--metrics-file", path)
    assert path.read_text() == "old\n"
    r = lab.bridge.run("reconcile", "--metrics-file", lab.dir / "no" / "where")
    assert r.rc == 1 and "no/where" in r.stderr


def test_no_metric_reads_a_large_table(labs):
    """Plans on tables large enough that reading one whole would be noticed."""
    lab = labs(Bind)
    sql = lab.bridge_sql
    lab.bridge.reconcile()
    zone, = sql("select min(id) from ipambridge.zone")[0]
    source, = sql("select min(id) from ipambridge.source")[0]
    sql(f"insert into ipambridge.owner (zone_id, owner, state, kind) select {zone}, 'h' || g, "
        "case when g % 1000 = 0 then 'conflict' when g % 1000 = 1 then 'due' else 'in-step' end, "
        "'lease' from generate_series(1, 100000) g")
    sql("insert into ipambridge.observation (source_id, address, kind, held) select "
        f"{source}, '10.0.0.0'::inet + g, 'lease', g % 1000 = 0 from generate_series(1, 100000) g")
    sql("insert into ipambridge.journal (at, event) select now(), 'observed' "
        "from generate_series(1, 100000) g")
    for table in LARGE:
        sql(f"analyze ipambridge.{table}")
    files = sorted((REPO / "schema" / "query").glob("metric_*.sql"))
    assert len(files) > 10
    for f in files:
        plan = "\n".join(line for line, in sql(f"explain {f.read_text()}"))
        assert not re.search(rf"Seq Scan on ({'|'.join(LARGE)})\b", plan), f"{f.name}\n{plan}"
