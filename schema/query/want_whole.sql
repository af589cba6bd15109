update ipambridge.source set whole_wanted = whole_wanted + 1 where id = $1::int
