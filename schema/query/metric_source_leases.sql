select s.name, c.name, v.state, v.n
from ipambridge.source c join ipambridge.space s on s.id = c.space_id
cross join lateral (values ('live', c.live_rows), ('refused', c.bad_rows)) v (state, n)
where c.gone_at is null and c.last_try is not null order by 1, 2, 3
