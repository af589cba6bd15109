/* truth_ipam.c - the names that IPAM must give in the end. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/truth_inside.h"

static const char *addr_text(const struct place *p)
{
	static char text[IPADDR_TEXT];

	return ipaddr_print(text, &p->addr);
}

/* ---- evidence ----------------------------------------------------------------------------- */

static bool lease_equal(const struct world *w, const struct lease *l, const struct evidence *e)
{
	struct who who = who_of_lease(w, l);
	size_t len = strlen(l->name->raw);

	return e->obs.kind == OBS_LEASE && e->obs.name.len == len &&
	       (len == 0 || memcmp(e->obs.name.p, l->name->raw, len) == 0) &&
	       e->obs.valid_until_s == l->until_s && e->obs.mac.known == who.mac.known &&
	       memcmp(e->obs.mac.b, who.mac.b, sizeof(who.mac.b)) == 0 &&
	       (l->addr.family == 4 ||
		(e->obs.duid.len == who.duid_len &&
		 memcmp(e->obs.duid.p, who.duid, who.duid_len) == 0));
}

/* A PTR that a person adopted is the bridge's, which may replace it; the name that the edit gave is
 * remembered until somebody edits it again. */
static bool is_true_ptr(const struct ending *x, const struct place *p, const struct evidence *e)
{
	const struct plot *plot = truth_plot(x->t, p->zone, &p->reverse);

	if (e->obs.kind == OBS_EDIT && plot != NULL && plot->decided)
		return true;
	if (p->n_theirs == 0 || p->told.ended)
		return false;
	if (e->obs.kind == OBS_EDIT)
		return plot != NULL && plot->ours_ever;
	return e->obs.kind == OBS_DNS && !p->told.edit;
}

/* What a source of leases said of an address, and nothing else, is kept. */
static bool is_true(const struct ending *x, const struct place *p, const struct evidence *e)
{
	if (e->held)
		return false;
	switch (e->source_id) {
	case SRC_DHCP4:
	case SRC_DHCP6:
		return p->keeper || (p->lease != NULL && lease_lives(x->w, p->lease) &&
				     lease_equal(x->w, p->lease, e));
	case SRC_ARP:
		return p->keeper || (p->neigh != NULL && p->neigh->present);
	case SRC_DNS:
		return is_true_ptr(x, p, e);
	default:
		return e->source_id == SRC_MANUAL;  /* judged by the name it gives */
	}
}

static size_t count_due(const struct ending *x, const struct place *p)
{
	size_t n = 0;

	if (p->keeper)
		return p->addr.family == 4 ? 2 : 1;
	n += p->lease != NULL && lease_lives(x->w, p->lease);
	n += p->neigh != NULL && p->neigh->present;
	for (int i = 0; i < N_MANUAL; i++)
		n += x->w->manual[i].present && ipaddr_cmp(&x->w->manual[i].addr, &p->addr) == 0;
	return n;
}

/* Of one address, e[0] to e[n-1]. */
static bool check_evidence_of(struct ending *x, const struct place *p, const struct evidence *e,
			      size_t n)
{
	size_t due = 0;
	bool told = false;

	for (size_t i = 0; i < n; i++) {
		if (!is_true(x, p, &e[i]))
			world_fault(x->w, "truth: %s: source %d no longer says what is kept of it",
				    addr_text(p), e[i].source_id);
		due += e[i].source_id != SRC_DNS;
		told = told || e[i].source_id == SRC_DNS;
	}
	if (p->told.edit && !told)
		world_fault(x->w, "truth: %s: the edit of its PTR is not kept", addr_text(p));
	if (due != count_due(x, p))
		world_fault(x->w, "truth: %s: %zu sources speak of it, %zu are kept", addr_text(p),
			    count_due(x, p), due);
	return x->w->fault.len == 0;
}

static bool load_evidence(struct ending *x, const struct ipaddr *addrs)
{
	struct flow_store *st = &x->w->bridge[0].store;
	struct evidence *e;
	size_t n;
	bool ok = true;

	if (st->evidence_get(st->ctx, &e, &n, x->w->space.id, addrs, x->t->n_places, &x->arena,
			     NULL) < 0)
		return false;
	for (size_t i = 0; ok && i < x->t->n_places; i++) {
		size_t from = 0, to;

		while (from < n && ipaddr_cmp(&e[from].obs.addr, &addrs[i]) != 0)
			from++;
		for (to = from; to < n && ipaddr_cmp(&e[to].obs.addr, &addrs[i]) == 0;)
			to++;
		ok = check_evidence_of(x, &x->t->places[i], e + from, to - from);
	}
	return ok;
}

/* ---- what each address asks for ----------------------------------------------------------- */

static const struct claim *claim_of(const struct ending *x, const struct place *p,
				    const struct voice *v)
{
	for (size_t i = 0; i < x->t->claims.n; i++) {
		const struct claim *c = &x->t->claims.v[i];

		if (c->place == p && c->may_until == TRUTH_OPEN && voice_equal(&c->voice, v))
			return c;
	}
	return NULL;
}

/* A PTR that was never ours names, and claims nothing; several: one of them. */
static bool is_dns_name(const struct ending *x, const struct seated *s)
{
	const struct place *p = s->place;
	struct voice v[N_VOICES];
	bool silent;
	size_t n = truth_voices(x->t, x->w, p, v, &silent);

	for (size_t i = 0; i < n; i++)
		if (v[i].kind == OBS_MANUAL || v[i].kind == OBS_LEASE)
			return false;
	if (p->n_theirs == 0 || p->told.edit || p->told.ended)
		return false;
	if (!p->is_told && p->n_theirs == 1)
		return s->row->name.len == 0;
	return dname_equal(&s->row->name, &s->row->asked) &&
	       (p->n_theirs > 1 || dname_equal(&s->row->name, &p->theirs));
}

static void check_silent(struct ending *x, const struct seated *s)
{
	const struct place *p = s->place;
	struct voice v[N_VOICES];
	bool silent;
	size_t n = truth_voices(x->t, x->w, p, v, &silent);

	if (s->row == NULL && p->n_theirs == 0 && count_due(x, p) > 0)
		world_fault(x->w, "truth: %s is missing in IPAM", addr_text(p));
	if (s->row != NULL && p->n_theirs == 0 && count_due(x, p) == 0)
		world_fault(x->w, "truth: %s stays in IPAM", addr_text(p));
	if (n > 0 && !silent && p->n_theirs <= 1)
		world_fault(x->w, "truth: %s asks for a name, IPAM has none", addr_text(p));
}

static void check_asked(struct ending *x, struct seated *s)
{
	struct voice has, v[N_VOICES];
	bool silent;
	size_t n;

	x->counts->hosts++;
	if (s->row == NULL || s->row->asked.len == 0) {
		check_silent(x, s);
		return;
	}
	if (s->row->kind == OBS_DNS) {
		if (!is_dns_name(x, s))
			world_fault(x->w, "truth: %s is not named by a PTR", addr_text(s->place));
		return;
	}
	has = (struct voice){.kind = s->row->kind, .asked = s->row->asked};
	n = truth_voices(x->t, x->w, s->place, v, &silent);
	for (size_t i = 0; i < n && s->claim == NULL; i++)
		if (voice_equal(&has, &v[i]))
			s->claim = claim_of(x, s->place, &has);
	if (s->claim == NULL && !(has.kind == OBS_EDIT && s->place->n_theirs > 1))
		world_fault(x->w, "truth: nobody asks for the name of %s", addr_text(s->place));
	if (!s->row->ptr)
		world_fault(x->w, "truth: %s has no PTR of its name", addr_text(s->place));
}

/* What did people decide about the name it asks for? */
static const struct plot *decided(const struct ending *x, const struct seated *s)
{
	const struct plot *p = truth_plot(x->t, ZONE_FWD, &s->claim->voice.asked);

	return p != NULL && p->decided ? p : NULL;
}

static void check_since(struct ending *x, const struct seated *s)
{
	const struct claim *c = s->claim;

	if (c == NULL || c->varied || decided(x, s) != NULL)
		return;
	/* A suffixed name may have been another's for a while, without a third to give way to. */
	bool plain = dname_equal(&s->row->name, &s->row->asked);
	if (s->row->since_s < c->may_from_s ||
	    (plain && c->sure_from != 0 && !c->away && s->row->since_s > c->sure_from_s))
		world_fault(x->w, "truth: %s has had its name since %lld, not between %lld and %lld",
			    addr_text(s->place), (long long)s->row->since_s,
			    (long long)c->may_from_s, (long long)c->sure_from_s);
}

/* ---- one name, one host ------------------------------------------------------------------- */

static bool newest(const struct ending *x)
{
	return x->w->zones[ZONE_FWD - 1].addresses == ADDRESSES_NEWEST;
}

/* May both have asked for the one name at one time? */
static bool may_meet(const struct claim *a, const struct claim *b)
{
	return a != b && dname_equal(&a->voice.asked, &b->voice.asked) &&
	       a->may_from <= b->may_until && b->may_from <= a->may_until;
}

/* The same name in the other family proves one host only where no other host asks for it. */
static bool has_rival(const struct ending *x, const struct claim *a, const struct claim *b)
{
	for (size_t i = 0; i < x->t->claims.n; i++) {
		const struct claim *c = &x->t->claims.v[i];

		if (may_meet(c, a) && may_meet(c, b) && claim_tie(c, a, newest(x)) != TIE_SAME &&
		    claim_tie(c, b, newest(x)) != TIE_SAME)
			return true;
	}
	return false;
}

static bool may_split(const struct ending *x, const struct claim *a, const struct claim *b)
{
	enum tie tie = claim_tie(a, b, newest(x));

	/* Who got a suffix by what was known then keeps it. */
	return a->varied || b->varied || a->told_more || b->told_more || tie <= TIE_UNSURE ||
	       (tie == TIE_NAME && has_rival(x, a, b));
}

static bool may_share(const struct ending *x, const struct claim *a, const struct claim *b)
{
	return a->varied || b->varied || claim_tie(a, b, newest(x)) != TIE_NONE;
}

static bool may_be_same(const struct ending *x, const struct claim *a, const struct claim *b)
{
	return a->varied || b->varied || claim_tie(a, b, newest(x)) == TIE_SAME;
}

/* Marks all that are tied to from, one through the other, among those it may have met. */
static void spread(const struct ending *x, const struct claim *from, bool *marked,
		   bool (*tied)(const struct ending *x, const struct claim *a, const struct claim *b))
{
	const struct claim *v = x->t->claims.v;
	bool more = true;

	marked[from - v] = true;
	while (more) {
		more = false;
		for (size_t i = 0; i < x->t->claims.n; i++)
			for (size_t k = 0; marked[i] && k < x->t->claims.n; k++)
				if (!marked[k] && may_meet(&v[i], &v[k]) && tied(x, &v[i], &v[k]))
					more = marked[k] = true;
	}
}

static bool *marks(struct ending *x)
{
	return arena_array(&x->arena, x->t->claims.n + 1, sizeof(bool));
}

/* May c have had the name before b: by rank, or by time? */
static bool may_precede(const struct claim *c, const struct claim *b, int64_t b_since_s)
{
	return c->voice.kind < b->voice.kind ||
	       (c->voice.kind == b->voice.kind && c->may_from_s <= b_since_s);
}

/* May its host, by any of its addresses, have had the name before b? */
static bool may_host_precede(struct ending *x, const struct claim *c, const struct claim *b,
			     int64_t b_since_s)
{
	const struct claim *v = x->t->claims.v;
	bool *host = marks(x);

	if (host == NULL)
		return true;
	spread(x, c, host, may_share);
	for (size_t i = 0; i < x->t->claims.n; i++)
		if (host[i] && &v[i] != b && may_precede(&v[i], b, b_since_s))
			return true;
	return false;
}

/* May it have lost the name to somebody: to one who is another host than it, or than one of those
 * that are proven to be one with it? */
static bool may_lose(struct ending *x, const struct claim *b, int64_t since_s)
{
	const struct claim *v = x->t->claims.v;
	bool *mine = marks(x);

	if (mine == NULL)
		return true;
	spread(x, b, mine, may_be_same);
	for (size_t i = 0; i < x->t->claims.n; i++) {
		bool split = false;

		for (size_t k = 0; may_meet(&v[i], b) && k < x->t->claims.n; k++)
			split = split || (mine[k] && may_split(x, &v[k], &v[i]));
		if (split && may_host_precede(x, &v[i], b, since_s))
			return true;
	}
	return false;
}

/* Has it no tie at all to anybody it may have met at the name? */
static bool is_alone(const struct ending *x, const struct claim *b)
{
	for (size_t i = 0; i < x->t->claims.n; i++) {
		const struct claim *c = &x->t->claims.v[i];

		if (may_meet(c, b) && may_share(x, c, b))
			return false;
	}
	return true;
}

/* Has it certainly lost the name to one who certainly had it? */
static bool must_lose(struct ending *x, const struct claim *b)
{
	if (b->sure_from == 0 || b->away || b->varied || !is_alone(x, b))
		return false;
	for (size_t i = 0; i < x->t->claims.n; i++) {
		const struct claim *c = &x->t->claims.v[i];

		if (!may_meet(c, b) || c->sure_from == 0 || c->sure_until < b->sure_from ||
		    may_lose(x, c, c->sure_from_s))
			continue;
		if (c->voice.kind < b->voice.kind ||
		    (c->voice.kind == b->voice.kind && c->sure_from < b->may_from))
			return true;
	}
	return false;
}

/* Its own suffix; who stood behind it when it was given may be forgotten. */
static bool is_own_suffix(const struct seated *s)
{
	const struct claim *c = s->claim;
	struct dname d;

	who_suffixed(&d, &c->voice.asked, &c->voice.who, &s->place->addr);
	if (c->voice.kind == OBS_LEASE && !c->varied)
		return dname_equal(&s->row->name, &d);
	return s->row->name.len == d.len &&
	       memcmp(s->row->name.b + 1, d.b + 1, d.b[0] - 4u) == 0 &&
	       memcmp(s->row->name.b + 1 + d.b[0], d.b + 1 + d.b[0], d.len - 1u - d.b[0]) == 0;
}

static bool is_taken(const struct ending *x, const struct seated *s)
{
	struct dname d;

	who_suffixed(&d, &s->claim->voice.asked, &s->claim->voice.who, &s->place->addr);
	for (size_t i = 0; i < x->t->n_places; i++)
		if (x->v[i].row != NULL && &x->v[i] != s && dname_equal(&x->v[i].row->name, &d))
			return true;
	return false;
}

static void check_name(struct ending *x, const struct seated *s)
{
	const struct claim *c = s->claim;
	char name[DNAME_TEXT];

	if (c == NULL)
		return;
	/* Set aside, it is nobody's; while it was, who asked for it may have got a suffix for good. */
	if (decided(x, s) != NULL) {
		bool plain = dname_equal(&s->row->name, &c->voice.asked);

		if (plain ? decided(x, s)->aside : s->row->name.len > 0 && !is_own_suffix(s))
			world_fault(x->w, "truth: %s has not the name that a decision leaves it",
				    addr_text(s->place));
		return;
	}
	if (dname_equal(&s->row->name, &c->voice.asked)) {
		if (must_lose(x, c))
			world_fault(x->w, "truth: %s has %s, which another had before",
				    addr_text(s->place), dname_print(name, &c->voice.asked));
		return;
	}
	if (!may_lose(x, c, s->row->since_s))
		world_fault(x->w, "truth: %s has not %s, and nobody had it before",
			    addr_text(s->place), dname_print(name, &c->voice.asked));
	if (s->row->name.len == 0 ? !is_taken(x, s) : !is_own_suffix(s))
		world_fault(x->w, "truth: %s has not its own suffix at %s", addr_text(s->place),
			    dname_print(name, &c->voice.asked));
}

/* Several addresses of one name: joined, perhaps by others that have gone since. */
static void check_sharing(struct ending *x, const struct seated *a)
{
	bool *one = marks(x);
	char name[DNAME_TEXT];

	if (a->claim == NULL || a->row->name.len == 0 || one == NULL)
		return;
	spread(x, a->claim, one, may_share);
	for (size_t i = 0; i < x->t->n_places; i++) {
		const struct seated *b = &x->v[i];

		if (b == a || b->claim == NULL || !dname_equal(&b->row->name, &a->row->name) ||
		    one[b->claim - x->t->claims.v] || may_share(x, a->claim, b->claim))
			continue;
		world_fault(x->w, "truth: two hosts share %s", dname_print(name, &a->row->name));
	}
}

/* ---- all of it ---------------------------------------------------------------------------- */

static bool seat(struct ending *x, const struct host *h)
{
	for (size_t i = 0; i < x->t->n_places; i++) {
		if (ipaddr_cmp(&x->t->places[i].addr, &h->addr) != 0)
			continue;
		if (x->v[i].row != NULL)
			world_fault(x->w, "truth: %s has several names", addr_text(&x->t->places[i]));
		x->v[i].row = h;
		return true;
	}
	return false;
}

static bool load_hosts(struct ending *x)
{
	struct flow_store *st = &x->w->bridge[0].store;
	struct ipaddr all[4 * N_PLACES];
	struct host *h;
	size_t n = 4 * N_PLACES, n_h;

	if (st->hosts_addrs(st->ctx, all, &n, 4 * N_PLACES, x->w->space.id, NULL, NULL) < 0 ||
	    st->hosts_of_addrs(st->ctx, &h, &n_h, x->w->space.id, all, n, &x->arena, NULL) < 0)
		return false;
	for (size_t i = 0; i < n_h; i++)
		if (!seat(x, &h[i]))
			world_fault(x->w, "truth: IPAM has an address that nobody spoke of");
	return x->w->fault.len == 0;
}

bool truth_ipam(struct ending *x)
{
	struct ipaddr addrs[N_PLACES];

	for (size_t i = 0; i < x->t->n_places; i++) {
		x->v[i].place = &x->t->places[i];
		addrs[i] = x->t->places[i].addr;
	}
	if (!load_hosts(x) || !load_evidence(x, addrs))
		return false;
	for (size_t i = 0; i < x->t->n_places; i++) {
		check_asked(x, &x->v[i]);
		check_since(x, &x->v[i]);
	}
	for (size_t i = 0; x->w->fault.len == 0 && i < x->t->n_places; i++) {
		check_name(x, &x->v[i]);
		check_sharing(x, &x->v[i]);
	}
	return x->w->fault.len == 0;
}
