/* kea_ncr_decode.h - one NameChangeRequest datagram of a Kea DHCP server to one observation.
 *
 * A datagram is the length of what follows, 2 bytes big-endian, and a JSON object.  Kea pastes
 * that text together: the name stands in it with the escapes of a master file ("\032", "\;"),
 * which JSON does not know.  A backslash is therefore never taken as JSON's.
 *
 * An add is a lease that names its address and stands until its remove: an NCR says nothing
 * about the lease's end ("lease-length" is the TTL that Kea would give, "lease-expires-on" is
 * reckoned from that TTL, and both are passed over as is how D2 should have resolved
 * conflicts).  A remove is an end that carries the name Kea wants gone.  A client that changes
 * its name causes a remove of the old and an add of the new one, and nothing numbers them: an
 * end whose name is not the one that is kept for the address is late, and must end nothing.
 */
#ifndef ADAPTERS_KEA_KEA_NCR_DECODE_H
#define ADAPTERS_KEA_KEA_NCR_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "bridge/value/obs.h"

/* Twice the longest that Kea can send: a name with each of its 255 bytes written \DDD, and some
 * 320 bytes of everything else. */
enum { KEA_NCR_MAX = 3072 };

/* Adds an observation, or refuses the datagram with its reason.  record numbers it, at_s is when
 * it came in.  The name is as Kea meant it, any bytes, with its final dot; only a dot that is part
 * of a label stays escaped ("\."), so that it divides nothing.  0 or ERR_NOMEM. */
int kea_ncr_decode(struct obs_batch *into, const uint8_t *p, size_t len, uint64_t record,
		   int64_t at_s);

#endif
