select s.name, z.view, z.name, extract(epoch from z.hinted_at)::bigint
from ipambridge.zone z join ipambridge.space s on s.id = z.space_id
where z.gone_at is null and z.hinted_at is not null order by 1, 2, 3
