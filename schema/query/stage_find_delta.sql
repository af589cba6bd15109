-- A delta against what is kept: one look-up a row, because rows are few and what is kept is not.
-- Changes as in stage_find.sql.
with latest as materialized (
	select distinct on (s.address, s.name_key) s.*, s.ctid as got
	from pg_temp.stage s
	order by s.address, s.name_key, s.seq desc
), numbered as (
	insert into pg_temp.stage_diff (number, change, address, name_key, got)
	select row_number() over (order by d.address, d.name_key), d.change, d.address, d.name_key,
		d.got
	from (
		select s.address, s.name_key, s.got,
			case
				when s.is_end and o.kind is not null then 2
				when s.is_end then null
				when o.kind is null then 0
				when (s.kind, s.name, s.mac, s.client_id, s.duid, s.dhcid,
					coalesce(s.valid_until, 'epoch'), s.ttl, s.ptr)
					is distinct from (o.kind, o.name, o.mac, o.client_id, o.duid,
					o.dhcid, o.valid_until, o.ttl, o.ptr) then 1
				when o.absent_since is not null or o.held then 4
			end as change
		from latest s
		left join lateral (
			select * from ipambridge.observation o
			where o.source_id = $1::int and o.address = s.address
				and o.name_key = s.name_key
			offset 0) o on true
	) d
	where d.change is not null
	returning 1)
select count(*) from numbered
