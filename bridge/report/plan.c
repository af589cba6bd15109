/* plan.c - what stands to be sent, by the same table that decides it.  See plan.h. */

#include "bridge/report/plan.h"

#include "bridge/core/verdict.h"
#include "bridge/report/owners.h"

struct walk {
	report_change_cb cb;
	void *arg;
	size_t n;
	int rc;
};

static void one_type(struct walk *w, const struct report_owner *o, const struct verdict *v,
		     uint16_t t)
{
	const struct belief *b = &o->belief;
	const struct rr *first;
	bool had = rrs_of(&v->base, t, &first) > 0, has = rrs_of(&v->target, t, &first) > 0;
	if (rrs_equal_of(&v->base, &v->target, t) && !v->ttl_only)
		return;
	struct report_change row = {
	    .space = o->space, .zone = o->zone, .owner = b->owner, .type = t,
	    .action = !had ? REPORT_ADD : has ? REPORT_CHANGE : REPORT_DELETE,
	    .from = v->base, .to = v->target,
	    .ttl_from_s = had ? b->sent_ttl_s : 0, .ttl_to_s = has ? b->want_ttl_s : 0,
	    .why = b->why != NULL && *b->why != '\0' ? b->why : v->why,
	};
	w->cb(w->arg, &row);
	w->n++;
}

static void owner(void *arg, const struct report_owner *o)
{
	struct walk *w = arg;
	struct verdict v;
	struct arena a = ARENA_INIT;
	/* Whoever made it due has seen to it that a source supports it. */
	int r = verdict_owner(&v, &a, &o->belief, o->zone->foreign, true);
	uint16_t type[REPORT_TYPES_MAX];
	size_t n = 0;
	if (r < 0)
		w->rc = r;
	else if (v.state == BELIEF_DUE)
		n = report_types(type, &v.base, &v.target);
	for (size_t i = 0; i < n; i++)
		one_type(w, o, &v, type[i]);
	arena_fini(&a);
}

int report_plan(struct pg *pg, const struct policy *p, const struct report_filter *f,
		report_change_cb cb, void *arg, size_t *n, struct err *e)
{
	static const enum belief_state states[] = {BELIEF_DUE};
	struct walk w = {.cb = cb, .arg = arg};
	int r = report_owners_in(pg, p, f, states, 1, owner, &w, e);
	*n = w.n;
	if (r == 0 && w.rc < 0)
		return err_nomem(e);
	return r;
}
