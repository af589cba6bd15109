/* observe.c - what one observation changes, and evidence that is handed over directly. */
#include "bridge/flow/observe.h"

#include <stdlib.h>

#include "bridge/flow/say.h"

/* ---- one difference --------------------------------------------------------------------- */

/* What is weak tells two clients apart only together with their names. */
static bool same_client(const struct obs *a, const struct obs *b)
{
	struct identity x, y;
	const char *by;
	int same;

	identity_of(&x, a);
	identity_of(&y, b);
	same = identity_compare(&x, &y, &by);
	return same == 1 ||
	       (same < 0 && (!identity_macs_differ(&x, &y) || bytes_equal(a->name, b->name)));
}

static int changed(struct intake *in, const struct obs_change *c, struct err *e)
{
	struct evidence ev = c->had;
	bool renamed = c->had.obs.name.len > 0 && !bytes_equal(c->had.obs.name, c->got.name);
	/* A lease of another client says that the one before is over. */
	bool taken = c->had.obs.kind == OBS_LEASE && !same_client(&c->had.obs, &c->got);
	int r = 1;

	/* Held rows never ripen: a new hour changes nothing, only force does. */
	if (renamed && c->had.held && !taken && in->f->force == NULL)
		return 0;
	if (renamed)
		r = intake_admit(in, &c->had, taken ? BRAKE_EXPLICIT : BRAKE_INFERRED, e);
	if (r < 0)
		return r;
	if (r == 0)
		return intake_hold(in, &c->had, "too many changes from this source in an hour", e);
	if (taken && vec_push(&in->lease_gone, c->had.obs.addr) < 0)
		return err_nomem(e);
	ev.obs = c->got;
	ev.held = false;
	ev.absent_since_s = 0;
	ev.last_seen_s = in->p.now_s;
	r = intake_keep(in, &ev, true, e);
	/* A mere renewal is no news. */
	if (r < 0 || bytes_equal(c->had.obs.name, c->got.name))
		return r;
	return intake_note(in, "changed", &ev.obs, NULL, e);
}

static int ended(struct intake *in, const struct obs_change *c, struct err *e)
{
	int r = 1;

	/* What a person says is no source gone wrong. */
	if (c->had.obs.kind != OBS_MANUAL)
		r = intake_admit(in, &c->had, BRAKE_EXPLICIT, e);
	if (r < 0)
		return r;
	if (r == 0)
		return intake_hold(in, &c->had, "too many ends from this source at once", e);
	return intake_drop(in, &c->had, c->got.end_why, e);
}

/* In its place stands a lease whose time is over: it names nothing, and what was kept has ended. */
static int outlived(struct intake *in, const struct obs_change *c, struct err *e)
{
	bool taken = !same_client(&c->had.obs, &c->got);
	int r;

	if (c->had.held && !taken && in->f->force == NULL)
		return 0;
	r = intake_admit(in, &c->had, taken ? BRAKE_EXPLICIT : BRAKE_INFERRED, e);
	if (r < 0)
		return r;
	if (r == 0)
		return intake_hold(in, &c->had, "too many ends by the clock in an hour", e);
	return intake_drop(in, &c->had, "its time is over", e);
}

/* A complete read did not show it.  Neighbours go stale by the clock, other IPAMs' rows end at
 * the second absence, leases and people's records never by absence: of leases it is noted when they
 * were missed before their time. */
static int absent(struct intake *in, const struct obs_change *c, struct err *e)
{
	struct evidence ev = c->had;
	int r;

	if (ev.obs.kind == OBS_LEASE && ev.obs.valid_until_s <= in->p.now_s)
		return 0;
	if (ev.obs.kind != OBS_NEIGHBOUR && ev.obs.kind != OBS_IPAM && ev.obs.kind != OBS_LEASE)
		return 0;
	if (ev.absent_since_s == 0) {
		ev.absent_since_s = in->p.now_s;
		return intake_keep(in, &ev, false, e);
	}
	if (ev.obs.kind != OBS_IPAM || (ev.held && in->f->force == NULL))
		return 0;
	r = intake_admit(in, &ev, BRAKE_INFERRED, e);
	if (r < 0)
		return r;
	return r == 0 ? intake_hold(in, &ev, "too many rows vanished from this source", e)
		      : intake_drop(in, &ev, "absent in two complete reads", e);
}

/* Yesterday's file says nothing about today. */
bool observe_is_older(const struct obs_change *c)
{
	return (c->change == OBS_CHANGED || c->change == OBS_ENDED) && c->got.seen_at_s != 0 &&
	       c->got.seen_at_s < c->had.obs.seen_at_s;
}

int observe_change(struct intake *in, const struct obs_change *c, uint64_t *older, struct err *e)
{
	struct evidence ev = {.source_id = in->src->id};

	if (observe_is_older(c)) {
		(*older)++;
		return 0;
	}
	switch (c->change) {
	case OBS_NEW:
		/* A file may go on showing a lease whose time is over. */
		if (c->got.valid_until_s <= in->p.now_s)
			return 0;
		ev.obs = c->got;
		ev.first_seen_s = ev.last_seen_s = in->p.now_s;
		return intake_add(in, &ev, e);
	case OBS_CHANGED:
		if (c->had.obs.kind == OBS_LEASE && c->got.kind == OBS_LEASE &&
		    c->got.valid_until_s <= in->p.now_s)
			return outlived(in, c, e);
		return changed(in, c, e);
	case OBS_ENDED:
		return ended(in, c, e);
	case OBS_ABSENT:
		return absent(in, c, e);
	case OBS_BACK:
		ev = c->had;
		ev.held = false;
		ev.absent_since_s = 0;
		ev.last_seen_s = in->p.now_s;
		return intake_keep(in, &ev, false, e);
	}
	return err_set(e, ERR_BUG, "a difference of unknown kind");
}

void observe_say_older(const struct intake *in, uint64_t older)
{
	if (older > 0)
		flow_say(in->f, MSG_SOURCE_OLD, in->src->name,
			 "read, %llu rows dropped (older than what is kept; likely: an old file)",
			 (unsigned long long)older);
}

/* ---- handed over ------------------------------------------------------------------------ */

enum { SEEN_EVERY_S = 3600 };  /* a row that is merely confirmed is written at most so often */

static struct bytes key_name(const struct obs *o)
{
	return o->kind == OBS_MANUAL ? o->name : (struct bytes){NULL, 0};
}

static int by_key(const void *pa, const void *pb)
{
	const struct obs *a = *(const struct obs *const *)pa, *b = *(const struct obs *const *)pb;
	int d = ipaddr_cmp(&a->addr, &b->addr);

	if (d == 0)
		d = bytes_cmp(key_name(a), key_name(b));
	/* Of one key in the order in which they were handed over. */
	return d != 0 ? d : (a > b) - (a < b);
}

static bool same_key(const struct obs *a, const struct obs *b)
{
	return ipaddr_cmp(&a->addr, &b->addr) == 0 && bytes_equal(key_name(a), key_name(b));
}

static const struct obs **in_order(struct arena *a, const struct obs *v, size_t n)
{
	const struct obs **p = arena_array(a, n + 1, sizeof(*p));
	size_t i;

	if (p == NULL)
		return NULL;
	for (i = 0; i < n; i++)
		p[i] = &v[i];
	qsort(p, n, sizeof(*p), by_key);
	return p;
}

/* The end of another name, or of another client's lease, is none of this one's: it was overtaken. */
static bool ends(const struct obs *end, const struct obs *o)
{
	if (end->end_named && !bytes_equal(end->name, o->name))
		return false;
	return end->dhcid.len == 0 || o->dhcid.len == 0 || bytes_equal(end->dhcid, o->dhcid);
}

/* What n words about one key, the oldest first, come to after what was kept: the last that counts.
 * NULL: none does. */
static const struct obs *outcome(const struct evidence *had, const struct obs **v, size_t n)
{
	const struct obs *stands = had == NULL ? NULL : &had->obs, *got = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		if (v[i]->end && (stands == NULL || !ends(v[i], stands)))
			continue;
		got = v[i];
		stands = got->end ? NULL : got;
	}
	return got;
}

/* What is new about it; false: nothing. */
static bool compare(struct obs_change *c, const struct evidence *had, const struct obs *got)
{
	c->got = *got;
	if (had != NULL)
		c->had = *had;
	if (got->end) {
		c->change = OBS_ENDED;
		return had != NULL;
	}
	if (had == NULL)
		c->change = OBS_NEW;
	else if (obs_facts_differ(&had->obs, got))
		c->change = OBS_CHANGED;
	else
		c->change = OBS_BACK;
	return c->change != OBS_BACK || had->absent_since_s != 0 || had->held;
}

static int take_one(struct intake *in, const struct evidence *had, const struct obs *got,
		    uint64_t *older, struct err *e)
{
	struct obs_change c = {.change = OBS_NEW};
	struct evidence seen;

	if (compare(&c, had, got))
		return observe_change(in, &c, older, e);
	if (had == NULL || got->end || in->p.now_s - had->last_seen_s < SEEN_EVERY_S)
		return 0;
	seen = *had;
	seen.last_seen_s = in->p.now_s;
	return intake_keep(in, &seen, false, e);
}

static size_t same_keys(const struct obs **v, size_t n)
{
	size_t i = 1;

	while (i < n && same_key(v[0], v[i]))
		i++;
	return i;
}

/* Kept rows come in order of address, as the observations are. */
static int take_all(struct intake *in, const struct obs **v, size_t n, const struct evidence *ev,
		    size_t n_ev, uint64_t *older, struct err *e)
{
	size_t from = 0, i, j, same;
	int r = 0;

	for (i = 0; i < n && r == 0; i += same) {
		const struct evidence *had = NULL;
		const struct obs *got;

		while (from < n_ev && ipaddr_cmp(&ev[from].obs.addr, &v[i]->addr) < 0)
			from++;
		for (j = from; j < n_ev && ipaddr_cmp(&ev[j].obs.addr, &v[i]->addr) == 0; j++) {
			if (ev[j].source_id == in->src->id && same_key(&ev[j].obs, v[i]))
				had = &ev[j];
		}
		same = same_keys(v + i, n - i);
		got = outcome(had, v + i, same);
		r = got == NULL ? 0 : take_one(in, had, got, older, e);
	}
	return r;
}

/* Of a few the round trips to the database are what takes time. */
static int foresee(struct intake *in, const struct obs **v, size_t n, struct err *e)
{
	enum { FEW = 16 };
	struct evidence ev[FEW];
	size_t i, k = 0;

	for (i = 0; i < n && n <= FEW; i++) {
		if (!v[i]->end)
			ev[k++] = (struct evidence){.obs = *v[i], .source_id = in->src->id};
	}
	return k == 0 ? 0 : planner_foresee(&in->p, ev, k, e);
}

int observe_all(struct intake *in, const struct obs *v, size_t n, uint64_t *older, struct err *e)
{
	struct arena *a = &in->p.arena;
	struct flow_store *st = in->f->store;
	const struct obs **p = in_order(a, v, n);
	struct ipaddr *addrs = arena_array(a, n + 1, sizeof(*addrs));
	struct evidence *ev;
	size_t n_ev, i;
	int r;

	if (p == NULL || addrs == NULL)
		return err_nomem(e);
	for (i = 0; i < n; i++)
		addrs[i] = p[i]->addr;
	r = foresee(in, p, n, e);
	r = r < 0 ? r : st->evidence_get(st->ctx, &ev, &n_ev, in->space->id, addrs, n, a, e);
	if (r < 0)
		return r;
	known_read(&in->p.known, addrs, n, ev, n_ev);
	return take_all(in, p, n, ev, n_ev, older, e);
}

struct handed {
	struct intake in;
	const struct obs *v;
	size_t n;
	uint64_t older;
};

static int handed_inside(void *arg, struct err *e)
{
	struct handed *h = arg;

	return observe_all(&h->in, h->v, h->n, &h->older, e);
}

int flow_observe(struct flow *f, const struct policy_space *space,
		 const struct policy_source *src, const struct obs *v, size_t n, struct err *e)
{
	struct handed h = {.in = {.f = f, .space = space, .src = src}};
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i += h.n) {
		h.v = v + i;
		h.n = n - i < PLANNER_CHUNK ? n - i : PLANNER_CHUNK;
		r = intake_step(&h.in, handed_inside, &h, e);
	}
	if (r == 0)
		observe_say_older(&h.in, h.older);
	return r;
}
