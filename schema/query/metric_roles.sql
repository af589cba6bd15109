select role, of, extract(epoch from max(alive_at))::bigint
from ipambridge.role_state group by 1, 2 order by 1, 2
