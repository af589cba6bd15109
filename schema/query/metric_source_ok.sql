select s.name, c.name, extract(epoch from c.last_ok)::bigint
from ipambridge.source c join ipambridge.space s on s.id = c.space_id
where c.gone_at is null and c.last_ok is not null order by 1, 2
