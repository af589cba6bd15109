/* truth.h - an independent model: which names IPAM gives and what each zone holds once the bridge
 * has converged, from what happened alone.
 *
 * It knows the leases with their times, what people asked IPAM for, what was written into the
 * zones and when, and the policy.  It is written from the specification, and calls nothing that
 * the bridge decides with.  It answers by rules, not by repeating steps: where the specification
 * leaves a choice (who of two came first when both came in one pass; whether a record came before
 * somebody else's), the bridge's own is taken, if what happened allows it, and the rest follows
 * from that.
 *
 * The world shows it every pass and every hand in the zones; see truth_look.  Several bridges are
 * one to it, their passes may overlap.  What another updater wrote, and what a person decided
 * about, it leaves open.  Where there is none (NULL) the calls do nothing.
 */
#ifndef TESTS_SIM_TRUTH_H
#define TESTS_SIM_TRUTH_H

#include "tests/sim/world.h"

struct truth;

/* How much of it was fixed. */
struct truth_counts {
	uint64_t hosts;      /* names that IPAM had to give or to refuse */
	uint64_t owners;     /* owners whose records had to be exactly these */
	uint64_t open;       /* owners where what happened allows more than one outcome */
};

/* NULL: no memory. */
struct truth *truth_new(const struct world *w);
void truth_free(struct truth *t);

enum truth_when {
	TRUTH_PASS_BEGINS,
	TRUTH_BEFORE_HAND,   /* somebody changes a zone while a pass runs */
	TRUTH_AFTER_HAND,
	TRUTH_PASS_ENDS,
};

/* Looks at the sources and at what changed in the zones since the last look.  A fault where the
 * bridge did what it never may. */
void truth_look(struct truth *t, struct world *w, enum truth_when when);
/* After the last look at a pass of b that looked everywhere, came through and left nothing
 * pending. */
void truth_clean(struct truth *t, struct world *w, const struct bridge *b);
/* A person named the address at the command line, or took that back: known at once. */
void truth_told(struct truth *t, struct world *w, const struct ipaddr *addr);

/* A person decided about the owner (resolve, adopt, disown): what stands there is no longer to be
 * foreseen.  aside: IPAM gives way, and nobody gets the name until another decision; sure: it was
 * acknowledged. */
void truth_decided(struct truth *t, int32_t zone, const struct dname *owner, bool aside, bool sure);

/* Has a person ever decided about the owner?  False without a model. */
bool truth_was_decided(const struct truth *t, int32_t zone, const struct dname *owner);
/* The first difference becomes a fault of the world. */
void truth_check(struct truth *t, struct world *w, struct truth_counts *counts);

#endif
