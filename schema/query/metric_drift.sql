-- Counting ends at 100000 owners over all zones.
with off as (
	select o.zone_id, o.state, count(*) as n from (
		select zone_id, state from ipambridge.owner where state <> all ('{in-step,due}') limit 100000
	) o group by 1, 2
)
select s.name, z.view, z.name, k.kind, coalesce(off.n, 0)
from ipambridge.zone z
join ipambridge.space s on s.id = z.space_id
cross join unnest('{agreed,conflict,frozen,refused,waits}'::text[]) k (kind)
left join off on off.zone_id = z.id and off.state = k.kind
where z.gone_at is null order by 1, 2, 3, 4
