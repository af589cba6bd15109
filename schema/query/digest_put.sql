update ipambridge.space set policy_digest = $2::bigint where id = $1::int
