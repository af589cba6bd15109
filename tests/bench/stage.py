"""A lease file of 1,000,000 rows in which nothing changed, against COPY and MERGE by psql."""

import os
import statistics
import subprocess

from lab import FORWARD, say, server_env, write_leases

ROWS = 1000000
# What the bridge keeps of a lease and compares.
FACTS = "kind, name, mac, client_id, duid, valid_until, ttl, ptr"
COLUMNS = f"address, name_key, {FACTS}, seen_at, raw"
MERGE = f"""
set work_mem = '96MB';
create temp table peer_stage as select {COLUMNS} from peer limit 0;
\\copy peer_stage from '{{file}}' (format binary)
merge into peer p using peer_stage s on p.address = s.address and p.name_key = s.name_key
when matched and ({", ".join("p." + c for c in FACTS.split(", "))})
	is distinct from ({", ".join("s." + c for c in FACTS.split(", "))}) then
	update set name = s.name, valid_until = s.valid_until
when not matched then insert ({COLUMNS}) values ({", ".join("s." + c for c in COLUMNS.split(", "))});
"""


def prepare(lab, bridge):
    """The peer has a table of the same rows and the read as a binary file, parsed already."""
    lab.pg.sql(f"create table peer as select {COLUMNS} from ipambridge.observation; "
               "alter table peer add primary key (address, name_key)", bridge.database, 120)
    env = server_env()
    path = bridge.dir / "peer.bin"
    subprocess.run([f"{env['PGBIN']}/psql", "-Xq", "-d", bridge.database, "-c",
                    f"\\copy (select {COLUMNS} from peer order by address) to '{path}' "
                    "(format binary)"], env=env, check=True)
    lab.pg.sql("vacuum analyze", bridge.database, 120)
    script = bridge.dir / "peer.sql"
    script.write_text(MERGE.format(file=path))
    return [f"{env['PGBIN']}/psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", bridge.database, "-f",
            script]


def wal(lab, bridge):
    return int(lab.pg.sql("select pg_current_wal_insert_lsn() - '0/0'", bridge.database)[0][0])


def run(lab, pairs):
    server = lab.server("bind")
    bridge = lab.bridge(server)
    # The names are read, compared and kept but not planned: only the reading is looked at here.
    bridge.subnet("10.0.0.0/8", zone=FORWARD, rank=["manual"])
    write_leases(bridge.leases, ROWS)
    t, kib = lab.verb(bridge, "reconcile")
    say(f"stage: first load of {ROWS} leases in {t:.1f} s, {kib / 1024:.1f} MiB")
    peer = prepare(lab, bridge)
    # After a checkpoint each page of the catalog that a temporary table touches is in the WAL once
    # as a whole, 200 KB that say nothing of the leases: a first pass brings them there.
    lab.settle()
    os.utime(bridge.leases)
    lab.verb(bridge, "reconcile")
    us, them, grown = [], [], []
    for n in range(pairs):
        them.append(lab.seconds(peer))
        os.utime(bridge.leases)
        before = wal(lab, bridge)
        t, kib = lab.verb(bridge, "reconcile")
        grown.append((wal(lab, bridge) - before) / 1024)
        us.append(t)
        say(f"stage {n + 1}/{pairs}: COPY + MERGE {them[-1]:.2f} s, reconcile {t:.2f} s, "
            f"WAL {grown[-1]:.0f} KiB, {kib / 1024:.1f} MiB")
    lab.drop(server)
    lab.forget(bridge)
    return [
        ("1,000,000 leases unchanged / COPY + MERGE by psql",
         [a / b for a, b in zip(us, them)], "x", "<=", 1.3,
         f"{statistics.median(us):.2f} s / {statistics.median(them):.2f} s"),
        ("WAL of it", grown, " KB", "<=", 100, ""),
    ]
