-- The ids of the given spaces in order, NULL where one is missing or gone; at the end how many
-- there are.
select v.id from (
	select s.id, n.at
	from unnest($1::text[]) with ordinality n (name, at)
	left join ipambridge.space s on s.name = n.name and s.gone_at is null
	union all
	select count(*)::int, null from ipambridge.space where gone_at is null
) v
order by v.at nulls last
