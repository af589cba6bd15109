-- Insert or update by key; a row that says the same already is left alone.  A source that does not
-- exist becomes NULL (known), which no row may have; rows are looked up by the id as given, so that
-- the whole key serves.
merge into ipambridge.observation o
using (
	select n.source_id, c.id as known, address, name_key, n.kind, n.name, mac, client_id, duid,
		dhcid, nullif(ttl, 0) as ttl, ptr, raw,
		coalesce(valid_until, 'epoch') as valid_until,
		seen_at, first_seen, last_seen, absent_since, held
	from unnest($1::int[], $2::inet[], $3::bytea[], $4::text[], $5::bytea[], $6::macaddr[],
		$7::bytea[], $8::bytea[], $9::bytea[], $10::bigint[], $11::boolean[], $12::bytea[],
		$13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[],
		$17::timestamptz[], $18::boolean[])
		n (source_id, address, name_key, kind, name, mac, client_id, duid, dhcid, ttl, ptr,
		raw, valid_until, seen_at, first_seen, last_seen, absent_since, held)
	left join ipambridge.source c on c.id = n.source_id
) n
on o.source_id = n.source_id and o.address = n.address and o.name_key = n.name_key
when matched and (o.kind, o.name, o.mac, o.client_id, o.duid, o.dhcid, o.ttl, o.ptr,
		o.raw, o.valid_until, o.seen_at, o.first_seen, o.last_seen, o.absent_since, o.held)
	is distinct from (n.kind, n.name, n.mac, n.client_id, n.duid, n.dhcid, n.ttl, n.ptr,
		n.raw, n.valid_until, n.seen_at, n.first_seen, n.last_seen, n.absent_since,
		n.held) then
	update set kind = n.kind, name = n.name, mac = n.mac, client_id = n.client_id,
		duid = n.duid, dhcid = n.dhcid, ttl = n.ttl, ptr = n.ptr, raw = n.raw,
		valid_until = n.valid_until, seen_at = n.seen_at, first_seen = n.first_seen,
		last_seen = n.last_seen, absent_since = n.absent_since, held = n.held
when not matched then
	insert (source_id, address, name_key, kind, name, mac, client_id, duid, dhcid, ttl, ptr,
		raw, valid_until, seen_at, first_seen, last_seen, absent_since, held)
	values (n.known, n.address, n.name_key, n.kind, n.name, n.mac, n.client_id, n.duid,
		n.dhcid, n.ttl, n.ptr, n.raw, n.valid_until, n.seen_at, n.first_seen, n.last_seen,
		n.absent_since, n.held)
