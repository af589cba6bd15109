-- Rows that nobody wrote since they were read (they lie where they lay, $1, with the xmin of then, $2)
-- or writes now: what was wanted stands.  The number of each in the call comes back, and where it
-- lies now, with which xmin.
with free as materialized (
	select o.ctid as at, n.no
	from unnest($1::tid[], $2::xid[]) with ordinality n (at, version, no)
	join ipambridge.owner o on o.ctid = n.at
	where o.xmin = n.version
	for no key update of o skip locked)
update ipambridge.owner o
set published = o.want, offered = null, seen = null, guards = false,
	seen_asked = o.zone_id <> all (array(select id from ipambridge.zone where known)),
	state = 'in-step', due_at = '-infinity', sent_ttl = o.ttl,
	settled_at = $3::timestamptz, removed_at = null, attempts = 0, decided = null
from free n
where o.ctid = n.at
returning n.no::int, o.xmin, o.ctid
