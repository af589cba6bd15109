-- One that a crash forgets is no loss: its disk is not waited for.
update ipambridge.zone set hinted_at = now() where id = $1::int
returning set_config('synchronous_commit', 'off', true)
