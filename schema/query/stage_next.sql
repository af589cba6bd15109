-- The next differences: what is kept now (as evidence_get.sql has it), then what was staged.
select o.source_id, o.address, o.kind, o.name, o.mac, o.client_id, o.duid, o.dhcid,
	o.valid_until, o.seen_at, o.first_seen,
	case when o.absent_since is null then greatest(o.last_seen, $4::timestamptz)
		else o.last_seen end,
	o.absent_since, o.held, o.ttl, o.ptr, o.raw,
	d.number, d.change,
	s.kind, s.is_end, s.end_why, s.name, s.mac, s.client_id, s.duid, s.dhcid, s.valid_until,
	s.seen_at, s.ttl, s.ptr, s.raw, d.address
from (
	select * from pg_temp.stage_diff where number > $2::bigint order by number limit $3::bigint
) d
left join lateral (
	select * from ipambridge.observation o
	where o.source_id = $1::int and o.address = d.address and o.name_key = d.name_key
	offset 0) o on true
left join lateral (select * from pg_temp.stage s where s.ctid = d.got offset 0) s on true
order by d.number
