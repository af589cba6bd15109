-- $1 zones, each from a place ($3, $4) in the order of its rows on; at most $5 of each
select o.zone_id, o.owner, o.want, o.published, o.offered, o.seen, z.known or o.seen_asked,
	o.kind, o.ttl, o.sent_ttl, o.removed_at, o.reverts, o.state, o.due_at,
	o.attempts, o.why, o.settled_at, o.source_id, o.xmin, o.decided,
	o.ctid, (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
from unnest($1::int[], $3::timestamptz[], $4::text[]) with ordinality k (zone_id, due_at, owner, no)
join ipambridge.zone z on z.id = k.zone_id
cross join lateral (
	select d.*, d.xmin, d.ctid
	from ipambridge.owner d
	where d.zone_id = k.zone_id and d.state = 'due' and d.due_at <= $2::timestamptz
		and (d.due_at, d.owner) > (coalesce(k.due_at, '-infinity'), k.owner)
	order by d.due_at, d.owner
	limit $5::bigint) o
order by k.no, o.due_at, o.owner
