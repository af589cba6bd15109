/* push_round.h - one round of due owners: judged, offered where the row itself is no offer
 * (core/push_state.h), packed into messages.
 *
 * Private to flow/.
 */
#ifndef BRIDGE_FLOW_PUSH_ROUND_H
#define BRIDGE_FLOW_PUSH_ROUND_H

#include "bridge/base/vec.h"
#include "bridge/core/verdict.h"
#include "bridge/flow/planner.h"

enum { PUSH_ROUND = 1000 };  /* owners of a zone in one round: bounds memory */

struct push_zone {
	const struct policy_space *space;
	const struct policy_zone *zone;
	struct belief last;          /* paging: the last row handed out */
	bool paging;
	bool exhausted;              /* no more due rows in this sweep */
	bool others;                 /* another process sends there */
	bool stopped;                /* unreachable or refusing: not again in this run */
	bool dead;                   /* its server does not answer */
	bool failed;                 /* in this run: unreachable or refusing */
	bool answered;               /* in this run: it took or judged a message */
	struct gate *gate;           /* in a daemon; NULL: none */
	enum push_retry {            /* of owners that were refused in an earlier run */
		PUSH_RETRY_NONE,
		PUSH_RETRY,          /* a page of them is to be tried */
		PUSH_RETRY_IF_TAKEN, /* the next page, if the server takes anything of the last */
	} retry;
	struct dname refused;        /* the last one tried; len 0: none */
	bool told;                   /* that the server fails on single owners */
	uint32_t serial;             /* after the last settled message */
	bool known;                  /* transferred once: see zone_row */
	uint64_t since;              /* rows of this version or later only we can have sent */
};

struct push_item {
	struct belief *b;
	struct verdict v;
	struct change c;
	bool fresh;                  /* nothing equal was offered before: may be withdrawn */
	bool dropped;                /* somebody writes its row: not in this round */
	bool retried;                /* it was refused in an earlier run */
	bool settled;                /* by the short way; nothing is left to do */
	bool stood;                  /* the forward name, as its row was before it is settled */
	bool got;                    /* read back after the answer */
	struct rrs seen;
};

struct push_round {
	struct arena arena;
	unsigned open;               /* messages not yet settled */
};

struct push_msg {
	struct push_round *round;
	struct push_zone *zone;
	struct push_item **items;
	size_t n;
	bool ask;                    /* nothing is sent: its owner is read back */
	int64_t looked_s;            /* when its owners were read back */
	size_t sent;                 /* owners that the answer is about */
	struct answer answer;
	const char *why;             /* what the answer means, while it is settled */
};

/* Where the list of due owners of a zone goes on, and that this page of it was taken. */
struct due_page push_page(const struct push_zone *z);
void push_turn_page(struct push_zone *z, const struct due_page *page);

/* RRsets that a change touches. */
unsigned change_rrsets(const struct change *c);

/* Takes the next due owners of every zone, commits what they offer, and appends the messages to
 * queue.  *n: owners taken. */
int push_round_make(struct flow *f, struct push_zone *zones, size_t n_zones,
		    struct push_msg ***queue, size_t *queue_n, size_t *queue_cap, size_t *n,
		    struct err *e);
void push_msg_free(struct push_msg *m);

#endif
