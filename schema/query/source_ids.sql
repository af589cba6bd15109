-- As space_ids.sql, for sources.
select v.id from (
	select c.id, n.at
	from unnest($1::int[], $2::text[], $3::text[], $4::text[]) with ordinality
		n (space_id, name, type, kind, at)
	left join ipambridge.source c on c.space_id = n.space_id and c.name = n.name
		and c.type = n.type and c.kind = n.kind and c.gone_at is null
	union all
	select count(*)::int, null from ipambridge.source where gone_at is null
) v
order by v.at nulls last
