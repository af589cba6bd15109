/* exchange.h - signed requests over kept TCP connections, pipelined (RFC 7766), to one server.
 *
 * Own sockets, random ids, non-blocking, a total deadline per exchange.  An answer counts only
 * when id, QR, opcode and question match and its TSIG holds; everything else is waited past.
 * NOTAUTH with BADSIG or BADKEY comes unsigned by design, and PowerDNS hides every TSIG failure
 * behind an unsigned REFUSED: such an answer ends its exchange as unverified, never as done.
 */
#ifndef BRIDGE_DNS_EXCHANGE_H
#define BRIDGE_DNS_EXCHANGE_H

#include "bridge/base/buf.h"
#include "bridge/base/err.h"
#include "bridge/core/outcome.h"
#include "bridge/dns/tsig.h"
#include "bridge/dns/wirecheck.h"
#include "bridge/value/ipaddr.h"

struct server {
	const char *name;
	struct ipaddr addr;
	uint16_t port;
	struct ipaddr source;           /* family 0: any */
	const struct tsig_key *key;     /* NULL: unsigned */
	int64_t timeout_ms;             /* of one exchange, at least 3000 */
	unsigned window;                /* messages in flight, 1 to 90 */
};

struct exchange;  /* one connection to one server */

int exchange_new(struct exchange **out, const struct server *s, struct err *e);
void exchange_free(struct exchange *x);

/* Signs the message (an UPDATE or a query, id filled in by us) and queues it.  tag comes back.
 * ERR_BUSY when the window is full. */
int exchange_send(struct exchange *x, struct buf *msg, uint64_t tag, struct err *e);
unsigned exchange_in_flight(const struct exchange *x);
/* Lets bytes flow until an answer (or timeout, or loss) of some connection is there or
 * until_ms (monotonic) has passed: 1 with *tag and *out, 0 otherwise.  When reply is not NULL it
 * receives the verified message's bytes (for queries). */
int exchange_collect(struct exchange *const *x, size_t n, int64_t until_ms, uint64_t *tag,
		     struct answer *out, struct buf *reply, struct err *e);

/* The next answer on one connection: 1 with *reply a verified message; 0 when nothing is under way;
 * negative, of the request *tag, with a sentence that names the server and what it said. */
int exchange_take(struct exchange *x, uint64_t *tag, struct buf *reply, struct err *e);

/* One request, one answer, by the deadline: 0 with *reply a verified message.  Negative with a
 * sentence that names the server and what it said. */
int exchange_once(const struct server *s, struct buf *msg, struct buf *reply, struct err *e);

#endif
