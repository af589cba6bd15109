select window_at, names, used from ipambridge.brake where zone_id = $1::int and source_id = $2::int
