-- How many rows the planner believes in; -1 when it never looked.  The setting is for disks
-- without moving parts and tables that mostly lie in memory: it keeps look-ups on their index.
select
	(select reltuples::bigint from pg_catalog.pg_class
		where oid = 'ipambridge.observation'::regclass),
	(select reltuples::bigint from pg_catalog.pg_class where oid = 'ipambridge.host'::regclass),
	(select reltuples::bigint from pg_catalog.pg_class where oid = 'ipambridge.owner'::regclass),
	set_config('random_page_cost', '1.1', false)
