-- Serials wrap (RFC 1982).  Whoever keeps a transfer holds the row for a moment: that is not waited
-- for, the next changes bring the next serial.
update ipambridge.zone
set sent_serial = $2::bigint
where id = (select id from ipambridge.zone where id = $1::int for update skip locked)
	and ($3::boolean or sent_serial is null
		or ($2::bigint - sent_serial) & 4294967295 between 1 and 2147483647)
