create temporary table if not exists pg_temp.stage_found (
	change int not null,
	address inet not null,
	name_key bytea not null,
	seq int,
	got tid
)
