select s.name, c.name, (c.last_error is not null)::int::bigint
from ipambridge.source c join ipambridge.space s on s.id = c.space_id
where c.gone_at is null and c.last_try is not null order by 1, 2
