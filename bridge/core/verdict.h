/* verdict.h - compares want, published, offered and seen of one owner and says what to do.
 *
 * Pure.  The table (first match wins, per record type; "ours" means seen equals published or one
 * of offered, beside the DHCID that was offered with it, or the owner carries the DHCID of the
 * identity that wants it; equal by chance is not ours, and where another client's DHCID stands in
 * place of the one that was published, nothing of published is):
 *
 *  1  want = seen, ours or both absent       in step: published := seen
 *  2  want = seen, not ours                  agreed: nothing sent, nothing owned
 *  3  seen ours, want differs                write want on base seen
 *  4  seen = ours + added by somebody        write want + added on base seen; added stays theirs
 *  5  seen absent, published present         somebody removed it: a revert; written again if a
 *                                            source supports it since; three times: frozen
 *  6  seen and published absent, want there  first add
 *  7  PTR, published present, seen differs   a person's edit
 *  8  want absent, seen not ours             forget published; theirs
 *  9  otherwise                              conflict, unless the zone says foreign = take
 *
 * A person's decision (belief.decided) goes before: "ipam" is foreign = take for this owner, over
 * an edit, a removal and a name in use too; "disowned" leaves everything as it is seen.
 */
#ifndef BRIDGE_CORE_VERDICT_H
#define BRIDGE_CORE_VERDICT_H

#include "bridge/core/belief.h"
#include "bridge/value/change.h"

enum { VERDICT_REVERTS_MAX = 3 };

struct verdict {
	uint8_t row;              /* of the table, for why: that of the type that decided */
	uint8_t state;            /* enum belief_state */
	bool edit;                /* row 7: the PTR seen is a person's */
	bool revert;              /* row 5, seen for the first time */
	struct rrs published;     /* what published is as soon as this verdict is kept */
	struct rrs base;          /* managed records the change is planned on */
	struct rrs target;        /* managed records the owner holds once it is applied */
	struct rrs ours;          /* the part of target that is ours: offered, then published;
				   * with an edited PTR also the value it replaced */
	bool contested;           /* a type is stopped (conflict, frozen): at most removals are due */
	bool ttl_only;            /* nothing differs but the TTL */
	const char *why;          /* static text */
};

/* supported: a source has confirmed want after removed_at_s (row 5).
 * 0 or ERR_NOMEM; *out borrows from b and a. */
int verdict_owner(struct verdict *out, struct arena *a, const struct belief *b,
		  enum foreign_policy foreign, bool supported);

/* The change that brings base to target, with its prerequisites (RFC 2136 2.4, 2.5).
 * Returns 0, 1 when there is nothing to send, or ERR_NOMEM. */
int verdict_change(struct change *out, struct arena *a, const struct belief *b,
		   const struct verdict *v);

#endif
