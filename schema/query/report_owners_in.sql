-- $1 space or null, $2 view or null, $3 states
select o.zone_id, o.owner, o.state, o.want, o.published, cardinality(o.offered),
	array_to_string(o.offered, chr(30)), coalesce(o.seen, o.published),
	z.known or o.seen_asked or o.seen is not null, o.kind, o.ttl, o.sent_ttl,
	o.removed_at, o.reverts, nullif(o.due_at, '-infinity'), o.attempts, o.why, o.decided
from ipambridge.owner o
join ipambridge.zone z on z.id = o.zone_id and z.gone_at is null
join ipambridge.space s on s.id = z.space_id
where o.state = any ($3) and ($1::text is null or s.name = $1)
	and ($2::text is null or z.view = $2)
order by s.name, z.name, z.view, o.owner
