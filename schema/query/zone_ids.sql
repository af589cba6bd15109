-- As space_ids.sql, for zones.
select v.id from (
	select z.id, n.at
	from unnest($1::int[], $2::text[], $3::text[], $4::boolean[]) with ordinality
		n (space_id, name, view, is_reverse, at)
	left join ipambridge.zone z on z.space_id = n.space_id and z.name = n.name
		and z.view = n.view and z.is_reverse = n.is_reverse and z.gone_at is null
	union all
	select count(*)::int, null from ipambridge.zone where gone_at is null
) v
order by v.at nulls last
