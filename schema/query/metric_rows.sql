-- What the planner believes: true to a few percent once autovacuum has looked.
select relname::text, greatest(reltuples, 0)::bigint from pg_catalog.pg_class
where relkind = 'r' and relnamespace = 'ipambridge'::regnamespace
	and relname in ('observation', 'host', 'owner', 'journal') order by 1
