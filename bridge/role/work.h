/* work.h - the sessions of a role: opened, worked with, lost, opened again.
 *
 * What a role does is a turn: a piece of work of a second or so that answers 0, or an error.  An
 * error of the database ends the sessions; they are opened again after a wait that doubles.
 */
#ifndef BRIDGE_ROLE_WORK_H
#define BRIDGE_ROLE_WORK_H

#include "bridge/role/live.h"
#include "bridge/role/once.h"

struct work {
	struct live *l;
	void *arg;
	/* New sessions: whatever a role remembers of the old ones is made anew.  May be NULL. */
	int (*begin)(void *arg, struct once *o, struct err *e);
	int (*turn)(void *arg, struct once *o, struct err *e);
	/* There are no sessions for the next ms: whoever must not stop listening does it here.
	 * NULL: only waits. */
	void (*away)(void *arg, int64_t ms);
	bool many;               /* its turns are many small transactions: see flow_zones_new */
	const bool *failing;     /* its own work fails although the database is there; may be NULL */
};

/* Until told to stop (0), or an error that new sessions would not mend. */
int work_run(struct work *w, struct err *e);

#endif
