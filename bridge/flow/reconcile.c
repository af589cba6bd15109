/* reconcile.c - one pass: pull, read, expire, push. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bridge/flow/flow.h"
#include "bridge/flow/say.h"

enum { HELD_EVERY_S = 60 };

void flow_say(const struct flow *f, enum message id, const char *subject, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	if (f->say == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->say(f->say_arg, id, subject, text);
}

bool flow_late(const struct flow *f)
{
	if (f->stop != NULL && f->stop(f->stop_arg))
		return true;
	return f->deadline_s != 0 && f->net->now_s(f->net->ctx) >= f->deadline_s;
}

bool flow_out_of_time(struct flow *f, const char *subject)
{
	int64_t for_sending_s = (f->deadline_s - f->started_s) / 5;

	if (f->deadline_s == 0 || f->net->now_s(f->net->ctx) < f->deadline_s - for_sending_s)
		return false;
	if (!f->said_late)
		flow_say(f, MSG_RUN_LATE, subject, "not read (the run's time is over); the next run goes on here");
	f->said_late = true;
	f->counts.pending++;
	return true;
}

void flow_say_held(struct flow *f, const char *subject, const char *why)
{
	int64_t now_s = f->net->now_s(f->net->ctx);

	if (f->said_held_s != 0 && now_s < f->said_held_s + HELD_EVERY_S)
		return;
	f->said_held_s = now_s;
	flow_say(f, MSG_UPDATE_HELD, subject,
		 "held back (%s); hint: if that is right, reconcile --force ZONE", why);
}

void flow_note_failure(struct flow *f, const struct policy_zone *z, int code)
{
	bool down = code == ERR_BUSY || code == ERR_SYS || code == ERR_CONF;

	if (down && f->n_down < FLOW_DOWN_MAX)
		f->down[f->n_down++] = (struct flow_down){z, code == ERR_BUSY};
}

bool flow_down(const struct flow *f, const struct policy_zone *z)
{
	size_t i;

	for (i = 0; i < f->n_down; i++) {
		if (f->down[i].zone == z)
			return true;
	}
	return flow_is_silent(f, z);
}

static bool same_servers(const struct policy_zone *a, const struct policy_zone *b)
{
	size_t i;

	if (a->n_servers != b->n_servers)
		return false;
	for (i = 0; i < a->n_servers; i++) {
		if (strcmp(a->servers[i], b->servers[i]) != 0)
			return false;
	}
	return true;
}

bool flow_is_silent(const struct flow *f, const struct policy_zone *z)
{
	size_t i;

	for (i = 0; i < f->n_down; i++) {
		if (f->down[i].silent && same_servers(f->down[i].zone, z))
			return true;
	}
	return false;
}

static int read_sources(struct flow *f, struct flow_feed *feed, struct err *e)
{
	size_t i, j;
	int r = 0;

	for (i = 0; i < f->policy->n_spaces && r == 0; i++) {
		const struct policy_space *space = &f->policy->spaces[i];

		for (j = 0; j < space->n_sources && r == 0; j++) {
			const struct policy_source *src = &space->sources[j];

			if (!policy_source_is_read(src))
				continue;
			if (flow_out_of_time(f, src->name))
				return 0;
			r = flow_read_source(f, space, src, feed, e);
		}
		r = r < 0 ? r : flow_wake_waits(f, space, e);
	}
	return r;
}

static int total(struct flow *f, struct err *e)
{
	struct flow_store *st = f->store;
	struct store_totals t;
	int r = st->totals(st->ctx, &t, e);

	if (r < 0)
		return r;
	f->counts.held = t.held;
	f->counts.conflicts = t.owners[BELIEF_CONFLICT] + t.owners[BELIEF_FROZEN];
	if (f->counts.closed)
		f->counts.held += t.owners[BELIEF_DUE];
	else if (!f->dry_run)
		f->counts.pending += t.owners[BELIEF_DUE];
	return 0;
}

int flow_reconcile(struct flow *f, struct flow_feed *feed, struct err *e)
{
	int r;

	f->started_s = f->net->now_s(f->net->ctx);
	r = flow_policy(f, e);
	r = r < 0 ? r : flow_pull(f, NULL, e);
	r = r < 0 ? r : read_sources(f, feed, e);
	r = r < 0 ? r : flow_expire(f, e);
	r = r < 0 ? r : flow_push(f, e);
	return r < 0 ? r : total(f, e);
}
