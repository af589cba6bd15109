select name, state, since, next_try_at, last_error, queue, oldest_due_at, in_flight, messages,
	message_ms, updated_at
from ipambridge.server_state order by name
