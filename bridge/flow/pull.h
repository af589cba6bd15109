/* pull.h - one look at a zone: what it found, and how that is kept.
 *
 * Private to flow/.
 */
#ifndef BRIDGE_FLOW_PULL_H
#define BRIDGE_FLOW_PULL_H

#include "bridge/base/vec.h"
#include "bridge/flow/ask.h"
#include "bridge/flow/planner.h"

struct pull {
	struct flow *f;
	const struct policy_space *space;
	const struct policy_zone *zone;
	struct zone_row row;
	struct compare cmp;
	int64_t began_s;
	bool beside;                 /* another process has the right to send here */
	bool unsent;                 /* nobody has sent to these owners yet */
	bool rollback;               /* the serial went backwards */
	bool partial;                /* compared is what changed since the serial that is kept */
	bool asking;                 /* compared is what the server answers about single owners, */
	struct asked asked;
	struct err refusal;          /* because it does not give the zone: its words */
	uint32_t serial;             /* before that */
	bool overtaken;              /* nothing of it was kept: another process saw more */
	bool before_ours;            /* changes of ours were proven since it was made */
	size_t skipped;              /* owners that differ and were written meanwhile */
	size_t news;                 /* owners that differ */
	/* inside the transaction */
	struct planner p;
	VEC(struct ipaddr) touched;
	VEC(struct dname) freed;     /* names that a CNAME, NS, MX or SRV pointed at */
	VEC(struct dname) opened;    /* names that were zone cuts and are none any more */
};

/* One transaction: the differences, the evidence they give, the plans they change and the zone's row.
 * Says what it was. */
int pull_keep(struct pull *u, struct err *e);
/* The differences of single owners, in a transaction; the zone's row stays. */
int pull_keep_some(struct pull *u, struct err *e);
/* What the look says of the zone as a whole, or why there was none. */
int pull_keep_row(struct pull *u, struct err *e);

#endif
