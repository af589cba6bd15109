update ipambridge.subnet t
set gone_at = now()
where t.gone_at is null and not exists (
	select from unnest($1::int[], $2::text[], $3::int[], $4::int[])
		n (space_id, prefix, zone_id, reverse_zone_id)
	where t.space_id = n.space_id and t.prefix = n.prefix::cidr)
