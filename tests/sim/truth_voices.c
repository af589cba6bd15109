/* truth_voices.c - who asks for which name, and since when, as far as the world tells. */
#include "tests/sim/truth_inside.h"

#include <string.h>

bool voice_equal(const struct voice *a, const struct voice *b)
{
	return a->kind == b->kind && dname_equal(&a->asked, &b->asked);
}

/* The lease behind an address, else who a neighbour table saw there. */
static struct who who_at(const struct world *w, const struct place *p)
{
	if (p->lease != NULL && lease_lives(w, p->lease))
		return who_of_lease(w, p->lease);
	if (p->neigh != NULL && p->neigh->present)
		return who_of_neigh(w, p->neigh);
	return (struct who){0};
}

static struct voice voice_of(const struct world *w, uint8_t kind, const char *label, struct who who)
{
	struct voice v = {.kind = kind, .who = who};

	dname_prepend(&v.asked, (const uint8_t *)label, strlen(label), &w->zones[ZONE_FWD - 1].name);
	return v;
}

static const struct manual *manual_at(const struct world *w, const struct place *p)
{
	for (int i = 0; i < N_MANUAL; i++)
		if (w->manual[i].present && ipaddr_cmp(&w->manual[i].addr, &p->addr) == 0)
			return &w->manual[i];
	return NULL;
}

/* A PTR in place of one that may have been the bridge's may be an edit. */
static bool may_be_edit(const struct truth *t, const struct place *p)
{
	const struct plot *plot = truth_plot(t, p->zone, &p->reverse);

	return p->is_told && !p->told.ended && plot != NULL &&
	       (plot->ours_ever || plot->decided);
}

static bool has_voice(const struct voice *v, size_t n, const struct voice *x)
{
	for (size_t i = 0; i < n; i++)
		if (voice_equal(&v[i], x) && who_equal(&v[i].who, &x->who))
			return true;
	return false;
}

static void add_heard(const struct place *p, uint8_t kind, struct voice *v, size_t *n)
{
	for (size_t i = 0; i < p->n_heard; i++)
		if (p->heard[i].kind == kind && !has_voice(v, *n, &p->heard[i]))
			v[(*n)++] = p->heard[i];
}

/* The lease as it is, and as it may still be known.  True: one of these it is for certain. */
static bool lease_voices(const struct world *w, const struct place *p, struct voice *v, size_t *n)
{
	const struct lease *l = p->lease;
	bool sure = false;

	if (l != NULL && lease_lives(w, l) && l->name->label != NULL) {
		v[(*n)++] = voice_of(w, OBS_LEASE, l->name->label, who_of_lease(w, l));
		sure = l->read;
	}
	add_heard(p, OBS_LEASE, v, n);
	return sure;
}

size_t truth_voices(const struct truth *t, const struct world *w, const struct place *p,
		    struct voice v[N_VOICES], bool *silent)
{
	const struct manual *m = manual_at(w, p);
	size_t n = 0;

	*silent = false;
	if (m != NULL) {
		v[0] = voice_of(w, OBS_MANUAL, m->label, who_at(w, p));
		return 1;
	}
	if (may_be_edit(t, p))
		v[n++] = (struct voice){.kind = OBS_EDIT, .asked = p->theirs};
	add_heard(p, OBS_EDIT, v, &n);
	for (size_t i = 0; i < n; i++)
		v[i].who = who_at(w, p);
	if (p->told.edit && !p->told.moved && n == 1)
		return n;
	if (lease_voices(w, p, v, &n))
		return n;
	/* A PTR that is no edit names, and claims nothing. */
	*silent = (p->is_told && !p->told.ended) || n > 0 || (p->neigh_known && !p->neigh->present);
	if (p->neigh_known && p->neigh->label != NULL)
		v[n++] = voice_of(w, OBS_NEIGHBOUR, p->neigh->label, who_of_neigh(w, p->neigh));
	return n;
}

/* The address asks for the name already, in the same way or (any) in another. */
static struct claim *open_claim(struct truth *t, const struct place *p, const struct voice *v,
				bool any)
{
	for (size_t i = 0; i < t->claims.n; i++) {
		struct claim *c = &t->claims.v[i];

		if (c->place == p && c->may_until == TRUTH_OPEN &&
		    (any ? dname_equal(&c->voice.asked, &v->asked) : voice_equal(&c->voice, v)) &&
		    (v->kind != OBS_LEASE || who_keeps(&c->voice.who, &v->who)))
			return c;
	}
	return NULL;
}

/* Since when?  What people ask for is known at once, whatever is read when; and who has a name
 * keeps it, whoever says so next. */
static void begin_claim(struct truth *t, const struct world *w, const struct place *p,
			const struct voice *v)
{
	const struct claim *had = open_claim(t, p, v, true);
	/* Who has the address may not have been read yet. */
	bool unread = v->kind != OBS_LEASE && p->lease != NULL && p->lease->client >= 0 &&
		      !p->lease->read;
	struct claim c = {.varied = unread,
			  .place = p, .voice = *v, .may_until = TRUTH_OPEN, .may_from = t->now,
			  .may_from_s = v->kind == OBS_MANUAL ? t->last_s : model_now_s(w->model)};

	if (had != NULL) {
		c.may_from = had->may_from;
		c.may_from_s = had->may_from_s;
	}
	if (vec_push(&t->claims, c) < 0)
		t->bad = true;
}

static void note_voice(struct truth *t, const struct world *w, const struct place *p,
		       const struct voice *v)
{
	struct claim *c = open_claim(t, p, v, false);

	if (c == NULL) {
		begin_claim(t, w, p, v);
		return;
	}
	if (!who_equal(&c->voice.who, &v->who)) {
		c->varied = c->varied || v->kind != OBS_LEASE;
		c->told_more = true;
		c->voice.who = v->who;
	}
}

static bool is_voice_of(const struct claim *c, const struct voice *v)
{
	return voice_equal(&c->voice, v) &&
	       (v->kind == OBS_LEASE ? who_keeps(&c->voice.who, &v->who)
				     : who_equal(&c->voice.who, &v->who));
}

static bool may_speak(const struct claim *c, const struct voice *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_voice_of(c, &v[i]))
			return true;
	return false;
}

/* Does it name the address for certain? */
static bool speaks(const struct claim *c, const struct voice *v, size_t n, bool silent)
{
	return n == 1 && !silent && is_voice_of(c, v);
}

static void hear_voice(struct place *p, struct voice v)
{
	if (!has_voice(p->heard, p->n_heard, &v) && p->n_heard < N_HEARD)
		p->heard[p->n_heard++] = v;
}

/* What a pass may read now. */
static void hear(const struct truth *t, const struct world *w, struct place *p)
{
	const struct lease *l = p->lease;

	if (p->neigh != NULL && p->neigh->present) {
		p->neigh_known = true;
		p->neigh_gone_s = 0;
	}
	if (p->is_told)
		hear_voice(p, (struct voice){.kind = OBS_DNS, .asked = p->theirs});
	if (may_be_edit(t, p))
		hear_voice(p, (struct voice){.kind = OBS_EDIT, .asked = p->theirs});
	if (l != NULL && lease_lives(w, l) && l->name->label != NULL)
		hear_voice(p, voice_of(w, OBS_LEASE, l->name->label, who_of_lease(w, l)));
}

void truth_note_voices(struct truth *t, const struct world *w, bool passing)
{
	struct voice v[N_VOICES];
	bool silent;
	size_t n;

	for (size_t i = 0; i < t->n_places; i++) {
		struct place *p = &t->places[i];

		if (passing)
			hear(t, w, p);
		n = truth_voices(t, w, p, v, &silent);
		/* What is the case comes before what may still be believed. */
		for (size_t k = n; k-- > 0;)
			note_voice(t, w, p, &v[k]);
		for (size_t k = 0; k < t->claims.n; k++)
			if (t->claims.v[k].place == p && !speaks(&t->claims.v[k], v, n, silent))
				t->claims.v[k].away = true;
	}
}

void truth_unsettle(struct truth *t, int32_t zone, const struct dname *owner)
{
	for (size_t i = 0; i < t->n_places; i++) {
		struct place *p = &t->places[i];

		if (p->zone != zone || !dname_equal(&p->reverse, owner))
			continue;
		for (size_t k = 0, n = p->n_heard; k < n; k++)
			if (p->heard[k].kind == OBS_DNS)
				hear_voice(p, (struct voice){.kind = OBS_EDIT,
							     .asked = p->heard[k].asked});
		for (size_t k = 0; k < t->claims.n; k++)
			if (t->claims.v[k].place == p)
				t->claims.v[k].away = true;
	}
}

/* ---- a clean pass ------------------------------------------------------------------------- */

static bool was_shown(const struct bridge *b, const struct place *p, uint8_t kind)
{
	switch (kind) {
	case OBS_LEASE:
		return b->shown[p->addr.family == 4 ? SRC_DHCP4 : SRC_DHCP6];
	case OBS_NEIGHBOUR:
		return b->shown[SRC_ARP];
	default:
		return true;
	}
}

static void clean_neigh(const struct world *w, const struct bridge *b, struct place *p)
{
	int64_t now_s = model_now_s(w->model);

	if (!b->shown[SRC_ARP] || p->neigh == NULL)
		return;
	if (!p->neigh->present && p->neigh_gone_s == 0 && !w->gentle)
		p->neigh_gone_s = now_s;
	else if (p->neigh_gone_s != 0 &&
		 now_s >= p->neigh_gone_s + w->sources[SRC_ARP - 1].stale_after_s)
		p->neigh_known = false;
}

/* The name of an edit that a person adopted is remembered though the bridge replaced its PTR. */
static void forget_heard(const struct truth *t, struct place *p)
{
	bool decided = truth_was_decided(t, p->zone, &p->reverse);
	size_t had = p->n_heard;

	p->n_heard = 0;
	for (size_t i = 0; i < had; i++)
		if (decided && p->heard[i].kind == OBS_EDIT)
			p->heard[p->n_heard++] = p->heard[i];
}

void truth_clean(struct truth *t, struct world *w, const struct bridge *b)
{
	struct voice v[N_VOICES];
	bool silent;

	/* What others did meanwhile it may have missed. */
	if (t == NULL || t->hands > 0)
		return;
	for (size_t i = 0; i < t->n_places; i++) {
		clean_neigh(w, b, &t->places[i]);
		truth_clean_edit(t, w, &t->places[i]);
		if (was_shown(b, &t->places[i], OBS_LEASE)) {
			forget_heard(t, &t->places[i]);
			hear(t, w, &t->places[i]);
		}
	}
	for (size_t i = 0; i < t->claims.n; i++) {
		struct claim *c = &t->claims.v[i];

		if (c->may_until != TRUTH_OPEN || !was_shown(b, c->place, c->voice.kind))
			continue;
		size_t n = truth_voices(t, w, c->place, v, &silent);
		if (!may_speak(c, v, n)) {
			c->may_until = t->now;
			continue;
		}
		if (!speaks(c, v, n, silent))
			continue;
		if (c->away || c->sure_from == 0) {
			c->sure_from = t->now;
			c->sure_from_s = model_now_s(w->model);
		}
		c->sure_until = t->now;
		c->away = false;
	}
}

void truth_told(struct truth *t, struct world *w, const struct ipaddr *addr)
{
	const struct place *p;
	struct voice v[N_VOICES];
	bool silent;

	if (t == NULL)
		return;
	p = truth_place(t, addr);
	truth_look(t, w, TRUTH_AFTER_HAND);
	size_t n = truth_voices(t, w, p, v, &silent);
	for (size_t i = 0; i < t->claims.n; i++) {
		struct claim *c = &t->claims.v[i];

		if (c->place == p && c->may_until == TRUTH_OPEN && !may_speak(c, v, n))
			c->may_until = t->now;
	}
}

