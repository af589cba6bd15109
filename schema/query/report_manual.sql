-- $1 source, $2 first label as the naming rule makes it
select s.name, o.address, c.name, o.kind, o.name, o.mac, o.client_id, o.duid, o.dhcid, o.raw,
	o.ttl, o.ptr, o.first_seen,
	greatest(o.last_seen, case when o.absent_since is null then c.seen_all_at end),
	o.valid_until, o.absent_since, o.held
from ipambridge.observation o
join ipambridge.source c on c.id = o.source_id
join ipambridge.space s on s.id = c.space_id
where o.source_id = $1
	and split_part(translate(lower(encode(o.name, 'escape')), ' _', '--'), '.', 1) = $2
order by o.address, o.name
