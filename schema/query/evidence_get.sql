-- All observations of these addresses in the space: one look-up by the key for each source and
-- address ("offset 0" keeps the sub-select as it is).
select o.source_id, o.address, o.kind, o.name, o.mac, o.client_id, o.duid, o.dhcid,
	o.valid_until, o.seen_at, o.first_seen,
	case when o.absent_since is null then greatest(o.last_seen, s.seen_all_at)
		else o.last_seen end,
	o.absent_since, o.held, o.ttl, o.ptr, o.raw
from ipambridge.source s
cross join (select distinct unnest($2::inet[]) as address) k
cross join lateral (
	select * from ipambridge.observation o
	where o.source_id = s.id and o.address = k.address
	offset 0) o
where s.space_id = $1::int
order by o.address, o.source_id, o.name_key
