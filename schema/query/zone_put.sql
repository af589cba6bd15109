update ipambridge.zone
set known = $2::boolean, serial = $3::bigint, pulled_at = $4::timestamptz,
	full_at = $5::timestamptz, last_error = $6::text, read_at = $7::timestamptz,
	asked = $8::boolean, restored = $9::boolean
where id = $1::int
