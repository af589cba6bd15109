-- Lines of states that are no answers have no rcode and are not "retry".
select s.name, z.view, z.name, coalesce(t.rcode::text, 'none'), sum(t.n)::bigint
from ipambridge.tally t
join ipambridge.zone z on z.id = t.zone_id and z.gone_at is null
join ipambridge.space s on s.id = z.space_id
where t.rcode is not null or t.event = 'retry'
group by 1, 2, 3, 4 order by 1, 2, 3, 4
