-- Sessions that hold another configuration.
select count(*)
from pg_locks
where locktype = 'advisory' and granted and objsubid = 2
	and database = (select oid from pg_database where datname = current_database())
	and classid = $1::int::bigint::oid and objid <> ($2::int::bigint & 4294967295)::oid
