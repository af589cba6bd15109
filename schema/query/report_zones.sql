select z.id, z.known, z.serial, z.pulled_at, z.full_at, z.last_error,
	coalesce(o.ours, 0), coalesce(o.agreed, 0), coalesce(o.conflicts, 0),
	coalesce(o.refused, 0), coalesce(o.due, 0), z.asked
from ipambridge.zone z
left join (
	select zone_id, count(*) filter (where published <> '') as ours,
		count(*) filter (where state = 'agreed') as agreed,
		count(*) filter (where state in ('conflict', 'frozen')) as conflicts,
		count(*) filter (where state = 'refused') as refused,
		count(*) filter (where state in ('due', 'waits')) as due
	from ipambridge.owner group by zone_id
) o on o.zone_id = z.id
where z.gone_at is null
