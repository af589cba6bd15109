/* restored.h - whose is what a restored zone brought back.
 *
 * Pure.  A copy of a zone shows names as they were when it was made.  Of those that have ended
 * since, nothing is wanted or published any more: only the journal tells that they were ours.  It
 * proves it where a change of ours began from exactly what is shown now and changes of ours alone,
 * each beginning where the one before ended, led on from there to the last line about the owner.
 * Any other word in between (an edit, a conflict, a value that was not ours) proves nothing; nor does
 * all that where it was, without a DHCID, somebody else's and we never wrote it since.
 */
#ifndef BRIDGE_CORE_RESTORED_H
#define BRIDGE_CORE_RESTORED_H

#include "bridge/value/rr.h"

/* One line of the journal about an owner; sets as text, NULL: the line has none. */
struct past_line {
	size_t key;                /* which of the owners that were asked for */
	const char *event;
	const char *before;
	const char *after;
};

enum { RESTORED_LINES_MAX = 50 };  /* of one owner: further back nothing is looked for */

/* The managed records that are seen, were not there before the zone was restored (had), and that
 * we had removed ourselves.  lines: of this owner, the newest first.  Returns 0, *out empty: none,
 * or ERR_NOMEM. */
int restored_ours(struct rrs *out, struct arena *a, const struct rrs *had, const struct rrs *seen,
		  const struct past_line *lines, size_t n);

#endif
