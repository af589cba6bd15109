/* waits.c - somebody removed ours, and now a source has been read that still confirms it. */
#include "bridge/base/vec.h"
#include "bridge/flow/planner.h"

struct waits {
	struct planner p;
	const struct policy_zone *zone;
	struct dname after;     /* looked at so far; len 0: none */
	size_t n;               /* of this step */
};

static int step_inside(void *arg, struct err *e)
{
	struct waits *w = arg;
	struct planner *p = &w->p;
	struct flow_store *st = p->f->store;
	VEC(struct belief) put = {0};
	struct planner_zone *z = NULL;
	struct belief *b;
	size_t i;
	int r = st->lock_space(st->ctx, p->space->id, e);

	r = r < 0 ? r
		  : st->beliefs_stopped(st->ctx, &b, &w->n, w->zone->id, BELIEF_WAITS,
					w->after.len > 0 ? &w->after : NULL, PLANNER_CHUNK,
					&p->arena, e);
	if (r == 0 && w->n > 0) {
		w->after = b[w->n - 1].owner;
		r = planner_zone(&z, p, w->zone, e);
	}
	for (i = 0; r == 0 && i < w->n; i++) {
		r = planner_judge(p, &p->arena, &b[i], NULL, z, NULL, e);
		if (r == 0 && b[i].state != BELIEF_WAITS && vec_push(&put, b[i]) < 0)
			r = err_nomem(e);
	}
	if (r == 0 && put.n > 0)
		r = st->beliefs_put(st->ctx, put.v, put.n, e);
	vec_fini(&put);
	return r;
}

int flow_wake_waits(struct flow *f, const struct policy_space *space, struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; i < space->n_zones && r == 0; i++) {
		struct waits w = {.zone = &space->zones[i], .n = PLANNER_CHUNK};

		while (r == 0 && w.n == PLANNER_CHUNK)
			r = planner_transaction(&w.p, f, space, step_inside, &w, e);
	}
	return r;
}
