/* memevidence.c - evidence and the stage of the store in memory. */
#include <string.h>

#include "tests/sim/memtables.h"

enum { SEEN_EVERY_S = 3600 };  /* a kept row's last_seen_s moves at most so often */

/* ---- evidence --------------------------------------------------------------------------- */

static int put_evidence(struct memstore *m, const struct evidence *ev, struct err *e)
{
	const struct policy_space *s = memstore_space_of(m, ev->source_id);

	if (s == NULL)
		return memstore_misuse(m, e, "evidence of no source");
	struct ev_row *n = arena_alloc(&m->base->rows, sizeof(*n));
	if (n == NULL || !dup_evidence(&m->base->rows, &n->e, ev))
		return memstore_nomem(m, e);
	n->space_id = s->id;
	n->e.obs.end = false;  /* that is of the message, not of the row */
	n->e.obs.end_why = NULL;
	return memstore_put(m, T_EVIDENCE, n, e);
}

/* Appends a copy of one row to a growing array in the arena. */
static struct evidence *grow_evidence(struct evidence **v, size_t *n, size_t *cap,
				      struct arena *a)
{
	if (*n == *cap) {
		struct evidence *w = arena_array(a, *cap * 2 + 8, sizeof(*w));

		if (w == NULL)
			return NULL;
		if (*n > 0)
			memcpy(w, *v, *n * sizeof(*w));
		*v = w;
		*cap = *cap * 2 + 8;
	}
	return &(*v)[(*n)++];
}

bool memstore_has_addr(const struct ipaddr *v, size_t n, const struct ipaddr *a)
{
	for (size_t i = 0; i < n; i++)
		if (ipaddr_cmp(&v[i], a) == 0)
			return true;
	return false;
}

static int mem_evidence_get(void *ctx, struct evidence **out, size_t *n, int32_t space_id,
			    const struct ipaddr *addrs, size_t n_addrs, struct arena *a,
			    struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_EVIDENCE];
	size_t cap = 0;
	int r = memstore_enter(m, e);

	*out = NULL;
	*n = 0;
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct ev_row *row = t->v[i];

		if (row->space_id != space_id || !memstore_has_addr(addrs, n_addrs, &row->e.obs.addr))
			continue;
		struct evidence *o = grow_evidence(out, n, &cap, a);
		if (o == NULL || !dup_evidence(a, o, &row->e))
			return memstore_nomem(m, e);
	}
	return r;
}

static int mem_evidence_put(void *ctx, const struct evidence *v, size_t n, struct err *e)
{
	int r = memstore_enter(ctx, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_evidence(ctx, &v[i], e);
	return r;
}

/* Where the row with that key is, or would be. */
static size_t find_evidence(const struct memstore *m, const struct evidence *v, bool *found)
{
	const struct policy_space *s = memstore_space_of(m, v->source_id);
	struct ev_row key = {.space_id = s == NULL ? 0 : s->id, .e = *v};

	return table_find(&m->now.t[T_EVIDENCE], &key, found);
}

static int mem_evidence_add(void *ctx, const struct evidence *v, size_t n, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		bool found;

		find_evidence(m, &v[i], &found);
		r = found ? memstore_misuse(m, e, "evidence added that is there")
			  : put_evidence(m, &v[i], e);
	}
	return r;
}

static int mem_evidence_del(void *ctx, const struct evidence *v, size_t n, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		bool found;
		size_t at = find_evidence(m, &v[i], &found);

		if (found)
			r = memstore_del(m, T_EVIDENCE, at, e);
	}
	return r;
}

/* valid_until_s is the first second in which it is over. */
static bool is_due(const struct evidence *ev, int64_t now_s, int64_t stale_after_s, bool held_too)
{
	if (ev->held && !held_too)
		return false;
	if (ev->obs.valid_until_s <= now_s)
		return true;
	return stale_after_s > 0 && ev->absent_since_s > 0 &&
	       now_s - ev->absent_since_s >= stale_after_s;
}

static int mem_evidence_due(void *ctx, struct evidence **out, size_t *n, int32_t source_id,
			    int64_t now_s, int64_t stale_after_s, bool held_too,
			    const struct ipaddr *after, size_t limit, struct arena *a,
			    struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_EVIDENCE];
	size_t cap = 0;
	int r = memstore_enter(m, e);

	*out = NULL;
	*n = 0;
	for (size_t i = 0; r == 0 && i < t->n && *n < limit; i++) {
		const struct ev_row *row = t->v[i];

		if (row->e.source_id != source_id ||
		    !is_due(&row->e, now_s, stale_after_s, held_too) ||
		    (after != NULL && ipaddr_cmp(&row->e.obs.addr, after) <= 0))
			continue;
		struct evidence *o = grow_evidence(out, n, &cap, a);
		if (o == NULL || !dup_evidence(a, o, &row->e))
			return memstore_nomem(m, e);
	}
	return r;
}

static bool is_source_due(const struct memstore *m, const struct source_clock *c, int64_t now_s,
			  bool held_too)
{
	const struct table *t = &m->now.t[T_EVIDENCE];
	struct source_row key = {.id = c->id};
	bool found;
	size_t at = table_find(&m->now.t[T_SOURCE], &key, &found);
	int64_t ok_s = found ? ((const struct source_row *)m->now.t[T_SOURCE].v[at])->last_ok_s : 0;

	if (ok_s == 0)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		const struct ev_row *row = t->v[i];

		if (row->e.source_id == c->id &&
		    is_due(&row->e, ok_s < now_s ? ok_s : now_s, c->stale_after_s, held_too))
			return true;
	}
	return false;
}

/* The policy of a simulated life does not change. */
static int mem_sources_due(void *ctx, struct source_clock *v, size_t n, int64_t now_s,
			   bool held_too, bool *gone, struct err *e)
{
	int r = memstore_enter(ctx, e);

	*gone = false;
	for (size_t i = 0; r == 0 && i < n; i++)
		v[i].due = is_source_due(ctx, &v[i], now_s, held_too);
	return r;
}

/* ---- the stage -------------------------------------------------------------------------- */

void memstore_drop_stage(struct memstore *m)
{
	m->now.t[T_STAGE].n = 0;
	m->now.t[T_DIFF].n = 0;
	m->now.stage_source = 0;
	m->now.diff_next = 0;
}

static int mem_stage_begin(void *ctx, int32_t source_id, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (memstore_space_of(m, source_id) == NULL)
		return memstore_misuse(m, e, "no such source");
	memstore_drop_stage(m);
	m->now.stage_source = source_id;
	return 0;
}

static int mem_stage_add(void *ctx, const struct obs *v, size_t n, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	if (r == 0 && m->now.stage_source == 0)
		return memstore_misuse(m, e, "no stage");
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct obs *o = arena_alloc(&m->base->rows, sizeof(*o));

		if (o == NULL || !dup_obs(&m->base->rows, o, &v[i]))
			return memstore_nomem(m, e);
		r = memstore_put(m, T_STAGE, o, e);
	}
	return r;
}

static int add_diff(struct memstore *m, enum obs_change_kind kind, const struct ev_row *had,
		    const struct obs *got, struct err *e)
{
	struct diff_row *d = arena_alloc(&m->base->rows, sizeof(*d));

	if (d == NULL)
		return memstore_nomem(m, e);
	d->no = m->now.t[T_DIFF].n;
	d->c.change = kind;
	if (had != NULL)
		d->c.had = had->e;
	if (got != NULL)
		d->c.got = *got;
	return memstore_put(m, T_DIFF, d, e);
}

static int diff_staged(struct memstore *m, const struct obs *o, int64_t now_s, struct err *e)
{
	struct evidence key = {.obs = *o, .source_id = m->now.stage_source};
	bool found;
	size_t at = find_evidence(m, &key, &found);
	const struct ev_row *had = found ? m->now.t[T_EVIDENCE].v[at] : NULL;

	if (o->end)
		return found ? add_diff(m, OBS_ENDED, had, o, e) : 0;
	if (!found)
		return add_diff(m, OBS_NEW, NULL, o, e);
	if (obs_facts_differ(&had->e.obs, o))
		return add_diff(m, OBS_CHANGED, had, o, e);
	if (had->e.absent_since_s != 0 || had->e.held)
		return add_diff(m, OBS_BACK, had, o, e);
	if (now_s - had->e.last_seen_s < SEEN_EVERY_S)
		return 0;
	struct evidence seen = had->e;
	seen.last_seen_s = now_s;
	return put_evidence(m, &seen, e);
}

static int mem_stage_diff(void *ctx, bool complete, int64_t now_s, uint64_t *n, struct err *e)
{
	struct memstore *m = ctx;
	const struct table *stage = &m->now.t[T_STAGE], *ev = &m->now.t[T_EVIDENCE];
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (m->now.stage_source == 0)
		return memstore_misuse(m, e, "no stage");
	m->now.t[T_DIFF].n = 0;
	m->now.diff_next = 0;
	for (size_t i = 0; r == 0 && i < stage->n; i++)
		r = diff_staged(m, stage->v[i], now_s, e);
	for (size_t i = 0; r == 0 && complete && i < ev->n; i++) {
		const struct ev_row *row = ev->v[i];
		bool found;

		if (row->e.source_id != m->now.stage_source)
			continue;
		table_find(stage, &row->e.obs, &found);
		if (!found)
			r = add_diff(m, OBS_ABSENT, row, NULL, e);
	}
	*n = m->now.t[T_DIFF].n;
	return r;
}

/* A difference as it is now; false: what it would end is gone. */
static bool diff_now(const struct memstore *m, struct obs_change *c, const struct diff_row *d)
{
	struct evidence key = {.source_id = m->now.stage_source,
			       .obs = d->c.change == OBS_ABSENT ? d->c.had.obs : d->c.got};
	bool found;
	size_t at = find_evidence(m, &key, &found);

	*c = d->c;
	if (found) {
		c->had = ((const struct ev_row *)m->now.t[T_EVIDENCE].v[at])->e;
		c->change = c->change == OBS_NEW ? OBS_CHANGED : c->change;
		return true;
	}
	c->had = (struct evidence){.source_id = 0};
	if (c->change == OBS_ENDED || c->change == OBS_ABSENT)
		return false;
	c->change = OBS_NEW;
	return true;
}

static int mem_stage_next(void *ctx, struct obs_change **out, size_t *n, size_t limit,
			  struct arena *a, struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_DIFF];
	int r = memstore_enter(m, e);

	*out = NULL;
	*n = 0;
	if (r < 0)
		return r;
	size_t k = t->n - m->now.diff_next < limit ? t->n - m->now.diff_next : limit;
	if (k == 0)
		return 0;
	*out = arena_array(a, k, sizeof(**out));
	if (*out == NULL)
		return memstore_nomem(m, e);
	while (*n < k && m->now.diff_next < t->n) {
		const struct diff_row *d = t->v[m->now.diff_next++];
		struct obs_change c, *o = &(*out)[*n];

		if (!diff_now(m, &c, d))
			continue;
		o->change = c.change;
		if (!dup_evidence(a, &o->had, &c.had) || !dup_obs(a, &o->got, &c.got))
			return memstore_nomem(m, e);
		(*n)++;
	}
	return 0;
}

void memstore_bind_evidence(struct flow_store *f)
{
	f->stage_begin = mem_stage_begin;
	f->stage_add = mem_stage_add;
	f->stage_diff = mem_stage_diff;
	f->stage_next = mem_stage_next;
	f->evidence_get = mem_evidence_get;
	f->evidence_put = mem_evidence_put;
	f->evidence_add = mem_evidence_add;
	f->evidence_del = mem_evidence_del;
	f->evidence_due = mem_evidence_due;
	f->sources_due = mem_sources_due;
}
