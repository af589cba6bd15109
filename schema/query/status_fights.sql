-- The names that somebody keeps undoing; $1 at most so many.  What is frozen comes from an index.
select o.zone_id, o.owner, o.published, coalesce(o.seen, o.published), o.reverts, o.removed_at, o.why
from ipambridge.owner o
where o.state <> all ('{in-step,due}') and o.state = 'frozen'
order by o.removed_at desc nulls last, o.owner limit $1
