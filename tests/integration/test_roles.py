"""Database roles: a user that owns nothing runs passes, once it is ipambridge_writer."""

import re

from harness import Bind

USER = "ipambridge_worker"


def test_a_writer_runs_passes_and_does_not_touch_the_schema(labs):
    lab = labs(Bind)
    lab.bridge_sql(f"do $$ begin create role {USER} login; exception when duplicate_object or "
                   "unique_violation then null; end $$")
    lab.bridge_sql(f"grant ipambridge_writer to {USER}")
    lab.bridge.database = re.sub(r"user=\S+", f"user={USER}", lab.bridge.database)
    assert USER in lab.bridge.database
    for n in range(7, 12):
        lab.lease(n, f"host{n}")
    r = lab.bridge.ok("--json", "reconcile")
    assert r.json["changed"] == 20 and r.stderr == ""
    lab.quiet()
    lab.bridge.ok("add-host", "nas", "192.0.2.50")
    lab.bridge.ok("del-host", "nas")
    assert lab.bridge.json("status")["verdict"] == "all in step"
    assert lab.bridge.run("db", "init").rc == 0     # there is nothing to run
    assert lab.bridge_sql("select tableowner from pg_tables where schemaname = 'ipambridge' "
                          "group by 1") != [[USER]]
