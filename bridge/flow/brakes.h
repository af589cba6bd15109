/* brakes.h - the brakes of one transaction, loaded when first asked, kept at its end.
 *
 * Private to flow/.
 */
#ifndef BRIDGE_FLOW_BRAKES_H
#define BRIDGE_FLOW_BRAKES_H

#include "bridge/base/err.h"
#include "bridge/core/brake.h"
#include "bridge/value/ipaddr.h"

enum { BRAKES_MAX = 64 };

struct planner;

struct brake_slot {
	int32_t zone_id;     /* minus the subnet's id for explicit ends */
	int32_t source_id;
	struct brake brake;
};

struct brakes {
	struct brake_slot slot[BRAKES_MAX];
	size_t n;
};

/* What is taken away, and who says so. */
enum brake_kind {
	BRAKE_INFERRED,      /* a source ends or changes a name without saying so */
	BRAKE_EXPLICIT,      /* the source says itself that it is over */
	BRAKE_EDIT,          /* a person's PTR replaces one of ours */
};

/* May this source take away or change one more name at this address?  1 yes, 0 hold it,
 * negative: error. */
int brakes_admit(struct planner *p, int32_t source_id, const struct ipaddr *addr,
		 enum brake_kind kind, struct err *e);
/* Written with the transaction (planner_transaction calls it). */
int brakes_keep(struct planner *p, struct err *e);

#endif
