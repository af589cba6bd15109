copy ipambridge.observation (source_id, address, name_key, kind, name, mac, client_id, duid, dhcid,
	valid_until, seen_at, first_seen, last_seen, absent_since, held, ttl, ptr, raw)
from stdin (format binary)
