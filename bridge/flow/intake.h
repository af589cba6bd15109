/* intake.h - evidence that one transaction keeps, ends or holds, and the plan that follows.
 *
 * Private to flow/: observe.c feeds it with what sources say, expire.c with what the clock says.
 */
#ifndef BRIDGE_FLOW_INTAKE_H
#define BRIDGE_FLOW_INTAKE_H

#include "bridge/base/vec.h"
#include "bridge/flow/planner.h"

struct intake {
	struct flow *f;
	const struct policy_space *space;
	const struct policy_source *src;
	/* of one transaction */
	struct planner p;
	VEC(struct evidence) put;
	VEC(struct evidence) added;      /* keys that have no row yet */
	VEC(struct evidence) del;
	VEC(struct ipaddr) touched;
	VEC(struct ipaddr) lease_gone;   /* edits of these addresses end */
};

/* One transaction: inside(arg) says what is to be kept, the rest happens here. */
int intake_step(struct intake *in, int (*inside)(void *arg, struct err *e), void *arg,
		struct err *e);

/* Keeps the row; touches: its address is planned anew. */
int intake_keep(struct intake *in, const struct evidence *ev, bool touches, struct err *e);
/* What its source had not said of its address before. */
int intake_add(struct intake *in, const struct evidence *ev, struct err *e);
/* Ends the row. */
int intake_drop(struct intake *in, const struct evidence *ev, const char *why, struct err *e);
/* Leaves the row as it was, for a person to look at. */
int intake_hold(struct intake *in, const struct evidence *had, const char *why, struct err *e);
/* A line of the journal about the observation; why may be NULL. */
int intake_note(struct intake *in, const char *event, const struct obs *o, const char *why,
		struct err *e);
/* May one more name go?  1, 0 (hold it), or an error. */
int intake_admit(struct intake *in, const struct evidence *ev, enum brake_kind kind, struct err *e);

#endif
