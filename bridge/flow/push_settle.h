/* push_settle.h - answers become rows.  Private to flow/. */
#ifndef BRIDGE_FLOW_PUSH_SETTLE_H
#define BRIDGE_FLOW_PUSH_SETTLE_H

#include "bridge/flow/push_round.h"

struct push_again {
	VEC(struct push_msg *) v;    /* messages to send once more, in smaller pieces */
};

/* Reads back the owners whose answer leaves doubt (no transaction is open meanwhile), then
 * settles the messages of each space: what is proven and stands alone in one transaction, the
 * rest, which may plan other owners anew, in a second one that has the space to itself.  Frees the
 * messages, or moves them and their halves to again. */
int push_settle(struct flow *f, struct push_msg **done, size_t n, struct push_again *again,
		struct err *e);

#endif
