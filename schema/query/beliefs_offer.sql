-- What leaves is kept before it does.
update ipambridge.owner o
set offered = nullif(array_remove(array[n.o1, n.o2, n.o3, n.o4], null), '{}'),
	offered_at = n.offered_at
from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
	$7::timestamptz[]) n (zone_id, owner, o1, o2, o3, o4, offered_at)
where o.zone_id = n.zone_id and o.owner = n.owner
