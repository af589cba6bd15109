/* known.h - the evidence of a transaction's addresses, as it read it and as it writes it, so that
 * the plan that follows need not read it again.
 *
 * Private to flow/.
 */
#ifndef BRIDGE_FLOW_KNOWN_H
#define BRIDGE_FLOW_KNOWN_H

#include "bridge/base/arena.h"
#include "bridge/base/err.h"
#include "bridge/core/naming.h"

struct known {
	const struct ipaddr *addrs;   /* in order; n 0: nothing is known */
	size_t n;
	struct evidence *ev;          /* all of it, ordered by (address, source, name) */
	size_t n_ev;
};

/* What was read of v, which is in order and may repeat.  Borrows addresses and rows. */
void known_read(struct known *k, const struct ipaddr *v, size_t n, struct evidence *ev,
		size_t n_ev);

/* Brings k up to date with rows that are put and deleted by key (source, address, name for manual);
 * k lives in a from then on.  0 or ERR_NOMEM. */
int known_write(struct known *k, struct arena *a, const struct evidence *put, size_t n_put,
		const struct evidence *del, size_t n_del);

/* The evidence of the addresses, which are in order, each once.  0; 1 when something about them is
 * not known; ERR_NOMEM. */
int known_of(const struct known *k, struct evidence **out, size_t *n_out, struct arena *a,
	     const struct ipaddr *v, size_t n);

#endif
