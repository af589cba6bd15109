-- Rows that are not there, as evidence_put.sql has them.
insert into ipambridge.observation (source_id, address, name_key, kind, name, mac, client_id, duid, dhcid,
	ttl, ptr, raw, valid_until, seen_at, first_seen, last_seen, absent_since, held)
select c.id, n.address, n.name_key, n.kind, n.name, n.mac, n.client_id, n.duid, n.dhcid,
	nullif(n.ttl, 0), n.ptr, n.raw, coalesce(n.valid_until, 'epoch'), n.seen_at, n.first_seen,
	n.last_seen, n.absent_since, n.held
from unnest($1::int[], $2::inet[], $3::bytea[], $4::text[], $5::bytea[], $6::macaddr[],
	$7::bytea[], $8::bytea[], $9::bytea[], $10::bigint[], $11::boolean[], $12::bytea[],
	$13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[],
	$17::timestamptz[], $18::boolean[])
	n (source_id, address, name_key, kind, name, mac, client_id, duid, dhcid, ttl, ptr,
	raw, valid_until, seen_at, first_seen, last_seen, absent_since, held)
left join ipambridge.source c on c.id = n.source_id
