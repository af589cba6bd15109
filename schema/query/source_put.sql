update ipambridge.source
set cursor = $2::text, last_ok = $3::timestamptz, last_try = $4::timestamptz,
	last_error = $5::text, live_rows = $6::bigint, bad_rows = $7::bigint,
	whole_done = $8::int
where id = $1::int
