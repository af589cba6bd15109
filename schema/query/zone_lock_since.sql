-- What writes from now on has a number from here on.
select pg_snapshot_xmax(pg_current_snapshot())::text::bigint
