select name, messages, message_ms from ipambridge.server_state order by 1
