-- One look-up an address ("offset 0" keeps the sub-select as it is).
select h.address, h.name, h.asked, h.ptr, h.kind, h.source_id, h.mac, h.client_id, h.duid,
	h.dhcid, h.since, h.expires_at, h.ttl, h.why
from (select distinct unnest($2::inet[]) as address) k
cross join lateral (
	select * from ipambridge.host h where h.space_id = $1::int and h.address = k.address
	offset 0) h
