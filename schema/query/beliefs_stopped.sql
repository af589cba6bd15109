select o.zone_id, o.owner, o.want, o.published, o.offered, o.seen, z.known or o.seen_asked,
	o.kind, o.ttl, o.sent_ttl, o.removed_at, o.reverts, o.state, o.due_at,
	o.attempts, o.why, o.settled_at, o.source_id, o.xmin, o.decided,
	o.ctid
from ipambridge.owner o
join ipambridge.zone z on z.id = o.zone_id
where o.zone_id = $1::int and o.state = $2::text and o.state <> all ('{in-step,due}')
	and o.owner > $3::text
order by o.owner
limit $4::bigint
