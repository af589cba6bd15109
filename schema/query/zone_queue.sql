select count(*), min(nullif(due_at, '-infinity'))
from ipambridge.owner
where zone_id = $1::int and state = 'due'
