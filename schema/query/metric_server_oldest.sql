select name, extract(epoch from oldest_due_at)::bigint
from ipambridge.server_state where oldest_due_at > '-infinity' order by 1
