select known, serial, pulled_at, full_at, last_error
from ipambridge.zone
where id = $1::int
