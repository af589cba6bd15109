-- Another adapter cannot go on at the cursor of the one before it; with another kind all rows are
-- said anew.
merge into ipambridge.source c
using unnest($1::int[], $2::text[], $3::text[], $4::text[]) n (space_id, name, type, kind)
on c.space_id = n.space_id and c.name = n.name
when matched and (c.type <> n.type or c.kind <> n.kind) then
	update set gone_at = null, type = n.type, kind = n.kind, cursor = null
when matched and c.gone_at is not null then
	update set gone_at = null
when not matched then
	insert (space_id, name, type, kind) values (n.space_id, n.name, n.type, n.kind)
