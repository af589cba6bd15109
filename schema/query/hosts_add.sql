-- Rows that are not there, as hosts_put.sql has them.
insert into ipambridge.host (space_id, address, name, asked, ptr, kind, source_id, mac, client_id, duid,
	dhcid, since, expires_at, ttl, why)
select (select id from ipambridge.space where id = $1::int), address, name, asked, ptr, kind, source_id,
	mac, client_id, duid, dhcid, since, coalesce(expires_at, 'epoch'), nullif(ttl, 0), why
from unnest($2::inet[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::int[],
	$8::macaddr[], $9::bytea[], $10::bytea[], $11::bytea[], $12::timestamptz[],
	$13::timestamptz[], $14::bigint[], $15::text[])
	n (address, name, asked, ptr, kind, source_id, mac, client_id, duid, dhcid, since,
	expires_at, ttl, why)
