/* transfer.h - AXFR (RFC 5936) and IXFR (RFC 1995) with every byte verified: whole, or not at all.
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

enum { TRANSFER_WHOLE = 2, TRANSFER_REFUSED = 3 };

int transfer_soa(const struct server *s, const struct dname *zone, uint32_t *serial,
		 struct err *e);
/* The serial that a verified answer to a query for the zone's SOA shows.  False: none. */
bool transfer_serial(uint32_t *serial, const struct dname *zone, const struct buf *reply);
/* TRANSFER_REFUSED: the server answers, and does not let us have the zone; *e says how. */
int transfer_axfr(const struct server *s, const struct dname *zone,
		  const struct transfer_limits *lim, transfer_rr sink, void *arg,
		  uint32_t *serial, struct err *e);

/* One record that went or came since the serial asked for, in the server's order. */
typedef int (*transfer_change)(void *arg, bool added, const struct dname *owner, uint16_t type,
			       const uint8_t *rdata, size_t rdlen, struct err *e);

/* What changed since that serial.  TRANSFER_WHOLE: the server does not tell, or not in a way that
 * can be followed (it refuses, begins to send the whole zone, shows no newer serial, shows its SOA and
 * nothing more within the server's timeout, breaks the chain of serials), so the zone must be
 * transferred; so may the sink answer. */
int transfer_ixfr(const struct server *s, const struct dname *zone, uint32_t since,
		  const struct transfer_limits *lim, transfer_change sink, void *arg,
		  uint32_t *serial, struct err *e);

/* The state machine behind AXFR, without sockets, for tests and fuzzing: feed messages in order.
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

/* As struct axfr, for changes.  1: whole; TRANSFER_WHOLE: no use; 0: more is to come. */
struct ixfr {
	struct dname zone;
	uint16_t id;
	unsigned state;
	uint32_t serial;             /* that the zone has now */
	uint32_t at;                 /* that the records so far lead to */
	uint8_t soa[600];
	size_t soa_len;
	uint64_t records;
};
void ixfr_init(struct ixfr *x, const struct dname *zone, uint16_t id, uint32_t since);
/* Only the zone's SOA has come, a newer one: a server that tells no more says so by this (RFC 1995 4),
 * and PowerDNS begins like that. */
bool ixfr_is_lone(const struct ixfr *x);
int ixfr_feed(struct ixfr *x, const struct wire_msg *m, transfer_change sink, void *arg,
	      struct err *e);

#endif
