/* owners.h - beliefs as the database keeps them, for the reports that need them whole. */
#ifndef BRIDGE_REPORT_OWNERS_H
#define BRIDGE_REPORT_OWNERS_H

#include "bridge/core/belief.h"
#include "bridge/report/report.h"

struct report_owner {
	const char *space;
	const struct policy_zone *zone;
	struct belief belief;     /* without the foreign rest: as the row has it */
};

typedef void (*report_owner_cb)(void *arg, const struct report_owner *row);

/* Owners in one of the states, ordered by space, zone, owner.  Rows of zones that are not
 * configured are left out. */
int report_owners_in(struct pg *pg, const struct policy *p, const struct report_filter *f,
		     const enum belief_state *states, size_t n_states, report_owner_cb cb,
		     void *arg, struct err *e);
/* The rows of these owner names, in every zone. */
int report_owners_named(struct pg *pg, const struct policy *p, const struct report_filter *f,
			const struct dname *names, size_t n_names, report_owner_cb cb, void *arg,
			struct err *e);

enum { REPORT_TYPES_MAX = 8 };
/* The managed types that are in a or in b, ascending; returns how many. */
size_t report_types(uint16_t out[REPORT_TYPES_MAX], const struct rrs *a, const struct rrs *b);

#endif
