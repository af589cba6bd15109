/* truth.c - what happened, kept as far as it decides what must come of it. */
#include "tests/sim/truth_inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- places ------------------------------------------------------------------------------- */

struct place *truth_place(struct truth *t, const struct ipaddr *a)
{
	for (size_t i = 0; i < t->n_places; i++)
		if (ipaddr_cmp(&t->places[i].addr, a) == 0)
			return &t->places[i];
	struct place *p = &t->places[t->n_places++];
	p->addr = *a;
	p->zone = a->family == 4 ? ZONE_REV4 : ZONE_REV6;
	ipaddr_reverse(&p->reverse, a);
	return p;
}

static void make_places(struct truth *t, const struct world *w)
{
	static const char *const keepers[] = {"192.0.2.9", "2001:db8:0:1::f"};
	struct ipaddr a;

	for (int i = 0; i < N_LEASES; i++)
		truth_place(t, &w->leases[i].addr)->lease = &w->leases[i];
	for (int i = 0; i < N_NEIGH; i++)
		truth_place(t, &w->neigh[i].addr)->neigh = &w->neigh[i];
	for (int i = 0; i < 2; i++)
		if (ipaddr_parse(&a, keepers[i], strlen(keepers[i])))
			truth_place(t, &a)->keeper = true;
}

struct truth *truth_new(const struct world *w)
{
	struct truth *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->plots = (struct map)MAP_INIT;
	t->last_s = model_now_s(w->model);
	make_places(t, w);
	if (!photo_take(&t->last, w)) {
		truth_free(t);
		return NULL;
	}
	return t;
}

void truth_free(struct truth *t)
{
	if (t == NULL)
		return;
	vec_fini(&t->claims);
	map_fini(&t->plots);
	photo_fini(&t->last);
	arena_fini(&t->arena);
	free(t);
}

/* ---- plots -------------------------------------------------------------------------------- */

struct plot_key {
	int32_t zone;
	struct dname owner;
};

static size_t plot_key(struct plot_key *k, int32_t zone, const struct dname *owner)
{
	k->zone = zone;
	k->owner.len = owner->len;
	memcpy(k->owner.b, owner->b, owner->len);
	return offsetof(struct plot_key, owner.b) + owner->len;
}

const struct plot *truth_plot(const struct truth *t, int32_t zone, const struct dname *owner)
{
	struct plot_key k;
	size_t len = plot_key(&k, zone, owner);

	return map_get(&t->plots, &k, len);
}

static struct plot *plot_of(struct truth *t, int32_t zone, const struct dname *owner)
{
	struct plot_key k;
	size_t len = plot_key(&k, zone, owner);
	struct plot *p = map_get(&t->plots, &k, len);

	if (p != NULL)
		return p;
	p = arena_alloc(&t->arena, sizeof(*p));
	void *key = arena_dup(&t->arena, &k, len);
	if (p == NULL || key == NULL || map_put(&t->plots, key, len, p) < 0) {
		t->bad = true;
		return NULL;
	}
	return p;
}

/* One past the last record of the owner that begins at i. */
static size_t run_end(const struct photo *p, size_t i)
{
	size_t k = i + 1;

	while (k < p->v.n && p->v.v[k].zone_id == p->v.v[i].zone_id &&
	       dname_equal(p->v.v[k].owner, p->v.v[i].owner))
		k++;
	return k;
}

static void count_run(struct plot *p, const struct model_rr *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		p->ours += v[i].author == MODEL_BRIDGE;
		p->open += v[i].author != MODEL_BRIDGE && v[i].author != MODEL_PERSON;
		p->theirs += v[i].author == MODEL_PERSON;
	}
}

/* Records of one owner, as seen now. */
static void look_at_plot(struct truth *t, const struct world *w, const struct model_rr *v, size_t n)
{
	struct plot *p = plot_of(t, v->zone_id, v->owner);

	if (p == NULL)
		return;
	bool had = p->ours > 0;
	p->ours = p->open = p->theirs = 0;
	count_run(p, v, n);
	p->looked = true;
	p->ours_ever = p->ours_ever || p->ours + p->open > 0;
	if (p->theirs > 0 && !p->foreign) {
		p->ours_always = had;
		p->since_s = model_now_s(w->model);
		p->removals = world_removals(w, v->owner);
	}
	p->foreign = p->theirs > 0;
	p->ours_always = p->ours_always && p->ours > 0;
}

static void look_at_ptrs(struct truth *t, const struct dname *apex, const struct model_rr *v,
			 size_t n)
{
	for (size_t i = 0; i < t->n_places; i++) {
		struct place *p = &t->places[i];

		if (p->zone != v->zone_id || !dname_equal(&p->reverse, v->owner))
			continue;
		for (size_t k = 0; k < n; k++)
			if (v[k].type == RR_PTR && v[k].author == MODEL_BRIDGE)
				p->n_ours++;
			else if (v[k].type == RR_PTR &&
				 dname_from_wire(&p->theirs, v[k].rdata.p, v[k].rdata.len) > 0)
				p->n_theirs++;
		p->is_told = p->n_theirs > 0 && dname_under(&p->theirs, apex) &&
			     !dname_equal(&p->theirs, apex);
	}
}

static void look_at_plots(struct truth *t, const struct world *w)
{
	const struct photo *now = &t->last;
	struct plot *p;

	for (size_t i = 0; (p = map_next(&t->plots, &i)) != NULL;)
		p->looked = false;
	for (size_t i = 0; i < t->n_places; i++) {
		t->places[i].n_ours = t->places[i].n_theirs = 0;
		t->places[i].is_told = false;
	}
	for (size_t i = 0, k; i < now->v.n; i = k) {
		k = run_end(now, i);
		look_at_plot(t, w, &now->v.v[i], k - i);
		if (now->v.v[i].zone_id != ZONE_FWD)
			look_at_ptrs(t, &w->zones[ZONE_FWD - 1].name, &now->v.v[i], k - i);
	}
	for (size_t i = 0; (p = map_next(&t->plots, &i)) != NULL;)
		if (!p->looked) {
			p->ours = p->open = p->theirs = 0;
			p->foreign = p->ours_always = false;
		}
}

/* ---- looks and the end -------------------------------------------------------------------- */

void truth_look(struct truth *t, struct world *w, enum truth_when when)
{
	struct photo was;
	bool first;

	if (t == NULL)
		return;
	was = t->last;
	if (!photo_take(&t->last, w))
		t->bad = true;
	if (when == TRUTH_BEFORE_HAND || when == TRUTH_PASS_ENDS)
		truth_deeds(t, w, &was);
	photo_fini(&was);
	t->now++;
	first = when == TRUTH_PASS_BEGINS && t->running == 0;
	t->running += when == TRUTH_PASS_BEGINS;
	t->running -= when == TRUTH_PASS_ENDS;
	t->hands = first ? 0 : t->hands + (when == TRUTH_AFTER_HAND);
	look_at_plots(t, w);
	truth_note_edits(t, w, first);
	truth_note_voices(t, w, when == TRUTH_PASS_BEGINS || when == TRUTH_AFTER_HAND);
	t->last_s = model_now_s(w->model);
	if (t->bad)
		world_fault(w, "out of memory");
}

void truth_decided(struct truth *t, int32_t zone, const struct dname *owner, bool aside, bool sure)
{
	struct plot *p = t == NULL ? NULL : plot_of(t, zone, owner);

	if (p == NULL)
		return;
	p->decided = true;
	p->aside = aside && sure;
	truth_unsettle(t, zone, owner);
}

bool truth_was_decided(const struct truth *t, int32_t zone, const struct dname *owner)
{
	const struct plot *p = t == NULL ? NULL : truth_plot(t, zone, owner);

	return p != NULL && p->decided;
}

void truth_check(struct truth *t, struct world *w, struct truth_counts *counts)
{
	struct ending x = {.t = t, .w = w, .counts = counts};

	truth_look(t, w, TRUTH_AFTER_HAND);
	if (t != NULL && truth_ipam(&x))
		truth_zones(&x);
	arena_fini(&x.arena);
}
