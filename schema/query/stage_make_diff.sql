create temporary table if not exists pg_temp.stage_diff (
	number bigint primary key,
	change int not null,
	address inet not null,
	name_key bytea not null,
	got tid
)
