/* plan.h - what stands to be sent: one row per RRset of the owners that are due.
 *
 * Read inside the transaction of a dry run this is the plan; outside it is what is pending.
 */
#ifndef BRIDGE_REPORT_PLAN_H
#define BRIDGE_REPORT_PLAN_H

#include "bridge/report/report.h"
#include "bridge/value/rr.h"

enum report_action { REPORT_ADD, REPORT_CHANGE, REPORT_DELETE };

struct report_change {
	const char *space;
	const struct policy_zone *zone;
	struct dname owner;
	uint16_t type;
	enum report_action action;
	struct rrs from;        /* all managed types; look at those of type */
	struct rrs to;
	uint32_t ttl_from_s;    /* 0: none, or not known */
	uint32_t ttl_to_s;      /* 0: none */
	const char *why;
};

typedef void (*report_change_cb)(void *arg, const struct report_change *row);

/* Ordered by zone, owner, type.  *n: rows handed out. */
int report_plan(struct pg *pg, const struct policy *p, const struct report_filter *f,
		report_change_cb cb, void *arg, size_t *n, struct err *e);

#endif
