-- Observations of a source that are over: by the clock at $2, by absence since $3 (NULL: never).
-- $2 infinity: all.  The parts are kept apart because each has its own index.
select o.source_id, o.address, o.kind, o.name, o.mac, o.client_id, o.duid, o.dhcid,
	o.valid_until, o.seen_at, o.first_seen,
	case when o.absent_since is null then greatest(o.last_seen, s.seen_all_at)
		else o.last_seen end,
	o.absent_since, o.held, o.ttl, o.ptr, o.raw
from (
	select * from ipambridge.observation e
	where e.source_id = $1::int and e.valid_until < 'infinity'
		and e.valid_until <= $2::timestamptz
	union all
	select * from ipambridge.observation e
	where e.source_id = $1::int and e.absent_since is not null
		and e.absent_since <= $3::timestamptz and e.valid_until > $2::timestamptz
	union all
	select * from ipambridge.observation e
	where $2::timestamptz = 'infinity' and e.source_id = $1::int
		and e.valid_until = 'infinity'
) o
join ipambridge.source s on s.id = o.source_id
where ($4::boolean or not o.held) and ($5::inet is null or o.address > $5::inet)
order by o.address, o.name_key
limit $6::bigint
