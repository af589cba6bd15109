/* force.h - what a person lets go with force.  Private to flow/. */
#ifndef BRIDGE_FLOW_FORCE_H
#define BRIDGE_FLOW_FORCE_H

#include "bridge/flow/planner.h"

/* Takes the edits of a reverse zone that the brake held as evidence. */
int force_edits(struct flow *f, const struct policy_space *space, const struct policy_zone *zone,
		struct err *e);

#endif
