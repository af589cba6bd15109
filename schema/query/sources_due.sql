-- Sources of which something is over: by the clock, or since they were seen the last time; 0: one that
-- is gone still has rows.  Nothing is over later than its source was read.  The least of each is asked
-- for, because that is one look into an index whatever the planner thinks of the table.
select c.id
from unnest($1::int[], $2::bigint[]) as c (id, stale_after)
join ipambridge.source s on s.id = c.id
where s.last_ok is not null and (
	(select min(o.valid_until) from ipambridge.observation o
		where o.source_id = c.id and o.valid_until < 'infinity'
			and ($4::boolean or not o.held)) <= least(s.last_ok, $3::timestamptz)
	or c.stale_after > 0 and (select min(o.absent_since) from ipambridge.observation o
		where o.source_id = c.id and o.absent_since is not null
			and ($4::boolean or not o.held))
		<= least(s.last_ok, $3::timestamptz) - make_interval(secs => c.stale_after))
union all
select 0
where exists (select from ipambridge.source s
	where s.gone_at is not null
		and (select min(o.address) from ipambridge.observation o
			where o.source_id = s.id) is not null)
