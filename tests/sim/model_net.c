/* model_net.c - messages on their way to the model server: queues, faults, the clock. */
#include <string.h>

#include "tests/sim/model_inside.h"

enum { WINDOW = 4 };  /* messages in flight per zone */

/* ---- what comes late ---------------------------------------------------------------------- */

static void make_late(struct model *m, struct msg *g)
{
	struct msg **at = &m->late;

	g->apply_s = g->signed_s + 1 + rng_below(&m->rng, MODEL_FUDGE_S - 1);
	while (*at != NULL && (*at)->apply_s <= g->apply_s)
		at = &(*at)->next;
	g->next = *at;
	*at = g;
}

void model_apply_late(struct model *m)
{
	while (m->late != NULL && m->late->apply_s <= m->now_s) {
		struct msg *g = m->late;

		m->late = g->next;
		if (g->replay)
			model_replay(m, &m->zones[g->zone], g->pc, g->n);
		else
			model_update(m, &m->zones[g->zone], g->pc, g->n);
	}
}

/* Sooner than it might. */
static void hurry_late(struct model *m)
{
	struct msg *g = m->late;

	if (g == NULL || !rng_permille(&m->rng, m->faults.late))
		return;
	g->apply_s = m->now_s;
	model_apply_late(m);
}

/* A copy of it comes once more. */
static void repeat(struct model *m, const struct msg *g, bool answered)
{
	struct msg *copy = arena_dup(&m->a, g, sizeof(*g));

	if (copy == NULL)
		return;
	copy->replay = answered;
	make_late(m, copy);
}

/* Takes the i-th out. */
static struct msg *take(struct queue *q, unsigned i)
{
	struct msg **at = &q->head, *g;

	for (; i > 0; i--)
		at = &(*at)->next;
	g = *at;
	*at = g->next;
	if (g->next == NULL)
		q->tail = at;
	q->n--;
	return g;
}

/* The connection breaks: the first few arrived, of the rest some are read later, some never. */
static void break_connection(struct model_conn *k, size_t zone)
{
	struct model *m = k->m;
	struct queue *q = &k->in_flight[zone];
	unsigned arrived = rng_below(&m->rng, q->n + 1);

	for (struct msg *g = q->head; g != NULL; g = g->next) {
		if (g->lost)
			continue;
		g->lost = true;
		if (arrived > 0) {
			arrived--;
			model_update(m, &m->zones[zone], g->pc, g->n);
		} else if (rng_permille(&m->rng, 500)) {
			repeat(m, g, false);
		}
	}
}

void model_disconnect(struct model *m, unsigned bridge)
{
	struct model_conn *k = &m->conn[bridge];

	for (size_t i = 0; i < m->n_zones; i++) {
		break_connection(k, i);
		while (k->in_flight[i].n > 0)
			take(&k->in_flight[i], 0);
	}
}

/* ---- struct flow_net ---------------------------------------------------------------------- */

static void between(struct model *m, const char *what)
{
	hurry_late(m);
	if (m->between != NULL)
		m->between(m->between_arg, what);
}

static int64_t net_now_s(void *ctx)
{
	return ((struct model_conn *)ctx)->m->now_s;
}

static uint64_t net_random(void *ctx)
{
	return rng_next(&((struct model_conn *)ctx)->m->rng);
}

static struct change_rr *copy_rrs(struct model *m, const struct change_rr *v, size_t n)
{
	struct change_rr *out = arena_array(&m->a, n + 1, sizeof(*out));

	for (size_t i = 0; out != NULL && i < n; i++) {
		out[i] = v[i];
		out[i].rdata = arena_dup(&m->a, v[i].rdlen > 0 ? v[i].rdata : (const void *)"",
					 v[i].rdlen);
		if (out[i].rdata == NULL)
			return NULL;
	}
	return out;
}

static struct msg *msg_new(struct model *m, const struct change *const *c, size_t n)
{
	struct msg *g = arena_alloc(&m->a, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->n = n;
	g->c = arena_array(&m->a, n + 1, sizeof(*g->c));
	g->pc = arena_array(&m->a, n + 1, sizeof(*g->pc));
	if (g->c == NULL || g->pc == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		g->c[i] = *c[i];
		g->c[i].pre = copy_rrs(m, c[i]->pre, c[i]->n_pre);
		g->c[i].upd = copy_rrs(m, c[i]->upd, c[i]->n_upd);
		g->pc[i] = &g->c[i];
		if (g->c[i].pre == NULL || g->c[i].upd == NULL)
			return NULL;
	}
	return g;
}

static int net_submit(void *ctx, const struct policy_zone *zone, const struct change *const *c,
		      size_t n, uint64_t tag, struct err *e)
{
	struct model_conn *k = ctx;
	struct model *m = k->m;
	struct mzone *z = model_zone_of(m, zone->id);

	between(m, "submit");
	if (z == NULL || n == 0)
		return err_set(e, ERR_BUG, "update of no zone or of nothing");
	struct queue *q = &k->in_flight[z - m->zones];
	if (q->n >= WINDOW)
		return err_set(e, ERR_BUSY, "zone \"%s\": window is full", zone->text);
	struct msg *g = msg_new(m, c, n);
	if (g == NULL)
		return err_nomem(e);
	g->zone = (size_t)(z - m->zones);
	g->tag = tag;
	g->signed_s = m->now_s;
	g->next = NULL;
	*q->tail = g;
	q->tail = &g->next;
	q->n++;
	m->updates++;
	for (size_t i = 0; i < n; i++)
		model_note_sent(m, z, c[i]);
	return 0;
}

static void reply(struct model *m, struct answer *out, unsigned rcode)
{
	(void)m;
	out->end = ANSWER_REPLY;
	out->rcode = (uint8_t)rcode;
	out->verified = true;
}

static void time_out(struct model *m, struct answer *out)
{
	out->end = ANSWER_TIMEOUT;
	model_advance(m, MODEL_TIMEOUT_S);
}

/* Decides what becomes of the message at the head of a queue. */
static void deliver(struct model *m, struct msg *g, struct answer *out)
{
	const struct model_faults *f = &m->faults;
	struct mzone *z = &m->zones[g->zone];

	if (g->lost) {
		out->end = ANSWER_LOST;
		out->detail = "connection reset";
	} else if (f->down || rng_permille(&m->rng, f->unsent)) {
		out->end = ANSWER_UNSENT;
		out->detail = "connection refused";
	} else if (rng_permille(&m->rng, f->lost_request)) {
		time_out(m, out);
	} else if (rng_permille(&m->rng, f->lost_answer)) {
		model_update(m, z, g->pc, g->n);
		if (rng_permille(&m->rng, f->repeated))
			repeat(m, g, false);
		time_out(m, out);
	} else if (rng_permille(&m->rng, f->late)) {
		make_late(m, g);
		time_out(m, out);
	} else if (rng_permille(&m->rng, f->servfail)) {
		reply(m, out, RCODE_SERVFAIL);
	} else {
		unsigned rcode = model_update(m, z, g->pc, g->n);

		if (f->replayed > 0 && rng_permille(&m->rng, f->replayed))
			repeat(m, g, true);
		/* What is refused is asked once a run, and changes nothing. */
		m->updates -= rcode == RCODE_REFUSED;
		reply(m, out, rcode);
	}
}

static int net_collect(void *ctx, uint64_t *tag, struct answer *out, struct err *e)
{
	struct model_conn *k = ctx;
	struct model *m = k->m;
	size_t busy[ZONES_MAX], n = 0;
	struct queue *q;

	(void)e;
	between(m, "collect");
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < m->n_zones; i++)
		if (k->in_flight[i].n > 0)
			busy[n++] = i;
	if (n == 0)
		return 0;
	size_t zone = busy[rng_below(&m->rng, (uint32_t)n)];
	if (rng_permille(&m->rng, m->faults.broken))
		break_connection(k, zone);
	q = &k->in_flight[zone];
	struct msg *g = take(q, rng_permille(&m->rng, m->faults.reordered)
				    ? rng_below(&m->rng, q->n) : 0);
	*tag = g->tag;
	deliver(m, g, out);
	return 1;
}

static int reachable(struct model *m, const struct policy_zone *zone, const char *what,
		     struct err *e)
{
	between(m, what);
	if (model_zone_of(m, zone->id) == NULL)
		return err_set(e, ERR_BUG, "no such zone");
	if (m->faults.down || rng_permille(&m->rng, m->faults.read_fails))
		return err_set(e, ERR_SYS, "zone \"%s\": connection reset", zone->text);
	return 0;
}

static int net_soa(void *ctx, const struct policy_zone *zone, uint32_t *serial, struct err *e)
{
	struct model *m = ((struct model_conn *)ctx)->m;
	int r = reachable(m, zone, "soa", e);

	if (r == 0)
		*serial = model_zone_of(m, zone->id)->serial;
	return r;
}

static void net_serials(void *ctx, const struct policy_zone *const *z, size_t n,
			struct net_serial *out)
{
	for (size_t i = 0; i < n; i++)
		out[i].known = net_soa(ctx, z[i], &out[i].serial, NULL) == 0;
}

static int net_transfer(void *ctx, const struct policy_zone *zone, transfer_sink sink, void *arg,
			uint32_t *serial, struct err *e)
{
	struct model *m = ((struct model_conn *)ctx)->m;
	int r = reachable(m, zone, "transfer", e);

	if (r < 0)
		return r;
	if (m->faults.keeps_zones) {
		err_set(e, ERR_DENIED, "the server answered REFUSED");
		return NET_REFUSED;
	}
	struct mzone *z = model_zone_of(m, zone->id);
	bool breaks = rng_permille(&m->rng, m->faults.read_fails);
	size_t until = breaks ? rng_below(&m->rng, (uint32_t)z->now.n + 1) : z->now.n;
	for (size_t i = 0; r == 0 && i < until; i++) {
		const struct mrec *o = z->now.v[i];

		r = sink(arg, &o->owner, o->type, o->ttl_s, o->rdata, o->rdlen, e);
	}
	if (r == 0 && breaks)
		return err_set(e, ERR_SYS, "zone \"%s\": transfer broke off", zone->text);
	*serial = z->serial;
	return r;
}

struct telling {
	struct model *m;
	change_sink sink;
	void *arg;
	size_t left;      /* changes until the connection breaks */
	struct err *e;
};

static int tell(void *arg, bool added, const struct mrec *o)
{
	struct telling *t = arg;
	int r, times = 1 + rng_permille(&t->m->rng, t->m->faults.torn_history);

	if (t->left-- == 0)
		return err_set(t->e, ERR_SYS, "transfer broke off");
	do {
		r = t->sink(t->arg, added, &o->owner, o->type, o->rdata, o->rdlen, t->e);
	} while (r == 0 && --times > 0);
	return r;
}

static int net_changes(void *ctx, const struct policy_zone *zone, uint32_t since, change_sink sink,
		       void *arg, uint32_t *serial, struct err *e)
{
	struct model *m = ((struct model_conn *)ctx)->m;
	struct telling t = {m, sink, arg, SIZE_MAX, e};
	int r = reachable(m, zone, "changes", e);
	const struct mzone *z = model_zone_of(m, zone->id);
	size_t i = 0;

	if (r < 0)
		return r;
	while (i < z->n_past && z->past[i].serial != since)
		i++;
	if (m->faults.keeps_zones || i + 1 >= z->n_past ||
	    rng_permille(&m->rng, m->faults.no_history))
		return NET_WHOLE;
	if (rng_permille(&m->rng, m->faults.read_fails))
		t.left = rng_below(&m->rng, 8);
	for (; i + 1 < z->n_past && r == 0; i++)
		r = mset_changes(&z->past[i].set, &z->past[i + 1].set, tell, &t);
	if (r == 0 && t.left < 8)
		return err_set(e, ERR_SYS, "zone \"%s\": transfer broke off", zone->text);
	*serial = z->serial;
	m->told += r == 0;
	return r;
}

static int tell_owner(const struct mset *s, struct net_look *l, struct arena *a)
{
	int r = 0;

	l->seen = (struct rrs){NULL, 0};
	l->cut.len = 0;
	for (size_t i = 0; r == 0 && i < s->n; i++)
		if (dname_equal(&s->v[i]->owner, l->owner))
			r = rrs_add(&l->seen, a, s->v[i]->type, s->v[i]->rdata,
				    rrtype_has(s->v[i]->type, RRTYPE_VALUE) ? s->v[i]->rdlen : 0);
	l->got = r == 0;
	return r;
}

static int net_query(void *ctx, const struct policy_zone *zone, struct net_look *v, size_t n,
		     struct arena *a, struct err *e)
{
	struct model *m = ((struct model_conn *)ctx)->m;

	for (size_t i = 0; i < n; i++)
		v[i].got = false;
	for (size_t i = 0; i < n; i++) {
		int r = reachable(m, zone, "query", e);

		if (r < 0)
			return r;
		if (tell_owner(&model_zone_of(m, zone->id)->now, &v[i], a) < 0)
			return err_nomem(e);
	}
	return 0;
}

struct flow_net model_net(struct model *m, unsigned bridge)
{
	return (struct flow_net){
		.ctx = &m->conn[bridge],
		.now_s = net_now_s,
		.random = net_random,
		.submit = net_submit,
		.collect = net_collect,
		.soa = net_soa,
		.serials = net_serials,
		.transfer = net_transfer,
		.changes = net_changes,
		.query = net_query,
	};
}

