/* net.h - what flow needs of the world: the clock, chance and the name servers.
 *
 * Two implementations: bridge/dns behind bridge/role (real servers) and tests/sim (a model
 * server on a virtual clock).  Every call returns by its deadline.
 */
#ifndef BRIDGE_FLOW_NET_H
#define BRIDGE_FLOW_NET_H

#include "bridge/base/err.h"
#include "bridge/core/outcome.h"
#include "bridge/core/policy.h"
#include "bridge/value/change.h"

/* One record of a transfer, in the order the server sent it.  rdata is canonical (lower case,
 * uncompressed) and borrowed until the call returns. */
typedef int (*transfer_sink)(void *arg, const struct dname *owner, uint16_t type, uint32_t ttl_s,
			     const uint8_t *rdata, size_t rdlen, struct err *e);

/* One record that went or came, in the server's order; as transfer_sink. */
typedef int (*change_sink)(void *arg, bool added, const struct dname *owner, uint16_t type,
			   const uint8_t *rdata, size_t rdlen, struct err *e);

enum {
	NET_WHOLE = 2,    /* only a whole transfer tells */
	NET_REFUSED = 3,  /* the server answers, and does not give the zone */
};

/* One owner that is asked about. */
struct net_look {
	const struct dname *owner;
	bool got;             /* the server has told; else seen is worth nothing */
	struct rrs seen;      /* all kept types, and whatever else the server tells */
	struct dname cut;     /* the name between owner and zone from which on another zone or a DNAME
			       * answers; len 0: none was shown */
};

struct net_serial {
	bool known;              /* false: it was not to be had */
	uint32_t serial;
};

struct flow_net {
	void *ctx;

	int64_t (*now_s)(void *ctx);     /* wall clock, Unix seconds */
	uint64_t (*random)(void *ctx);

	/* Queues one UPDATE for the zone and returns; tag comes back with its answer.  Messages
	 * to a zone are sent in this order.  Returns 0; ERR_BUSY when the zone's window is full
	 * (collect first). */
	int (*submit)(void *ctx, const struct policy_zone *z, const struct change *const *c,
		      size_t n, uint64_t tag, struct err *e);
	/* Waits for the next answer of any zone: 1 and *tag, *out; 0 when nothing is in flight. */
	int (*collect)(void *ctx, uint64_t *tag, struct answer *out, struct err *e);

	/* The zone's serial, signed and verified. */
	int (*soa)(void *ctx, const struct policy_zone *z, uint32_t *serial, struct err *e);
	/* The serials of many zones in few round trips; where one is not known, soa says why. */
	void (*serials)(void *ctx, const struct policy_zone *const *z, size_t n,
			struct net_serial *out);
	/* The whole zone, SOA records left out.  0: complete and verified to the last message,
	 * *serial set.  Negative: whatever sink got is worth nothing.  NET_REFUSED: sink got nothing,
	 * *e says how it was refused. */
	int (*transfer)(void *ctx, const struct policy_zone *z, transfer_sink sink, void *arg,
			uint32_t *serial, struct err *e);
	/* What changed since that serial, an older one than the server's, as transfer.  NET_WHOLE:
	 * the server does not tell, or sink answered that. */
	int (*changes)(void *ctx, const struct policy_zone *z, uint32_t since, change_sink sink,
		       void *arg, uint32_t *serial, struct err *e);
	/* What stands at some owners.  0, also when the server does not tell about all of them; then
	 * *e says why.  Negative: it cannot be asked; what is got by then holds. */
	int (*query)(void *ctx, const struct policy_zone *z, struct net_look *v, size_t n,
		     struct arena *a, struct err *e);
};

#endif
