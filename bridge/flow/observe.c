/* observe.c - a source's words become evidence, and evidence becomes names.
 *
 * Differences with what is kept are taken in steps, each one transaction: evidence, the plan of
 * all that it touches and, with the last, the source's cursor.  A crash between two steps only
 * means that the source is read again.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/vec.h"
#include "bridge/flow/brakes.h"
#include "bridge/flow/flow.h"
#include "bridge/flow/say.h"

struct intake {
	struct flow *f;
	const struct policy_space *space;
	const struct policy_source *src;
	uint64_t staged;       /* observations read */
	uint64_t live;         /* those that are no ends */
	uint64_t bad;
	uint64_t older;        /* dropped: older than what is kept */
	/* of one step */
	struct planner p;
	struct brakes brakes;
	VEC(struct evidence) put;
	VEC(struct evidence) del;
	VEC(struct ipaddr) touched;
	VEC(struct ipaddr) lease_gone;
};

/* ---- one difference --------------------------------------------------------------------- */

static int note(struct intake *in, const char *event, const struct obs *o, const char *why,
		struct err *e)
{
	struct buf b = BUF_INIT;
	int r;

	buf_printf(&b, "source %s, %s", in->src->name, obs_kind_name((enum obs_kind)o->kind));
	if (o->name.len > 0) {
		buf_str(&b, ", name \"");
		buf_escaped(&b, o->name.p, o->name.len);
		buf_str(&b, "\"");
	}
	if (why != NULL)
		buf_printf(&b, ": %s", why);
	r = b.bad ? err_nomem(e)
		  : planner_note(&in->p, NULL, &o->addr, event, NULL, NULL, -1, buf_text(&b), e);
	buf_fini(&b);
	return r;
}

static int keep(struct intake *in, const struct evidence *ev, bool touches, struct err *e)
{
	if (vec_push(&in->put, *ev) < 0 ||
	    (touches && vec_push(&in->touched, ev->obs.addr) < 0))
		return err_nomem(e);
	return 0;
}

static int drop(struct intake *in, const struct evidence *ev, const char *why, struct err *e)
{
	if (vec_push(&in->del, *ev) < 0 || vec_push(&in->touched, ev->obs.addr) < 0)
		return err_nomem(e);
	if (ev->obs.kind == OBS_LEASE && vec_push(&in->lease_gone, ev->obs.addr) < 0)
		return err_nomem(e);
	return note(in, "ended", &ev->obs, why, e);
}

static int hold(struct intake *in, const struct evidence *had, const char *what, struct err *e)
{
	struct evidence ev = *had;
	int r;

	if (ev.held)
		return 0;
	ev.held = true;
	r = keep(in, &ev, false, e);
	return r < 0 ? r : note(in, "held", &ev.obs, what, e);
}

static bool same_client(const struct obs *a, const struct obs *b)
{
	struct identity x, y;

	identity_of(&x, a);
	identity_of(&y, b);
	return identity_compare(&x, &y) != 0;
}

static int changed(struct intake *in, const struct obs_change *c, struct err *e)
{
	struct evidence ev = c->had;
	bool renamed = c->had.obs.name.len > 0 && !bytes_equal(c->had.obs.name, c->got.name);
	int r = 1;

	/* Held rows never ripen: a new hour changes nothing, only force does. */
	if (renamed && c->had.held && in->f->force == NULL)
		return 0;
	if (renamed)
		r = brakes_admit(&in->brakes, in->src->id, &c->had.obs.addr, false, e);
	if (r < 0)
		return r;
	if (r == 0)
		return hold(in, &c->had, "too many changes from this source in an hour", e);
	if (c->had.obs.kind == OBS_LEASE && !same_client(&c->had.obs, &c->got) &&
	    vec_push(&in->lease_gone, c->had.obs.addr) < 0)
		return err_nomem(e);
	ev.obs = c->got;
	ev.held = false;
	ev.absent_since_s = 0;
	ev.last_seen_s = in->p.now_s;
	r = keep(in, &ev, true, e);
	/* A mere renewal is no news. */
	if (r < 0 || bytes_equal(c->had.obs.name, c->got.name))
		return r;
	return note(in, "changed", &ev.obs, NULL, e);
}

static int ended(struct intake *in, const struct obs_change *c, struct err *e)
{
	int r = 1;

	/* What a person says is no source gone wrong. */
	if (c->had.obs.name.len > 0 && c->had.obs.kind != OBS_MANUAL)
		r = brakes_admit(&in->brakes, in->src->id, &c->had.obs.addr, true, e);
	if (r < 0)
		return r;
	if (r == 0)
		return hold(in, &c->had, "too many ends from this source at once", e);
	return drop(in, &c->had, c->got.end_why, e);
}

/* A complete read did not show it.  Neighbours go stale by the clock, other IPAMs' rows end at
 * the second absence, leases and people's records never by absence. */
static int absent(struct intake *in, const struct obs_change *c, struct err *e)
{
	struct evidence ev = c->had;
	int r = 1;

	if (ev.obs.kind != OBS_NEIGHBOUR && ev.obs.kind != OBS_IPAM)
		return 0;
	if (ev.absent_since_s == 0) {
		ev.absent_since_s = in->p.now_s;
		return keep(in, &ev, false, e);
	}
	if (ev.obs.kind == OBS_NEIGHBOUR || (ev.held && in->f->force == NULL))
		return 0;
	if (ev.obs.name.len > 0)
		r = brakes_admit(&in->brakes, in->src->id, &ev.obs.addr, false, e);
	if (r < 0)
		return r;
	return r == 0 ? hold(in, &ev, "too many rows vanished from this source", e)
		      : drop(in, &ev, "absent in two complete reads", e);
}

/* Yesterday's file says nothing about today. */
static bool is_older(const struct obs_change *c)
{
	return (c->change == OBS_CHANGED || c->change == OBS_ENDED) && c->got.seen_at_s != 0 &&
	       c->got.seen_at_s < c->had.obs.seen_at_s;
}

static int take_one(struct intake *in, const struct obs_change *c, struct err *e)
{
	struct evidence ev = {.source_id = in->src->id};
	int r;

	if (is_older(c)) {
		in->older++;
		return 0;
	}
	switch (c->change) {
	case OBS_NEW:
		/* A file may go on showing a lease whose time is over. */
		if (c->got.valid_until_s <= in->p.now_s)
			return 0;
		ev.obs = c->got;
		ev.first_seen_s = ev.last_seen_s = in->p.now_s;
		r = keep(in, &ev, true, e);
		return r < 0 ? r : note(in, "observed", &ev.obs, NULL, e);
	case OBS_CHANGED:
		return changed(in, c, e);
	case OBS_ENDED:
		return ended(in, c, e);
	case OBS_ABSENT:
		return absent(in, c, e);
	case OBS_BACK:
		ev = c->had;
		ev.held = false;
		ev.absent_since_s = 0;
		ev.last_seen_s = in->p.now_s;
		return keep(in, &ev, false, e);
	}
	return err_set(e, ERR_BUG, "a difference of unknown kind");
}

/* ---- one step: one transaction ---------------------------------------------------------- */

static void step_fini(struct intake *in)
{
	vec_fini(&in->put);
	vec_fini(&in->del);
	vec_fini(&in->touched);
	vec_fini(&in->lease_gone);
	planner_fini(&in->p);
}

static int write_step(struct intake *in, struct err *e)
{
	struct flow_store *st = in->f->store;
	int r = 0;

	if (in->put.n > 0)
		r = st->evidence_put(st->ctx, in->put.v, in->put.n, e);
	if (r == 0 && in->del.n > 0)
		r = st->evidence_del(st->ctx, in->del.v, in->del.n, e);
	if (r == 0 && in->lease_gone.n > 0)
		r = planner_end_edits(&in->p, in->lease_gone.v, in->lease_gone.n, e);
	addrs_unique(in->touched.v, &in->touched.n);
	r = r < 0 ? r : planner_addresses(&in->p, in->touched.v, in->touched.n, e);
	return r < 0 ? r : brakes_keep(&in->brakes, e);
}

/* Takes up to a chunk of differences; *last: there are no more.  row: kept with the last. */
static int step_inside(struct intake *in, struct source_row *row, bool *last, struct err *e)
{
	struct flow_store *st = in->f->store;
	struct obs_change *c;
	size_t n, i;
	int r;

	r = st->lock_space(st->ctx, in->space->id, e);
	r = r < 0 ? r : st->stage_next(st->ctx, &c, &n, PLANNER_CHUNK, &in->p.arena, e);
	for (i = 0; r == 0 && i < n; i++)
		r = take_one(in, &c[i], e);
	r = r < 0 ? r : write_step(in, e);
	*last = r == 0 && n < PLANNER_CHUNK;
	if (r == 0 && *last && row != NULL)
		r = st->source_put(st->ctx, row, e);
	return r;
}

static int step(struct intake *in, struct source_row *row, bool *last, struct err *e)
{
	struct flow_store *st = in->f->store;
	int r;

	r = st->begin(st->ctx, e);
	if (r < 0)
		return r;
	planner_init(&in->p, in->f, in->space);
	brakes_init(&in->brakes, &in->p);
	r = step_inside(in, row, last, e);
	if (r < 0)
		st->rollback(st->ctx);
	else
		r = st->commit(st->ctx, e);
	step_fini(in);
	return r;
}

static int drain(struct intake *in, struct source_row *row, struct err *e)
{
	bool last = false;
	int r = 0;

	while (r == 0 && !last) {
		r = step(in, row, &last, e);
		if (r == 0 && !last && flow_late(in->f))
			return err_set(e, ERR_BUSY, "the run's time is over");
	}
	if (r == 0 && in->older > 0)
		flow_say(in->f, in->src->name,
			 "read, %llu rows dropped (older than what is kept; likely: an old file)",
			 (unsigned long long)in->older);
	return r;
}

/* ---- a whole source --------------------------------------------------------------------- */

static int stage(struct intake *in, const struct obs *v, size_t n, struct err *e)
{
	struct flow_store *st = in->f->store;
	size_t i;

	in->staged += n;
	for (i = 0; i < n; i++)
		in->live += !v[i].end;
	return n == 0 ? 0 : st->stage_add(st->ctx, v, n, e);
}

/* One of the FEED_ answers that end a read, or a negative code.  Staging errors are the
 * database's fault, not the source's: *fatal. */
static int read_all(struct intake *in, struct flow_feed *feed, bool *fatal, struct err *e)
{
	struct obs_batch batch;
	size_t i;
	int r, s = 0;

	obs_batch_init(&batch);
	do {
		obs_batch_reset(&batch);
		r = feed->read(feed->ctx, &batch, e);
		if (r < 0)
			break;
		in->bad += batch.n_bad;
		for (i = 0; i < batch.n_bad && i < OBS_BAD_KEPT; i++)
			flow_say(in->f, in->src->name, "record %llu refused (%s)",
				 (unsigned long long)batch.bad[i].record, batch.bad[i].why);
		s = stage(in, batch.v, batch.n, e);
		*fatal = s < 0;
	} while (r == FEED_MORE && s == 0);
	obs_batch_fini(&batch);
	return s < 0 ? s : r;
}

/* The source could not be read: nothing ends, the row says why, the pass goes on. */
static int failed(struct intake *in, struct source_row *row, struct err *cause, struct err *e)
{
	struct flow_store *st = in->f->store;
	int r;

	flow_say(in->f, in->src->name, "read, failed (%s)%s%s", cause->text,
		 cause->hint[0] != '\0' ? "; hint: " : "", cause->hint);
	in->f->counts.pending++;
	row->last_try_s = in->f->net->now_s(in->f->net->ctx);
	row->last_error = cause->text;
	r = st->begin(st->ctx, e);
	if (r < 0)
		return r;
	r = st->source_put(st->ctx, row, e);
	if (r < 0) {
		st->rollback(st->ctx);
		return r;
	}
	return st->commit(st->ctx, e);
}

/* Empty after non-empty is a broken source until somebody shows otherwise: it ends nothing, by
 * absence or by the clock. */
static int suspicious(struct intake *in, struct source_row *row, struct err *e)
{
	struct err cause = {0};

	err_set(&cause, ERR_PROTO, "the source is empty, it had %llu rows: nothing is ended",
		(unsigned long long)row->rows);
	err_hint(&cause, "if it is truly empty, run reconcile with --force ZONE once");
	return failed(in, row, &cause, e);
}

static int succeed(struct intake *in, struct source_row *row, struct flow_feed *feed, int answer,
		   struct err *e)
{
	struct flow_store *st = in->f->store;
	bool complete = answer == FEED_COMPLETE;
	uint64_t n = 0;
	int r;

	if (complete && in->staged == 0 && row->rows > 0 && in->f->force == NULL)
		return suspicious(in, row, e);
	row->last_ok_s = row->last_try_s = in->f->net->now_s(in->f->net->ctx);
	row->last_error = NULL;
	if (answer == FEED_SAME)
		return drain(in, row, e);
	row->cursor = feed->cursor == NULL ? NULL : feed->cursor(feed->ctx);
	if (complete)
		row->rows = in->live;
	row->bad = in->bad;
	r = st->stage_diff(st->ctx, complete, row->last_ok_s, &n, e);
	return r < 0 ? r : drain(in, row, e);
}

int flow_read_source(struct flow *f, const struct policy_space *space,
		     const struct policy_source *src, struct flow_feed *feed, struct err *e)
{
	struct intake in = {.f = f, .space = space, .src = src};
	struct flow_store *st = f->store;
	struct arena a = ARENA_INIT;
	struct source_row row;
	struct err cause = {0};
	bool fatal = false;
	int r, answer;

	r = st->source_get(st->ctx, &row, &a, src->id, e);
	r = r < 0 ? r : st->stage_begin(st->ctx, src->id, e);
	if (r < 0) {
		arena_fini(&a);
		return r;
	}
	/* With force everything is compared again: held rows may differ in an unchanged file. */
	answer = feed->open(feed->ctx, space, src, f->force != NULL ? NULL : row.cursor, &cause);
	if (answer == 0) {
		answer = read_all(&in, feed, &fatal, &cause);
		if (answer >= 0)
			r = succeed(&in, &row, feed, answer, e);
		feed->close(feed->ctx);
	}
	if (fatal) {
		r = answer;
		if (e != NULL)
			*e = cause;
	} else if (answer < 0) {
		r = failed(&in, &row, &cause, e);
	}
	arena_fini(&a);
	return r;
}

int flow_observe(struct flow *f, const struct policy_space *space,
		 const struct policy_source *src, const struct obs *v, size_t n, struct err *e)
{
	struct intake in = {.f = f, .space = space, .src = src};
	struct flow_store *st = f->store;
	uint64_t differences;
	int r;

	r = st->stage_begin(st->ctx, src->id, e);
	r = r < 0 ? r : stage(&in, v, n, e);
	r = r < 0 ? r
		  : st->stage_diff(st->ctx, false, f->net->now_s(f->net->ctx), &differences, e);
	return r < 0 ? r : drain(&in, NULL, e);
}

/* ---- the clock -------------------------------------------------------------------------- */

static int expire_one(struct intake *in, const struct evidence *ev, struct err *e)
{
	int r = 1;

	if (ev->obs.name.len > 0)
		r = brakes_admit(&in->brakes, in->src->id, &ev->obs.addr, false, e);
	if (r < 0)
		return r;
	if (r == 0)
		return hold(in, ev, "too many ends by the clock in an hour", e);
	return drop(in, ev, ev->absent_since_s != 0 ? "not seen any more" : "its time is over", e);
}

static int expire_inside(struct intake *in, int64_t until_s, struct ipaddr *after, bool *last,
			 struct err *e)
{
	struct flow_store *st = in->f->store;
	int64_t stale = in->src->kind == OBS_NEIGHBOUR ? in->src->stale_after_s : 0;
	struct evidence *ev;
	size_t n, i;
	int r;

	r = st->lock_space(st->ctx, in->space->id, e);
	r = r < 0 ? r
		  : st->evidence_due(st->ctx, &ev, &n, in->src->id, until_s, stale,
				     in->f->force != NULL, after->family == 0 ? NULL : after,
				     PLANNER_CHUNK, &in->p.arena, e);
	for (i = 0; r == 0 && i < n; i++)
		r = expire_one(in, &ev[i], e);
	if (r == 0 && n > 0) {
		*after = ev[n - 1].obs.addr;
		r = write_step(in, e);
	}
	*last = r < 0 || n < PLANNER_CHUNK;
	return r;
}

static int expire_source(struct intake *in, int64_t until_s, struct err *e)
{
	struct flow_store *st = in->f->store;
	struct ipaddr after = {0, {0}};
	bool last = false;
	int r = 0;

	while (r == 0 && !last) {
		r = st->begin(st->ctx, e);
		if (r < 0)
			return r;
		planner_init(&in->p, in->f, in->space);
		brakes_init(&in->brakes, &in->p);
		r = expire_inside(in, until_s, &after, &last, e);
		if (r < 0)
			st->rollback(st->ctx);
		else
			r = st->commit(st->ctx, e);
		step_fini(in);
	}
	return r;
}

int flow_expire(struct flow *f, struct err *e)
{
	struct flow_store *st = f->store;
	int64_t now_s = f->net->now_s(f->net->ctx);
	struct arena a = ARENA_INIT;
	struct source_row row;
	size_t i, j;
	int r = 0;

	for (i = 0; i < f->policy->n_spaces && r == 0; i++) {
		const struct policy_space *space = &f->policy->spaces[i];

		for (j = 0; j < space->n_sources && r == 0; j++) {
			struct intake in = {.f = f, .space = space, .src = &space->sources[j]};

			r = st->source_get(st->ctx, &row, &a, in.src->id, e);
			/* Past its time means over only if the source has been heard since. */
			if (r == 0 && row.last_ok_s != 0)
				r = expire_source(&in, row.last_ok_s < now_s ? row.last_ok_s : now_s,
						  e);
			arena_reset(&a);
		}
	}
	arena_fini(&a);
	return r;
}
