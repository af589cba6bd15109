/* brakes.h - the brakes of one transaction, loaded when first asked, kept at its end.
 *
 * Private to flow/.
 */
#ifndef BRIDGE_FLOW_BRAKES_H
#define BRIDGE_FLOW_BRAKES_H

#include "bridge/flow/planner.h"

enum { BRAKES_MAX = 64 };

struct brake_slot {
	int32_t zone_id;     /* minus the subnet's id for explicit ends */
	int32_t source_id;
	struct brake brake;
};

struct brakes {
	struct planner *p;
	struct brake_slot slot[BRAKES_MAX];
	size_t n;
	uint64_t held;       /* refused since brakes_init */
};

void brakes_init(struct brakes *b, struct planner *p);
/* May this source take away or change one more name at this address?  explicit_: the source
 * says so itself.  1 yes, 0 hold it, negative: error. */
int brakes_admit(struct brakes *b, int32_t source_id, const struct ipaddr *addr, bool explicit_,
		 struct err *e);
int brakes_keep(struct brakes *b, struct err *e);

#endif
