update ipambridge.source set cursor = null where id = $1::int
