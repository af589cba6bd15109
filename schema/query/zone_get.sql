select known, serial, pulled_at, full_at, last_error, read_at, sent_serial, asked, restored
from ipambridge.zone
where id = $1::int
