insert into ipambridge.server_state as s (name, state, next_try_at, last_error, queue,
	oldest_due_at, in_flight, messages, message_ms)
values ($1::text, $2::text, $3::timestamptz, $4::text, $5::bigint, $6::timestamptz, $7::int,
	$8::bigint, $9::bigint)
on conflict (name) do update set
	since = case when s.state = excluded.state then s.since else now() end,
	state = excluded.state, next_try_at = excluded.next_try_at, last_error = excluded.last_error,
	queue = excluded.queue, oldest_due_at = excluded.oldest_due_at,
	in_flight = excluded.in_flight, messages = excluded.messages,
	message_ms = excluded.message_ms, updated_at = now()
