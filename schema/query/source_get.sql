select cursor, last_ok, last_try, last_error, live_rows, bad_rows
from ipambridge.source
where id = $1::int
