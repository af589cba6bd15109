update ipambridge.zone z
set gone_at = now()
where z.gone_at is null and not exists (
	select from unnest($1::int[], $2::text[], $3::text[], $4::boolean[])
		n (space_id, name, view, is_reverse)
	where z.space_id = n.space_id and z.name = n.name and z.view = n.view)
