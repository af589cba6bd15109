copy ipambridge.host (space_id, address, name, asked, ptr, kind, source_id, mac, client_id, duid, dhcid,
	since, expires_at, ttl, why)
from stdin (format binary)
