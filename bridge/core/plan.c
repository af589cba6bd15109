/* plan.c - who gets which name, and what follows for the records. */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/err.h"
#include "bridge/base/hash.h"
#include "bridge/base/vec.h"
#include "bridge/core/dhcid.h"
#include "bridge/core/plan.h"

/* A name read back from DNS describes, it claims nothing. */
static bool claims_name(const struct host *h)
{
	return h->name.len > 0 && h->kind != OBS_DNS;
}

/* ---- names ------------------------------------------------------------------------------ */

/* One who wants or holds a name.  The seats of a name are listed best first. */
struct seat {
	struct host *claim;          /* NULL for a holder outside the set being planned */
	const struct host *host;
	bool taken;
	const struct host *by;       /* of those who took a seat, the one whom kin is about, or NULL */
	enum naming_kin kin;
	const char *evidence;        /* for it */
	bool gathered;
	struct seat *more;           /* next of the same host */
	bool had;                    /* the plain name was its own before */
	struct seat *next;
};

struct contest {
	struct plan_names *in;
	const struct policy_space *space;
	struct arena *a;
	struct map planned;     /* addresses of the set: their kept rows do not count */
	struct map seats;       /* name -> struct seat * (by pointer to the list's head) */
	VEC(struct seat **) heads;
	VEC(struct ipaddr) displaced;
	VEC(struct dname) load;
};

/* The list of a name; made when it is not there. */
static struct seat **seats_of(struct contest *c, const struct dname *n)
{
	struct seat **head = map_get(&c->seats, n->b, n->len);

	if (head != NULL)
		return head;
	head = arena_alloc(c->a, sizeof(*head));
	if (head == NULL || map_put(&c->seats, n->b, n->len, head) < 0 ||
	    vec_push(&c->heads, head) < 0)
		return NULL;
	return head;
}

/* Does a kept row count for what its address asks for now?  Where it gets no suffix, it may have
 * gone without a name. */
static bool counts(const struct contest *c, const struct host *old, const struct host *h)
{
	if (old->kind == OBS_DNS || !dname_equal(&old->asked, &h->asked))
		return false;
	return old->name.len > 0 || policy_duplicates(c->space, &h->asked) != DUPLICATES_SUFFIX;
}

/* The kept row of the same address that asked for the same name.  olds are sorted by address:
 * the run is found by bisection. */
static const struct host *old_of(const struct contest *c, const struct host *h)
{
	size_t lo = 0, hi = c->in->n_olds, i;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ipaddr_cmp(&c->in->olds[mid].addr, &h->addr) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (i = lo; i < c->in->n_olds && ipaddr_cmp(&c->in->olds[i].addr, &h->addr) == 0; i++) {
		if (counts(c, &c->in->olds[i], h))
			return &c->in->olds[i];
	}
	return NULL;
}

bool plan_same_client(const struct host *old, const struct host *h)
{
	const char *by;
	int same = identity_compare(&old->id, &h->id, &by);

	/* A server gives an address to another hardware address as to another client. */
	return same > 0 || (same < 0 && !identity_macs_differ(&old->id, &h->id));
}

/* Keeps what the address had: since when, and a suffix that was given.  Was it the plain name? */
static bool keep_old(const struct contest *c, struct host *h)
{
	const struct host *old = old_of(c, h);
	bool plain;

	if (old == NULL || !plan_same_client(old, h))
		return false;
	h->since_s = old->since_s;
	plain = dname_equal(&old->name, &old->asked);
	/* Who asks with more weight than before is not bound by what he got then. */
	if (plain || old->kind != h->kind || policy_duplicates(c->space, &h->asked) != DUPLICATES_SUFFIX)
		return plain;
	h->name = old->name;
	h->why = old->why;
	return false;
}

/* Does x go before y for one name? */
static bool goes_before(const struct contest *c, const struct host *x, const struct host *y)
{
	if (naming_beats(c->space, x, y))
		return true;
	if (naming_beats(c->space, y, x))
		return false;
	if (x->since_s != y->since_s)
		return x->since_s < y->since_s;
	return ipaddr_cmp(&x->addr, &y->addr) < 0;
}

static int sit(struct contest *c, const struct host *h, struct host *claim, bool had)
{
	struct seat **at = seats_of(c, &h->name);
	struct seat *s = arena_alloc(c->a, sizeof(*s));

	if (at == NULL || s == NULL)
		return ERR_NOMEM;
	s->host = h;
	s->claim = claim;
	s->had = had;
	while (*at != NULL && !goes_before(c, h, (*at)->host))
		at = &(*at)->next;
	s->next = *at;
	*at = s;
	return 0;
}

/* Who is planned, who holds, who asks. */
static int open_contest(struct contest *c)
{
	size_t i;
	int r = 0;

	/* An address whose evidence has ended claims nothing any more, and holds nothing. */
	for (i = 0; i < c->in->n_olds && r == 0; i++)
		r = map_put(&c->planned, &c->in->olds[i].addr, sizeof(struct ipaddr),
			    (void *)(uintptr_t)&c->in->olds[i]);
	for (i = 0; i < c->in->n_claims && r == 0; i++)
		r = map_put(&c->planned, &c->in->claims[i].addr, sizeof(struct ipaddr),
			    &c->in->claims[i]);
	for (i = 0; i < c->in->n_holders && r == 0; i++) {
		const struct host *h = &c->in->holders[i];

		if (claims_name(h) && map_get(&c->planned, &h->addr, sizeof(h->addr)) == NULL)
			r = sit(c, h, NULL, true);
	}
	for (i = 0; i < c->in->n_claims && r == 0; i++) {
		struct host *h = &c->in->claims[i];

		if (!claims_name(h))
			continue;
		r = sit(c, h, h, keep_old(c, h));
	}
	return r;
}

/* What s is to one who took a seat.  To many, a proof that they are one host counts first, then what
 * tells them apart. */
static void meet(const struct contest *c, struct seat *s, const struct host *seated)
{
	const struct policy_zone *z = policy_zone_of(c->space, &s->host->asked, false);
	const char *why;
	enum naming_kin k = naming_kin(seated, s->host, z != NULL ? z->addresses : ADDRESSES_ALL,
				       &why);

	if (s->by != NULL && s->kin >= k)
		return;
	s->by = seated;
	s->kin = k;
	s->evidence = why;
}

static void take(const struct contest *c, struct seat *list, struct seat *t)
{
	t->taken = true;
	for (; list != NULL; list = list->next) {
		if (!list->taken)
			meet(c, list, t->host);
	}
}

static bool name_in(const struct dname *v, size_t n, const struct dname *x)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (dname_equal(&v[i], x))
			return true;
	}
	return false;
}

/* A claim that lost its name: its own suffix, unless that is taken too. */
static int lose(struct contest *c, struct seat *loser)
{
	struct host *h = loser->claim;
	char holder[IPADDR_TEXT];
	struct seat **seats, *mine, *s;
	struct dname suffixed;

	ipaddr_print(holder, &loser->by->addr);
	if (policy_duplicates(c->space, &h->asked) != DUPLICATES_SUFFIX) {
		h->name.len = 0;
		h->why = arena_printf(c->a, "no name: %s has it (%s), and duplicates get none here",
				      holder, loser->evidence);
		return h->why == NULL ? ERR_NOMEM : 0;
	}
	if (!naming_suffix(&suffixed, h)) {
		h->name.len = 0;
		h->why = "no name: the asked name is taken and a longer one does not fit";
		return 0;
	}
	mine = arena_alloc(c->a, sizeof(*mine));
	h->name = suffixed;
	seats = seats_of(c, &h->name);
	if (mine == NULL || seats == NULL)
		return ERR_NOMEM;
	*mine = (struct seat){.claim = h, .host = h};
	for (s = *seats; s != NULL; s = s->next) {
		if (s->taken)
			meet(c, mine, s->host);
	}
	if (mine->by != NULL && mine->kin == KIN_OTHER) {
		h->name.len = 0;
		h->why = arena_printf(c->a, "no name: taken by %s (%s), and so is its own suffix",
				      holder, loser->evidence);
		return h->why == NULL ? ERR_NOMEM : 0;
	}
	mine->taken = true;
	mine->next = *seats;
	*seats = mine;
	h->why = arena_printf(c->a, "%s; the plain name is held by %s (%s)", h->why, holder,
			      loser->evidence);
	if (h->why == NULL)
		return ERR_NOMEM;
	/* Somebody outside the closed set may hold the suffixed name. */
	if (!name_in(c->load.v, c->load.n, &suffixed) && vec_push(&c->load, suffixed) < 0)
		return ERR_NOMEM;
	return 0;
}

/* Who is next: one that is proven to be of the host that sits, else the first that nothing tells
 * apart from it. */
static struct seat *next_seat(struct seat *list)
{
	struct seat *s, *next = NULL;

	for (s = list; s != NULL; s = s->next) {
		if (s->taken || (s->by != NULL && s->kin == KIN_OTHER))
			continue;
		if (s->by != NULL && s->kin == KIN_SAME)
			return s;
		if (next == NULL)
			next = s;
	}
	return next;
}

/* Behind s in its chain: all without a seat that are proven to be one host with it. */
static void gather(struct seat *list, struct seat *s)
{
	struct seat *m, *t, *last = s;
	const char *why;

	s->gathered = true;
	for (m = s; m != NULL; m = m->more) {
		for (t = list; t != NULL; t = t->next) {
			if (t->taken || t->gathered ||
			    naming_kin(m->host, t->host, ADDRESSES_ALL, &why) != KIN_SAME)
				continue;
			t->gathered = true;
			last->more = t;
			last = t;
		}
	}
}

/* Its name joins a host as a whole or not at all. */
static const struct seat *apart(const struct seat *chain)
{
	if (chain->by != NULL && chain->kin == KIN_SAME)
		return NULL;
	while (chain != NULL && (chain->by == NULL || chain->kin != KIN_OTHER))
		chain = chain->more;
	return chain;
}

/* With whom it shares the name, and what says so.  A suffix and its reason stay as they were. */
static int say_joined(struct contest *c, const struct seat *s)
{
	char with[IPADDR_TEXT];

	if (s->claim == NULL || s->by == NULL || !dname_equal(&s->claim->name, &s->claim->asked))
		return 0;
	s->claim->why = arena_printf(c->a, "%s; one host with %s (%s)", s->claim->why,
				     ipaddr_print(with, &s->by->addr), s->evidence);
	return s->claim->why == NULL ? ERR_NOMEM : 0;
}

/* One that is next, and all of its host. */
static int take_all(struct contest *c, struct seat *list, struct seat *s)
{
	const struct seat *no;
	int r = 0;

	gather(list, s);
	no = apart(s);
	for (; s != NULL && r == 0; s = s->more) {
		if (no != NULL) {
			s->by = no->by;
			s->kin = KIN_OTHER;
			s->evidence = no->evidence;
			continue;
		}
		take(c, list, s);
		r = say_joined(c, s);
	}
	return r;
}

/* Another host that asks for a free name with as much right as the best one; NULL: none, or the
 * name is not free. */
static const struct host *rival(const struct contest *c, const struct seat *list)
{
	const struct policy_zone *z = policy_zone_of(c->space, &list->host->asked, false);
	const struct host *other = NULL;
	const struct seat *s;
	const char *why;

	for (s = list; s != NULL; s = s->next) {
		if (s->had)
			return NULL;
		if (other == NULL &&
		    naming_kin(list->host, s->host, z->addresses, &why) == KIN_OTHER &&
		    !naming_beats(c->space, list->host, s->host))
			other = s->host;
	}
	return other;
}

/* Several ask, so nobody gets it.  All are claims: a holder would have had it before. */
static int refuse_all(struct contest *c, struct seat *list, const struct host *other)
{
	char first[IPADDR_TEXT], second[IPADDR_TEXT];
	struct seat *s;
	const char *why;

	why = arena_printf(c->a, "no name: %s and %s ask for it, and duplicates are refused here",
			   ipaddr_print(first, &list->host->addr), ipaddr_print(second, &other->addr));
	for (s = list; s != NULL && why != NULL; s = s->next) {
		s->claim->name.len = 0;
		s->claim->why = why;
	}
	return why == NULL ? ERR_NOMEM : 0;
}

/* Seats are taken best first; whoever is no host of those who sit loses. */
static int settle_name(struct contest *c, struct seat *list)
{
	const struct host *other = NULL;
	struct seat *s;
	int r = 0;

	if (list->next != NULL &&
	    policy_duplicates(c->space, &list->host->name) == DUPLICATES_REFUSE)
		other = rival(c, list);
	if (other != NULL)
		return refuse_all(c, list, other);
	for (s = list; s != NULL; s = s->next) {
		if (s->taken)
			take(c, list, s);
	}
	while (r == 0 && (s = next_seat(list)) != NULL)
		r = take_all(c, list, s);
	for (s = list; s != NULL && r == 0; s = s->next) {
		if (s->taken)
			continue;
		if (s->claim == NULL)
			r = vec_push(&c->displaced, s->host->addr) < 0 ? ERR_NOMEM : 0;
		else
			r = lose(c, s);
	}
	return r;
}

static int settle(struct contest *c)
{
	size_t n = c->heads.n, i;
	int r = 0;

	/* Lists that losing adds hold suffixed names: they are settled as they are made. */
	for (i = 0; i < n && r == 0; i++)
		r = settle_name(c, *c->heads.v[i]);
	return r;
}

static int hand_over(struct plan_answer *out, struct contest *c)
{
	out->n_displaced = c->displaced.n;
	out->displaced = arena_dup(c->a, c->displaced.v, c->displaced.n * sizeof(*c->displaced.v));
	out->n_load = c->load.n;
	out->load = arena_dup(c->a, c->load.v, c->load.n * sizeof(*c->load.v));
	return out->displaced == NULL || out->load == NULL ? ERR_NOMEM : 0;
}

int plan_settle_names(struct plan_answer *out, struct arena *a, const struct policy_space *space,
		      struct plan_names *in)
{
	struct contest c = {.in = in, .space = space, .a = a, .planned = MAP_INIT,
			    .seats = MAP_INIT};
	int r;

	memset(out, 0, sizeof(*out));
	r = open_contest(&c);
	r = r < 0 ? r : settle(&c);
	r = r < 0 ? r : hand_over(out, &c);
	map_fini(&c.planned);
	map_fini(&c.seats);
	vec_fini(&c.heads);
	vec_fini(&c.displaced);
	vec_fini(&c.load);
	return r;
}

static const char set_aside[] = "set aside by a person: what DNS shows there stands";

/* ---- records ---------------------------------------------------------------------------- */

/* Of leases, where the zone wants only one of a family: had it the name before the other? */
static bool is_older(const struct host *a, const struct host *b)
{
	if (b->kind != OBS_LEASE || b->addr.family != a->addr.family)
		return false;
	return a->since_s != b->since_s ? a->since_s < b->since_s
					: ipaddr_cmp(&a->addr, &b->addr) < 0;
}

static bool is_shown(const struct host *h, const struct host *hosts, size_t n,
		     const struct policy_zone *zone)
{
	size_t i;

	if (!claims_name(h))
		return false;
	for (i = 0; zone->addresses == ADDRESSES_NEWEST && h->kind == OBS_LEASE && i < n; i++) {
		if (is_older(h, &hosts[i]))
			return false;
	}
	return true;
}

static void best_of(struct belief *b, const struct host *hosts, size_t n,
		    const struct policy_zone *zone, const struct host **oldest, bool *all_leases)
{
	size_t i;

	*oldest = NULL;
	*all_leases = true;
	b->want_kind = OBS_KINDS - 1;
	b->want_source = 0;
	b->want_ttl_s = 0;
	for (i = 0; i < n; i++) {
		const struct host *h = &hosts[i];

		if (!is_shown(h, hosts, n, zone))
			continue;
		if (h->kind < b->want_kind || *oldest == NULL) {
			b->want_kind = h->kind;
			b->want_source = h->source_id;
		}
		*all_leases = *all_leases && h->kind == OBS_LEASE;
		if (*oldest == NULL || h->since_s < (*oldest)->since_s)
			*oldest = h;
		if (h->ttl_s != 0 && (b->want_ttl_s == 0 || h->ttl_s < b->want_ttl_s))
			b->want_ttl_s = h->ttl_s;
	}
	if (b->want_ttl_s == 0)
		b->want_ttl_s = zone->ttl_s;
}

int plan_forward(struct belief *b, struct arena *a, const struct policy_zone *zone,
		 const struct host *hosts, size_t n)
{
	const struct host *oldest;
	uint8_t dhcid[DHCID_LEN];
	bool all_leases;
	size_t i;
	int r = 0;

	b->want = (struct rrs){NULL, 0};
	best_of(b, hosts, n, zone, &oldest, &all_leases);
	if (b->decided == DECIDED_DNS) {
		b->why = set_aside;
		return 0;
	}
	if (oldest == NULL) {
		b->why = "nothing names it any more";
		return 0;
	}
	for (i = 0; i < n && r == 0; i++) {
		if (is_shown(&hosts[i], hosts, n, zone))
			r = rrs_add_addr(&b->want, a, &hosts[i].addr);
	}
	b->why = oldest->why;
	if (r == 0 && zone->dhcid && all_leases &&
	    dhcid_make(dhcid, &oldest->id, oldest->addr.family == 6, &b->owner))
		r = rrs_add(&b->want, a, RR_DHCID, dhcid, sizeof(dhcid));
	return r;
}

bool plan_forward_stands(const struct belief *forward)
{
	if (forward == NULL || forward->contested || (!forward->seen_known && forward->published.n == 0))
		return false;
	return forward->state != BELIEF_CONFLICT && forward->state != BELIEF_REFUSED &&
	       forward->state != BELIEF_FROZEN;
}

static bool shows(const struct belief *forward, const struct ipaddr *addr)
{
	const struct rr *v;
	size_t n = rrs_of(&forward->want, addr->family == 4 ? RR_A : RR_AAAA, &v), i;

	for (i = 0; i < n; i++) {
		if (memcmp(v[i].rdata, addr->b, v[i].rdlen) == 0)
			return true;
	}
	return false;
}

int plan_reverse(struct belief *b, struct arena *a, const struct policy_zone *zone,
		 const struct host *host, const struct belief *forward)
{
	const struct rr *dhcid;
	int r;

	b->want = (struct rrs){NULL, 0};
	b->want_kind = OBS_KINDS - 1;
	b->want_source = 0;
	b->want_ttl_s = zone->ttl_s;
	b->why = b->decided == DECIDED_DNS ? set_aside : "nothing names it any more";
	if (b->decided == DECIDED_DNS || host == NULL || !claims_name(host))
		return 0;
	b->want_kind = host->kind;
	b->want_source = host->source_id;
	/* The PTR of an edit is the person's own: its address record follows, it stays. */
	if (!plan_forward_stands(forward) && host->kind != OBS_EDIT) {
		b->why = "its forward name is not ours, or not yet";
		return 0;
	}
	if (host->kind == OBS_LEASE && !shows(forward, &host->addr)) {
		b->why = "a newer lease of the host has the name";
		return 0;
	}
	if (host->ttl_s != 0)
		b->want_ttl_s = host->ttl_s;
	b->why = host->why;
	r = rrs_add_name(&b->want, a, RR_PTR, &host->name);
	if (r == 0 && forward != NULL && rrs_of(&forward->want, RR_DHCID, &dhcid) > 0)
		r = rrs_add(&b->want, a, RR_DHCID, dhcid->rdata, dhcid->rdlen);
	return r;
}
