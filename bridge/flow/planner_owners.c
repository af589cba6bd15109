/* planner_owners.c - judges the owners behind names and addresses: forward first, because a PTR
 * stands or falls with its forward name.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/vec.h"
#include "bridge/core/plan.h"
#include "bridge/flow/planner.h"

struct owners {
	struct planner *p;
	struct arena a;
	struct host *hosts;          /* all rows with one of the names, ordered by name */
	size_t n_hosts;
	VEC(struct zone_key) keys;
	VEC(struct ipaddr) addrs;
	struct map forward;          /* name -> judged belief */
	VEC(struct belief) changed;
};

static bool belief_differs(const struct belief *a, const struct belief *b)
{
	return !rrs_equal(&a->want, &b->want) || !rrs_equal(&a->published, &b->published) ||
	       !rrs_equal(&a->seen, &b->seen) || a->state != b->state ||
	       a->want_kind != b->want_kind || a->want_ttl_s != b->want_ttl_s ||
	       a->reverts != b->reverts || a->decided != b->decided ||
	       a->removed_at_s != b->removed_at_s ||
	       a->n_offered != b->n_offered || a->due_at_s != b->due_at_s ||
	       strcmp(a->why, b->why) != 0;
}

static int keep(struct owners *o, const struct belief *was, const struct belief *b, struct err *e)
{
	if (!belief_differs(was, b))
		return 0;
	if (vec_push(&o->changed, *b) < 0)
		return err_nomem(e);
	return planner_note_state(o->p, was, b, e);
}

/* ---- forward ---------------------------------------------------------------------------- */

static int push_key(struct owners *o, const struct policy_zone *zone, const struct dname *owner,
		    struct err *e)
{
	struct zone_key k = {.zone_id = zone->id, .owner = *owner};

	return vec_push(&o->keys, k) < 0 ? err_nomem(e) : 0;
}

/* The owner in its zone.  In the zones above it, which were its own before a longer one was
 * configured, whatever is ours goes. */
static int owner_keys(struct owners *o, const struct policy_zone *zone, const struct dname *owner,
		      struct err *e)
{
	int r = 0;

	for (; zone != NULL && r == 0; zone = policy_zone_above(o->p->space, zone))
		r = push_key(o, zone, owner, e);
	return r;
}

static int forward_keys(struct owners *o, const struct dname *names, size_t n, struct err *e)
{
	size_t i;
	int r = 0;

	o->keys.n = 0;
	for (i = 0; i < n && r == 0; i++)
		r = owner_keys(o, policy_zone_of(o->p->space, &names[i], false), &names[i], e);
	return r;
}

/* Is this the zone that the owner belongs to now? */
static bool is_own_zone(const struct owners *o, const struct belief *b, const struct policy_zone *z)
{
	return policy_zone_of(o->p->space, &b->owner, z->is_reverse) == z;
}

/* Rows of one name lie together. */
static size_t hosts_named(const struct owners *o, const struct dname *name,
			  const struct map *first, const struct host **out)
{
	const struct host *h = map_get(first, name->b, name->len);
	size_t i, n = 0;

	*out = h;
	if (h == NULL)
		return 0;
	for (i = (size_t)(h - o->hosts); i < o->n_hosts && dname_equal(&o->hosts[i].name, name); i++)
		n++;
	return n;
}

static int index_hosts(struct owners *o, struct map *first, struct err *e)
{
	size_t i;

	for (i = 0; i < o->n_hosts; i++) {
		if (i > 0 && dname_equal(&o->hosts[i].name, &o->hosts[i - 1].name))
			continue;
		if (map_put(first, o->hosts[i].name.b, o->hosts[i].name.len, &o->hosts[i]) < 0)
			return err_nomem(e);
	}
	return 0;
}

static int judge_forward(struct owners *o, struct belief *b, const struct map *first,
			 struct err *e)
{
	const struct host *hosts = NULL;
	struct belief was = *b;
	struct planner_zone *z;
	size_t n = 0;
	bool own;
	int r;

	r = planner_zone(&z, o->p, policy_zone_by_id(o->p->f->policy, b->zone_id, NULL), e);
	if (r < 0)
		return r;
	own = is_own_zone(o, b, z->zone);
	if (own)
		n = hosts_named(o, &b->owner, first, &hosts);
	if (plan_forward(b, &o->a, z->zone, hosts, n) < 0)
		return err_nomem(e);
	r = planner_judge(o->p, &o->a, b, &was, z, NULL, e);
	r = r < 0 ? r : keep(o, &was, b, e);
	if (r == 0 && own && map_put(&o->forward, b->owner.b, b->owner.len, b) < 0)
		return err_nomem(e);
	return r;
}

static int judge_names(struct owners *o, struct belief *b, size_t n, struct err *e)
{
	struct map first = MAP_INIT;
	size_t i;
	int r = index_hosts(o, &first, e);

	for (i = 0; r == 0 && i < n; i++)
		r = judge_forward(o, &b[i], &first, e);
	map_fini(&first);
	return r;
}

/* ---- reverse ---------------------------------------------------------------------------- */

/* The set's own addresses and those of everybody who shares a name with it. */
static int reverse_addrs(struct owners *o, const struct ipaddr *addrs, size_t n, struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++)
		r = vec_push(&o->addrs, addrs[i]);
	for (i = 0; i < o->n_hosts && r == 0; i++)
		r = vec_push(&o->addrs, o->hosts[i].addr);
	if (r < 0)
		return err_nomem(e);
	addrs_unique(o->addrs.v, &o->addrs.n);
	return 0;
}

/* Forward beliefs at names that were not touched, but that a PTR of the set points at. */
static int load_forward(struct owners *o, const struct host *ptr, size_t n, struct err *e)
{
	VEC(struct dname) missing = {0};
	struct belief *b = NULL;
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		if (ptr[i].ptr && ptr[i].name.len > 0 &&
		    map_get(&o->forward, ptr[i].name.b, ptr[i].name.len) == NULL)
			r = vec_push(&missing, ptr[i].name) < 0 ? err_nomem(e) : 0;
	}
	r = r < 0 ? r : forward_keys(o, missing.v, missing.n, e);
	if (r == 0 && o->keys.n > 0)
		r = planner_beliefs(o->p, &b, &o->a, o->keys.v, o->keys.n, e);
	for (i = 0; r == 0 && i < o->keys.n; i++) {
		const struct policy_zone *z = policy_zone_by_id(o->p->f->policy, b[i].zone_id, NULL);

		if (is_own_zone(o, &b[i], z) &&
		    map_put(&o->forward, b[i].owner.b, b[i].owner.len, &b[i]) < 0)
			r = err_nomem(e);
	}
	vec_fini(&missing);
	return r;
}

static int judge_reverse(struct owners *o, struct belief *b, const struct host *host,
			 struct err *e)
{
	const struct belief *fwd = NULL;
	struct belief was = *b;
	struct planner_zone *z;
	int r;

	r = planner_zone(&z, o->p, policy_zone_by_id(o->p->f->policy, b->zone_id, NULL), e);
	if (r < 0)
		return r;
	if (host != NULL && host->name.len > 0)
		fwd = map_get(&o->forward, host->name.b, host->name.len);
	if (plan_reverse(b, &o->a, z->zone, host, fwd) < 0)
		return err_nomem(e);
	r = planner_judge(o->p, &o->a, b, &was, z, host, e);
	return r < 0 ? r : keep(o, &was, b, e);
}

/* The PTR-bearing row of each address that has a reverse zone. */
struct ptr_rows {
	VEC(const struct host *) v;
};

/* The keys of one address: in its own zone the PTR is the host's, above it nobody's. */
static int address_keys(struct owners *o, struct ptr_rows *who, const struct ipaddr *addr,
			const struct host *ptr, struct err *e)
{
	const struct policy_zone *zone = policy_reverse_of(o->p->space, addr);
	size_t first = o->keys.n, i;
	struct dname owner;
	int r = 0;

	if (zone != NULL && zone->classless) {
		policy_ptr_owner(&owner, zone, addr);
		r = push_key(o, zone, &owner, e);
	}
	ipaddr_reverse(&owner, addr);
	if (zone != NULL && zone->classless)
		zone = policy_zone_of(o->p->space, &owner, true);
	r = r < 0 ? r : owner_keys(o, zone, &owner, e);
	for (i = first; i < o->keys.n && r == 0; i++)
		r = vec_push(&who->v, i == first ? ptr : NULL) < 0 ? err_nomem(e) : 0;
	return r;
}

static int reverse_keys(struct owners *o, struct ptr_rows *who, const struct host *rows,
			size_t n_rows, struct err *e)
{
	size_t i, at = 0;
	int r = 0;

	for (i = 0; i < o->addrs.n && r == 0; i++) {
		const struct host *ptr = NULL;

		while (at < n_rows && ipaddr_cmp(&rows[at].addr, &o->addrs.v[i]) < 0)
			at++;
		for (; at < n_rows && ipaddr_cmp(&rows[at].addr, &o->addrs.v[i]) == 0; at++) {
			if (rows[at].ptr)
				ptr = &rows[at];
		}
		r = address_keys(o, who, &o->addrs.v[i], ptr, e);
	}
	return r;
}

static int host_by_addr(const void *a, const void *b)
{
	const struct host *x = a, *y = b;

	return ipaddr_cmp(&x->addr, &y->addr);
}

/* The rows of all addresses: those of the set, unless others share its names. */
static int load_rows(struct owners *o, const struct planner_hosts *set, struct host **rows,
		     size_t *n, struct err *e)
{
	struct flow_store *st = o->p->f->store;
	int r;

	*rows = set->rows;
	*n = set->n_rows;
	if (o->addrs.n == set->n_addrs)
		return 0;
	r = st->hosts_of_addrs(st->ctx, rows, n, o->p->space->id, o->addrs.v, o->addrs.n, &o->a, e);
	if (r == 0 && *n > 0)
		qsort(*rows, *n, sizeof(**rows), host_by_addr);
	return r;
}

static int judge_addresses(struct owners *o, struct belief *b, const struct ptr_rows *who,
			   struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < who->v.n; i++)
		r = judge_reverse(o, &b[i], who->v.v[i], e);
	return r;
}

/* Both sides are read at once, forward first in the list. */
static int judge_all(struct owners *o, const struct dname *names, size_t n_names,
		     const struct planner_hosts *set, struct err *e)
{
	struct ptr_rows who = {0};
	struct host *rows = NULL;
	struct belief *b = NULL;
	size_t n_rows = 0, n = 0;
	int r = reverse_addrs(o, set->addrs, set->n_addrs, e);

	r = r < 0 ? r : load_rows(o, set, &rows, &n_rows, e);
	r = r < 0 ? r : forward_keys(o, names, n_names, e);
	n = o->keys.n;
	r = r < 0 ? r : reverse_keys(o, &who, rows, n_rows, e);
	r = r < 0 ? r : planner_beliefs(o->p, &b, &o->a, o->keys.v, o->keys.n, e);
	r = r < 0 ? r : judge_names(o, b, n, e);
	r = r < 0 ? r : load_forward(o, rows, n_rows, e);
	r = r < 0 ? r : judge_addresses(o, b + n, &who, e);
	vec_fini(&who.v);
	return r;
}

int planner_owners(struct planner *p, const struct dname *names, size_t n_names,
		   const struct planner_hosts *set, struct err *e)
{
	struct flow_store *st = p->f->store;
	struct owners o = {.p = p, .hosts = set->named, .n_hosts = set->n_named,
			   .forward = MAP_INIT};
	int r = 0;

	if (!set->knows_named)
		r = st->hosts_of_names(st->ctx, &o.hosts, &o.n_hosts, p->space->id, names, n_names,
				       &o.a, e);
	r = r < 0 ? r : judge_all(&o, names, n_names, set, e);
	if (r == 0 && o.changed.n > 0)
		r = st->beliefs_put(st->ctx, o.changed.v, o.changed.n, e);
	map_fini(&o.forward);
	vec_fini(&o.keys);
	vec_fini(&o.addrs);
	vec_fini(&o.changed);
	arena_fini(&o.a);
	return r;
}

int planner_owners_soon(struct planner *p, const struct dname *names, size_t n_names,
			const struct ipaddr *addrs, size_t n_addrs, struct err *e)
{
	const struct host none = {.ptr = false};   /* whose PTR it is does not matter here */
	struct flow_store *st = p->f->store;
	struct owners o = {.p = p};
	struct ptr_rows who = {0};
	int r = reverse_addrs(&o, addrs, n_addrs, e);

	r = r < 0 ? r : forward_keys(&o, names, n_names, e);
	r = r < 0 ? r : reverse_keys(&o, &who, &none, 0, e);
	r = r < 0 ? r : st->beliefs_soon(st->ctx, o.keys.v, o.keys.n, e);
	vec_fini(&who.v);
	vec_fini(&o.keys);
	vec_fini(&o.addrs);
	return r;
}
