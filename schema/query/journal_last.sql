-- $1 zones and $2 owners, key by key; $3 at most so many lines of each
select k.no::int, l.event, l.before, l.after
from unnest($1::int[], $2::text[]) with ordinality k (zone_id, owner, no)
cross join lateral (
	select j.id, j.event, j.before, j.after
	from ipambridge.journal j
	where j.owner = k.owner and j.zone_id = k.zone_id
	order by j.id desc limit $3) l
order by k.no, l.id desc
