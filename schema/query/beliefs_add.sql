-- Rows that are not there, as beliefs_put.sql has them.
insert into ipambridge.owner (zone_id, owner, want, published, offered, seen, seen_asked, guards, state,
	due_at, kind, source_id, why, ttl, sent_ttl, offered_at, settled_at, removed_at, reverts,
	attempts, decided)
select z.id, n.owner, n.want, n.published,
	nullif(array_remove(array[n.o1, n.o2, n.o3, n.o4], null), '{}'), n.seen,
	n.seen_known and (z.asked or not coalesce(z.known, false)), n.guards, n.state,
	coalesce(n.due_at, '-infinity'), n.kind, n.source_id, n.why, n.ttl, n.sent_ttl, n.offered_at,
	n.settled_at, n.removed_at, n.reverts, n.attempts, n.decided
from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
	$7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::boolean[],
	$13::boolean[], $14::text[], $15::timestamptz[], $16::text[], $17::bigint[],
	$18::timestamptz[], $19::timestamptz[], $20::timestamptz[], $21::bigint[],
	$22::bigint[], $23::text[], $24::int[])
	n (zone_id, owner, want, kind, ttl, published, o1, o2, o3, o4, seen, seen_known,
	guards, state, due_at, why, sent_ttl, offered_at, settled_at, removed_at, reverts,
	attempts, decided, source_id)
left join ipambridge.zone z on z.id = n.zone_id
