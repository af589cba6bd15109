/* decide.c - a person's word about single owners, and what follows from it. */
#include "bridge/flow/decide.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/flow/planner.h"

static const char *const events[] = {
	[DECIDE_TAKE_DNS] = "resolved", [DECIDE_TAKE_IPAM] = "resolved",
	[DECIDE_ADOPT] = "adopted", [DECIDE_DISOWN] = "disowned"};
static const char *const reasons[] = {
	[DECIDE_TAKE_DNS] = "a person decided: IPAM gives way, what DNS shows stands",
	[DECIDE_TAKE_IPAM] = "a person decided: what DNS shows may be written over, once",
	[DECIDE_ADOPT] = "a person decided: records that are as wanted are ours from now on",
	[DECIDE_DISOWN] = "a person decided: what was ours is not any more and is left alone"};

/* One transaction. */
struct deciding {
	struct flow *f;
	struct planner p;
	enum decide_verb verb;
	bool keep;
	const struct zone_key *keys;
	size_t n;
	struct decision *v;
	struct arena *a;             /* the caller's */
	const struct policy_source *dns;
	struct evidence *ev;         /* what DNS says of the addresses behind reverse owners, in their
				      * order */
	size_t n_ev;
	VEC(struct belief) put;
	VEC(struct evidence) ev_put, ev_del;
	VEC(struct ipaddr) touched;
	VEC(struct dname) names;     /* forward owners: who has or asks for them is planned */
};

/* ---- owners by pattern ------------------------------------------------------------------ */

struct match {
	struct owner_keys *out;
	const struct policy_zone *zone;
	const char *pattern;
};

static int match_owner(void *arg, const struct dname *owner, const struct rrs *seen, struct err *e)
{
	struct match *m = arg;
	struct zone_key k = {m->zone->id, *owner};
	char text[DNAME_TEXT];

	(void)seen;
	if (fnmatch(m->pattern, dname_print(text, owner), 0) != 0)
		return 0;
	return vec_push(&m->out->v, k) < 0 ? err_nomem(e) : 0;
}

int decide_match(struct owner_keys *out, struct flow *f, const struct policy_zone *zone,
		 const char *pattern, struct err *e)
{
	struct match m = {out, zone, pattern};

	return f->store->seen_walk(f->store->ctx, zone->id, match_owner, &m, e);
}

/* ---- evidence of PTRs ------------------------------------------------------------------- */

static int evidence_order(const void *a, const void *b)
{
	return ipaddr_cmp(&((const struct evidence *)a)->obs.addr,
			  &((const struct evidence *)b)->obs.addr);
}

/* The address behind an owner of a reverse zone. */
static bool addr_of(const struct deciding *d, struct ipaddr *out, int32_t zone_id,
		    const struct dname *owner)
{
	const struct policy_zone *z = policy_zone_by_id(d->f->policy, zone_id, NULL);

	return z->is_reverse && policy_ptr_addr(out, z, owner);
}

static int load_words(struct deciding *d, struct err *e)
{
	struct flow_store *st = d->f->store;
	struct ipaddr *addrs = arena_array(&d->p.arena, d->n + 1, sizeof(*addrs));
	struct evidence *ev;
	size_t n = 0, n_ev, i;
	int r;

	if (addrs == NULL)
		return err_nomem(e);
	for (i = 0; i < d->n; i++)
		n += addr_of(d, &addrs[n], d->keys[i].zone_id, &d->keys[i].owner);
	if (n == 0 || d->dns == NULL)
		return 0;
	addrs_unique(addrs, &n);
	r = st->evidence_get(st->ctx, &ev, &n_ev, d->p.space->id, addrs, n, &d->p.arena, e);
	for (i = 0; r == 0 && i < n_ev; i++) {
		if (ev[i].source_id == d->dns->id)
			ev[d->n_ev++] = ev[i];
	}
	d->ev = ev;
	return r;
}

/* What DNS says of the address behind the owner. */
static const struct evidence *word_of(const struct deciding *d, const struct belief *b)
{
	struct evidence key = {.source_id = 0};

	if (d->n_ev == 0 || !addr_of(d, &key.obs.addr, b->zone_id, &b->owner))
		return NULL;
	return bsearch(&key, d->ev, d->n_ev, sizeof(key), evidence_order);
}

static const struct evidence *edit_of(const struct deciding *d, const struct belief *b)
{
	const struct evidence *word = word_of(d, b);

	return word != NULL && word->obs.kind == OBS_EDIT ? word : NULL;
}

static bool has_ptr(const struct belief *b)
{
	const struct rr *v;

	return rrs_of(&b->published, RR_PTR, &v) > 0 && rrs_within_of(&b->published, &b->seen, RR_PTR);
}

/* An edit stands while it is adopted; what was never ours says nothing more once it is. */
static int end_word(struct deciding *d, const struct belief *b, struct err *e)
{
	const struct evidence *word = word_of(d, b);
	bool adopted = d->verb == DECIDE_ADOPT;

	if (word == NULL || (word->obs.kind == OBS_EDIT ? adopted : !adopted || !has_ptr(b)))
		return 0;
	return vec_push(&d->ev_del, *word) < 0 ? err_nomem(e) : 0;
}

/* The PTR seen becomes a person's word.  1: there is none that could. */
static int become_edit(struct deciding *d, const struct belief *b, struct err *e)
{
	struct evidence ev = {.source_id = d->dns == NULL ? 0 : d->dns->id};
	struct dname target;
	const struct rr *v;
	char text[DNAME_TEXT];

	if (d->dns == NULL || rrs_of(&b->seen, RR_PTR, &v) == 0 || !rr_target(&target, &v[0]) ||
	    !addr_of(d, &ev.obs.addr, b->zone_id, &b->owner) || edit_of(d, b) != NULL)
		return 1;
	dname_print(text, &target);
	ev.obs.kind = OBS_EDIT;
	ev.obs.name.len = (uint16_t)strlen(text);
	ev.obs.name.p = arena_dup(&d->p.arena, text, strlen(text));
	ev.obs.valid_until_s = OBS_FOREVER;
	ev.obs.seen_at_s = ev.first_seen_s = ev.last_seen_s = d->p.now_s;
	if (ev.obs.name.p == NULL || vec_push(&d->ev_put, ev) < 0)
		return err_nomem(e);
	return 0;
}

/* ---- one owner -------------------------------------------------------------------------- */

static int touch(struct deciding *d, const struct belief *b, struct err *e)
{
	struct ipaddr a;
	size_t i;
	int r = 0;

	if (addr_of(d, &a, b->zone_id, &b->owner))
		return vec_push(&d->touched, a) < 0 ? err_nomem(e) : 0;
	r = vec_push(&d->names, b->owner);
	for (i = 0; i < b->want.n && r == 0; i++) {
		if (rr_addr(&a, &b->want.v[i]))
			r = vec_push(&d->touched, a);
	}
	return r < 0 ? err_nomem(e) : 0;
}

/* Puts the changed row, judged by itself: nobody may name it any more. */
static int put(struct deciding *d, const struct belief *was, struct belief *b, struct err *e)
{
	struct planner_zone *z;
	int r = planner_note(&d->p, b, NULL, events[d->verb], &was->published, &b->published, -1,
			     reasons[d->verb], e);

	r = r < 0 ? r : planner_zone(&z, &d->p, policy_zone_by_id(d->f->policy, b->zone_id, NULL), e);
	/* What was set aside is wanted again only once it is planned. */
	if (r == 0 && was->decided != DECIDED_DNS)
		r = planner_judge(&d->p, &d->p.arena, b, was, z, NULL, e);
	if (r == 0 && vec_push(&d->put, *b) < 0)
		r = err_nomem(e);
	return r < 0 ? r : touch(d, b, e);
}

static bool same_row(const struct belief *a, const struct belief *b)
{
	return a->state == b->state && a->decided == b->decided && rrs_equal(&a->want, &b->want) &&
	       rrs_equal(&a->published, &b->published) && rrs_equal(&a->seen, &b->seen);
}

/* resolve --take dns of a PTR: first as an edit; where that does not name the address, the second
 * round sets the PTR aside. */
static int as_edit(struct deciding *d, const struct belief *was, struct belief *b, struct err *e)
{
	int r = d->verb == DECIDE_TAKE_DNS && decide_is_open(b) ? become_edit(d, b, e) : 1;

	if (r != 0)
		return r;
	b->reverts = 0;
	b->removed_at_s = 0;
	return put(d, was, b, e);
}

static int one(struct deciding *d, struct decision *v, struct belief *b, struct err *e)
{
	const struct evidence *edit = edit_of(d, b);
	struct belief was = *b;
	int r;

	if (d->keep && v->outcome != DECIDE_DONE)
		return 0;
	if (d->keep && !same_row(&v->was, b)) {
		v->outcome = DECIDE_CHANGED;
		v->why = "it has changed meanwhile: nothing was done";
		return 0;
	}
	v->zone = policy_zone_by_id(d->f->policy, b->zone_id, NULL);
	v->was = was;
	v->outcome = decide(b, d->a, d->verb, edit != NULL, &v->why);
	if (v->outcome != DECIDE_DONE)
		return v->outcome < 0 ? err_nomem(e) : 0;
	r = end_word(d, b, e);
	if (r < 0)
		return r;
	if (d->verb == DECIDE_TAKE_DNS) {
		struct belief as_is = was;

		r = as_edit(d, &was, &as_is, e);
		if (r <= 0)
			return r;
	}
	return put(d, &was, b, e);
}

/* ---- what follows ----------------------------------------------------------------------- */

static int who_asks(struct deciding *d, struct err *e)
{
	struct flow_store *st = d->f->store;
	struct ipaddr *waiting;
	struct host *hosts;
	size_t n, n_waiting, i;
	int r;

	if (d->names.n == 0)
		return 0;
	r = st->hosts_of_names(st->ctx, &hosts, &n, d->p.space->id, d->names.v, d->names.n,
			       &d->p.arena, e);
	r = r < 0 ? r : st->hosts_waiting(st->ctx, &waiting, &n_waiting, d->p.space->id, d->names.v,
					  d->names.n, &d->p.arena, e);
	for (i = 0; r == 0 && i < n; i++)
		r = vec_push(&d->touched, hosts[i].addr) < 0 ? err_nomem(e) : 0;
	for (i = 0; r == 0 && i < n_waiting; i++)
		r = vec_push(&d->touched, waiting[i]) < 0 ? err_nomem(e) : 0;
	return r;
}

static int plan_touched(struct deciding *d, struct err *e)
{
	size_t i, n;
	int r = who_asks(d, e);

	addrs_unique(d->touched.v, &d->touched.n);
	d->p.spare = true;
	for (i = 0; i < d->touched.n && r == 0; i += n) {
		n = d->touched.n - i < PLANNER_CHUNK ? d->touched.n - i : PLANNER_CHUNK;
		r = planner_addresses(&d->p, d->touched.v + i, n, e);
	}
	d->p.spare = false;
	return r;
}

static int keep_and_plan(struct deciding *d, struct err *e)
{
	struct flow_store *st = d->f->store;
	int r = 0;

	if (d->put.n > 0)
		r = st->beliefs_put(st->ctx, d->put.v, d->put.n, e);
	if (r == 0 && d->ev_del.n > 0)
		r = st->evidence_del(st->ctx, d->ev_del.v, d->ev_del.n, e);
	if (r == 0 && d->ev_put.n > 0)
		r = st->evidence_put(st->ctx, d->ev_put.v, d->ev_put.n, e);
	planner_forget_zones(&d->p);
	r = r < 0 ? r : plan_touched(d, e);
	d->put.n = d->ev_del.n = d->ev_put.n = d->touched.n = d->names.n = 0;
	return r;
}

static int look_again(struct deciding *d, struct err *e)
{
	struct belief *b;
	size_t i;
	int r = planner_beliefs(&d->p, &b, d->a, d->keys, d->n, e);

	for (i = 0; r == 0 && i < d->n; i++)
		d->v[i].is = b[i];
	return r;
}

/* A PTR that the edit could not settle is set aside; leave to write over that was not needed ends. */
static int second_round(struct deciding *d, struct err *e)
{
	const char *why;
	size_t i;
	int r = 0;

	for (i = 0; i < d->n && r == 0; i++) {
		struct decision *v = &d->v[i];
		struct belief b = v->is;

		if (v->outcome != DECIDE_DONE)
			continue;
		if (d->verb == DECIDE_TAKE_IPAM && b.decided == DECIDED_IPAM &&
		    b.state != BELIEF_DUE) {
			b.decided = DECIDED_NOTHING;
			r = put(d, &v->is, &b, e);
		}
		if (d->verb == DECIDE_TAKE_DNS && b.decided == DECIDED_NOTHING && decide_is_open(&b) &&
		    decide(&b, d->a, d->verb, false, &why) == DECIDE_DONE)
			r = put(d, &v->is, &b, e);
	}
	if (r < 0 || d->put.n == 0)
		return r;
	r = keep_and_plan(d, e);
	return r < 0 ? r : look_again(d, e);
}

static int inside(struct deciding *d, struct err *e)
{
	struct flow_store *st = d->f->store;
	struct belief *b;
	size_t i;
	int r = st->lock_space(st->ctx, d->p.space->id, e);

	d->dns = policy_source_by_name(d->p.space, SOURCE_DNS);
	r = r < 0 ? r : planner_beliefs(&d->p, &b, d->a, d->keys, d->n, e);
	r = r < 0 ? r : load_words(d, e);
	for (i = 0; i < d->n && r == 0; i++)
		r = one(d, &d->v[i], &b[i], e);
	r = r < 0 ? r : keep_and_plan(d, e);
	r = r < 0 ? r : look_again(d, e);
	return r < 0 ? r : second_round(d, e);
}

static int one_transaction(struct deciding *d, const struct policy_space *space, struct err *e)
{
	struct flow_store *st = d->f->store;
	int r = st->begin(st->ctx, e);

	if (r < 0)
		return r;
	planner_init(&d->p, d->f, space);
	r = inside(d, e);
	if (r < 0 || !d->keep)
		st->rollback(st->ctx);
	else
		r = st->commit(st->ctx, e);
	/* What was loaded inside may have been rolled back. */
	planner_forget_zones(&d->p);
	planner_fini(&d->p);
	vec_fini(&d->put);
	vec_fini(&d->ev_put);
	vec_fini(&d->ev_del);
	vec_fini(&d->touched);
	vec_fini(&d->names);
	return r;
}

int flow_decide(struct flow *f, const struct policy_space *space, enum decide_verb verb,
		const struct zone_key *keys, size_t n, struct decision *v, bool keep,
		struct arena *a, struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i += PLANNER_CHUNK) {
		struct deciding d = {.f = f, .verb = verb, .keep = keep, .keys = keys + i,
				     .n = n - i < PLANNER_CHUNK ? n - i : PLANNER_CHUNK,
				     .v = v + i, .a = a};

		r = one_transaction(&d, space, e);
	}
	return r;
}
