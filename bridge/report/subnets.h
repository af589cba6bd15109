/* subnets.h - the configured subnets, and how full they are. */
#ifndef BRIDGE_REPORT_SUBNETS_H
#define BRIDGE_REPORT_SUBNETS_H

#include "bridge/report/report.h"

struct report_subnet {
	const char *space;
	const struct policy_subnet *subnet;
	uint64_t addresses;       /* with evidence */
	uint64_t named;
	int64_t last_seen_s;
};

typedef void (*report_subnet_cb)(void *arg, const struct report_subnet *row);

/* Ordered by space, address.  An address counts for the longest subnet that holds it. */
int report_subnets(struct pg *pg, const struct policy *p, const struct report_filter *f,
		   report_subnet_cb cb, void *arg, struct err *e);

#endif
