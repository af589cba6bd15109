select pg_notify('ipambridge_due', '')
