-- $1 space or null, $2 addresses
select s.name, o.address, c.name, o.kind, o.name, o.mac, o.client_id, o.duid, o.dhcid, o.raw,
	o.ttl, o.ptr, o.first_seen,
	greatest(o.last_seen, case when o.absent_since is null then c.seen_all_at end),
	o.valid_until, o.absent_since, o.held
from ipambridge.observation o
join ipambridge.source c on c.id = o.source_id
join ipambridge.space s on s.id = c.space_id
where o.address = any ($2) and ($1::text is null or s.name = $1)
order by s.name, o.address, array_position(array['manual', 'edit', 'reservation', 'ipam', 'lease',
	'dns', 'neighbour'], o.kind), c.name, o.name
