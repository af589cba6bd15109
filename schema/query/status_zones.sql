-- Counting ends at 100000, of what is due for each zone and of the rest over all: only indexes of
-- what is not in step are read.
with off as (
	select o.zone_id,
		count(*) filter (where o.state = 'agreed') as agreed,
		count(*) filter (where o.state = 'conflict') as conflicts,
		count(*) filter (where o.state = 'frozen') as frozen,
		count(*) filter (where o.state = 'refused') as refused,
		count(*) filter (where o.state = 'waits') as waits
	from (
		select zone_id, state from ipambridge.owner where state <> all ('{in-step,due}') limit 100000
	) o group by 1
)
select z.id, z.known, z.serial, z.pulled_at, z.last_error, (
		select count(*) from (
			select from ipambridge.owner o where o.zone_id = z.id and o.state = 'due' limit 100000
		) due
	),
	coalesce(off.agreed, 0), coalesce(off.conflicts, 0), coalesce(off.frozen, 0),
	coalesce(off.refused, 0), coalesce(off.waits, 0), z.asked
from ipambridge.zone z left join off on off.zone_id = z.id
where z.gone_at is null
