update ipambridge.source c
set gone_at = now()
where c.gone_at is null and not exists (
	select from unnest($1::int[], $2::text[], $3::text[], $4::text[])
		n (space_id, name, type, kind)
	where c.space_id = n.space_id and c.name = n.name)
