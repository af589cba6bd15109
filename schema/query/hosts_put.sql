-- A space that does not exist becomes NULL (known), which no row may have.
merge into ipambridge.host h
using (
	select $1::int as space_id,
		(select id from ipambridge.space where id = $1::int) as known, address, name,
		asked, ptr, kind, source_id, mac, client_id, duid, dhcid, since,
		coalesce(expires_at, 'epoch') as expires_at, nullif(ttl, 0) as ttl, why
	from unnest($2::inet[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::int[],
		$8::macaddr[], $9::bytea[], $10::bytea[], $11::bytea[], $12::timestamptz[],
		$13::timestamptz[], $14::bigint[], $15::text[])
		n (address, name, asked, ptr, kind, source_id, mac, client_id, duid, dhcid, since,
		expires_at, ttl, why)
) n
on h.space_id = n.space_id and h.address = n.address and h.name = n.name
when matched and (h.asked, h.ptr, h.kind, h.source_id, h.mac, h.client_id, h.duid, h.dhcid,
		h.since, h.expires_at, h.ttl, h.why)
	is distinct from (n.asked, n.ptr, n.kind, n.source_id, n.mac, n.client_id, n.duid,
		n.dhcid, n.since, n.expires_at, n.ttl, n.why) then
	update set asked = n.asked, ptr = n.ptr, kind = n.kind, source_id = n.source_id,
		mac = n.mac, client_id = n.client_id, duid = n.duid, dhcid = n.dhcid,
		since = n.since, expires_at = n.expires_at, ttl = n.ttl, why = n.why
when not matched then
	insert (space_id, address, name, asked, ptr, kind, source_id, mac, client_id, duid, dhcid,
		since, expires_at, ttl, why)
	values (n.known, n.address, n.name, n.asked, n.ptr, n.kind, n.source_id, n.mac,
		n.client_id, n.duid, n.dhcid, n.since, n.expires_at, n.ttl, n.why)
