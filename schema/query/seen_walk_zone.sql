select set_config('ipambridge.zone', $1::int::text, false)
