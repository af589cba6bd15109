/* conflicts.c - see conflicts.h. */

#include "bridge/report/conflicts.h"

#include "bridge/report/owners.h"

struct walk {
	report_conflict_cb cb;
	void *arg;
};

/* An owner is in conflict as a whole; the types that stand as wanted are no news.  A DHCID alone
 * tells people nothing unless it is all there is. */
static unsigned rows_of(const struct walk *w, const struct report_owner *o, bool dhcid_too)
{
	const struct belief *b = &o->belief;
	uint16_t type[REPORT_TYPES_MAX];
	unsigned n = 0;
	size_t n_types = report_types(type, &b->want, &b->published);
	for (size_t i = 0; i < n_types; i++) {
		uint16_t t = type[i];
		if ((t == RR_DHCID) != dhcid_too)
			continue;
		if (b->seen_known && rrs_equal_of(&b->want, &b->seen, t) &&
		    b->state == BELIEF_CONFLICT)
			continue;
		struct report_conflict row = {
		    .space = o->space, .zone = o->zone, .owner = b->owner, .type = t,
		    .wanted = b->want, .published = b->published, .seen = b->seen,
		    .seen_known = b->seen_known, .why = b->why,
		};
		w->cb(w->arg, &row);
		n++;
	}
	return n;
}

static void owner(void *arg, const struct report_owner *o)
{
	const struct walk *w = arg;
	if (rows_of(w, o, false) == 0)
		rows_of(w, o, true);
}

int report_conflicts(struct pg *pg, const struct policy *p, const struct report_filter *f,
		     report_conflict_cb cb, void *arg, struct err *e)
{
	static const enum belief_state states[] = {BELIEF_CONFLICT, BELIEF_FROZEN, BELIEF_REFUSED};
	struct walk w = {cb, arg};
	return report_owners_in(pg, p, f, states, 3, owner, &w, e);
}
