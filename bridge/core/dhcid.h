/* dhcid.h - the DHCID RDATA of a client at a name (RFC 4701), as Kea computes it. */
#ifndef BRIDGE_CORE_DHCID_H
#define BRIDGE_CORE_DHCID_H

#include "bridge/core/naming.h"
#include "bridge/value/rr.h"

/* What the client's source gave for exactly this name; else computed: identifier type 2 (DUID,
 * also from an RFC 4361 client identifier), else 1 (client identifier), else 0 (hardware address).
 * False when nothing of all this is known. */
bool dhcid_make(uint8_t out[DHCID_LEN], const struct identity *id, bool v6,
		const struct dname *name);

/* Is this DHCID record the client's at the name? */
bool dhcid_is(const struct rr *rr, const struct identity *id, bool v6, const struct dname *name);

#endif
