-- Sources of which something is over: by the clock, or since they were seen the last time; 0: one that
-- is gone still has rows.  Nothing is over later than its source was read.
select c.id
from unnest($1::int[], $2::bigint[]) as c (id, stale_after)
join ipambridge.source s on s.id = c.id
cross join lateral (select least(s.last_ok, $3::timestamptz) as at) clock
where s.last_ok is not null and (
	exists (select from ipambridge.observation o
		where o.source_id = c.id and o.valid_until < 'infinity'
			and o.valid_until <= clock.at and ($4::boolean or not o.held))
	or c.stale_after > 0 and exists (select from ipambridge.observation o
		where o.source_id = c.id and o.absent_since is not null
			and o.absent_since <= clock.at - make_interval(secs => c.stale_after)
			and ($4::boolean or not o.held)))
union all
select 0
where exists (select from ipambridge.source s
	where s.gone_at is not null
		and exists (select from ipambridge.observation o where o.source_id = s.id))
