/* decide.h - what a person's decision makes of one owner: resolve, adopt, disown.
 *
 * Pure, and never a removal: a decision moves the border between ours and theirs; what DNS holds
 * is only ever written over by resolve --take ipam, and only where a value stands in its place.
 */
#ifndef BRIDGE_CORE_DECIDE_H
#define BRIDGE_CORE_DECIDE_H

#include "bridge/core/belief.h"

enum decide_verb {
	DECIDE_TAKE_DNS,   /* of a conflict or fight: IPAM gives way, what DNS shows stands */
	DECIDE_TAKE_IPAM,  /* of a conflict or fight: what DNS shows is written over, once */
	DECIDE_ADOPT,      /* records that are seen as they are wanted become ours */
	DECIDE_DISOWN,     /* what is ours becomes theirs, and stays theirs */
};

/* What came of it. */
enum { DECIDE_DONE = 0, DECIDE_NOTHING = 1, DECIDE_IMPOSSIBLE = 2 };

/* Changes b; with any answer but DECIDE_DONE it is as it was and *why says, in static text, why.
 * edited: of a reverse owner, the PTR seen is a person's and names the address; disown ends that.
 * The state is to be judged anew afterwards.  ERR_NOMEM when memory ran out. */
int decide(struct belief *b, struct arena *a, enum decide_verb verb, bool edited,
	   const char **why);

/* The word for it: "take-dns", "take-ipam", "adopt", "disown". */
const char *decide_name(enum decide_verb verb);

/* Is it something that resolve settles: a conflict, a fight, a removal that waits? */
bool decide_is_open(const struct belief *b);

#endif
