delete from ipambridge.role_state where host = $1::text and pid = $2::int
