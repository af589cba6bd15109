update ipambridge.zone
set known = $2::boolean, serial = $3::bigint, pulled_at = $4::timestamptz,
	full_at = $5::timestamptz, parked_until = $6::timestamptz, last_error = $7::text
where id = $1::int
