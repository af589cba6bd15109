-- Serials wrap (RFC 1982).  That a zone was looked at may be forgotten in a crash: its disk is not
-- waited for.
update ipambridge.zone z
set pulled_at = $3::timestamptz, last_error = null
from unnest($1::int[], $2::bigint[]) as l (id, serial)
where z.id = l.id and z.known and not z.restored and z.serial = l.serial and z.full_at > $4::timestamptz
	and (z.sent_serial is null
		or (z.sent_serial - z.serial) & 4294967295 not between 1 and 2147483647)
returning z.id, set_config('synchronous_commit', 'off', true)
