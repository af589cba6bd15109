-- $1 space or null, $2 addresses, $3 owner names, $4 at most
with about as (
	(select j.* from ipambridge.journal j where j.owner = any ($3) order by j.id desc limit $4)
	union
	(select j.* from ipambridge.journal j where j.address = any ($2) order by j.id desc limit $4)
), latest as (
	select a.id, a.at, s.name as space, z.name as zone, a.owner, a.address, a.event, a.before,
		a.after, a.rcode, a.why
	from about a
	left join ipambridge.space s on s.id = a.space_id
	left join ipambridge.zone z on z.id = a.zone_id
	where $1::text is null or s.name is null or s.name = $1
	order by a.id desc limit $4
)
select at, space, zone, owner, address, event, before, after, rcode, why from latest order by id
