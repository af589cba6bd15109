-- Rows that nobody wrote since they were read ($1, their xmin) or writes now; the number of each in
-- the call comes back, with its xmin and its place as they are now.
with free as materialized (
	select o.ctid as at, n.*
	from unnest($1::xid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
		$8::text[], $9::text[], $10::boolean[], $11::boolean[], $12::text[],
		$13::timestamptz[], $14::text[], $15::bigint[], $16::timestamptz[],
		$17::timestamptz[], $18::timestamptz[], $19::bigint[], $20::bigint[], $21::text[])
		with ordinality
		n (version, zone_id, owner, published, o1, o2, o3, o4, seen, seen_known, guards, state,
		due_at, why, sent_ttl, offered_at, settled_at, removed_at, reverts, attempts,
		decided, no)
	join ipambridge.owner o on o.zone_id = n.zone_id and o.owner = n.owner
	where o.xmin = n.version
	for no key update of o skip locked)
update ipambridge.owner o
set published = n.published,
	offered = nullif(array_remove(array[n.o1, n.o2, n.o3, n.o4], null), '{}'),
	seen = n.seen, guards = n.guards,
	seen_asked = n.seen_known and n.zone_id <> all (array(
		select id from ipambridge.zone where known)),
	state = n.state, due_at = coalesce(n.due_at, '-infinity'), why = n.why,
	sent_ttl = n.sent_ttl, offered_at = n.offered_at, settled_at = n.settled_at,
	removed_at = n.removed_at, reverts = n.reverts, attempts = n.attempts, decided = n.decided
from free n
where o.ctid = n.at
returning n.no::int, o.xmin, o.ctid
