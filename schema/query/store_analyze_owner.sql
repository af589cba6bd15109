analyze (skip_locked) ipambridge.owner (zone_id, owner, state, due_at, guards)
