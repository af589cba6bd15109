/* dhcid.h - the DHCID RDATA of a client at a name (RFC 4701), computed as Kea computes it. */
#ifndef BRIDGE_CORE_DHCID_H
#define BRIDGE_CORE_DHCID_H

#include "bridge/core/naming.h"
#include "bridge/value/rr.h"

enum { DHCID_LEN = 35 };

/* Identifier type 2 (DUID, also from an RFC 4361 client identifier), else 1 (client
 * identifier), else 0 (hardware address).  False when nothing is known of the client. */
bool dhcid_make(uint8_t out[DHCID_LEN], const struct identity *id, bool v6,
		const struct dname *name);

/* Is this DHCID record the client's at the name? */
bool dhcid_is(const struct rr *rr, const struct identity *id, bool v6, const struct dname *name);

#endif
