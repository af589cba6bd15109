/* truth.c - what happened, kept as far as it decides what must come of it. */
#include "tests/sim/truth_inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- places ------------------------------------------------------------------------------- */

static struct place *place_at(struct truth *t, const struct ipaddr *a)
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
		place_at(t, &w->leases[i].addr)->lease = &w->leases[i];
	for (int i = 0; i < N_NEIGH; i++)
		place_at(t, &w->neigh[i].addr)->neigh = &w->neigh[i];
	for (int i = 0; i < 2; i++)
		if (ipaddr_parse(&a, keepers[i], strlen(keepers[i])))
			place_at(t, &a)->keeper = true;
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
		p->open += v[i].author == MODEL_EITHER;
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

static void look_at_ptrs(struct truth *t, const struct model_rr *v, size_t n)
{
	for (size_t i = 0; i < t->n_places; i++) {
		struct place *p = &t->places[i];

		if (p->zone != v->zone_id || !dname_equal(&p->reverse, v->owner))
			continue;
		for (size_t k = 0; k < n; k++)
			if (v[k].type == RR_PTR && v[k].author != MODEL_BRIDGE &&
			    dname_from_wire(&p->theirs, v[k].rdata.p, v[k].rdata.len) > 0)
				p->n_theirs++;
	}
}

static void look_at_plots(struct truth *t, const struct world *w)
{
	const struct photo *now = &t->last;
	struct plot *p;

	for (size_t i = 0; (p = map_next(&t->plots, &i)) != NULL;)
		p->looked = false;
	for (size_t i = 0; i < t->n_places; i++)
		t->places[i].n_theirs = 0;
	for (size_t i = 0, k; i < now->v.n; i = k) {
		k = run_end(now, i);
		look_at_plot(t, w, &now->v.v[i], k - i);
		if (now->v.v[i].zone_id != ZONE_FWD)
			look_at_ptrs(t, &now->v.v[i], k - i);
	}
	for (size_t i = 0; (p = map_next(&t->plots, &i)) != NULL;)
		if (!p->looked) {
			p->ours = p->open = p->theirs = 0;
			p->foreign = p->ours_always = false;
		}
}

/* ---- what the bridge did ------------------------------------------------------------------ */

static const struct model_rr *record_in(const struct photo *p, const struct model_rr *r)
{
	for (size_t i = 0; i < p->v.n; i++)
		if (p->v.v[i].zone_id == r->zone_id && p->v.v[i].type == r->type &&
		    dname_equal(p->v.v[i].owner, r->owner) &&
		    bytes_equal(p->v.v[i].rdata, r->rdata))
			return &p->v.v[i];
	return NULL;
}

static bool has_at(const struct photo *p, const struct model_rr *at, uint16_t type,
		   bool (*is)(enum model_author a))
{
	for (size_t i = 0; i < p->v.n; i++)
		if (p->v.v[i].zone_id == at->zone_id && p->v.v[i].type == type &&
		    dname_equal(p->v.v[i].owner, at->owner) && is(p->v.v[i].author))
			return true;
	return false;
}

static bool is_anybodys(enum model_author a)
{
	(void)a;
	return true;
}

static bool is_ours(enum model_author a)
{
	return a == MODEL_BRIDGE;
}

static bool is_theirs(enum model_author a)
{
	return a == MODEL_PERSON;
}

/* Who holds the DHCID of a name holds its addresses (RFC 4703): the one in place of the client's,
 * beside a DHCID that was left, is the client's too. */
static bool is_clients(const struct photo *was, const struct model_rr *r)
{
	return (r->type == RR_A || r->type == RR_AAAA) &&
	       has_at(was, r, RR_DHCID, is_anybodys) && !has_at(was, r, r->type, is_ours);
}

static void ask_kept(struct world *w, const struct photo *was, const struct photo *now)
{
	char name[DNAME_TEXT], type[12];

	for (size_t i = 0; i < was->v.n; i++) {
		const struct model_rr *r = &was->v.v[i];

		if (r->author == MODEL_PERSON && record_in(now, r) == NULL && !is_clients(was, r))
			world_fault(w, "truth: what a person wrote is gone: %s %s",
				    dname_print(name, r->owner), rrtype_name(type, r->type));
	}
}

/* Does something at the owner forbid that a name begins there? */
static bool is_in_use(const struct photo *was, const struct model_rr *r, bool client)
{
	static const uint16_t types[] = {RR_A, RR_AAAA, RR_DHCID, RR_CNAME, RR_TXT, RR_MX};
	size_t n = client ? 6 : 4;

	for (size_t i = 0; i < n; i++)
		if (has_at(was, r, types[i], is_theirs))
			return true;
	return false;
}

/* A name begins where nothing stands: a client's, where nothing stands at all. */
static void ask_begun(struct truth *t, struct world *w, const struct photo *was,
		      const struct photo *now)
{
	char name[DNAME_TEXT];

	for (size_t i = 0; i < now->v.n; i++) {
		const struct model_rr *r = &now->v.v[i];
		const struct plot *p;

		if (r->zone_id != ZONE_FWD || r->author != MODEL_BRIDGE || record_in(was, r) != NULL)
			continue;
		p = truth_plot(t, r->zone_id, r->owner);
		if (p != NULL && !p->ours_ever && world_removals(w, r->owner) == 0 &&
		    is_in_use(was, r, has_at(now, r, RR_DHCID, is_ours)))
			world_fault(w, "truth: a name was begun beside what somebody wrote: %s",
				    dname_print(name, r->owner));
	}
}

/* What the bridge writes has the zone's TTL.  A set has one: where somebody else is in it, it may be
 * theirs, and it stays when they go, for TTLs are not looked at. */
static void ask_ttl(struct world *w, const struct photo *was, const struct photo *now)
{
	char name[DNAME_TEXT], type[12];

	for (size_t i = 0; i < now->v.n; i++) {
		const struct model_rr *r = &now->v.v[i], *before;

		if (r->author != MODEL_BRIDGE || r->ttl_s == w->zones[r->zone_id - 1].ttl_s)
			continue;
		before = record_in(was, r);
		if ((before == NULL || before->ttl_s != r->ttl_s) &&
		    !has_at(was, r, r->type, is_theirs) && !has_at(now, r, r->type, is_theirs))
			world_fault(w, "truth: written with another TTL: %s %s",
				    dname_print(name, r->owner), rrtype_name(type, r->type));
	}
}

/* ---- who asks for what -------------------------------------------------------------------- */

bool truth_is_told(const struct place *p)
{
	struct dname apex, x;

	name_in_zone(&x, "x");
	dname_parent(&apex, &x, 1);
	return p->n_theirs > 0 && dname_under(&p->theirs, &apex) && !dname_equal(&p->theirs, &apex);
}

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

static struct voice voice_of(uint8_t kind, const char *label, struct who who)
{
	struct voice v = {.kind = kind, .who = who};

	name_in_zone(&v.asked, label);
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

	return truth_is_told(p) && plot != NULL && plot->ours_ever;
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
		v[(*n)++] = voice_of(OBS_LEASE, l->name->label, who_of_lease(w, l));
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
		v[0] = voice_of(OBS_MANUAL, m->label, who_at(w, p));
		return 1;
	}
	if (may_be_edit(t, p))
		v[n++] = (struct voice){.kind = OBS_EDIT, .asked = p->theirs};
	add_heard(p, OBS_EDIT, v, &n);
	for (size_t i = 0; i < n; i++)
		v[i].who = who_at(w, p);
	if (lease_voices(w, p, v, &n))
		return n;
	/* A PTR that is no edit names, and claims nothing. */
	*silent = truth_is_told(p) || n > 0 || (p->neigh_known && !p->neigh->present);
	if (p->neigh_known && p->neigh->label != NULL)
		v[n++] = voice_of(OBS_NEIGHBOUR, p->neigh->label, who_of_neigh(w, p->neigh));
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

/* Since when?  What people ask for is known at once, whatever is read when; and who has a name keeps
 * it, whoever says so next. */
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
	if (may_be_edit(t, p))
		hear_voice(p, (struct voice){.kind = OBS_EDIT, .asked = p->theirs});
	if (l != NULL && lease_lives(w, l) && l->name->label != NULL)
		hear_voice(p, voice_of(OBS_LEASE, l->name->label, who_of_lease(w, l)));
}

static void note_voices(struct truth *t, const struct world *w, bool passing)
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

void truth_look(struct truth *t, struct world *w, enum truth_when when)
{
	struct photo was;

	if (t == NULL)
		return;
	was = t->last;
	if (!photo_take(&t->last, w))
		t->bad = true;
	if (when == TRUTH_BEFORE_HAND || when == TRUTH_PASS_ENDS) {
		ask_kept(w, &was, &t->last);
		ask_begun(t, w, &was, &t->last);
		ask_ttl(w, &was, &t->last);
	}
	photo_fini(&was);
	t->now++;
	t->hands = when == TRUTH_PASS_BEGINS ? 0 : t->hands + (when == TRUTH_AFTER_HAND);
	look_at_plots(t, w);
	note_voices(t, w, when == TRUTH_PASS_BEGINS || when == TRUTH_AFTER_HAND);
	t->last_s = model_now_s(w->model);
	if (t->bad)
		world_fault(w, "out of memory");
}

/* ---- a clean pass ------------------------------------------------------------------------- */

static bool was_shown(const struct world *w, const struct place *p, uint8_t kind)
{
	switch (kind) {
	case OBS_LEASE:
		return w->bridge[0].shown[p->addr.family == 4 ? SRC_DHCP4 : SRC_DHCP6];
	case OBS_NEIGHBOUR:
		return w->bridge[0].shown[SRC_ARP];
	default:
		return true;
	}
}

static void clean_neigh(struct world *w, struct place *p)
{
	int64_t now_s = model_now_s(w->model);

	if (!w->bridge[0].shown[SRC_ARP] || p->neigh == NULL)
		return;
	if (!p->neigh->present && p->neigh_gone_s == 0 && !w->gentle)
		p->neigh_gone_s = now_s;
	else if (p->neigh_gone_s != 0 &&
		 now_s >= p->neigh_gone_s + w->sources[SRC_ARP - 1].stale_after_s)
		p->neigh_known = false;
}

void truth_clean(struct truth *t, struct world *w)
{
	struct voice v[N_VOICES];
	bool silent;

	/* What others did meanwhile it may have missed. */
	if (t == NULL || t->hands > 0)
		return;
	for (size_t i = 0; i < t->n_places; i++) {
		clean_neigh(w, &t->places[i]);
		if (was_shown(w, &t->places[i], OBS_LEASE)) {
			t->places[i].n_heard = 0;
			hear(t, w, &t->places[i]);
		}
	}
	for (size_t i = 0; i < t->claims.n; i++) {
		struct claim *c = &t->claims.v[i];

		if (c->may_until != TRUTH_OPEN || !was_shown(w, c->place, c->voice.kind))
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
	p = place_at(t, addr);
	truth_look(t, w, TRUTH_AFTER_HAND);
	size_t n = truth_voices(t, w, p, v, &silent);
	for (size_t i = 0; i < t->claims.n; i++) {
		struct claim *c = &t->claims.v[i];

		if (c->place == p && c->may_until == TRUTH_OPEN && !may_speak(c, v, n))
			c->may_until = t->now;
	}
}

void truth_check(struct truth *t, struct world *w, struct truth_counts *counts)
{
	struct ending x = {.t = t, .w = w, .counts = counts};

	if (t != NULL && truth_ipam(&x))
		truth_zones(&x);
	arena_fini(&x.arena);
}
