/* expire.c - evidence ends by the clock, or because its source left the configuration. */
#include "bridge/flow/intake.h"
#include "bridge/flow/say.h"

struct expiry {
	struct intake in;
	int64_t until_s;       /* what ends by then is over */
	const char *why;       /* NULL: the clock's reasons */
	struct ipaddr after;   /* paging; family 0: from the start */
	bool last;
};

static const char *reason(const struct expiry *x, const struct evidence *ev)
{
	if (x->why != NULL)
		return x->why;
	return ev->absent_since_s != 0 ? "not seen any more" : "its time is over";
}

static int end_one(struct expiry *x, const struct evidence *ev, struct err *e)
{
	int r = intake_admit(&x->in, ev, BRAKE_INFERRED, e);

	if (r < 0)
		return r;
	if (r == 0)
		return intake_hold(&x->in, ev, "too many ends by the clock in an hour", e);
	return intake_drop(&x->in, ev, reason(x, ev), e);
}

static int64_t stale_after(const struct policy_source *src)
{
	return src->kind == OBS_NEIGHBOUR ? src->stale_after_s : 0;
}

static int step_inside(void *arg, struct err *e)
{
	struct expiry *x = arg;
	struct intake *in = &x->in;
	struct flow_store *st = in->f->store;
	struct evidence *ev;
	size_t n, i;
	int r;

	r = st->evidence_due(st->ctx, &ev, &n, in->src->id, x->until_s, stale_after(in->src),
			     in->f->force != NULL, x->after.family == 0 ? NULL : &x->after,
			     PLANNER_CHUNK, &in->p.arena, e);
	for (i = 0; r == 0 && i < n; i++)
		r = end_one(x, &ev[i], e);
	if (r == 0 && n > 0)
		x->after = ev[n - 1].obs.addr;
	x->last = r < 0 || n < PLANNER_CHUNK;
	return r;
}

static int expire_source(struct expiry *x, struct err *e)
{
	int r = 0;

	while (r == 0 && !x->last && !flow_late(x->in.f))
		r = intake_step(&x->in, step_inside, x, e);
	return r;
}

/* ---- the clock -------------------------------------------------------------------------- */

static int expire_clock(struct flow *f, const struct policy_space *space,
			const struct policy_source *src, int64_t now_s, struct err *e)
{
	struct expiry x = {.in = {.f = f, .space = space, .src = src}};
	struct flow_store *st = f->store;
	struct arena a = ARENA_INIT;
	struct source_row row;
	int r = st->source_get(st->ctx, &row, &a, src->id, e);

	/* Past its time means over only if the source has been heard since. */
	x.until_s = row.last_ok_s < now_s ? row.last_ok_s : now_s;
	if (r == 0 && row.last_ok_s != 0)
		r = expire_source(&x, e);
	arena_fini(&a);
	return r;
}

/* clocks: of all sources of all spaces, in their order. */
static int expire_due(struct flow *f, const struct source_clock *clocks, int64_t now_s,
		      struct err *e)
{
	size_t i, j;
	int r = 0;

	for (i = 0; i < f->policy->n_spaces; i++) {
		const struct policy_space *space = &f->policy->spaces[i];

		for (j = 0; j < space->n_sources && r == 0; j++) {
			if ((clocks++)->due)
				r = expire_clock(f, space, &space->sources[j], now_s, e);
		}
	}
	return r;
}

static struct source_clock *list_clocks(const struct policy *p, struct arena *a, size_t *n)
{
	struct source_clock *v;
	size_t i, j;

	for (*n = i = 0; i < p->n_spaces; i++)
		*n += p->spaces[i].n_sources;
	v = arena_array(a, *n + 1, sizeof(*v));
	for (*n = i = 0; v != NULL && i < p->n_spaces; i++) {
		for (j = 0; j < p->spaces[i].n_sources; j++) {
			const struct policy_source *src = &p->spaces[i].sources[j];

			v[(*n)++] = (struct source_clock){.id = src->id,
							  .stale_after_s = stale_after(src)};
		}
	}
	return v;
}

/* ---- sources that are gone -------------------------------------------------------------- */

/* A source that was renamed is gone by its old name: nothing of it ends before every other source
 * of the space has been read again. */
static int all_read_since(struct flow *f, const struct policy_space *space, int64_t since_s,
			  bool *out, struct err *e)
{
	struct flow_store *st = f->store;
	struct arena a = ARENA_INIT;
	struct source_row row;
	size_t i;
	int r = 0;

	*out = true;
	for (i = 0; i < space->n_sources && r == 0 && *out; i++) {
		if (!policy_source_is_read(&space->sources[i]))
			continue;
		r = st->source_get(st->ctx, &row, &a, space->sources[i].id, e);
		*out = r == 0 && row.last_ok_s >= since_s;
	}
	arena_fini(&a);
	return r;
}

/* Whoever configures it still is not asked to end it. */
static bool is_configured(const struct policy_space *space, int32_t id)
{
	return policy_source_by_id(space, id) != NULL;
}

static int expire_gone(struct flow *f, const struct source_gone *gone, struct err *e)
{
	const struct policy_source src = {.id = gone->id, .name = gone->name, .kind = OBS_IPAM};
	struct expiry x = {.in = {.f = f, .src = &src}, .until_s = OBS_FOREVER,
			   .why = "its source is no longer configured"};
	bool ripe = false;
	size_t i;
	int r = 0;

	for (i = 0; i < f->policy->n_spaces; i++) {
		if (f->policy->spaces[i].id == gone->space_id)
			x.in.space = &f->policy->spaces[i];
	}
	if (x.in.space != NULL && !is_configured(x.in.space, gone->id))
		r = all_read_since(f, x.in.space, gone->gone_at_s, &ripe, e);
	return r < 0 || !ripe ? r : expire_source(&x, e);
}

static int expire_all_gone(struct flow *f, struct err *e)
{
	struct flow_store *st = f->store;
	struct arena a = ARENA_INIT;
	struct source_gone *gone;
	size_t n = 0, i;
	int r = st->sources_gone(st->ctx, &gone, &n, &a, e);

	for (i = 0; i < n && r == 0; i++)
		r = expire_gone(f, &gone[i], e);
	arena_fini(&a);
	return r;
}

/* Nearly always nothing is over, and that is one question. */
int flow_expire(struct flow *f, struct err *e)
{
	struct flow_store *st = f->store;
	int64_t now_s = f->net->now_s(f->net->ctx);
	struct arena a = ARENA_INIT;
	struct source_clock *clocks;
	bool gone = false;
	size_t n;
	int r = 0;

	clocks = list_clocks(f->policy, &a, &n);
	if (clocks == NULL)
		r = err_nomem(e);
	r = r < 0 ? r : st->sources_due(st->ctx, clocks, n, now_s, f->force != NULL, &gone, e);
	r = r < 0 ? r : expire_due(f, clocks, now_s, e);
	if (r == 0 && gone)
		r = expire_all_gone(f, e);
	arena_fini(&a);
	return r;
}
