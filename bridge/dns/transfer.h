/* transfer.h - AXFR (RFC 5936) with every byte verified: whole, or not at all.
 *
 * The caller's sink sees records as they come; only a return of 0 makes them true.  Caps: a
 * deadline for the whole transfer, bytes and records.
 */
#ifndef BRIDGE_DNS_TRANSFER_H
#define BRIDGE_DNS_TRANSFER_H

#include "bridge/dns/exchange.h"

typedef int (*transfer_rr)(void *arg, const struct dname *owner, uint16_t type, uint32_t ttl_s,
			   const uint8_t *rdata, size_t rdlen, struct err *e);

struct transfer_limits {
	int64_t timeout_ms;   /* whole transfer */
	uint64_t max_bytes;
	uint64_t max_records;
};

int transfer_soa(const struct server *s, const struct dname *zone, uint32_t *serial,
		 struct err *e);
int transfer_axfr(const struct server *s, const struct dname *zone,
		  const struct transfer_limits *lim, transfer_rr sink, void *arg,
		  uint32_t *serial, struct err *e);

/* The state machine behind it, without sockets, for tests and fuzzing: feed messages in order.
 * Returns 1 when the closing SOA has come (then tsig_stream_finish decides), 0 for more. */
struct axfr {
	struct dname zone;
	uint16_t id;
	unsigned state;
	uint32_t serial;
	uint8_t soa[600];
	size_t soa_len;
	uint64_t records;
};
void axfr_init(struct axfr *x, const struct dname *zone, uint16_t id);
int axfr_feed(struct axfr *x, const struct wire_msg *m, transfer_rr sink, void *arg,
	      struct err *e);

#endif
