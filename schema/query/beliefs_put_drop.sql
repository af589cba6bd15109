delete from ipambridge.owner o
using unnest($1::int[], $2::text[]) k (zone_id, owner)
where o.zone_id = k.zone_id and o.owner = k.owner
