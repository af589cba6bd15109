copy ipambridge.owner (zone_id, owner, want, published, seen, seen_asked, guards, state, due_at, kind,
	source_id, why, ttl, sent_ttl, settled_at, removed_at, reverts, attempts, decided)
from stdin (format binary)
