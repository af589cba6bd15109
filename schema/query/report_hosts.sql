-- $1 space or null
select s.name, nullif(h.name, ''), h.address, h.mac, c.name, h.kind, h.expires_at, o.last_seen
from ipambridge.host h
join ipambridge.space s on s.id = h.space_id and s.gone_at is null
left join ipambridge.source c on c.id = h.source_id
left join lateral (
	select max(greatest(o.last_seen, case when o.absent_since is null then c.seen_all_at end))
		as last_seen
	from ipambridge.observation o
	where o.source_id = h.source_id and o.address = h.address
) o on true
where $1::text is null or s.name = $1
order by s.name, h.address, h.name
