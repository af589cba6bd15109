/* write.h - our own writer of DNS requests: UPDATE, SOA query, AXFR, IXFR, plain queries.
 *
 * Compresses owners against the zone's name, counts every byte, never passes 65,535.
 */
#ifndef BRIDGE_DNS_WRITE_H
#define BRIDGE_DNS_WRITE_H

#include "bridge/base/buf.h"
#include "bridge/base/err.h"
#include "bridge/value/change.h"

/* An unsigned UPDATE (RFC 2136): all prerequisites of all changes, then all updates.
 * Equal prerequisites are written once (a repeated one breaks BIND and PowerDNS).
 * ERR_BUG when it would not fit in 65,000 bytes or an owner is outside the zone. */
int write_update(struct buf *out, uint16_t id, const struct dname *zone,
		 const struct change *const *c, size_t n, struct err *e);
/* RD clear, no EDNS. */
int write_query(struct buf *out, uint16_t id, const struct dname *name, uint16_t type,
		struct err *e);
/* What changed since that serial (RFC 1995 3). */
int write_ixfr(struct buf *out, uint16_t id, const struct dname *zone, uint32_t since,
	       struct err *e);

#endif
