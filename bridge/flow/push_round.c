/* push_round.c - due rows become messages; what they offer is kept before any packet leaves.
 *
 * Rows are read without a lock.  Where nothing is to be kept (a new name, most changes) nothing is
 * written; the rest is written as far as nobody wrote it since.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/core/batch.h"
#include "bridge/core/plan.h"
#include "bridge/core/push_state.h"
#include "bridge/flow/push_look.h"

enum { LOOK_AGAIN_S = 30 };

/* Items that share messages: of one zone, one way of sending. */
struct group {
	struct push_zone *zone;
	size_t from, n;
};

/* Of a name that no longer stands, or does again: its PTR is planned anew. */
struct touched {
	const struct policy_space *space;
	struct ipaddr addr;
};

struct making {
	struct flow *f;
	struct push_zone *zones;
	size_t n_zones;
	struct push_round *round;
	struct planner p;
	struct push_zone *zone;
	VEC(struct push_item *) items;
	VEC(struct group) groups;
	VEC(struct belief) kept;           /* rows to be written first, */
	VEC(struct push_item *) of_kept;   /* and the item of each; NULL: nothing is sent for it */
	VEC(struct touched) touched;       /* those of a space together */
	VEC(struct push_msg *) msgs;
	size_t n_owners;                   /* of the messages */
};

unsigned change_rrsets(const struct change *c)
{
	unsigned n = 0;
	size_t i, j;

	for (i = 0; i < c->n_upd; i++) {
		for (j = 0; j < i && c->upd[j].type != c->upd[i].type; j++)
			;
		n += j == i;
	}
	return n;
}

/* To be written before anything of this round leaves. */
static int keep_first(struct making *m, const struct belief *b, struct push_item *it,
		      struct err *e)
{
	if (vec_push(&m->kept, *b) < 0 || vec_push(&m->of_kept, it) < 0)
		return err_nomem(e);
	return 0;
}

/* It is not to be sent: the zone was first seen after the row became due, and forbids it; or what is
 * seen meanwhile leaves nothing to do. */
static int stop_row(struct making *m, const struct planner_zone *z, struct belief *b,
		    struct err *e)
{
	struct touched t = {.space = m->p.space};
	bool stood = plan_forward_stands(b);
	size_t i;
	int r = planner_judge(&m->p, &m->round->arena, b, NULL, z, NULL, e);

	for (i = 0; r == 0 && i < b->want.n && stood != plan_forward_stands(b); i++) {
		if (rr_addr(&t.addr, &b->want.v[i]) && vec_push(&m->touched, t) < 0)
			r = err_nomem(e);
	}
	return r < 0 ? r : keep_first(m, b, NULL, e);
}

static struct push_msg *new_msg(struct making *m, struct push_zone *zone,
				struct push_item **items, size_t n)
{
	struct push_msg *msg = calloc(1, sizeof(*msg));

	if (msg == NULL)
		return NULL;
	msg->round = m->round;
	msg->zone = zone;
	msg->items = items;
	msg->n = n;
	return msg;
}

/* What the owner shows is asked for, in place of a change. */
static int ask(struct making *m, struct push_item *it, struct err *e)
{
	struct push_item **one = arena_alloc(&m->round->arena, sizeof(*one));
	struct push_msg *msg = one == NULL ? NULL : new_msg(m, m->zone, one, 1);

	if (msg == NULL || vec_push(&m->msgs, msg) < 0) {
		free(msg);
		return err_nomem(e);
	}
	*one = it;
	msg->ask = true;
	m->n_owners++;
	return 0;
}

/* Too many of its offers have no answer.  Once they are late, a look settles them all. */
static int put_off(struct making *m, struct push_item *it, struct err *e)
{
	int64_t late_s = push_late_s(it->b);

	if (late_s <= m->p.now_s)
		return ask(m, it, e);
	it->b->due_at_s = late_s;
	return keep_first(m, it->b, NULL, e);
}

/* It could not be looked at before. */
static int wait_for_look(struct making *m, struct belief *b, struct err *e)
{
	b->due_at_s = m->p.now_s + LOOK_AGAIN_S;
	return keep_first(m, b, NULL, e);
}

/* What goes on the wire is kept as an offer before.  1: not to be sent now. */
static int offer(struct making *m, struct push_item *it, struct err *e)
{
	int r;

	it->fresh = !push_offered(it->b, &it->v);
	r = push_offer(it->b, &m->round->arena, &it->v, m->p.now_s);
	if (r == 1) {
		r = put_off(m, it, e);
		return r < 0 ? r : 1;
	}
	return r < 0 ? err_nomem(e) : keep_first(m, it->b, it, e);
}

/* 0 made, 1 nothing to send for this row now. */
static int judge_item(struct making *m, const struct planner_zone *z, struct push_item *it,
		      struct err *e)
{
	struct arena *a = &m->round->arena;
	struct belief *b = it->b;
	bool supported;
	int r = planner_supported(&m->p, b, &supported, e);

	if (r < 0)
		return r;
	b->below_cut = planner_below_cut(z, &b->owner);
	if (b->below_cut && b->want.n > 0) {
		r = stop_row(m, z, b, e);
		return r < 0 ? r : 1;
	}
	/* What another updater wrote for this client was taken as published when it was judged. */
	if (verdict_owner(&it->v, a, b, m->zone->zone->foreign, supported) < 0)
		return err_nomem(e);
	r = verdict_change(&it->c, a, b, &it->v);
	if (r == 1 && b->n_offered > 0 && push_late_s(b) <= m->p.now_s) {
		r = ask(m, it, e);
		return r < 0 ? r : 1;
	}
	if (r == 1 && !belief_is_empty(b)) {
		r = stop_row(m, z, b, e);
		return r < 0 ? r : 1;
	}
	return r < 0 ? err_nomem(e) : r;
}

static int make_item(struct making *m, struct belief *b, bool retried, struct err *e)
{
	struct arena *a = &m->round->arena;
	struct push_item *it = arena_alloc(a, sizeof(*it));
	struct planner_zone *z;
	int r = it == NULL ? err_nomem(e) : planner_zone(&z, &m->p, m->zone->zone, e);

	if (r < 0)
		return r;
	if (push_needs_look(m->zone, b))
		return retried ? 0 : wait_for_look(m, b, e);
	it->b = b;
	it->retried = retried;
	/* Another process may have sent it before it came to us. */
	if (!belief_written_since(b, m->zone->since))
		r = planner_keep_implied(&m->p, a, b, z, e);
	b->apex = dname_equal(&b->owner, &m->zone->zone->name);
	r = r < 0 ? r : judge_item(m, z, it, e);
	if (r != 0)
		return r < 0 ? r : 0;
	it->fresh = push_implied(b, &it->v);
	if (!it->fresh) {
		push_forget_late(b, z->row.read_at_s);
		r = offer(m, it, e);
	}
	if (r == 0 && vec_push(&m->items, it) < 0)
		return err_nomem(e);
	return r < 0 ? r : 0;
}

static int make_items(struct making *m, struct belief *b, size_t n, bool retried, struct err *e)
{
	struct group g = {.zone = m->zone, .from = m->items.n};
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++)
		r = make_item(m, &b[i], retried, e);
	g.n = m->items.n - g.from;
	if (r == 0 && g.n > 0 && vec_push(&m->groups, g) < 0)
		return err_nomem(e);
	return r;
}

/* ---- which rows ------------------------------------------------------------------------- */

/* What was refused is tried once a run, in messages of its own: the server's policy may have
 * changed, and only the server knows.  A page at a time, the next only if the server took anything
 * of this one. */
static int take_refused(struct making *m, struct push_zone *z, struct err *e)
{
	struct flow_store *st = m->f->store;
	struct belief *b;
	size_t n;
	int r;

	r = st->beliefs_stopped(st->ctx, &b, &n, z->zone->id, BELIEF_REFUSED,
				z->refused.len > 0 ? &z->refused : NULL, PUSH_ROUND,
				&m->round->arena, e);
	if (r < 0)
		return r;
	z->retry = PUSH_RETRY_NONE;
	if (n == PUSH_ROUND) {
		z->retry = PUSH_RETRY_IF_TAKEN;
		z->refused = b[n - 1].owner;
	}
	return make_items(m, b, n, true, e);
}

struct due_page push_page(const struct push_zone *z)
{
	return (struct due_page){.zone_id = z->zone->id, .after = z->paging ? &z->last : NULL};
}

void push_turn_page(struct push_zone *z, const struct due_page *page)
{
	const struct belief *last;

	if (page->n == 0)
		return;
	/* The row as it was listed: only its place in the order is used. */
	last = &page->v[page->n - 1];
	z->last.due_at_s = last->due_at_s;
	z->last.owner = last->owner;
	z->last.zone_id = last->zone_id;
	z->paging = true;
}

/* The next page of every zone that has one, in one question. */
static int list_due(struct making *m, struct due_page *pages, size_t *n, struct err *e)
{
	struct flow_store *st = m->f->store;
	size_t i;

	*n = 0;
	for (i = 0; i < m->n_zones; i++) {
		if (!m->zones[i].stopped && !m->zones[i].exhausted)
			pages[(*n)++] = push_page(&m->zones[i]);
	}
	return *n == 0 ? 0 : st->beliefs_due(st->ctx, pages, *n, m->p.now_s, PUSH_ROUND,
					     &m->round->arena, e);
}

/* Before any row is taken: whatever is listed now is as it will be sent. */
static int look(struct making *m, struct due_page *pages, size_t *n, struct err *e)
{
	bool asked = false;
	size_t at = 0, i;
	int r = 0;

	for (i = 0; i < m->n_zones && r == 0 && at < *n; i++) {
		if (pages[at].zone_id == m->zones[i].zone->id)
			r = push_look(&asked, &m->p, &m->zones[i], &pages[at++], &m->round->arena, e);
	}
	return r < 0 || !asked ? r : list_due(m, pages, n, e);
}

static int take_page(struct making *m, struct push_zone *z, const struct due_page *page,
		     struct err *e)
{
	const struct flow_store *st = m->f->store;

	z->exhausted = page->n < PUSH_ROUND;
	push_turn_page(z, page);
	if (page->n > 0)
		st->zone_sends(st->ctx, z->zone->id, page->before);
	return make_items(m, page->v, page->n, false, e);
}

static int take_all(struct making *m, struct err *e)
{
	struct due_page *pages = arena_array(&m->round->arena, m->n_zones + 1, sizeof(*pages));
	size_t n, at = 0, i;
	int r = pages == NULL ? err_nomem(e) : list_due(m, pages, &n, e);

	r = r < 0 ? r : look(m, pages, &n, e);
	for (i = 0; i < m->n_zones && r == 0; i++) {
		struct push_zone *z = &m->zones[i];

		if (z->stopped)
			continue;
		m->zone = z;
		m->p.space = z->space;
		if (!z->exhausted)
			r = take_page(m, z, &pages[at++], e);
		if (r == 0 && z->retry == PUSH_RETRY)
			r = take_refused(m, z, e);
	}
	return r;
}

/* ---- kept first ------------------------------------------------------------------------- */

static int plan_touched(struct making *m, struct err *e)
{
	VEC(struct ipaddr) addrs = {0};
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < m->touched.n; i++) {
		m->p.space = m->touched.v[i].space;
		if (vec_push(&addrs, m->touched.v[i].addr) < 0)
			r = err_nomem(e);
		if (r == 0 && i + 1 < m->touched.n && m->touched.v[i + 1].space == m->p.space)
			continue;
		r = r < 0 ? r : planner_addresses(&m->p, addrs.v, addrs.n, e);
		addrs.n = 0;
	}
	vec_fini(&addrs);
	return r;
}

/* What somebody wrote since, or writes now, is due again after that: it is not sent now. */
static int keep_inside(void *arg, struct err *e)
{
	struct making *m = arg;
	struct flow_store *st = m->f->store;
	bool *done = arena_array(&m->p.arena, m->kept.n, sizeof(*done));
	size_t i;
	int r;

	if (done == NULL)
		return err_nomem(e);
	r = m->touched.n == 0 ? 0 : planner_lock_spaces(m->f, e);
	r = r < 0 ? r : st->beliefs_settle(st->ctx, m->kept.v, m->kept.n, done, e);
	for (i = 0; r == 0 && i < m->kept.n; i++) {
		struct push_item *it = m->of_kept.v[i];

		if (it == NULL)
			continue;
		it->dropped = !done[i];
		it->b->version = m->kept.v[i].version;
		it->b->place = m->kept.v[i].place;
	}
	return r < 0 ? r : plan_touched(m, e);
}

/* ---- messages --------------------------------------------------------------------------- */

static int pack(struct making *m, const struct group *g, struct err *e)
{
	struct push_item **items = arena_array(&m->round->arena, g->n, sizeof(*items));
	const struct change **c = arena_array(&m->round->arena, g->n, sizeof(*c));
	size_t total = 0, i, n;

	if (items == NULL || c == NULL)
		return err_nomem(e);
	for (i = 0; i < g->n; i++) {
		struct push_item *it = m->items.v[g->from + i];

		if (it->dropped)
			continue;
		items[total] = it;
		c[total++] = &it->c;
	}
	for (i = 0; i < total; i += n) {
		struct push_msg *msg;

		n = batch_take(c + i, total - i);
		msg = new_msg(m, g->zone, items + i, n);
		if (msg == NULL || vec_push(&m->msgs, msg) < 0) {
			free(msg);
			return err_nomem(e);
		}
	}
	m->n_owners += total;
	return 0;
}

/* Messages of different zones take turns, so that both servers or zones work at once. */
static int interleave(struct making *m, struct push_msg ***queue, size_t *n, size_t *cap)
{
	size_t left = m->msgs.n, i;
	const struct push_zone *last = NULL;

	if (vec_room((void **)queue, cap, *n, m->msgs.n, sizeof(**queue)) < 0)
		return ERR_NOMEM;
	while (left > 0) {
		size_t pick = m->msgs.n;

		for (i = 0; i < m->msgs.n; i++) {
			if (m->msgs.v[i] == NULL)
				continue;
			if (pick == m->msgs.n)
				pick = i;
			if (m->msgs.v[i]->zone != last) {
				pick = i;
				break;
			}
		}
		last = m->msgs.v[pick]->zone;
		(*queue)[(*n)++] = m->msgs.v[pick];
		m->msgs.v[pick] = NULL;
		left--;
	}
	return 0;
}

static void round_free(struct push_round *r)
{
	if (r == NULL || r->open > 0)
		return;
	arena_fini(&r->arena);
	free(r);
}

void push_msg_free(struct push_msg *m)
{
	if (m == NULL)
		return;
	m->round->open--;
	round_free(m->round);
	free(m);
}

static int hand_over(struct making *m, struct push_msg ***queue, size_t *n, size_t *cap,
		     struct err *e)
{
	m->round->open = (unsigned)m->msgs.n;
	if (interleave(m, queue, n, cap) < 0)
		return err_nomem(e);
	m->msgs.n = 0;
	return 0;
}

static void making_fini(struct making *m)
{
	size_t i;

	for (i = 0; i < m->msgs.n; i++)
		free(m->msgs.v[i]);
	vec_fini(&m->items);
	vec_fini(&m->groups);
	vec_fini(&m->kept);
	vec_fini(&m->of_kept);
	vec_fini(&m->touched);
	vec_fini(&m->msgs);
	round_free(m->round);
}

int push_round_make(struct flow *f, struct push_zone *zones, size_t n_zones,
		    struct push_msg ***queue, size_t *queue_n, size_t *queue_cap, size_t *n,
		    struct err *e)
{
	struct making m = {.f = f, .zones = zones, .n_zones = n_zones,
			   .round = calloc(1, sizeof(*m.round))};
	size_t i;
	int r;

	if (m.round == NULL)
		return err_nomem(e);
	planner_init(&m.p, f, zones[0].space);
	r = take_all(&m, e);
	planner_fini(&m.p);
	if (r == 0 && m.kept.n > 0)
		r = planner_transaction(&m.p, f, zones[0].space, keep_inside, &m, e);
	for (i = 0; i < m.groups.n && r == 0; i++)
		r = pack(&m, &m.groups.v[i], e);
	*n = m.n_owners;
	r = r < 0 ? r : hand_over(&m, queue, queue_n, queue_cap, e);
	making_fini(&m);
	return r;
}
