/* reconcile.c - one pass: pull, read, expire, push. */
#include <stdarg.h>
#include <stdio.h>

#include "bridge/flow/flow.h"
#include "bridge/flow/say.h"

void flow_say(const struct flow *f, const char *subject, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	if (f->say == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->say(f->say_arg, subject, text);
}

bool flow_late(const struct flow *f)
{
	return f->deadline_s != 0 && f->net->now_s(f->net->ctx) >= f->deadline_s;
}

void flow_is_down(struct flow *f, const struct policy_zone *z)
{
	if (!flow_down(f, z) && f->n_down < FLOW_DOWN_MAX)
		f->down[f->n_down++] = z->id;
}

bool flow_down(const struct flow *f, const struct policy_zone *z)
{
	size_t i;

	for (i = 0; i < f->n_down; i++) {
		if (f->down[i] == z->id)
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

			/* These two are written to, not read. */
			if (src->kind == OBS_MANUAL || src->kind == OBS_DNS)
				continue;
			if (flow_late(f))
				return err_set(e, ERR_BUSY, "the run's time is over");
			r = flow_read_source(f, space, src, feed, e);
		}
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
	if (!f->dry_run)
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
