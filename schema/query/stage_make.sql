-- A read as it came, in the order it came.
create temporary table if not exists pg_temp.stage (
	seq int not null,
	address inet not null,
	name_key bytea not null,
	kind text not null,
	is_end boolean not null,
	end_why text,
	name bytea,
	mac macaddr,
	client_id bytea,
	duid bytea,
	dhcid bytea,
	valid_until timestamptz,
	seen_at timestamptz,
	ttl bigint,
	ptr boolean not null,
	raw bytea
)
