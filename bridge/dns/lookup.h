/* lookup.h - what stands at owner names, asked in queries: many at once over one kept connection.
 *
 * For servers that do not give the zone, and for owners that must be looked at just now.
 */
#ifndef BRIDGE_DNS_LOOKUP_H
#define BRIDGE_DNS_LOOKUP_H

#include "bridge/dns/exchange.h"
#include "bridge/value/rr.h"

/* One owner. */
struct lookup {
	const struct dname *owner;   /* in the zone */
	bool got;                    /* every question was answered; else seen is worth nothing */
	struct rrs seen;             /* all kept types, and whatever else the server tells */
	/* The name between the owner and the zone's from which on somebody else answers: another zone
	 * (its NS or SOA are shown) or a DNAME.  len 0: none was shown. */
	struct dname cut;
};

struct lookup_zone {
	const struct server *s;
	const struct dname *name;
	bool reverse;                /* PTR are asked for, not addresses */
};

/* Asks about all of them; sets live in a.  0: the connection held; *e tells why the first one that is
 * not got is not.  Negative: it broke, or until_ms (monotonic) has passed; what is got holds, and the
 * exchange is of no use any more. */
int lookup_owners(struct exchange *x, const struct lookup_zone *z, struct lookup *v, size_t n,
		  int64_t until_ms, struct arena *a, struct err *e);

#endif
