select coalesce(policy_digest, 0) from ipambridge.space where id = $1::int
