-- $1 space or null, $2 addresses, $3 names
select s.name, h.address, h.name, h.asked, h.ptr, h.kind, c.name, h.since, h.expires_at, h.why
from ipambridge.host h
join ipambridge.space s on s.id = h.space_id
left join ipambridge.source c on c.id = h.source_id
where (h.address = any ($2) or h.name = any ($3) or h.asked = any ($3))
	and ($1::text is null or s.name = $1)
order by s.name, h.address, h.name
