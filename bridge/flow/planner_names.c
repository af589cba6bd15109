/* planner_names.c - from touched addresses to names, and from names to owners.
 *
 * The closed set grows until nothing outside it can be affected: a better-ranked claim displaces
 * a holder, whose address then belongs to the set too.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/vec.h"
#include "bridge/core/plan.h"
#include "bridge/flow/planner.h"

struct closed {
	struct planner *p;
	struct arena *a;
	VEC(struct ipaddr) addrs;
	struct evidence *ev;
	size_t n_ev;
	struct host *olds;
	size_t n_olds;
	VEC(struct host) named;      /* fresh rows before collisions */
	struct host *claims;         /* after */
	VEC(struct dname) names;     /* whose holders are loaded */
	const struct dname *asked;   /* those of the last contest, in order, */
	size_t n_asked;
	const struct host *holders;  /* and who had them before it */
	size_t n_holders;
};

static void closed_fini(struct closed *c)
{
	vec_fini(&c->addrs);
	vec_fini(&c->named);
	vec_fini(&c->names);
}

/* ---- names ------------------------------------------------------------------------------ */

static bool had_name(const struct closed *c, const struct host *h)
{
	size_t i;

	for (i = 0; i < c->n_olds; i++) {
		if (ipaddr_cmp(&c->olds[i].addr, &h->addr) == 0 && c->olds[i].name.len > 0 &&
		    dname_equal(&c->olds[i].asked, &h->asked))
			return true;
	}
	return false;
}

/* A name that others point at is not for clients to take; who has it keeps it. */
static int refuse_target(struct closed *c, struct host *h, struct err *e)
{
	const struct policy_zone *zone;
	struct planner_zone *z;
	int r;

	if (h->name.len == 0 || h->kind <= OBS_IPAM || h->kind == OBS_DNS)
		return 0;
	zone = policy_zone_of(c->p->space, &h->name, false);
	if (zone == NULL)
		return 0;
	r = planner_zone(&z, c->p, zone, e);
	if (r < 0 || z->targets.n == 0 || map_get(&z->targets, h->name.b, h->name.len) == NULL ||
	    had_name(c, h))
		return r;
	/* What it asked for is kept: it gets the name once nothing points there any more. */
	h->name.len = 0;
	h->why = "no name: a CNAME, MX, NS or SRV record points at it";
	return 0;
}

/* A suffix that it was given stays its own. */
static bool keeps_suffix(const struct closed *c, const struct policy_zone *zone,
			 const struct host *h)
{
	size_t i;

	for (i = 0; i < c->n_olds && zone->duplicates == DUPLICATES_SUFFIX; i++) {
		const struct host *old = &c->olds[i];

		if (ipaddr_cmp(&old->addr, &h->addr) == 0 && old->name.len > 0 &&
		    dname_equal(&old->asked, &h->asked) && !dname_equal(&old->name, &h->asked))
			return old->kind == h->kind && plan_same_client(old, h);
	}
	return false;
}

/* A person has given the name to what DNS shows there. */
static int refuse_aside(struct closed *c, struct host *h, struct err *e)
{
	const struct policy_zone *zone;
	struct planner_zone *z;
	int r;

	if (h->name.len == 0 || h->kind == OBS_DNS)
		return 0;
	zone = policy_zone_of(c->p->space, &h->name, false);
	if (zone == NULL)
		return 0;
	r = planner_zone(&z, c->p, zone, e);
	if (r < 0 || z->aside.n == 0 || map_get(&z->aside, h->name.b, h->name.len) == NULL ||
	    keeps_suffix(c, zone, h))
		return r;
	h->name.len = 0;
	h->why = "no name: set aside by a person, what DNS shows at that name stands";
	return 0;
}

static int name_one(struct closed *c, const struct ipaddr *addr, const struct evidence *ev,
		    size_t n, struct err *e)
{
	struct host *v;
	size_t n_v, i;
	int r;

	if (naming_address(&v, &n_v, c->a, c->p->space, addr, ev, n, c->p->now_s) < 0)
		return err_nomem(e);
	for (i = 0; i < n_v; i++) {
		r = refuse_target(c, &v[i], e);
		r = r < 0 ? r : refuse_aside(c, &v[i], e);
		if (r < 0)
			return r;
		if (vec_push(&c->named, v[i]) < 0)
			return err_nomem(e);
	}
	return 0;
}

/* Evidence comes ordered by address, as the addresses are. */
static int name_all(struct closed *c, struct err *e)
{
	size_t i, from = 0, to;
	int r = 0;

	c->named.n = 0;
	for (i = 0; i < c->addrs.n && r == 0; i++) {
		while (from < c->n_ev && ipaddr_cmp(&c->ev[from].obs.addr, &c->addrs.v[i]) < 0)
			from++;
		to = from;
		while (to < c->n_ev && ipaddr_cmp(&c->ev[to].obs.addr, &c->addrs.v[i]) == 0)
			to++;
		if (to > from)
			r = name_one(c, &c->addrs.v[i], c->ev + from, to - from, e);
		from = to;
	}
	return r;
}

static int load_set(struct closed *c, struct err *e)
{
	struct flow_store *st = c->p->f->store;
	int r;

	addrs_unique(c->addrs.v, &c->addrs.n);
	r = known_of(&c->p->known, &c->ev, &c->n_ev, c->a, c->addrs.v, c->addrs.n);
	if (r == 1)
		r = st->evidence_get(st->ctx, &c->ev, &c->n_ev, c->p->space->id, c->addrs.v,
				     c->addrs.n, c->a, e);
	else if (r < 0)
		err_nomem(e);
	if (r < 0)
		return r;
	r = st->hosts_of_addrs(st->ctx, &c->olds, &c->n_olds, c->p->space->id, c->addrs.v,
			       c->addrs.n, c->a, e);
	return r < 0 ? r : name_all(c, e);
}

static int name_order(const void *a, const void *b)
{
	const struct dname *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int d = memcmp(x->b, y->b, n);

	return d != 0 ? d : (int)x->len - (int)y->len;
}

static void names_unique(struct dname *v, size_t *n)
{
	size_t i, kept = 0;

	if (*n == 0)
		return;
	qsort(v, *n, sizeof(*v), name_order);
	for (i = 1; i < *n; i++) {
		if (!dname_equal(&v[kept], &v[i])) {
			kept++;
			if (kept != i)
				v[kept] = v[i];
		}
	}
	*n = kept + 1;
}

static int asked_names(struct closed *c, struct err *e)
{
	size_t i;

	c->names.n = 0;
	for (i = 0; i < c->named.n; i++) {
		if (c->named.v[i].asked.len > 0 && vec_push(&c->names, c->named.v[i].asked) < 0)
			return err_nomem(e);
	}
	return 0;
}

/* One round of the contest.  1: more names had to be loaded, go again. */
static int contest(struct closed *c, struct plan_answer *ans, struct err *e)
{
	struct flow_store *st = c->p->f->store;
	struct plan_names in = {0};
	size_t i;
	int r;

	names_unique(c->names.v, &c->names.n);
	r = st->hosts_of_names(st->ctx, (struct host **)&in.holders, &in.n_holders,
			       c->p->space->id, c->names.v, c->names.n, c->a, e);
	if (r < 0)
		return r;
	c->claims = arena_dup(c->a, c->named.v, c->named.n * sizeof(*c->named.v));
	c->asked = arena_dup(c->a, c->names.v, c->names.n * sizeof(*c->names.v));
	if (c->claims == NULL || c->asked == NULL)
		return err_nomem(e);
	c->n_asked = c->names.n;
	c->holders = in.holders;
	c->n_holders = in.n_holders;
	in.claims = c->claims;
	in.n_claims = c->named.n;
	in.olds = c->olds;
	in.n_olds = c->n_olds;
	if (plan_settle_names(ans, c->a, c->p->space, &in) < 0)
		return err_nomem(e);
	for (i = 0; i < ans->n_load; i++) {
		if (vec_push(&c->names, ans->load[i]) < 0)
			return err_nomem(e);
	}
	return ans->n_load > 0;
}

static bool refuses_duplicates(const struct closed *c, const struct dname *name)
{
	return policy_duplicates(c->p->space, name) == DUPLICATES_REFUSE;
}

/* Those who ask for one of the names and have none join the set.  1: it has grown. */
static int add_waiting(struct closed *c, struct err *e)
{
	struct flow_store *st = c->p->f->store;
	size_t before = c->addrs.n, n, i;
	struct ipaddr *v;
	int r;

	if (c->names.n == 0)
		return 0;
	names_unique(c->names.v, &c->names.n);
	r = st->hosts_waiting(st->ctx, &v, &n, c->p->space->id, c->names.v, c->names.n, c->a, e);
	for (i = 0; r == 0 && i < n; i++)
		r = vec_push(&c->addrs, v[i]) < 0 ? err_nomem(e) : 0;
	addrs_unique(c->addrs.v, &c->addrs.n);
	return r < 0 ? r : c->addrs.n > before;
}

/* Where duplicates are refused, all who ask for a name decide it together.  1: the set has grown. */
static int join_rivals(struct closed *c, struct err *e)
{
	size_t i;
	int r = 0;

	c->names.n = 0;
	for (i = 0; i < c->named.n && r == 0; i++) {
		if (c->named.v[i].asked.len > 0 && refuses_duplicates(c, &c->named.v[i].asked))
			r = vec_push(&c->names, c->named.v[i].asked) < 0 ? err_nomem(e) : 0;
	}
	return r < 0 ? r : add_waiting(c, e);
}

/* 1: holders were displaced, the set has grown. */
static int settle_set(struct closed *c, struct err *e)
{
	struct plan_answer ans;
	size_t i, before = c->addrs.n;
	int r, rounds = 0;

	r = join_rivals(c, e);
	if (r != 0)
		return r;
	r = asked_names(c, e);
	do {
		size_t known = c->names.n;

		r = r < 0 ? r : contest(c, &ans, e);
		/* The names that it asks for again are loaded: they have no holder. */
		if (r == 1 && rounds > 0 && c->names.n == known)
			r = 0;
	} while (r == 1 && ++rounds < 4);
	if (r < 0)
		return r;
	for (i = 0; i < ans.n_displaced; i++) {
		if (vec_push(&c->addrs, ans.displaced[i]) < 0)
			return err_nomem(e);
	}
	addrs_unique(c->addrs.v, &c->addrs.n);
	return c->addrs.n > before;
}

/* ---- names that are given up ------------------------------------------------------------ */

static int host_order(const void *a, const void *b)
{
	const struct host *x = a, *y = b;
	int d = ipaddr_cmp(&x->addr, &y->addr);

	return d != 0 ? d : name_order(&x->name, &y->name);
}

/* Rows before and after, each in order of address and name. */
static void sort_rows(struct closed *c)
{
	if (c->n_olds > 0)
		qsort(c->olds, c->n_olds, sizeof(*c->olds), host_order);
	if (c->named.n > 0)
		qsort(c->claims, c->named.n, sizeof(*c->claims), host_order);
}

static bool still_named(const struct closed *c, const struct host *old)
{
	return c->named.n > 0 && bsearch(old, c->claims, c->named.n, sizeof(*old), host_order) != NULL;
}

static bool still_asks(const struct closed *c, const struct host *old)
{
	size_t i;

	for (i = 0; i < c->named.n; i++) {
		if (ipaddr_cmp(&c->claims[i].addr, &old->addr) == 0 &&
		    dname_equal(&c->claims[i].asked, &old->asked))
			return true;
	}
	return false;
}

/* A name that is given up, and the one it is perhaps the suffixed form of; where duplicates are
 * refused, also one that is asked for no longer. */
static int given_up(struct closed *c, struct err *e)
{
	struct dname plain;
	size_t i;
	int r = 0;

	c->names.n = 0;
	for (i = 0; i < c->n_olds && r == 0; i++) {
		if (c->olds[i].name.len == 0 && c->olds[i].asked.len > 0 &&
		    refuses_duplicates(c, &c->olds[i].asked) && !still_asks(c, &c->olds[i]))
			r = vec_push(&c->names, c->olds[i].asked);
		if (r < 0 || c->olds[i].name.len == 0 || still_named(c, &c->olds[i]))
			continue;
		r = vec_push(&c->names, c->olds[i].name);
		if (r == 0 && naming_unsuffixed(&plain, &c->olds[i].name))
			r = vec_push(&c->names, plain);
	}
	return r < 0 ? err_nomem(e) : 0;
}

/* 1: addresses that went without a name for want of these join the set. */
static int wake_waiting(struct closed *c, struct err *e)
{
	int r;

	sort_rows(c);
	r = given_up(c, e);
	return r < 0 ? r : add_waiting(c, e);
}

/* ---- what changed ----------------------------------------------------------------------- */

static bool host_equal(const struct host *a, const struct host *b)
{
	return dname_equal(&a->name, &b->name) && dname_equal(&a->asked, &b->asked) &&
	       a->ptr == b->ptr && a->kind == b->kind && a->source_id == b->source_id &&
	       a->since_s == b->since_s && a->expires_at_s == b->expires_at_s &&
	       a->ttl_s == b->ttl_s && strcmp(a->why, b->why) == 0 &&
	       bytes_equal(a->id.client_id, b->id.client_id) &&
	       bytes_equal(a->id.duid, b->id.duid) && bytes_equal(a->id.dhcid, b->id.dhcid) &&
	       a->id.mac.known == b->id.mac.known &&
	       memcmp(a->id.mac.b, b->id.mac.b, sizeof(a->id.mac.b)) == 0;
}

/* Rows of one address. */
struct host_rows {
	const struct host *v;
	size_t n;
};

/* What is to be written of the set. */
struct changes {
	VEC(struct ipaddr) had;    /* addresses with other rows so far, */
	VEC(struct host) rows;     /* and theirs */
	VEC(struct host) added;    /* of addresses that had none */
};

static int keep_one(struct changes *ch, const struct ipaddr *addr, const struct host_rows *old,
		    const struct host_rows *now)
{
	bool same = old->n == now->n;
	size_t i;
	int r = 0;

	for (i = 0; same && i < now->n; i++)
		same = host_equal(&old->v[i], &now->v[i]);
	if (!same && old->n > 0)
		r = vec_push(&ch->had, *addr);
	for (i = 0; !same && r == 0 && i < now->n; i++)
		r = old->n > 0 ? vec_push(&ch->rows, now->v[i]) : vec_push(&ch->added, now->v[i]);
	return r;
}

/* Takes those of the address from the place on. */
static struct host_rows take_rows(const struct host *v, size_t n, size_t *at,
				  const struct ipaddr *addr)
{
	struct host_rows rows = {.v = *at < n ? &v[*at] : NULL};

	while (*at < n && ipaddr_cmp(&v[*at].addr, addr) == 0) {
		(*at)++;
		rows.n++;
	}
	return rows;
}

static int put_changes(struct closed *c, const struct changes *ch, struct err *e)
{
	struct flow_store *st = c->p->f->store;
	int32_t space_id = c->p->space->id;
	int r = 0;

	if (ch->had.n > 0)
		r = st->hosts_put(st->ctx, space_id, ch->had.v, ch->had.n, ch->rows.v, ch->rows.n, e);
	if (r == 0 && ch->added.n > 0)
		r = st->hosts_add(st->ctx, space_id, ch->added.v, ch->added.n, e);
	return r;
}

/* Only what differs, so that an idle pass writes nothing. */
static int keep_changed(struct closed *c, struct err *e)
{
	struct changes ch = {.had = {0}};
	size_t o = 0, k = 0, i;
	int r = 0;

	for (i = 0; i < c->addrs.n && r == 0; i++) {
		const struct ipaddr *addr = &c->addrs.v[i];
		struct host_rows old = take_rows(c->olds, c->n_olds, &o, addr);
		struct host_rows now = take_rows(c->claims, c->named.n, &k, addr);

		r = keep_one(&ch, addr, &old, &now);
	}
	r = r < 0 ? err_nomem(e) : put_changes(c, &ch, e);
	vec_fini(&ch.had);
	vec_fini(&ch.rows);
	vec_fini(&ch.added);
	return r;
}

/* Old and new names of the set: their owners are judged. */
static int touched_names(struct closed *c, struct err *e)
{
	size_t i;
	int r = 0;

	c->names.n = 0;
	for (i = 0; i < c->n_olds && r == 0; i++) {
		if (c->olds[i].name.len > 0)
			r = vec_push(&c->names, c->olds[i].name);
	}
	for (i = 0; i < c->named.n && r == 0; i++) {
		if (c->claims[i].name.len > 0)
			r = vec_push(&c->names, c->claims[i].name);
	}
	if (r < 0)
		return err_nomem(e);
	names_unique(c->names.v, &c->names.n);
	return 0;
}

static bool all_asked(const struct closed *c)
{
	size_t i, at = 0;

	for (i = 0; i < c->names.n; i++) {
		while (at < c->n_asked && name_order(&c->asked[at], &c->names.v[i]) < 0)
			at++;
		if (at == c->n_asked || !dname_equal(&c->asked[at], &c->names.v[i]))
			return false;
	}
	return true;
}

/* Outside the set, and with a name that was touched. */
static bool still_holds(const struct closed *c, const struct host *h)
{
	return bsearch(&h->addr, c->addrs.v, c->addrs.n, sizeof(h->addr), addr_order) == NULL &&
	       bsearch(&h->name, c->names.v, c->names.n, sizeof(h->name), name_order) != NULL;
}

/* Who has the touched names now: as the contest knew them, and as it came out. */
static int named_hosts(struct closed *c, struct planner_hosts *set, struct err *e)
{
	size_t i;

	set->knows_named = all_asked(c);
	if (!set->knows_named)
		return 0;
	set->named = arena_array(c->a, c->n_holders + c->named.n + 1, sizeof(*set->named));
	if (set->named == NULL)
		return err_nomem(e);
	for (i = 0; i < c->n_holders; i++) {
		if (still_holds(c, &c->holders[i]))
			set->named[set->n_named++] = c->holders[i];
	}
	for (i = 0; i < c->named.n; i++) {
		if (c->claims[i].name.len > 0)
			set->named[set->n_named++] = c->claims[i];
	}
	qsort(set->named, set->n_named, sizeof(*set->named), host_by_name);
	return 0;
}

/* The rows of the set are those just kept. */
static int judge_set(struct closed *c, struct err *e)
{
	struct planner_hosts set = {.addrs = c->addrs.v, .n_addrs = c->addrs.n,
				    .rows = c->claims, .n_rows = c->named.n};
	int r = named_hosts(c, &set, e);

	return r < 0 ? r : planner_owners(c->p, c->names.v, c->names.n, &set, e);
}

static int touched_addrs(struct closed *c, struct err *e)
{
	size_t i;

	for (i = 0; i < c->named.n; i++) {
		if (vec_push(&c->addrs, c->named.v[i].addr) < 0)
			return err_nomem(e);
	}
	return 0;
}

int planner_foresee(struct planner *p, const struct evidence *ev, size_t n, struct err *e)
{
	struct flow_store *st = p->f->store;
	struct closed c = {.p = p, .a = &p->arena};
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++)
		r = name_one(&c, &ev[i].obs.addr, &ev[i], 1, e);
	r = r < 0 ? r : asked_names(&c, e);
	names_unique(c.names.v, &c.names.n);
	r = r < 0 ? r : st->hosts_of_names_soon(st->ctx, p->space->id, c.names.v, c.names.n, e);
	c.claims = c.named.v;
	r = r < 0 ? r : touched_names(&c, e);
	r = r < 0 ? r : touched_addrs(&c, e);
	r = r < 0 ? r : planner_owners_soon(p, c.names.v, c.names.n, c.addrs.v, c.addrs.n, e);
	closed_fini(&c);
	return r;
}

int planner_addresses(struct planner *p, const struct ipaddr *addrs, size_t n, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct closed c = {.p = p, .a = &a};
	size_t i;
	int r = 0;

	if (n == 0)
		return 0;
	for (i = 0; i < n && r == 0; i++)
		r = vec_push(&c.addrs, addrs[i]) < 0 ? err_nomem(e) : 0;
	do {
		if (c.addrs.n > PLANNER_CLOSED_MAX)
			r = err_set(e, ERR_BUG, "planning one change would touch %zu addresses",
				    c.addrs.n);
		r = r < 0 ? r : load_set(&c, e);
		r = r < 0 ? r : settle_set(&c, e);
		r = r != 0 ? r : wake_waiting(&c, e);
	} while (r == 1);
	r = r < 0 ? r : keep_changed(&c, e);
	r = r < 0 ? r : touched_names(&c, e);
	r = r < 0 ? r : judge_set(&c, e);
	closed_fini(&c);
	arena_fini(&a);
	return r;
}
