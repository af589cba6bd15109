/* push.c - keeps the servers busy: rounds are made while earlier ones are in flight, and settled
 * while later ones are.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/flow/push_settle.h"
#include "bridge/flow/say.h"

enum {
	PUSH_SWEEPS = 8,        /* lists of due owners taken in one run */
	PUSH_QUEUE_LOW = 4,     /* fewer messages waiting than this: make another round */
	PUSH_SETTLE_OWNERS = 1500,
	PUSH_UNSETTLED = 4000,  /* owners under way, of all zones: bounds memory */
	PUSH_WAIT_MS = 50,      /* for another process to send what is due */
	PUSH_KNOWN_S = 60,      /* a zone's row is read again after that */
	PUSH_PATIENCE = 100     /* waits in which nothing was sent */
};

struct push {
	struct flow *f;
	struct push_zone *zones;
	size_t n_zones;
	VEC(struct push_msg *) queue;   /* to be sent, in order */
	VEC(struct push_msg *) flying;
	VEC(struct push_msg *) done;
	size_t done_owners;
	size_t under_way;               /* owners queued, in flight or answered */
	size_t sent;                    /* owners of this sweep */
};

/* ---- zones ------------------------------------------------------------------------------ */

static struct flow_gate *gate_of(struct flow *f, const struct policy_zone *z)
{
	size_t i;

	for (i = 0; i < f->n_gates; i++) {
		if (f->gates[i].zone == z)
			return &f->gates[i];
	}
	return NULL;
}

static int is_known(struct push *u, struct push_zone *z, struct flow_gate *g, struct err *e)
{
	struct flow_store *st = u->f->store;
	int64_t now_s = u->f->net->now_s(u->f->net->ctx);
	struct arena a = ARENA_INIT;
	struct zone_row row;
	int r;

	z->known = g != NULL && g->known && now_s < g->read_s + PUSH_KNOWN_S && now_s >= g->read_s;
	if (z->known)
		return 0;
	r = st->zone_get(st->ctx, &row, &a, z->zone->id, e);
	z->known = r == 0 && row.known;
	if (r == 0 && g != NULL) {
		g->known = z->known;
		g->looked = g->looked || row.known || row.asked;
		g->read_s = now_s;
	}
	arena_fini(&a);
	return r;
}

static bool is_dead(const struct push *u)
{
	size_t i;

	for (i = 0; i < u->n_zones && !u->zones[i].dead; i++)
		;
	return i < u->n_zones;
}

/* Before the first word to a zone: does its server have it, or is the cut elsewhere?  A server that
 * shows no SOA decides itself; one that is dead is waited for once. */
static void probe(struct push *u, struct push_zone *z, struct flow_gate *g)
{
	struct flow_net *net = u->f->net;
	struct err cause = {0};
	uint32_t serial;
	int r = is_dead(u) ? ERR_BUSY : net->soa(net->ctx, z->zone, &serial, &cause);

	g->looked = r == 0 || r == ERR_DENIED;
	if (g->looked)
		return;
	z->stopped = z->failed = true;
	if (is_dead(u))
		return;
	z->dead = r == ERR_BUSY || r == ERR_SYS;
	if (g->gate.state == GATE_OPEN)
		flow_say(u->f, MSG_PUSH_STOPPED, z->zone->text, "push, not begun (%s)%s%s", cause.text,
			 cause.hint[0] != '\0' ? "; hint: " : "", cause.hint);
}

/* Is it ours to send to, and may we now?  A dry run only counts. */
static int open_zone(struct push *u, struct push_zone *z, struct err *e)
{
	struct flow_store *st = u->f->store;
	struct flow_gate *g = gate_of(u->f, z->zone);
	bool mine = true;
	int r = is_known(u, z, g, e);

	if (r == 0 && !u->f->dry_run)
		r = st->zone_lock(st->ctx, z->zone->id, &mine, &z->since, e);
	z->gate = g == NULL ? NULL : &g->gate;
	z->stopped = !mine || flow_down(u->f, z->zone) ||
		     (g != NULL && !gate_lets(&g->gate, u->f->net->now_s(u->f->net->ctx)));
	if (r == 0 && g != NULL && !g->looked && !z->stopped)
		probe(u, z, g);
	z->retry = g == NULL || u->f->retry_refused ? PUSH_RETRY : PUSH_RETRY_NONE;
	z->others = !mine;
	u->f->others_send = u->f->others_send || !mine;
	return r;
}

static int list_zones(struct push *u, struct arena *a, struct err *e)
{
	const struct policy *p = u->f->policy;
	size_t i, j;
	int r = 0;

	u->zones = arena_array(a, policy_n_zones(p) + 1, sizeof(*u->zones));
	if (u->zones == NULL)
		return err_nomem(e);
	for (i = 0; i < p->n_spaces; i++) {
		for (j = 0; j < p->spaces[i].n_zones && r == 0; j++) {
			struct push_zone *z = &u->zones[u->n_zones];

			z->space = &p->spaces[i];
			z->zone = &p->spaces[i].zones[j];
			if (u->f->server != NULL &&
			    strcmp(z->zone->servers[0], u->f->server) != 0)
				continue;
			u->n_zones++;
			r = open_zone(u, z, e);
		}
	}
	return r;
}

static bool exhausted(const struct push *u)
{
	size_t i;

	for (i = 0; i < u->n_zones; i++) {
		if (!u->zones[i].stopped &&
		    (!u->zones[i].exhausted || u->zones[i].retry == PUSH_RETRY))
			return false;
	}
	return true;
}

struct waking {
	struct planner p;
	struct push *u;
};

/* What waits for a later attempt is tried now: a run is started by a person or a clock, and may
 * be the one after the repair.  In a later sweep of this run the backoff holds. */
static int wake_zone(struct planner *p, struct push_zone *z, struct err *e)
{
	/* Before every name of the next second. */
	struct belief after = {.due_at_s = p->now_s + 1, .owner = {.len = 0}};
	struct due_page page = {.zone_id = z->zone->id, .after = &after, .n = PUSH_ROUND};
	struct flow_store *st = p->f->store;
	struct planner_zone *pz;
	size_t i;
	int r = planner_zone(&pz, p, z->zone, e);

	while (r == 0 && page.n == PUSH_ROUND) {
		r = st->beliefs_due(st->ctx, &page, 1, INT64_MAX, PUSH_ROUND, &p->arena, e);
		if (r < 0 || page.n == 0)
			break;
		after.due_at_s = page.v[page.n - 1].due_at_s;
		after.owner = page.v[page.n - 1].owner;
		for (i = 0; i < page.n && r == 0; i++) {
			r = planner_keep_implied(p, &p->arena, &page.v[i], pz, e);
			page.v[i].due_at_s = 0;
		}
		r = r < 0 ? r : st->beliefs_put(st->ctx, page.v, page.n, e);
	}
	return r;
}

static int wake_inside(void *arg, struct err *e)
{
	struct waking *w = arg;
	size_t i;
	int r = planner_lock_spaces(w->p.f, e);

	for (i = 0; i < w->u->n_zones && r == 0; i++) {
		if (!w->u->zones[i].stopped)
			r = wake_zone(&w->p, &w->u->zones[i], e);
	}
	return r;
}

static int wake_all(struct push *u, struct err *e)
{
	struct waking w = {.u = u};

	return u->n_zones == 0 ? 0
			       : planner_transaction(&w.p, u->f, u->zones[0].space, wake_inside, &w, e);
}

/* One dead server stops all its zones, and says so once. */
static void spread_stops(struct push *u)
{
	size_t i, j;

	for (i = 0; i < u->n_zones; i++) {
		if (!u->zones[i].stopped || !u->zones[i].dead)
			continue;
		for (j = 0; j < u->n_zones; j++) {
			if (strcmp(u->zones[i].zone->servers[0], u->zones[j].zone->servers[0]) == 0)
				u->zones[j].stopped = true;
		}
	}
}

/* ---- sending ---------------------------------------------------------------------------- */

/* What waits for a zone that stopped, and what only asks, is answered as never sent. */
static void unsent(struct push_msg *m)
{
	memset(&m->answer, 0, sizeof(m->answer));
	m->answer.end = ANSWER_UNSENT;
}

static int finished(struct push *u, struct push_msg *m, struct err *e)
{
	u->done_owners += m->n;
	return vec_push(&u->done, m) < 0 ? err_nomem(e) : 0;
}

/* 0 sent or given up, 1 the window is full, negative error. */
static int send_one(struct push *u, struct push_msg *m, struct arena *a, struct err *e)
{
	struct flow_net *net = u->f->net;
	const struct change **c;
	struct err cause = {0};
	size_t i;
	int r;

	if (m->zone->stopped || m->ask) {
		unsent(m);
		return finished(u, m, e);
	}
	c = arena_array(a, m->n, sizeof(*c));
	if (c == NULL || vec_reserve(&u->flying, 1) < 0)
		return err_nomem(e);
	for (i = 0; i < m->n; i++)
		c[i] = &m->items[i]->c;
	r = net->submit(net->ctx, m->zone->zone, c, m->n, (uint64_t)(uintptr_t)m, &cause);
	if (r == ERR_BUSY)
		return 1;
	if (r < 0) {
		flow_say(u->f, MSG_PUSH_FAILED, m->zone->zone->text, "push, failed (%s)%s%s", cause.text,
			 cause.hint[0] != '\0' ? "; hint: " : "", cause.hint);
		unsent(m);
		m->zone->stopped = m->zone->failed = m->zone->dead = true;
		return finished(u, m, e);
	}
	return vec_push(&u->flying, m) < 0 ? err_nomem(e) : 0;
}

static int send_all(struct push *u, struct err *e)
{
	struct arena a = ARENA_INIT;
	size_t i, kept = 0;
	int r = 0;

	/* A full window of one zone must not stop the others. */
	for (i = 0; i < u->queue.n && r >= 0; i++) {
		struct push_msg *m = u->queue.v[i];

		/* Handed over, or put back: never in two lists. */
		u->queue.v[i] = NULL;
		r = send_one(u, m, &a, e);
		if (r == 1)
			u->queue.v[kept++] = m;
		else if (r < 0)
			push_msg_free(m);
		arena_reset(&a);
	}
	if (r >= 0)
		u->queue.n = kept;
	arena_fini(&a);
	return r < 0 ? r : 0;
}

static int collect_one(struct push *u, struct err *e)
{
	struct flow_net *net = u->f->net;
	struct push_msg *m;
	struct answer answer;
	uint64_t tag;
	size_t i;
	int r;

	r = net->collect(net->ctx, &tag, &answer, e);
	if (r <= 0)
		return r;
	m = (struct push_msg *)(uintptr_t)tag;
	for (i = 0; i < u->flying.n && u->flying.v[i] != m; i++)
		;
	if (i == u->flying.n)
		return err_set(e, ERR_BUG, "an answer to a message that is not in flight");
	u->flying.v[i] = u->flying.v[--u->flying.n];
	m->answer = answer;
	m->sent = m->n;
	return finished(u, m, e);
}

/* ---- settling --------------------------------------------------------------------------- */

static int settle(struct push *u, struct err *e)
{
	struct push_again again = {{0}};
	struct push_msg **done;
	size_t n = u->done.n, i;
	int r;

	if (n == 0)
		return 0;
	done = malloc(n * sizeof(*done));
	if (done == NULL)
		return err_nomem(e);
	memcpy(done, u->done.v, n * sizeof(*done));
	for (i = 0; i < n; i++)
		u->under_way -= done[i]->n;
	u->done.n = 0;
	u->done_owners = 0;
	r = push_settle(u->f, done, n, &again, e);
	spread_stops(u);
	for (i = 0; i < again.v.n; i++) {
		u->under_way += again.v.v[i]->n;
		if (vec_push(&u->queue, again.v.v[i]) < 0)
			r = err_nomem(e);
	}
	vec_fini(&again.v);
	free(done);
	return r;
}

static void push_fini(struct push *u)
{
	size_t i;

	for (i = 0; i < u->queue.n; i++)
		push_msg_free(u->queue.v[i]);
	for (i = 0; i < u->flying.n; i++)
		push_msg_free(u->flying.v[i]);
	for (i = 0; i < u->done.n; i++)
		push_msg_free(u->done.v[i]);
	vec_fini(&u->queue);
	vec_fini(&u->flying);
	vec_fini(&u->done);
}

static bool wants_round(const struct push *u)
{
	return u->queue.n < PUSH_QUEUE_LOW && u->under_way < PUSH_UNSETTLED &&
	       !exhausted(u) && !flow_late(u->f);
}

/* 1 to go on, 0 when everything listed has been answered and settled. */
static int turn(struct push *u, struct err *e)
{
	size_t n = 0;
	int r = 0;

	if (wants_round(u)) {
		r = push_round_make(u->f, u->zones, u->n_zones, &u->queue.v, &u->queue.n,
				    &u->queue.cap, &n, e);
		u->sent += n;
		u->under_way += n;
	}
	r = r < 0 ? r : send_all(u, e);
	if (r == 0 && u->flying.n > 0)
		r = collect_one(u, e);
	if (r >= 0 && (u->done_owners >= PUSH_SETTLE_OWNERS ||
		       (u->flying.n == 0 && u->queue.n == 0)))
		r = settle(u, e);
	if (r < 0)
		return r;
	return u->flying.n > 0 || u->queue.n > 0 || u->done.n > 0 || wants_round(u);
}

static int sweep(struct push *u, struct err *e)
{
	size_t i;
	int r;

	u->sent = 0;
	for (i = 0; i < u->n_zones; i++) {
		u->zones[i].exhausted = false;
		u->zones[i].paging = false;
	}
	do {
		r = turn(u, e);
	} while (r == 1);
	return r;
}

/* ---- a dry run -------------------------------------------------------------------------- */

static int count_zone(struct push *u, struct push_zone *z, struct err *e)
{
	struct flow_store *st = u->f->store;
	struct planner p;
	struct verdict v;
	struct change c;
	struct due_page page = {.n = 1};
	size_t i;
	int r = 0;

	while (page.n > 0 && r == 0) {
		planner_init(&p, u->f, z->space);
		page = push_page(z);
		r = st->beliefs_due(st->ctx, &page, 1, INT64_MAX, PUSH_ROUND, &p.arena, e);
		for (i = 0; r == 0 && i < page.n; i++) {
			if (verdict_owner(&v, &p.arena, &page.v[i], z->zone->foreign, true) < 0)
				r = err_nomem(e);
			else if (verdict_change(&c, &p.arena, &page.v[i], &v) == 0)
				u->f->counts.changed += change_rrsets(&c);
		}
		if (r == 0)
			push_turn_page(z, &page);
		planner_fini(&p);
	}
	return r;
}

/* Before the first word to a zone it is looked at once, for zone cuts and what stands there; if
 * it cannot be, the prerequisites decide alone. */
static int know_zones(struct flow *f, struct err *e)
{
	struct flow_store *st = f->store;
	struct arena a = ARENA_INIT;
	struct zone_row row;
	size_t i, j;
	int r = 0;

	for (i = 0; i < f->policy->n_spaces && !f->pulled; i++) {
		const struct policy_space *space = &f->policy->spaces[i];

		for (j = 0; j < space->n_zones && r == 0; j++) {
			r = st->zone_get(st->ctx, &row, &a, space->zones[j].id, e);
			if (r == 0 && !row.known && !row.asked)
				r = flow_pull(f, &space->zones[j], e);
		}
	}
	arena_fini(&a);
	return r;
}

/* ---- a daemon's gates ------------------------------------------------------------------- */

static void turn_gate(struct push *u, struct push_zone *z)
{
	struct flow_net *net = u->f->net;
	int64_t now_s = net->now_s(net->ctx);

	if (z->failed)
		gate_failed(z->gate, z->dead, now_s, net->random(net->ctx));
	else if (z->answered && gate_passed(z->gate))
		flow_say(u->f, MSG_SERVER_BACK, z->zone->text, "push, server answers again");
}

static void come_back_at(struct flow *f, int64_t at_s)
{
	if (at_s < 1)
		at_s = 1;
	if (f->next_due_s == 0 || at_s < f->next_due_s)
		f->next_due_s = at_s;
}

static bool is_gated(const struct push_zone *z)
{
	return z->gate != NULL && !z->others;
}

/* When the first owner of each zone is due, but not before its gate opens. */
static int come_back(struct push *u, struct arena *a, struct err *e)
{
	struct due_page *pages = arena_array(a, u->n_zones + 1, sizeof(*pages));
	const struct gate **gates = arena_array(a, u->n_zones + 1, sizeof(*gates));
	struct flow_store *st = u->f->store;
	size_t n = 0, i;
	int r;

	if (pages == NULL || gates == NULL)
		return err_nomem(e);
	for (i = 0; i < u->n_zones; i++) {
		if (!is_gated(&u->zones[i]))
			continue;
		gates[n] = u->zones[i].gate;
		pages[n++] = (struct due_page){.zone_id = u->zones[i].zone->id};
	}
	r = n == 0 ? 0 : st->beliefs_due(st->ctx, pages, n, INT64_MAX, 1, a, e);
	for (i = 0; i < n && r == 0; i++) {
		if (pages[i].n > 0)
			come_back_at(u->f, pages[i].v->due_at_s > gates[i]->next_s
					   ? pages[i].v->due_at_s : gates[i]->next_s);
	}
	return r;
}

static int turn_gates(struct push *u, struct err *e)
{
	struct arena a = ARENA_INIT;
	size_t i;
	int r;

	u->f->next_due_s = 0;
	for (i = 0; i < u->n_zones; i++) {
		if (is_gated(&u->zones[i]))
			turn_gate(u, &u->zones[i]);
	}
	r = come_back(u, &a, e);
	arena_fini(&a);
	return r;
}

/* ---- beside a daemon -------------------------------------------------------------------- */

static int left_to_others(struct push *u, uint64_t *n, struct err *e)
{
	struct flow_store *st = u->f->store;
	struct zone_queue q;
	size_t i;
	int r = 0;

	*n = 0;
	for (i = 0; i < u->n_zones && r == 0; i++) {
		if (!u->zones[i].others)
			continue;
		r = st->zone_queue(st->ctx, &q, u->zones[i].zone->id, e);
		*n += q.due;
	}
	return r;
}

/* What another process has the right to send it sends at once, unless its server is away: it is
 * waited for as long as the queue grows shorter. */
static int wait_for_others(struct push *u, struct err *e)
{
	uint64_t left, least = UINT64_MAX;
	int patience = PUSH_PATIENCE;
	int r = 0;

	while (u->f->others_send && u->f->wait != NULL && patience > 0 && !flow_late(u->f)) {
		r = left_to_others(u, &left, e);
		if (r < 0 || left == 0)
			break;
		patience = left < least ? PUSH_PATIENCE : patience - 1;
		least = left < least ? left : least;
		u->f->wait(u->f->wait_arg, PUSH_WAIT_MS);
	}
	return r;
}

static int send_due(struct push *u, struct err *e)
{
	size_t i;
	int r = 0;

	if (u->f->server == NULL)
		r = wake_all(u, e);
	/* A daemon is told when more is due. */
	for (i = 0; r == 0 && i < (u->f->server == NULL ? PUSH_SWEEPS : 1); i++) {
		r = sweep(u, e);
		if (u->sent == 0)
			break;
	}
	r = r < 0 ? r : turn_gates(u, e);
	return r < 0 || u->f->server != NULL ? r : wait_for_others(u, e);
}

static int count_due(struct push *u, struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < u->n_zones; i++)
		r = count_zone(u, &u->zones[i], e);
	return r;
}

static void stay_closed(struct flow *f)
{
	f->counts.closed = true;
	f->others_send = false;
	f->next_due_s = 0;
	if (!f->said_closed)
		flow_say(f, MSG_DATABASE_RESTORED, "database", "nothing is sent to DNS (%s); hint: %s",
			 f->closed->text, f->closed->hint);
	f->said_closed = true;
}

int flow_push(struct flow *f, struct err *e)
{
	struct push u = {.f = f};
	struct flow_store *st = f->store;
	struct arena a = ARENA_INIT;
	int r;

	if (f->closed != NULL && !f->dry_run) {
		stay_closed(f);
		return 0;
	}
	f->others_send = false;
	r = f->dry_run || f->server != NULL ? 0 : know_zones(f, e);
	r = r < 0 ? r : list_zones(&u, &a, e);
	if (r == 0)
		r = f->dry_run ? count_due(&u, e) : send_due(&u, e);
	push_fini(&u);
	arena_fini(&a);
	/* A daemon keeps what it has. */
	if (f->server == NULL && !f->dry_run)
		st->zones_unlock(st->ctx);
	return r;
}
