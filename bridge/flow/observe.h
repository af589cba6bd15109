/* observe.h - what one difference between a source and what is kept leads to.
 *
 * Private to flow/.
 */
#ifndef BRIDGE_FLOW_OBSERVE_H
#define BRIDGE_FLOW_OBSERVE_H

#include "bridge/flow/intake.h"

/* Inside a step of the intake.  *older counts differences that are dropped, because what is kept
 * is newer. */
int observe_change(struct intake *in, const struct obs_change *c, uint64_t *older, struct err *e);
/* Likewise for at most PLANNER_CHUNK observations that are compared with what is kept; absence
 * means nothing.  Of equal keys the last counts. */
int observe_all(struct intake *in, const struct obs *v, size_t n, uint64_t *older, struct err *e);
/* Is what the source says now older than what is kept of it? */
bool observe_is_older(const struct obs_change *c);
/* Tells people about those that were dropped. */
void observe_say_older(const struct intake *in, uint64_t older);

#endif
