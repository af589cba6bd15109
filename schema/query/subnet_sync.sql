merge into ipambridge.subnet t
using unnest($1::int[], $2::text[], $3::int[], $4::int[])
	n (space_id, prefix, zone_id, reverse_zone_id)
on t.space_id = n.space_id and t.prefix = n.prefix::cidr
when matched and (t.gone_at is not null or (t.zone_id, t.reverse_zone_id)
		is distinct from (n.zone_id, n.reverse_zone_id)) then
	update set gone_at = null, zone_id = n.zone_id, reverse_zone_id = n.reverse_zone_id
when not matched then
	insert (space_id, prefix, zone_id, reverse_zone_id)
	values (n.space_id, n.prefix::cidr, n.zone_id, n.reverse_zone_id)
