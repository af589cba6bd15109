select name, in_flight::bigint from ipambridge.server_state order by 1
