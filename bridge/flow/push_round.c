/* push_round.c - due rows become messages; what they offer is kept before any packet leaves. */
#include <stdlib.h>
#include <string.h>

#include "bridge/core/batch.h"
#include "bridge/core/push_state.h"
#include "bridge/flow/push_round.h"

enum { PUT_OFF_S = 30 };

struct making {
	struct flow *f;
	struct push_zone *zones;
	size_t n_zones;
	struct push_round *round;
	struct planner p;
	struct push_zone *zone;
	VEC(struct push_item *) items;     /* of one zone */
	VEC(struct belief) offered;
	VEC(struct belief) stopped;        /* judged otherwise than when they became due */
	VEC(struct push_msg *) msgs;
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

/* The zone was first seen after the row became due, and forbids it. */
static int stop_row(struct making *m, const struct planner_zone *z, struct belief *b,
		    struct err *e)
{
	int r = planner_judge(&m->p, &m->round->arena, b, NULL, z, NULL, e);

	if (r < 0)
		return r;
	return vec_push(&m->stopped, *b) < 0 ? err_nomem(e) : 1;
}

/* Too many of its offers have no answer yet: a later look settles them. */
static int put_off(struct making *m, struct belief *b, struct err *e)
{
	b->due_at_s = m->p.now_s + PUT_OFF_S;
	return vec_push(&m->stopped, *b) < 0 ? err_nomem(e) : 1;
}

/* 0 made, 1 nothing to send for this row now. */
static int make_item(struct making *m, struct belief *b, struct err *e)
{
	struct arena *a = &m->round->arena;
	struct push_item *it = arena_alloc(a, sizeof(*it));
	struct planner_zone *z;
	bool supported;
	int r;

	if (it == NULL)
		return err_nomem(e);
	r = planner_supported(&m->p, b, &supported, e);
	r = r < 0 ? r : planner_zone(&z, &m->p, m->zone->zone, e);
	if (r < 0)
		return r;
	it->b = b;
	b->apex = dname_equal(&b->owner, &m->zone->zone->name);
	b->below_cut = planner_below_cut(z, &b->owner);
	if (b->below_cut && b->want.n > 0)
		return stop_row(m, z, b, e);
	/* What another updater wrote for this client was taken as published when it was judged. */
	if (verdict_owner(&it->v, a, b, m->zone->zone->foreign, supported) < 0)
		return err_nomem(e);
	r = verdict_change(&it->c, a, b, &it->v);
	if (r != 0)
		return r < 0 ? err_nomem(e) : 1;
	push_forget_late(b, z->row.pulled_at_s);
	it->fresh = !push_offered(b, &it->v);
	r = push_offer(b, a, &it->v, m->p.now_s);
	if (r == 1)
		return put_off(m, b, e);
	if (r < 0)
		return err_nomem(e);
	if (vec_push(&m->items, it) < 0 || vec_push(&m->offered, *b) < 0)
		return err_nomem(e);
	return 0;
}

static struct push_msg *new_msg(struct making *m, struct push_item **items, size_t n)
{
	struct push_msg *msg = calloc(1, sizeof(*msg));

	if (msg == NULL)
		return NULL;
	msg->round = m->round;
	msg->zone = m->zone;
	msg->items = items;
	msg->n = n;
	return msg;
}

static int pack(struct making *m, struct err *e)
{
	struct push_item **items = arena_dup(&m->round->arena, m->items.v,
					     m->items.n * sizeof(*m->items.v));
	const struct change **c = arena_array(&m->round->arena, m->items.n + 1, sizeof(*c));
	size_t i, n;

	if (items == NULL || c == NULL)
		return err_nomem(e);
	for (i = 0; i < m->items.n; i++)
		c[i] = &items[i]->c;
	for (i = 0; i < m->items.n; i += n) {
		struct push_msg *msg;

		n = batch_take(c + i, m->items.n - i);
		msg = new_msg(m, items + i, n);
		if (msg == NULL || vec_push(&m->msgs, msg) < 0) {
			free(msg);
			return err_nomem(e);
		}
	}
	return 0;
}

/* What was refused is tried once a run, in messages of its own: the server's policy may have
 * changed, and only the server knows.  A page at a time, the next only if the server took anything
 * of this one. */
static int take_refused(struct making *m, struct push_zone *z, struct err *e)
{
	struct flow_store *st = m->f->store;
	struct belief *b;
	size_t n, i;
	int r;

	m->items.n = 0;
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
	for (i = 0; i < n && r >= 0; i++)
		r = make_item(m, &b[i], e);
	for (i = 0; i < m->items.n; i++)
		m->items.v[i]->retried = true;
	return r < 0 ? r : pack(m, e);
}

static int take_zone(struct making *m, struct push_zone *z, struct err *e)
{
	struct flow_store *st = m->f->store;
	struct belief *b;
	size_t n, i;
	int r;

	m->items.n = 0;
	r = st->beliefs_due(st->ctx, &b, &n, z->zone->id, m->p.now_s,
			    z->paging ? &z->last : NULL, PUSH_ROUND, &m->round->arena, e);
	if (r < 0)
		return r;
	z->exhausted = n < PUSH_ROUND;
	if (n > 0) {
		/* The row as it was listed: only its place in the order is used. */
		z->last.due_at_s = b[n - 1].due_at_s;
		z->last.owner = b[n - 1].owner;
		z->last.zone_id = b[n - 1].zone_id;
		z->paging = true;
	}
	for (i = 0; i < n && r >= 0; i++)
		r = make_item(m, &b[i], e);
	return r < 0 ? r : pack(m, e);
}

static int make_inside(void *arg, struct err *e)
{
	struct making *m = arg;
	struct flow_store *st = m->f->store;
	size_t i;
	int r = planner_lock_spaces(m->f, e);

	for (i = 0; i < m->n_zones && r == 0; i++) {
		struct push_zone *z = &m->zones[i];

		if (z->stopped)
			continue;
		m->zone = z;
		m->p.space = z->space;
		if (!z->exhausted)
			r = take_zone(m, z, e);
		if (r == 0 && z->retry == PUSH_RETRY)
			r = take_refused(m, z, e);
	}
	if (r == 0 && m->stopped.n > 0)
		r = st->beliefs_put(st->ctx, m->stopped.v, m->stopped.n, e);
	if (r == 0 && m->offered.n > 0)
		r = st->beliefs_offer(st->ctx, m->offered.v, m->offered.n, e);
	return r < 0 ? r : st->mark(st->ctx, &m->round->mark, e);
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
	vec_fini(&m->offered);
	vec_fini(&m->stopped);
	vec_fini(&m->msgs);
	round_free(m->round);
}

int push_round_make(struct flow *f, struct push_zone *zones, size_t n_zones,
		    struct push_msg ***queue, size_t *queue_n, size_t *queue_cap, size_t *n,
		    struct err *e)
{
	struct making m = {.f = f, .zones = zones, .n_zones = n_zones,
			   .round = calloc(1, sizeof(*m.round))};
	int r;

	if (m.round == NULL)
		return err_nomem(e);
	r = planner_transaction(&m.p, f, zones[0].space, make_inside, &m, e);
	*n = m.offered.n;
	r = r < 0 ? r : hand_over(&m, queue, queue_n, queue_cap, e);
	making_fini(&m);
	return r;
}
