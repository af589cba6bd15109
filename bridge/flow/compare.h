/* compare.h - a transfer against what is kept: only the differences stay in memory.
 *
 * Private to flow/.
 */
#ifndef BRIDGE_FLOW_COMPARE_H
#define BRIDGE_FLOW_COMPARE_H

#include "bridge/flow/digest.h"
#include "bridge/flow/flow.h"

/* One owner whose records are not as expected. */
struct compare_diff {
	struct dname owner;
	struct rrs seen;
};

struct compare {
	struct flow *f;
	const struct policy_zone *zone;
	struct digest expected;
	struct map diffs;            /* owner -> struct compare_diff */
	struct arena arena;          /* of the differences */
	/* the owner being shown */
	struct dname owner;
	struct rrs group;
	struct arena group_arena;
	uint64_t group_sum;
	uint32_t serial;
};

void compare_init(struct compare *c, struct flow *f, const struct policy_zone *zone);
void compare_fini(struct compare *c);
/* One more owner that differs, and what it shows.  0 or ERR_NOMEM. */
int compare_add(struct compare *c, const struct dname *owner, const struct rrs *seen,
		struct err *e);
/* Transfers the zone and fills diffs, vanished owners (with an empty seen) among them.
 * Nothing of it is kept when it fails; *stored: then it was not the store that failed.
 * NET_REFUSED: the zone is not to be had, *e says how. */
int compare_run(struct compare *c, bool *stored, struct err *e);

#endif
