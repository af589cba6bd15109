copy ipambridge.journal (at, space_id, zone_id, owner, address, event, before, after, rcode, why)
from stdin (format binary)
