select name, (state = 'ok')::int::bigint from ipambridge.server_state order by 1
