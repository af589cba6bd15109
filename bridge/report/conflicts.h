/* conflicts.h - what is wanted and not written: conflicts, frozen fights, refusals. */
#ifndef BRIDGE_REPORT_CONFLICTS_H
#define BRIDGE_REPORT_CONFLICTS_H

#include "bridge/report/report.h"
#include "bridge/value/rr.h"

struct report_conflict {
	const char *space;
	const struct policy_zone *zone;
	struct dname owner;
	uint16_t type;
	struct rrs wanted;        /* look at those of type */
	struct rrs published;
	struct rrs seen;          /* whole: a CNAME there may be the reason */
	bool seen_known;
	const char *why;
};

typedef void (*report_conflict_cb)(void *arg, const struct report_conflict *row);

/* Ordered by space, zone, owner, type: every managed type where wanted and seen differ. */
int report_conflicts(struct pg *pg, const struct policy *p, const struct report_filter *f,
		     report_conflict_cb cb, void *arg, struct err *e);

#endif
