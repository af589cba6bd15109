analyze (skip_locked) ipambridge.observation (source_id, address, name_key, valid_until, absent_since, held)
