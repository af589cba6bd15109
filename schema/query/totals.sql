-- Owners in step are the many: they are not counted.  Those due have an index of their own.  What
-- the configuration no longer names concerns nobody.
select 'held', count(*) from ipambridge.observation o
join ipambridge.source s on s.id = o.source_id and s.gone_at is null
where o.held
union all
select 'due', count(*) from ipambridge.owner o
join ipambridge.zone z on z.id = o.zone_id and z.gone_at is null
where o.state = 'due'
union all
select o.state, count(*) from ipambridge.owner o
join ipambridge.zone z on z.id = o.zone_id and z.gone_at is null
where o.state <> all ('{in-step,due}') group by o.state
