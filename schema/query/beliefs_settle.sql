-- Rows that nobody wrote since they were read ($1, their xmin) or writes now; the number of each in
-- the call comes back, with its xmin and its place as they are now.  offered: as beliefs_put.sql has it.
with free as materialized (
	select o.ctid as at, n.*
	from unnest($1::xid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[],
		$7::boolean[], $8::boolean[], $9::text[], $10::timestamptz[], $11::text[],
		$12::bigint[], $13::timestamptz[], $14::timestamptz[], $15::bigint[],
		$16::bigint[], $17::text[])
		with ordinality
		n (version, zone_id, owner, published, offered, seen, seen_known, guards, state,
		due_at, why, sent_ttl, settled_at, removed_at, reverts, attempts,
		decided, no)
	join ipambridge.owner o on o.zone_id = n.zone_id and o.owner = n.owner
	where o.xmin = n.version
	for no key update of o skip locked)
update ipambridge.owner o
set published = n.published,
	offered = (string_to_array(n.offered, e'\x1e'))[2:],
	seen = n.seen, guards = n.guards,
	seen_asked = n.seen_known and n.zone_id <> all (array(
		select id from ipambridge.zone where known)),
	state = n.state, due_at = coalesce(n.due_at, '-infinity'), why = n.why,
	sent_ttl = n.sent_ttl, settled_at = n.settled_at,
	removed_at = n.removed_at, reverts = n.reverts, attempts = n.attempts, decided = n.decided
from free n
where o.ctid = n.at
returning n.no::int, o.xmin, o.ctid
