-- Rows that are not there, as beliefs_put.sql has them.
insert into ipambridge.owner (zone_id, owner, want, published, offered, seen, seen_asked, guards, state,
	due_at, kind, source_id, why, ttl, sent_ttl, settled_at, removed_at, reverts,
	attempts, decided)
select z.id, n.owner, n.want, n.published,
	(string_to_array(n.offered, e'\x1e'))[2:], n.seen,
	n.seen_known and (z.asked or not coalesce(z.known, false)), n.guards, n.state,
	coalesce(n.due_at, '-infinity'), n.kind, n.source_id, n.why, n.ttl, n.sent_ttl,
	n.settled_at, n.removed_at, n.reverts, n.attempts, n.decided
from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
	$7::text[], $8::text[], $9::boolean[], $10::boolean[], $11::text[],
	$12::timestamptz[], $13::text[], $14::bigint[], $15::timestamptz[],
	$16::timestamptz[], $17::bigint[], $18::bigint[], $19::text[], $20::int[])
	n (zone_id, owner, want, kind, ttl, published, offered, seen, seen_known, guards,
	state, due_at, why, sent_ttl, settled_at, removed_at, reverts,
	attempts, decided, source_id)
left join ipambridge.zone z on z.id = n.zone_id
