/* pass.c - one pass of one bridge, and what goes on around it meanwhile. */
#include "tests/sim/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/together.h"
#include "tests/sim/truth.h"

enum { NET_CALLS_MAX = 20000 };

void pass_between(void *arg, const char *what)
{
	struct world *w = arg;
	struct bridge *b = w->now;

	if ((strcmp(what, "submit") == 0 || strcmp(what, "collect") == 0) &&
	    memstore_in_tx(b->ms))
		world_fault(w, "a transaction is open while a packet is in flight (%s)", what);
	if (++b->net_calls == NET_CALLS_MAX) {
		/* nothing but an end of the process gets out of an endless loop in flow */
		printf("a pass does not end: %d calls of the net\n", NET_CALLS_MAX);
		fflush(stdout);
		abort();
	}
	if (model_faults(w->model)->read_fails > 0 && rng_permille(&w->rng, 30)) {
		truth_look(w->truth, w, TRUTH_BEFORE_HAND);
		people_event(w);
		truth_look(w->truth, w, TRUTH_AFTER_HAND);
	}
	if (w->d2.runs && rng_permille(&w->d2.rng, 40)) {
		truth_look(w->truth, w, TRUTH_BEFORE_HAND);
		d2_event(w);
		truth_look(w->truth, w, TRUTH_AFTER_HAND);
	}
	together_pause(w);
}

static void say(void *arg, enum message id, const char *subject, const char *sentence)
{
	(void)id;
	world_say(arg, "    %s: %s", subject, sentence);
}

/* While the other sends. */
static void wait_a_little(void *arg, int64_t ms)
{
	(void)ms;
	together_pause(arg);
}

struct flow pass_flow(struct bridge *b)
{
	struct world *w = b->w;

	return (struct flow){.policy = &w->policy,
			     .store = &b->store,
			     .net = &b->net,
			     .full_every_s = 1800,
			     .started_s = model_now_s(w->model),
			     .wait = w->company == ALONE ? NULL : wait_a_little,
			     .wait_arg = w,
			     .say = say,
			     .say_arg = w};
}

void pass_come_back(struct bridge *b)
{
	memstore_restart(b->ms);
	model_disconnect(b->w->model, b->no);
	b->open_src = 0;
	for (int i = 0; i < N_ZONES; i++)
		b->gates[i] = (struct flow_gate){.zone = b->gates[i].zone};
}

static void look(struct bridge *b)
{
	if (model_trespass(b->w->model)[0] != '\0')
		world_fault(b->w, "%s", model_trespass(b->w->model));
	if (memstore_in_tx(b->ms))
		world_fault(b->w, "a pass left its transaction open");
}

/* What the sources showed to a pass that came through, the bridge knows.  A pass may come through
 * without having asked all of them. */
static void note_read(struct bridge *b)
{
	for (int i = 0; i < N_LEASES; i++) {
		struct lease *l = &b->w->leases[i];
		int src = i < N_LEASES4 ? SRC_DHCP4 : SRC_DHCP6;

		if (b->shown[src] && l->client >= 0 && !l->hidden &&
		    l->version <= b->shown_version[src])
			l->read = true;
	}
}

static int count_due(struct flow *f, struct err *e)
{
	struct store_totals t;
	int r = f->store->totals(f->store->ctx, &t, e);

	f->counts.pending += r == 0 ? t.owners[BELIEF_DUE] : 0;
	return r;
}

static int look_and_plan(struct bridge *b, struct flow *f, struct err *e)
{
	const struct policy_space *space = &b->w->space;
	int r;

	f->only_looks = true;
	r = flow_policy(f, e);
	r = r < 0 ? r : flow_pull(f, NULL, e);
	for (size_t i = 0; i < space->n_sources && r == 0; i++)
		if (policy_source_is_read(&space->sources[i]))
			r = flow_read_source(f, space, &space->sources[i], &b->feed, e);
	r = r < 0 ? r : flow_wake_waits(f, space, e);
	r = r < 0 ? r : flow_expire(f, e);
	return r < 0 ? r : count_due(f, e);
}

static int send(struct bridge *b, struct flow *f, struct err *e)
{
	int r;

	f->server = b->w->zones[0].servers[0];
	f->gates = b->gates;
	f->n_gates = N_ZONES;
	/* Now and then in a daemon's life; afterwards each pass does the same. */
	f->retry_refused = b->w->healed || rng_permille(&b->w->pair, 200);
	r = flow_push(f, e);
	return r < 0 ? r : count_due(f, e);
}

int pass_run(struct bridge *b, enum pass_kind kind, struct flow_counts *counts)
{
	struct world *w = b->w;
	struct flow f = pass_flow(b);
	struct err e = {0};
	int r;

	b->net_calls = 0;
	memset(b->shown, 0, sizeof(b->shown));
	truth_look(w->truth, w, TRUTH_PASS_BEGINS);
	r = kind == PASS_RUN    ? flow_reconcile(&f, &b->feed, &e)
	    : kind == PASS_LOOK ? look_and_plan(b, &f, &e)
				: send(b, &f, &e);
	*counts = f.counts;
	if (r < 0 && memstore_crashed(b->ms))
		world_say(w, "crashed");
	else if (r < 0)
		world_say(w, "pass ended with %d: %s", r, e.text);
	if (r == ERR_BUG || r == ERR_NOMEM)
		world_fault(w, "pass ended with %d: %s", r, e.text);
	if (memstore_crashed(b->ms))
		pass_come_back(b);
	if (r == 0)
		note_read(b);
	truth_look(w->truth, w, TRUTH_PASS_ENDS);
	if (r == 0 && counts->pending == 0 && kind != PASS_SEND)
		truth_clean(w->truth, w, b);
	look(b);
	return r;
}
