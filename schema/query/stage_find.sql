-- A complete read against what is kept.  Changes are numbered as in enum obs_change_kind:
-- 0 new, 1 changed, 2 ended, 3 absent, 4 back.
with found as (
	insert into pg_temp.stage_found (change, address, name_key, seq, got)
	select
		case
			when s.address is null then 3
			when s.is_end then 2
			when o.address is null then 0
			when (s.kind, s.name, s.mac, s.client_id, s.duid, s.dhcid,
				coalesce(s.valid_until, 'epoch'), s.ttl, s.ptr) is distinct from
				(o.kind, o.name, o.mac, o.client_id, o.duid, o.dhcid,
				o.valid_until, o.ttl, o.ptr)
				then 1
			else 4
		end,
		coalesce(s.address, o.address), coalesce(s.name_key, o.name_key), s.seq, s.ctid
	from (select * from ipambridge.observation where source_id = $1::int) o
	full join pg_temp.stage s on s.address = o.address and s.name_key = o.name_key
	where (o.address is null and not s.is_end) or s.address is null
		or (s.is_end and o.address is not null)
		or (s.kind, s.name, s.mac, s.client_id, s.duid, s.dhcid,
			coalesce(s.valid_until, 'epoch'), s.ttl, s.ptr) is distinct from
			(o.kind, o.name, o.mac, o.client_id, o.duid, o.dhcid, o.valid_until, o.ttl,
			o.ptr)
			and not s.is_end
		or o.absent_since is not null or o.held
	returning 1)
select count(*) from found
