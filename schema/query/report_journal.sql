-- $1 space or null, $2 zone or null, $3 since or null, $4 at most
with latest as (
	select j.* from ipambridge.journal j
	where ($1::text is null or j.space_id is null or
			j.space_id = (select id from ipambridge.space where name = $1))
		and ($2::text is null or
			j.zone_id = any (array(select id from ipambridge.zone where name = $2)))
		and ($3::timestamptz is null or j.at >= $3)
	order by j.id desc limit $4::bigint
)
select l.at, s.name, z.name, l.owner, l.address, l.event, l.before, l.after, l.rcode, l.why
from latest l
left join ipambridge.space s on s.id = l.space_id
left join ipambridge.zone z on z.id = l.zone_id
order by l.id
