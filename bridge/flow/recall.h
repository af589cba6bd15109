/* recall.h - what of a restored zone the journal knows as ours.  Private to flow/. */
#ifndef BRIDGE_FLOW_RECALL_H
#define BRIDGE_FLOW_RECALL_H

#include "bridge/flow/compare.h"
#include "bridge/flow/planner.h"

/* b: the owners as they were before the zone was restored, d: as they are seen now.  out[i], empty
 * before: the records of d[i] that came back and that we had removed (core/restored.h). */
int recall_ours(struct rrs *out, struct planner *p, const struct belief *b,
		struct compare_diff *const *d, size_t n, struct err *e);

#endif
