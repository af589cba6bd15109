-- As space_ids.sql, for subnets.
select v.id from (
	select t.id, n.at
	from unnest($1::int[], $2::text[], $3::int[], $4::int[]) with ordinality
		n (space_id, prefix, zone_id, reverse_zone_id, at)
	left join ipambridge.subnet t on t.space_id = n.space_id and t.prefix = n.prefix::cidr
		and (t.zone_id, t.reverse_zone_id) is not distinct from (n.zone_id, n.reverse_zone_id)
		and t.gone_at is null
	union all
	select count(*)::int, null from ipambridge.subnet where gone_at is null
) v
order by v.at nulls last
