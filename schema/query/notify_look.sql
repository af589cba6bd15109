select pg_notify('ipambridge_look', $1::int::text)
