-- Insert or update by key; a zone that does not exist becomes NULL, which no row may have.
-- seen_asked: the owner was looked at although its zone is not known, or is not from the end of this
-- transaction on.
-- offered: the sets of a row and their times, each with a byte 0x1e before it; NULL: none.
merge into ipambridge.owner o
using (
	select z.id as zone_id, n.owner, n.want, n.published, n.seen, n.guards, n.state, n.kind,
		n.source_id, n.why, n.ttl, n.sent_ttl, n.settled_at, n.removed_at, n.reverts,
		n.attempts, n.decided, coalesce(n.due_at, '-infinity') as due_at,
		(string_to_array(n.offered, e'\x1e'))[2:] as offered,
		n.seen_known and (z.asked or not coalesce(z.known, false)) as seen_asked
	from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
		$7::text[], $8::text[], $9::boolean[], $10::boolean[], $11::text[],
		$12::timestamptz[], $13::text[], $14::bigint[], $15::timestamptz[],
		$16::timestamptz[], $17::bigint[], $18::bigint[], $19::text[], $20::int[])
		n (zone_id, owner, want, kind, ttl, published, offered, seen, seen_known, guards,
		state, due_at, why, sent_ttl, settled_at, removed_at, reverts,
		attempts, decided, source_id)
	left join ipambridge.zone z on z.id = n.zone_id
) n
on o.zone_id = n.zone_id and o.owner = n.owner
when matched and (o.want, o.published, o.offered, o.seen, o.seen_asked, o.guards, o.state, o.due_at,
		o.kind, o.source_id, o.why, o.ttl, o.sent_ttl, o.settled_at,
		o.removed_at, o.reverts, o.attempts, o.decided)
	is distinct from (n.want, n.published, n.offered, n.seen, n.seen_asked, n.guards, n.state,
		n.due_at, n.kind, n.source_id, n.why, n.ttl, n.sent_ttl, n.settled_at,
		n.removed_at, n.reverts, n.attempts, n.decided) then
	update set want = n.want, published = n.published, offered = n.offered, seen = n.seen,
		seen_asked = n.seen_asked, guards = n.guards, state = n.state, due_at = n.due_at,
		kind = n.kind, source_id = n.source_id, why = n.why, ttl = n.ttl, sent_ttl = n.sent_ttl,
		settled_at = n.settled_at, removed_at = n.removed_at,
		reverts = n.reverts, attempts = n.attempts, decided = n.decided
when not matched then
	insert (zone_id, owner, want, published, offered, seen, seen_asked, guards, state, due_at,
		kind, source_id, why, ttl, sent_ttl, settled_at, removed_at, reverts,
		attempts, decided)
	values (n.zone_id, n.owner, n.want, n.published, n.offered, n.seen, n.seen_asked, n.guards,
		n.state, n.due_at, n.kind, n.source_id, n.why, n.ttl, n.sent_ttl,
		n.settled_at, n.removed_at, n.reverts, n.attempts, n.decided)
