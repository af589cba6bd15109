/* push.c - the process that sends to one name server: whatever is due in the zones it is first of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/role/roles.h"
#include "bridge/role/work.h"
#include "bridge/store/live.h"

enum {
	RUN_S = 600,                 /* one run of sending, at most */
	IDLE_MS = 10000,             /* longest wait without looking at what is due */
	TAKE_OVER_MS = 500,          /* while another process sends to some zone of ours: it may end */
	CLOSED_MS = 2000,            /* until we look whether a person has decided */
	NOTE_MS = 10000,             /* how often the server's state is written down */
	REFUSED_EVERY_MS = 3600000,  /* how often refused owners are tried again */
};

/* How many messages are under way, and for how long: the integral of the number over time is the
 * sum of what each took. */
struct meter {
	struct flow_net real;
	uint64_t in_flight, messages;
	int64_t at_ms, sum_ms;
};

struct push_role {
	struct live *l;
	struct meter meter;
	struct flow_net net;         /* the real one, metered */
	bool failing;                /* the server does not answer, or refuses */
	char error[640];        /* why it was given up; "": it was not */
	struct flow_gate *gates;
	size_t n_gates;
	uint8_t noted;               /* enum server_status, as written down last */
	int64_t noted_ms;
	int64_t refused_ms;          /* monotonic: when refused owners are tried again */
};

/* ---- the meter -------------------------------------------------------------------------- */

static void advance(struct meter *m)
{
	int64_t now_ms = clock_mono_ms();

	m->sum_ms += (int64_t)m->in_flight * (now_ms - m->at_ms);
	m->at_ms = now_ms;
}

static int64_t meter_now_s(void *ctx)
{
	struct meter *m = ctx;

	return m->real.now_s(m->real.ctx);
}

static uint64_t meter_random(void *ctx)
{
	struct meter *m = ctx;

	return m->real.random(m->real.ctx);
}

static int meter_submit(void *ctx, const struct policy_zone *z, const struct change *const *c,
			size_t n, uint64_t tag, struct err *e)
{
	struct meter *m = ctx;
	int r = m->real.submit(m->real.ctx, z, c, n, tag, e);

	advance(m);
	m->in_flight += r == 0;
	return r;
}

static int meter_collect(void *ctx, uint64_t *tag, struct answer *out, struct err *e)
{
	struct meter *m = ctx;
	int r = m->real.collect(m->real.ctx, tag, out, e);

	advance(m);
	if (r == 1 && m->in_flight > 0) {
		m->in_flight--;
		m->messages++;
	}
	return r;
}

static int meter_soa(void *ctx, const struct policy_zone *z, uint32_t *serial, struct err *e)
{
	struct meter *m = ctx;

	return m->real.soa(m->real.ctx, z, serial, e);
}

static int meter_transfer(void *ctx, const struct policy_zone *z, transfer_sink sink, void *arg,
			  uint32_t *serial, struct err *e)
{
	struct meter *m = ctx;

	return m->real.transfer(m->real.ctx, z, sink, arg, serial, e);
}

static int meter_query(void *ctx, const struct policy_zone *z, struct net_look *v, size_t n,
		       struct arena *a, struct err *e)
{
	struct meter *m = ctx;

	return m->real.query(m->real.ctx, z, v, n, a, e);
}

static void put_meter(struct push_role *p, struct flow *f)
{
	p->meter.real = *f->net;
	p->meter.in_flight = 0;
	p->net = (struct flow_net){.ctx = &p->meter, .now_s = meter_now_s, .random = meter_random,
				   .submit = meter_submit, .collect = meter_collect,
				   .soa = meter_soa, .transfer = meter_transfer,
				   .query = meter_query};
	f->net = &p->net;
}

/* What is said of the server is also kept for whoever asks how it is. */
static void say(void *arg, enum message id, const char *subject, const char *sentence)
{
	struct push_role *p = arg;

	if (id == MSG_PUSH_STOPPED || id == MSG_PUSH_FAILED)
		snprintf(p->error, sizeof(p->error), "zone \"%s\": %s", subject, sentence);
	log_event(id, subject, "%s", sentence);
}

/* ---- gates ------------------------------------------------------------------------------ */

static bool is_ours(const struct push_role *p, const struct policy_zone *z)
{
	return z->n_servers > 0 && strcmp(z->servers[0], p->l->of) == 0;
}

static int make_gates(struct push_role *p, const struct policy *policy, struct err *e)
{
	size_t i, j;

	free(p->gates);
	p->n_gates = 0;
	p->gates = calloc(policy_n_zones(policy) + 1, sizeof(*p->gates));
	if (p->gates == NULL)
		return err_nomem(e);
	for (i = 0; i < policy->n_spaces; i++) {
		for (j = 0; j < policy->spaces[i].n_zones; j++) {
			if (is_ours(p, &policy->spaces[i].zones[j]))
				p->gates[p->n_gates++].zone = &policy->spaces[i].zones[j];
		}
	}
	return 0;
}

static int begin(void *arg, struct once *o, struct err *e)
{
	struct push_role *p = arg;
	struct flow *f = once_flow(o);
	int r = make_gates(p, once_policy(o), e);

	f->server = p->l->of;
	f->gates = p->gates;
	f->n_gates = p->n_gates;
	f->say = say;
	f->say_arg = p;
	put_meter(p, f);
	p->noted_ms = 0;
	return r < 0 ? r : pg_run(once_pg(o), "listen " CHANNEL_DUE, NULL, e);
}

/* ---- what others may know ---------------------------------------------------------------- */

/* The worst of its gates speaks for the server; one whose time has come and that nothing waits
 * at has nothing to say. */
static const struct gate *worst(const struct push_role *p)
{
	static const struct gate open;
	const struct gate *g = &open;
	int64_t now_s = clock_wall_s();
	size_t i;

	for (i = 0; i < p->n_gates; i++) {
		if (!gate_lets(&p->gates[i].gate, now_s) &&
		    (g->state == GATE_OPEN || p->gates[i].gate.state == GATE_UNREACHABLE))
			g = &p->gates[i].gate;
	}
	return g;
}

static uint8_t status_of(const struct gate *g)
{
	static const uint8_t status[] = {[GATE_OPEN] = SERVER_OK,
					 [GATE_UNREACHABLE] = SERVER_UNREACHABLE,
					 [GATE_PARKED] = SERVER_PARKED};

	return status[g->state];
}

static int count_queue(struct push_role *p, struct once *o, struct server_state *s, struct err *e)
{
	struct flow_store *st = once_flow(o)->store;
	size_t i;
	int r = 0;

	for (i = 0; i < p->n_gates && r == 0; i++) {
		struct zone_queue q;

		r = st->zone_queue(st->ctx, &q, p->gates[i].zone->id, e);
		if (r < 0 || q.due == 0)
			continue;
		s->queue += (int64_t)q.due;
		if (s->oldest_due_s == 0 || q.oldest_s < s->oldest_due_s)
			s->oldest_due_s = q.oldest_s;
	}
	return r;
}

static int note(struct push_role *p, struct once *o, struct err *e)
{
	const struct gate *g = worst(p);
	struct server_state s = {.name = p->l->of, .state = (enum server_status)status_of(g),
				 .next_try_s = g->next_s,
				 .last_error = g->state != GATE_OPEN ? p->error : NULL,
				 .in_flight = (int32_t)p->meter.in_flight,
				 .messages = (int64_t)p->meter.messages,
				 .message_ms = p->meter.sum_ms};
	int64_t now_ms = clock_mono_ms();
	int r;

	if (p->noted_ms != 0 && s.state == p->noted && now_ms < p->noted_ms + NOTE_MS)
		return 0;
	p->noted = (uint8_t)s.state;
	p->noted_ms = now_ms;
	r = count_queue(p, o, &s, e);
	return r < 0 ? r : store_server_put(once_pg(o), &s, e);
}

/* ---- turns ------------------------------------------------------------------------------ */

static int64_t wait_until(const struct flow *f)
{
	int64_t most_ms = f->closed != NULL ? CLOSED_MS : f->others_send ? TAKE_OVER_MS : IDLE_MS;
	int64_t now_ms = clock_mono_ms();
	int64_t due_ms = most_ms;

	if (f->next_due_s != 0)
		due_ms = (f->next_due_s - clock_wall_s()) * 1000;
	if (due_ms < 0)
		due_ms = 0;
	return now_ms + (due_ms < most_ms ? due_ms : most_ms);
}

/* Until something is due.  What was notified while we sent is looked for anyway. */
static int wait_for_work(struct push_role *p, struct once *o, struct err *e)
{
	char payload[16];
	int r = pg_wait_notify(once_pg(o), live_fd(p->l), wait_until(once_flow(o)), payload,
			       sizeof(payload), e);

	while (r == 1)
		r = pg_wait_notify(once_pg(o), -1, 0, payload, sizeof(payload), e);
	return r;
}

static int turn(void *arg, struct once *o, struct err *e)
{
	struct push_role *p = arg;
	struct flow *f = once_flow(o);
	int r = f->closed != NULL ? once_check_mark(o, e) : 0;

	if (r < 0)
		return r;
	once_begin(o, RUN_S);
	f->retry_refused = clock_mono_ms() >= p->refused_ms;
	if (f->retry_refused)
		p->refused_ms = clock_mono_ms() + REFUSED_EVERY_MS;
	live_busy(p->l, RUN_S * 1000, f->closed != NULL ? f->closed->text
				      : worst(p)->state == GATE_OPEN ? "sending" : "server is away");
	r = flow_push(f, e);
	p->failing = f->closed != NULL || worst(p)->state != GATE_OPEN;
	r = r < 0 ? r : note(p, o, e);
	return r < 0 ? r : wait_for_work(p, o, e);
}

int role_push(struct live *l, struct err *e)
{
	struct push_role p = {.l = l};
	struct work w = {.l = l, .arg = &p, .begin = begin, .turn = turn,
			 .failing = &p.failing, .many = true};
	int r;

	if (l->of == NULL)
		return err_set(e, ERR_CONF, "role push is for one server: --role push:SERVER");
	r = work_run(&w, e);
	free(p.gates);
	return r;
}
