select seen_all_at from ipambridge.source where id = $1::int
