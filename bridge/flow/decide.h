/* decide.h - a person's word about single owners: resolve, adopt, disown.
 *
 * Planned first, kept afterwards: the same steps, rolled back or not.  Nothing is deleted by it:
 * what IPAM no longer wants because of a decision stays in DNS and is no longer ours.
 */
#ifndef BRIDGE_FLOW_DECIDE_H
#define BRIDGE_FLOW_DECIDE_H

#include "bridge/base/vec.h"
#include "bridge/core/decide.h"
#include "bridge/flow/flow.h"

/* Between plan and keeping the owner has changed: it was left alone. */
enum { DECIDE_CHANGED = 3 };

/* One owner. */
struct decision {
	const struct policy_zone *zone;
	struct belief was, is;     /* before; and as it is planned, or kept, after */
	int outcome;               /* DECIDE_DONE, _NOTHING, _IMPOSSIBLE, _CHANGED */
	const char *why;           /* unless done: why not, static text */
};

struct owner_keys {
	VEC(struct zone_key) v;
};

/* Appends the owners of the zone that the shell pattern matches: "*" and "?" match any byte of
 * the lower-case name without the final dot.  0 or negative. */
int decide_match(struct owner_keys *out, struct flow *f, const struct policy_zone *zone,
		 const char *pattern, struct err *e);

/* Decides about n owners of one space; v has room for n, in the order of keys.  keep false: all is
 * rolled back.  keep true: v holds what was planned, and an owner that is not as it was then is left
 * alone (DECIDE_CHANGED).  Texts and sets live in a.  0 or negative. */
int flow_decide(struct flow *f, const struct policy_space *space, enum decide_verb verb,
		const struct zone_key *keys, size_t n, struct decision *v, bool keep,
		struct arena *a, struct err *e);

#endif
