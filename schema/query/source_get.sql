select cursor, last_ok, last_try, last_error, live_rows, bad_rows, whole_wanted, whole_done
from ipambridge.source
where id = $1::int
