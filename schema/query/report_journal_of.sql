-- $1 space or null, $2 addresses, $3 owner names, $4 at most, $5 zone or null, $6 since or null
with about as (
	(select j.* from ipambridge.journal j where j.owner = any ($3)
		and ($1::text is null or j.space_id is null or
			j.space_id = (select id from ipambridge.space where name = $1))
		and ($5::text is null or
			j.zone_id = any (array(select id from ipambridge.zone where name = $5)))
		and ($6::timestamptz is null or j.at >= $6)
	order by j.id desc limit $4)
	union
	(select j.* from ipambridge.journal j where j.address = any ($2)
		and ($1::text is null or j.space_id is null or
			j.space_id = (select id from ipambridge.space where name = $1))
		and ($5::text is null or
			j.zone_id = any (array(select id from ipambridge.zone where name = $5)))
		and ($6::timestamptz is null or j.at >= $6)
	order by j.id desc limit $4)
), latest as (
	select * from about order by id desc limit $4
)
select l.at, s.name, z.name, l.owner, l.address, l.event, l.before, l.after, l.rcode, l.why
from latest l
left join ipambridge.space s on s.id = l.space_id
left join ipambridge.zone z on z.id = l.zone_id
order by l.id
