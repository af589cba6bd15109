-- $1 space or null
-- An address is noted when it is outside every subnet, when the brake holds a row of it, and when
-- nobody could name it.
with seen as (
	select c.space_id, o.address, min(o.first_seen) as first_seen,
		max(greatest(o.last_seen, case when o.absent_since is null then c.seen_all_at end))
			as last_seen,
		(array_agg(o.mac order by o.last_seen desc nulls last) filter (where o.mac is not null))[1]
			as mac,
		array_agg(c.name order by array_position(array['manual', 'edit', 'reservation', 'ipam',
			'lease', 'dns', 'neighbour'], o.kind), c.name) as sources,
		bool_or(o.held) as held
	from ipambridge.observation o
	join ipambridge.source c on c.id = o.source_id
	group by c.space_id, o.address
)
select s.name, a.address, n.prefix, h.names, a.mac,
	(select string_agg(u.name, E'\n' order by u.at) from (
		select x.name, min(x.at) as at from unnest(a.sources) with ordinality x(name, at)
		group by x.name) u),
	a.first_seen, a.last_seen,
	case when n.prefix is null then 'outside every subnet'
		when a.held then 'its end or its change is held by the brake'
		when h.names is null then h.why end
from seen a
join ipambridge.space s on s.id = a.space_id and s.gone_at is null
left join lateral (
	select n.prefix::text as prefix from ipambridge.subnet n
	where n.space_id = a.space_id and n.gone_at is null and n.prefix >>= a.address
	order by masklen(n.prefix) desc limit 1
) n on true
left join lateral (
	select string_agg(nullif(h.name, ''), E'\n' order by h.ptr desc, h.name) as names,
		min(h.why) as why
	from ipambridge.host h where h.space_id = a.space_id and h.address = a.address
) h on true
where $1::text is null or s.name = $1
order by s.name, a.address
