-- An address counts for the longest subnet that holds it.
with seen as (
	select c.space_id, o.address,
		max(greatest(o.last_seen, case when o.absent_since is null then c.seen_all_at end))
			as last_seen
	from ipambridge.observation o
	join ipambridge.source c on c.id = o.source_id
	group by c.space_id, o.address
)
select n.id, count(*), count(*) filter (where exists (
		select from ipambridge.host h
		where h.space_id = a.space_id and h.address = a.address and h.name <> '')),
	max(a.last_seen)
from seen a
join lateral (
	select n.id from ipambridge.subnet n
	where n.space_id = a.space_id and n.gone_at is null and n.prefix >>= a.address
	order by masklen(n.prefix) desc limit 1
) n on true
group by n.id
