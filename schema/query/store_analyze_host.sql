-- The columns that queries look for; the wide texts beside them would take most of the time.
analyze (skip_locked) ipambridge.host (space_id, address, name, source_id)
