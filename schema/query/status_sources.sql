select id, live_rows, bad_rows, last_ok, last_try, last_error
from ipambridge.source where gone_at is null
