-- One look-up a key ("offset 0" keeps the sub-select as it is).
select o.zone_id, o.owner, o.want, o.published, o.offered, o.seen, z.known or o.seen_asked,
	o.kind, o.ttl, o.sent_ttl, o.removed_at, o.reverts, o.state, o.due_at,
	o.attempts, o.why, o.settled_at, o.source_id, o.xmin, o.decided,
	o.ctid
from unnest($1::int[], $2::text[]) k (zone_id, owner)
cross join lateral (
	select o.*, o.xmin, o.ctid from ipambridge.owner o
	where o.zone_id = k.zone_id and o.owner = k.owner
	offset 0) o
join ipambridge.zone z on z.id = o.zone_id
