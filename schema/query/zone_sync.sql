merge into ipambridge.zone z
using unnest($1::int[], $2::text[], $3::text[], $4::boolean[]) n (space_id, name, view, is_reverse)
on z.space_id = n.space_id and z.name = n.name and z.view = n.view
when matched and (z.gone_at is not null or z.is_reverse <> n.is_reverse) then
	update set gone_at = null, is_reverse = n.is_reverse
when not matched then
	insert (space_id, name, view, is_reverse)
	values (n.space_id, n.name, n.view, n.is_reverse)
