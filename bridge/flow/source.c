/* source.c - a whole source is read, compared with what is kept of it, and taken in.
 *
 * A short piece of news is compared row by row; everything else is staged and compared in the
 * store.  Differences are taken in steps, each one transaction: evidence, the plan of all that it
 * touches and, with the last, the source's cursor.  A crash between two steps only means that the
 * source is read again.
 */
#include <string.h>

#include "bridge/flow/observe.h"
#include "bridge/flow/say.h"
#include "bridge/value/wirelen.h"

enum { HEARD_EVERY_S = 5 };  /* how often it is noted that a source has nothing new */

struct reading {
	struct intake in;
	struct flow_feed *feed;
	struct source_row row;
	struct obs_batch batch;
	bool staging;          /* the stage is open */
	bool last;             /* the step that runs now is the last */
	bool idle;             /* a daemon's source has nothing new */
	uint64_t staged;       /* observations read */
	uint64_t live;         /* those that are no ends */
	uint64_t bad;
	uint64_t older;        /* dropped: older than what is kept */
	int64_t newest_s;      /* of all that was read */
	bool complete;
	bool stale;            /* all of it is older than what it showed before */
	uint64_t missing;      /* leases that it lacks before their time is over */
	struct source_row was; /* the row as it was before */
	struct err less;       /* too many of them are missing; code 0: no */
};

/* ---- taking in -------------------------------------------------------------------------- */

/* An older copy of the source: it has nothing that is as new as a row that it showed before and
 * shows older now.  What it lacks or brings back says nothing about today. */
static bool is_stale(const struct reading *u, const struct obs_change *c, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int64_t had_s = c[i].had.obs.seen_at_s;

		/* A row of a clock that ran ahead is no measure. */
		if (observe_is_older(&c[i]) && had_s > u->newest_s && had_s <= u->in.p.now_s)
			return true;
	}
	return false;
}

static bool is_missing(const struct reading *u, const struct obs_change *c)
{
	const struct evidence *had = &c->had;
	int64_t since_s = had->absent_since_s != 0 ? had->absent_since_s : u->in.p.now_s;

	return c->change == OBS_ABSENT && had->obs.kind == OBS_LEASE &&
	       since_s < had->obs.valid_until_s;
}

/* A part of the source: DHCP servers write down how a lease ends before they leave it out. */
static bool lacks_much(const struct reading *u)
{
	const struct policy *p = u->in.f->policy;

	return u->complete &&
	       u->missing > brake_limit(u->live + u->missing, p->brake_min, p->brake_percent);
}

/* Renewals of what is missing are missed too: until it is all there again nothing ends by the
 * clock, and it is read from where it was read last. */
static void stay_behind(struct reading *u)
{
	err_set(&u->less, ERR_PROTO, "the source lacks %llu leases whose time is not over, it shows "
		"%llu: nothing is ended", (unsigned long long)u->missing, (unsigned long long)u->live);
	err_hint(&u->less, "is the file whole?  If it is, reconcile --force ZONE ends those whose time "
		 "is over");
	u->row.last_ok_s = u->was.last_ok_s;
	u->row.last_error = u->less.text;
	u->row.cursor = u->was.cursor;
	u->row.whole_done = u->was.whole_done;
}

/* Takes up to a chunk of differences; the source's row is kept with the last. */
static int step_inside(void *arg, struct err *e)
{
	struct reading *u = arg;
	struct flow_store *st = u->in.f->store;
	struct obs_change *c;
	size_t n, i;
	int r;

	r = st->stage_next(st->ctx, &c, &n, PLANNER_CHUNK, &u->in.p.arena, e);
	u->stale = r == 0 && u->complete && is_stale(u, c, n);
	if (u->stale) {
		u->last = true;
		return 0;
	}
	for (i = 0; r == 0 && i < n; i++) {
		u->missing += is_missing(u, &c[i]);
		r = observe_change(&u->in, &c[i], &u->older, e);
	}
	u->last = r == 0 && n < PLANNER_CHUNK;
	if (u->last && lacks_much(u))
		stay_behind(u);
	return u->last ? st->source_put(st->ctx, &u->row, e) : r;
}

/* What a late run leaves undone is read again by the next: the cursor has not moved. */
static int drain(struct reading *u, struct err *e)
{
	int r;

	do {
		r = intake_step(&u->in, step_inside, u, e);
		if (r == 0 && !u->last && flow_late(u->in.f)) {
			u->in.f->counts.pending++;
			return 0;
		}
	} while (r == 0 && !u->last);
	return r;
}

static int news_inside(void *arg, struct err *e)
{
	struct reading *u = arg;
	struct flow_store *st = u->in.f->store;
	int r = observe_all(&u->in, u->batch.v, u->batch.n, &u->older, e);

	return r < 0 ? r : st->source_put(st->ctx, &u->row, e);
}

static int row_inside(void *arg, struct err *e)
{
	struct reading *u = arg;
	struct flow_store *st = u->in.f->store;

	return st->source_put(st->ctx, &u->row, e);
}

/* ---- reading ---------------------------------------------------------------------------- */

static int stage(struct reading *u, struct err *e)
{
	struct flow_store *st = u->in.f->store;
	int r = 0;

	if (!u->staging)
		r = st->stage_begin(st->ctx, u->in.src->id, e);
	u->staging = r == 0;
	return r < 0 || u->batch.n == 0 ? r : st->stage_add(st->ctx, u->batch.v, u->batch.n, e);
}

static void count(struct reading *u)
{
	const struct obs_batch *b = &u->batch;
	size_t i;

	u->bad += b->n_bad;
	for (i = 0; i < b->n_bad && i < OBS_BAD_KEPT; i++)
		flow_say(u->in.f, MSG_RECORD_REFUSED, u->in.src->name, "record %llu refused (%s)",
			 (unsigned long long)b->bad[i].record, b->bad[i].why);
	u->staged += b->n;
	for (i = 0; i < b->n; i++) {
		u->live += !b->v[i].end;
		if (b->v[i].seen_at_s > u->newest_s)
			u->newest_s = b->v[i].seen_at_s;
	}
}

/* All of it came at once, it is short, and what it lacks means nothing. */
static bool is_news(const struct reading *u, int answer)
{
	return answer == FEED_DELTA && !u->staging && u->batch.n <= PLANNER_CHUNK;
}

/* One of the FEED_ answers that end a read, or a negative code.  Staging errors are the
 * database's fault, not the source's: *fatal. */
static int read_all(struct reading *u, bool *fatal, struct err *e)
{
	int r, s = 0;

	do {
		obs_batch_reset(&u->batch);
		r = u->feed->read(u->feed->ctx, &u->batch, e);
		if (r < 0 || r == FEED_SAME || r == FEED_IDLE)
			return r;
		count(u);
		if (!is_news(u, r))
			s = stage(u, e);
		*fatal = s < 0;
	} while (r == FEED_MORE && s == 0);
	return s < 0 ? s : r;
}

/* The source could not be read: nothing ends, the row says why, the pass goes on. */
static int failed(struct reading *u, const struct err *cause, struct err *e)
{
	flow_say(u->in.f, MSG_SOURCE_FAILED, u->in.src->name, "read, failed (%s)%s%s", cause->text,
		 cause->hint[0] != '\0' ? "; hint: " : "", cause->hint);
	u->in.f->counts.pending++;
	u->row.last_try_s = u->in.f->net->now_s(u->in.f->net->ctx);
	u->row.last_error = cause->text;
	return intake_step(&u->in, row_inside, u, e);
}

/* Empty after non-empty is a broken source until somebody shows otherwise: it ends nothing, by
 * absence or by the clock. */
static int suspicious(struct reading *u, struct err *e)
{
	struct err cause = {0};

	err_set(&cause, ERR_PROTO, "the source is empty, it had %llu rows: nothing is ended",
		(unsigned long long)u->row.rows);
	err_hint(&cause, "if it is truly empty, run reconcile with --force ZONE once");
	return failed(u, &cause, e);
}

/* A frozen copy would end every lease by the clock, one after the other. */
static int out_of_date(struct reading *u, struct err *e)
{
	struct err cause = {0};
	char at[24];

	time_print(at, u->newest_s);
	err_set(&cause, ERR_PROTO, "the source is an older copy, its newest row is of %s: nothing is "
		"taken from it, nothing is ended", at);
	err_hint(&cause, "is this the file in use?  It is read again as soon as it has a newer row; "
		 "or reconcile with --force ZONE");
	u->row = u->was;
	return failed(u, &cause, e);
}

static int said_less(struct reading *u)
{
	flow_say(u->in.f, MSG_SOURCE_FAILED, u->in.src->name, "read, in part (%s); hint: %s",
		 u->less.text, u->less.hint);
	u->in.f->counts.pending++;
	return 0;
}

static int succeed(struct reading *u, int answer, struct err *e)
{
	struct flow_store *st = u->in.f->store;
	bool complete = answer == FEED_COMPLETE;
	int64_t now_s = u->in.f->net->now_s(u->in.f->net->ctx);
	uint64_t n = 0;
	int r;

	u->idle = answer == FEED_IDLE;
	if (u->idle && now_s < u->row.last_ok_s + HEARD_EVERY_S)
		return 0;
	if (complete && u->staged == 0 && u->row.rows > 0 && u->in.f->force == NULL)
		return suspicious(u, e);
	u->was = u->row;
	u->row.last_ok_s = u->row.last_try_s = now_s;
	u->row.last_error = NULL;
	if (answer == FEED_SAME || u->idle)
		return intake_step(&u->in, row_inside, u, e);
	u->row.cursor = u->feed->cursor == NULL ? NULL : u->feed->cursor(u->feed->ctx);
	if (complete) {
		u->row.rows = u->live;
		u->row.whole_done = u->row.whole_wanted;
	}
	u->row.bad = u->bad;
	if (is_news(u, answer))
		return intake_step(&u->in, news_inside, u, e);
	u->complete = complete && u->in.f->force == NULL;
	r = st->stage_diff(st->ctx, complete, u->row.last_ok_s, &n, e);
	r = r < 0 ? r : drain(u, e);
	if (r == 0 && u->stale)
		return out_of_date(u, e);
	if (r == 0 && u->less.code != 0)
		return said_less(u);
	if (r == 0)
		flow_say(u->in.f, MSG_SOURCE_READ, u->in.src->name, "read, done (%llu rows, %llu differed)",
			 (unsigned long long)u->staged, (unsigned long long)n);
	return r;
}

static int read_source(struct reading *u, struct err *e)
{
	struct flow_feed *feed = u->feed;
	const struct flow *f = u->in.f;
	struct err cause = {0};
	bool fatal = false;
	int r = 0, answer;

	/* With force everything is compared again: held rows may differ in an unchanged file. */
	answer = feed->open(feed->ctx, u->in.space, u->in.src,
			    f->force != NULL || u->row.whole_wanted > u->row.whole_done
				? NULL : u->row.cursor, &cause);
	if (answer == 0) {
		answer = read_all(u, &fatal, &cause);
		if (answer >= 0)
			r = succeed(u, answer, e);
		feed->close(feed->ctx);
	}
	if (!fatal)
		return answer < 0 ? failed(u, &cause, e) : r;
	if (e != NULL)
		*e = cause;
	return answer;
}

int flow_read_source(struct flow *f, const struct policy_space *space,
		     const struct policy_source *src, struct flow_feed *feed, struct err *e)
{
	struct reading u = {.in = {.f = f, .space = space, .src = src}, .feed = feed};
	struct flow_store *st = f->store;
	struct arena a = ARENA_INIT;
	int r = st->source_get(st->ctx, &u.row, &a, src->id, e);

	obs_batch_init(&u.batch);
	r = r < 0 ? r : read_source(&u, e);
	if (r == 0)
		observe_say_older(&u.in, u.older);
	obs_batch_fini(&u.batch);
	arena_fini(&a);
	return r;
}

static int nothing_read(void *ctx, struct obs_batch *into, struct err *e)
{
	(void)ctx;
	(void)into;
	(void)e;
	return FEED_IDLE;
}

static int nothing_opened(void *ctx, const struct policy_space *space,
			  const struct policy_source *src, const char *cursor, struct err *e)
{
	(void)ctx;
	(void)space;
	(void)src;
	(void)cursor;
	(void)e;
	return 0;
}

static void nothing_closed(void *ctx)
{
	(void)ctx;
}

int flow_heard(struct flow *f, const struct policy_space *space, const struct policy_source *src,
	       struct err *e)
{
	struct flow_feed feed = {.open = nothing_opened, .read = nothing_read,
				 .close = nothing_closed};

	return flow_read_source(f, space, src, &feed, e);
}
