/* push_state.h - what an owner's row becomes when a change is offered and when it is answered.
 *
 * Pure: the whole life of one change.  due -> offered (committed before its packet leaves) ->
 * proven, or unknown until read back, or refused, or due again later.
 *
 * A row that is due and has no offers is itself the offer of an ordinary change: it was committed,
 * and it says what is sent.  Only the process that has the right to send to the zone sends, so it
 * alone knows whether the packet left; whoever else rewrites such a row keeps what it implied.
 */
#ifndef BRIDGE_CORE_PUSH_STATE_H
#define BRIDGE_CORE_PUSH_STATE_H

#include "bridge/core/belief.h"
#include "bridge/core/outcome.h"
#include "bridge/core/verdict.h"

/* Is v, the verdict of b as it was read, offered by the row itself?  (Rows 3 and 6 of the table:
 * they follow from the row alone.) */
bool push_implied(const struct belief *b, const struct verdict *v);

/* Of b as it was read, before anything in it changes: what it implied becomes an offer.  0 or
 * ERR_NOMEM. */
int push_keep_implied(struct belief *b, struct arena *a, enum foreign_policy foreign,
		      int64_t now_s);

/* Is an equal set offered already?  Its packet may still be under way, so a later failure of
 * this one does not take the offer back. */
bool push_offered(const struct belief *b, const struct verdict *v);

/* Before the packet leaves: remembers v->ours among the offered sets.  0; 1 when too many
 * offers are unresolved (read back once they are late); ERR_NOMEM. */
int push_offer(struct belief *b, struct arena *a, const struct verdict *v, int64_t now_s);

/* The answer proved it: published and seen become what was sent.  fresh: nothing equal was
 * offered before, so no other packet with it is under way.  0 or ERR_NOMEM. */
int push_done(struct belief *b, struct arena *a, const struct verdict *v, bool fresh,
	      int64_t now_s);

/* Is the row, as its proven change left it (is, of was as it was read), what was wanted and nothing
 * more: no offer, decision, delay or memory is left of how it came there? */
bool push_as_wanted(const struct belief *was, const struct belief *is);

/* Certainly not applied (a prerequisite failed, refused, never sent): the offer is withdrawn. */
void push_withdraw(struct belief *b, const struct verdict *v);

/* Tried again later, with backoff. */
void push_retry(struct belief *b, int64_t now_s, uint64_t random);

/* Not before a person or another input changes something. */
void push_refused(struct belief *b, const char *why);

/* From when on no packet of its oldest offer can be applied any more: it is older than the TSIG
 * fudge.  Only of one that has offers. */
int64_t push_late_s(const struct belief *b);

/* Is v, the verdict of b, a conflict only until its offers are late?  While one may still be applied,
 * a value beside the client's DHCID may be what somebody made of it.  0 or ERR_NOMEM. */
int push_waits(bool *out, struct arena *a, const struct belief *b, const struct verdict *v,
	       enum foreign_policy foreign, bool supported);

/* Once what the server showed at looked_s was compared with what was believed: offers that were
 * late by then are forgotten.  An unmoved serial shows nothing: a restored zone counts through the
 * same numbers again. */
void push_forget_late(struct belief *b, int64_t looked_s);

#endif
