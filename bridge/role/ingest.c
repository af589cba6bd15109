/* ingest.c - one source of the daemon: read or listened to, and taken into the database.
 *
 * Three kinds of source.  One that can be followed stays open and is read as news come.  One that
 * is read (a neighbour table) is read every so often.  One that tells (NCR, hook) is listened to
 * without a pause, also while the database is away: what it says then waits in a spool.  With
 * "confirm" its words are only hints: the confirming source is asked to look.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/adapter.h"
#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/base/own.h"
#include "bridge/base/spool.h"
#include "bridge/core/storm.h"
#include "bridge/role/roles.h"
#include "bridge/role/work.h"
#include "bridge/value/obs_pack.h"

enum {
	TURN_MS = 1000,                  /* longest wait for news: so soon a stop is seen */
	SPOOL_MAX = 256 << 20,
	SPOOL_BATCH = 2000,              /* observations taken in at once */
	SPOOL_RECORD = 60000,            /* bytes of one record: many observations, one fsync */
	SLICE = 500,                     /* observations between two looks whether to stop */
	HEARD_MS = 5000,                 /* how often it is noted that the source is there */
	ASK_MS = 10,                     /* between two times that the confirming source is asked */
	FLOOD = 16,                      /* hints in that time: more, and it is asked more seldom */
	ASK_FLOOD_MS = 100,
	LAST_MS = 500,                   /* for what is still in the socket at a stop */
};

struct ingest {
	struct live *l;
	const struct conf_source *conf;
	const struct adapter_ops *ops;
	const char *confirms;            /* name of the confirming source; NULL: none */
	int64_t every_ms;                /* between two reads of a source that is not followed */
	struct adapter *adapter;         /* NULL: not open */
	bool fresh;                      /* opened, not yet read to an end */
	int64_t full_ms;                 /* monotonic: when it was last read whole */
	int64_t next_ms;                 /* not before: it failed, or is read every so often */
	unsigned failures;
	struct storm storm;              /* does the DHCP server come first? */
	bool lost;                       /* events were lost: the confirming source is to look */
	int64_t heard_ms;                /* monotonic: noted last */
	int64_t asked_ms;                /* monotonic: the confirming source, last */
	int64_t ask_ms;                  /* and not again for so long */
	struct spool spool;
	bool spool_failing;              /* said already */
	uint8_t kind;                    /* what its observations are, as configured */
	bool failing;                    /* it cannot be read, or not heard */
	/* of the sessions */
	const struct policy_space *space;
	const struct policy_source *src;
	const struct policy_source *confirm;
	struct flow *flow;
	struct store *store;
};

/* ---- the adapter ------------------------------------------------------------------------ */

static void shut(struct ingest *g)
{
	if (g->adapter != NULL)
		g->adapter->ops->close(g->adapter);
	g->adapter = NULL;
}

static int open_adapter(struct ingest *g, const char *cursor, struct err *e)
{
	int r = g->ops->open(&g->adapter, &g->conf->set, cursor, e);

	g->fresh = true;
	if (r < 0)
		g->adapter = NULL;
	return r;
}

/* The next try waits longer each time. */
static void fail_later(struct ingest *g)
{
	int64_t wait_ms = (int64_t)TURN_MS << (g->failures < 6 ? g->failures : 6);

	g->failures++;
	g->failing = true;
	g->next_ms = clock_mono_ms() + wait_ms;
	shut(g);
}

/* Its observations speak with the rank that the configuration gives. */
static void set_kind(const struct ingest *g, struct obs_batch *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		b->v[i].kind = g->kind;
}

/* ---- sources that are followed, or read every so often ---------------------------------- */

static bool is_old(const struct ingest *g)
{
	return clock_mono_ms() >= g->full_ms + g->l->conf->full_s * 1000;
}

/* An open adapter goes on where it stands, unless the whole is wanted. */
static int feed_open_(void *ctx, const struct policy_space *space,
		      const struct policy_source *src, const char *cursor, struct err *e)
{
	struct ingest *g = ctx;
	bool whole = cursor == NULL || is_old(g);

	(void)space;
	(void)src;
	if (g->adapter == NULL)
		return open_adapter(g, whole ? NULL : cursor, e);
	if (whole && !g->fresh && g->ops->whole != NULL) {
		g->ops->whole(g->adapter);
		g->fresh = true;
	}
	return 0;
}

static int feed_read(void *ctx, struct obs_batch *into, struct err *e)
{
	struct ingest *g = ctx;
	int64_t wait_ms = g->fresh ? g->conf->timeout_s * 1000 : TURN_MS;
	int r = g->adapter->ops->read(g->adapter, into, clock_mono_ms() + wait_ms, e);

	if (r == ADAPTER_IDLE && g->fresh)
		return err_set(e, ERR_BUSY, "source \"%s\" was not read within %lld s", g->src->name,
			       (long long)g->conf->timeout_s);
	if (r >= 0)
		set_kind(g, into);
	/* In the middle of something the rest comes at once. */
	g->fresh = r == ADAPTER_MORE || (g->fresh && r < 0);
	if (r == ADAPTER_COMPLETE || r == ADAPTER_SAME)
		g->full_ms = clock_mono_ms();
	return r;
}

static const char *feed_cursor(void *ctx)
{
	struct ingest *g = ctx;

	return g->ops->cursor == NULL ? NULL : g->ops->cursor(g->adapter);
}

static void feed_close_(void *ctx)
{
	struct ingest *g = ctx;

	if (!g->ops->follows)
		shut(g);
}

/* Now and then: the source is there, and what it confirms may be due again. */
static int note_heard(struct ingest *g, struct err *e)
{
	int64_t now_ms = clock_mono_ms();
	int r = 0;

	if (now_ms < g->heard_ms + HEARD_MS)
		return 0;
	g->heard_ms = now_ms;
	if (g->ops->events)
		r = flow_heard(g->flow, g->space, g->src, e);
	return r < 0 ? r : flow_wake_waits(g->flow, g->space, e);
}

/* What has been written since it was read; negative: it can't be told. */
static int64_t ahead(const struct ingest *g)
{
	bool tells = g->adapter != NULL && g->ops->follows && g->ops->ahead != NULL;

	return tells ? g->ops->ahead(g->adapter) : -1;
}

/* The DHCP server comes first: see storm.h. */
static void rest(struct ingest *g)
{
	int64_t until_ms = clock_mono_ms() + STORM_REST_MS, is = ahead(g), was;

	log_info(g->conf->name, "more than %d new leases a second: the DHCP server comes first, names "
		 "wait for up to %d s", STORM_PER_S, STORM_REST_MS / 1000);
	live_busy(g->l, STORM_REST_MS, "resting, the DHCP server is busy");
	do {
		if (live_wait(g->l, STORM_LOOK_MS) || clock_mono_ms() >= until_ms)
			return;
		was = is;
		is = ahead(g);
	} while (is >= 0 && storm_goes_on(is - was, STORM_LOOK_MS));
}

static int read_turn(struct ingest *g, struct err *e)
{
	struct flow_feed feed = {.ctx = g, .open = feed_open_, .read = feed_read,
				 .cursor = feed_cursor, .close = feed_close_};
	uint64_t failed = g->flow->counts.pending, news = g->flow->counts.news;
	int r = flow_read_source(g->flow, g->space, g->src, &feed, e);

	/* What the adapter gave and the database did not take it gives again from the cursor. */
	if (r < 0)
		shut(g);
	if (r == 0 && g->flow->counts.pending > failed) {
		fail_later(g);
		return 0;
	}
	g->failures = 0;
	g->failing = false;
	news = g->flow->counts.news - news;
	if (r == 0 && storm_rises(&g->storm, news, ahead(g), clock_mono_ms()))
		rest(g);
	if (!g->ops->follows)
		g->next_ms = clock_mono_ms() + g->every_ms;
	return r < 0 ? r : note_heard(g, e);
}

/* ---- sources that tell ------------------------------------------------------------------ */

static int ask_confirming(struct ingest *g, struct err *e)
{
	int r = 0;

	if (g->lost)
		r = store_want_whole(g->store, g->confirm->id, e);
	r = r < 0 ? r : store_ask_to_look(g->store, g->confirm->id, e);
	g->lost = g->lost && r < 0;
	g->asked_ms = clock_mono_ms();
	return r;
}

/* Everything but the last part of a long batch; *done: how many. */
static int observe_slices(struct ingest *g, const struct obs_batch *b, size_t *done, struct err *e)
{
	int r = 0;

	while (*done < b->n && r == 0 && !live_stopped(g->l)) {
		size_t n = b->n - *done < SLICE ? b->n - *done : SLICE;

		r = flow_observe(g->flow, g->space, g->src, b->v + *done, n, e);
		*done += r == 0 ? n : 0;
	}
	return r;
}

static int take(struct ingest *g, const struct obs_batch *b, size_t *done, struct err *e)
{
	int r;

	if (g->confirm != NULL) {
		*done = b->n;
		return b->n > 0 || g->lost ? ask_confirming(g, e) : 0;
	}
	g->lost = false;
	r = observe_slices(g, b, done, e);
	return r < 0 ? r : note_heard(g, e);
}

static void say_bad(const struct ingest *g, const struct obs_batch *b)
{
	size_t i;

	for (i = 0; i < b->n_bad && i < OBS_BAD_KEPT; i++)
		log_event(MSG_RECORD_REFUSED, g->conf->name, "record %llu refused (%s)",
			  (unsigned long long)b->bad[i].record, b->bad[i].why);
}

/* What came in until then; a source that cannot be heard is opened again later. */
static void listen_until(struct ingest *g, struct obs_batch *b, int64_t until_ms)
{
	struct err e = {0};
	int r = 0;

	obs_batch_reset(b);
	/* Nothing is heard while it is not open. */
	if (g->adapter == NULL) {
		g->lost = true;
		r = open_adapter(g, NULL, &e);
	}
	r = r < 0 ? r : g->adapter->ops->read(g->adapter, b, until_ms, &e);
	if (r < 0) {
		log_event(MSG_SOURCE_FAILED, g->conf->name, "read, failed (%s)%s%s", e.text,
			  e.hint[0] != '\0' ? "; hint: " : "", e.hint);
		fail_later(g);
		return;
	}
	g->failures = 0;
	g->failing = false;
	if (r == ADAPTER_LOST)
		log_event(MSG_EVENTS_LOST, g->conf->name, "events were lost on their way");
	g->lost = g->lost || r == ADAPTER_LOST;
	set_kind(g, b);
	say_bad(g, b);
}

/* ---- the spool: what is told while the database is away --------------------------------- */

static int open_spool(struct ingest *g, struct err *e)
{
	char path[4096];
	int r;

	if (g->spool.fd >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/ingest-%s-%s.spool", g->l->conf->state_dir, g->conf->space,
		 g->conf->name);
	r = spool_open(&g->spool, path, e);
	if (r < 0)
		spool_close(&g->spool);
	return r;
}

/* Said once until it works again.  What it holds may be lost, the source is heard without it. */
static void spool_failed(struct ingest *g, const struct err *why)
{
	if (!g->spool_failing)
		log_event(MSG_SPOOL_FAILED, g->conf->name,
			  "spool, failed (%s): what is told while the database is away is lost",
			  why->text);
	g->lost = g->lost || !g->spool_failing;
	g->spool_failing = true;
	/* Another is made in its place. */
	if (spool_removed(&g->spool))
		spool_close(&g->spool);
}

static void spool_works(struct ingest *g)
{
	if (g->spool_failing)
		log_info(g->conf->name, "spool, works again");
	g->spool_failing = false;
}

static int append_record(struct ingest *g, struct buf *record, struct err *e)
{
	int r = record->bad ? err_nomem(e)
			    : spool_append(&g->spool, record->p, record->len, SPOOL_MAX, e);

	buf_reset(record);
	return r;
}

/* Each record holds many observations, each with its length before it. */
static int append_all(struct ingest *g, const struct obs *v, size_t n, struct err *e)
{
	struct buf record = BUF_INIT, one = BUF_INIT;
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		buf_reset(&one);
		obs_pack(&one, &v[i]);
		record.bad = record.bad || one.bad || one.len > SPOOL_RECORD;
		if (record.len + one.len + 2 > SPOOL_RECORD)
			r = append_record(g, &record, e);
		buf_u16(&record, (uint16_t)one.len);
		buf_add(&record, one.p, one.len);
	}
	if (r == 0 && record.len > 0)
		r = append_record(g, &record, e);
	buf_fini(&one);
	buf_fini(&record);
	return r;
}

static void keep_events(struct ingest *g, const struct obs *v, size_t n)
{
	struct err e = {0};
	int r = open_spool(g, &e);

	r = r < 0 ? r : append_all(g, v, n, &e);
	if (r == SPOOL_FULL)
		log_event(MSG_SPOOL_FULL, g->conf->name, "spool %s is full: events are lost",
			  g->spool.path);
	if (r < 0)
		spool_failed(g, &e);
	else
		spool_works(g);
	g->lost = g->lost || r != 0;
}

/* While the database is away hints may be forgotten, the confirming source keeps what matters;
 * everything else is written down. */
static void put_by(struct ingest *g, const struct obs_batch *b, size_t done)
{
	if (done >= b->n)
		return;
	if (g->confirms != NULL)
		g->lost = true;
	else
		keep_events(g, b->v + done, b->n - done);
}

/* 0, or ERR_NOMEM.  What makes no sense is counted as lost. */
static int unpack_record(struct ingest *g, struct obs_batch *b, const struct buf *record)
{
	const uint8_t *p = (const uint8_t *)record->p, *end = p + record->len;
	int r = 0;

	while (end - p >= 2 && r == 0) {
		size_t len = (size_t)p[0] << 8 | p[1];

		p += 2;
		r = len > (size_t)(end - p) ? 1 : obs_unpack(b, p, len);
		p += len;
	}
	g->lost = g->lost || r == 1 || p != end;
	return r < 0 ? r : 0;
}

static int next_of_spool(struct ingest *g, struct obs_batch *b, struct buf *record, struct err *e)
{
	int r;

	while (b->n < SPOOL_BATCH) {
		buf_reset(record);
		r = spool_next(&g->spool, record, e);
		if (r <= 0)
			return r;
		if (unpack_record(g, b, record) < 0)
			return err_nomem(e);
	}
	return 1;
}

/* 1, or negative. */
static int ready_spool(struct ingest *g, struct err *e)
{
	int r = open_spool(g, e);

	/* What was taken in and could not be done with is not to be read again. */
	if (r == 0 && g->spool_failing)
		r = spool_commit(&g->spool, e);
	return r < 0 ? r : 1;
}

/* Before anything new is heard, what was written down is taken in, in its order.  Only an error
 * of the database is one: without the spool there is still what comes in. */
static int drain_spool(struct ingest *g, struct obs_batch *b, struct err *e)
{
	struct buf record = BUF_INIT;
	struct err why = {0};
	int more = ready_spool(g, &why), r = 0;
	bool unread = false;

	while (r == 0 && more == 1 && !live_stopped(g->l)) {
		obs_batch_reset(b);
		more = next_of_spool(g, b, &record, &why);
		unread = more < 0;
		g->lost = g->lost || g->spool.lost > 0 || g->spool.damaged > 0;
		if (unread || (b->n == 0 && g->spool.lost == 0 && g->spool.damaged == 0))
			break;
		r = b->n == 0 ? 0 : flow_observe(g->flow, g->space, g->src, b->v, b->n, e);
		if (r == 0 && spool_commit(&g->spool, &why) < 0)
			more = why.code;
	}
	/* What was read and not taken in is to be read again. */
	if (unread || r < 0)
		spool_close(&g->spool);
	if (more < 0)
		spool_failed(g, &why);
	else
		spool_works(g);
	buf_fini(&record);
	return r;
}

/* ---- the role --------------------------------------------------------------------------- */

static void say_lost(const struct ingest *g)
{
	if (g->lost && g->confirms == NULL)
		log_event(MSG_EVENTS_LOST, g->conf->name,
			  "events may have been lost; hint: with confirm = \"SOURCE\" its leases would be read again");
}

static int tell_turn(struct ingest *g, struct err *e)
{
	struct obs_batch b;
	size_t done = 0;
	int r;

	/* Of a flood of hints, those of a while are one: the socket keeps them. */
	if (g->confirm != NULL)
		live_wait(g->l, g->asked_ms + g->ask_ms - clock_mono_ms());
	obs_batch_init(&b);
	r = g->confirm != NULL ? 0 : drain_spool(g, &b, e);
	if (r == 0 && !live_stopped(g->l)) {
		listen_until(g, &b, clock_mono_ms() + TURN_MS);
		say_lost(g);
		r = g->adapter == NULL ? 0 : take(g, &b, &done, e);
		/* What the database did not take comes again with the spool. */
		put_by(g, &b, done);
		/* Of a flood all in that time, whatever it is, come to more. */
		g->ask_ms = (int64_t)b.n * ASK_MS < FLOOD * g->ask_ms ? ASK_MS : ASK_FLOOD_MS;
	}
	obs_batch_fini(&b);
	return r;
}

/* What has come in by now is put by; a source that tells is opened for it.  How much it was. */
static size_t hear_now(struct ingest *g)
{
	struct obs_batch b;
	size_t n;

	obs_batch_init(&b);
	listen_until(g, &b, 0);
	put_by(g, &b, 0);
	n = b.n;
	obs_batch_fini(&b);
	return n;
}

/* At a stop: what has come in already is for the next process. */
static void hear_the_rest(struct ingest *g)
{
	int64_t until_ms = clock_mono_ms() + LAST_MS;

	if (!g->ops->events)
		return;
	while (g->adapter != NULL && hear_now(g) > 0 && clock_mono_ms() < until_ms)
		;
}

static int turn(void *arg, struct once *o, struct err *e)
{
	struct ingest *g = arg;
	int64_t now_ms = clock_mono_ms();

	once_begin(o, g->l->conf->run_timeout_s);
	live_busy(g->l, g->l->conf->run_timeout_s * 1000, g->failing ? "failing" : "reading");
	if (now_ms < g->next_ms) {
		live_wait(g->l, g->next_ms - now_ms < TURN_MS ? g->next_ms - now_ms : TURN_MS);
		return 0;
	}
	return g->ops->events ? tell_turn(g, e) : read_turn(g, e);
}

/* The database is away, events are not. */
static void away(void *arg, int64_t ms)
{
	struct ingest *g = arg;
	int64_t until_ms = clock_mono_ms() + ms, now_ms;
	struct obs_batch b;

	if (!g->ops->events) {
		live_wait(g->l, ms);
		return;
	}
	obs_batch_init(&b);
	while ((now_ms = clock_mono_ms()) < until_ms && !live_stopped(g->l)) {
		int64_t slice_ms = until_ms - now_ms < TURN_MS ? until_ms - now_ms : TURN_MS;

		if (now_ms < g->next_ms) {
			live_wait(g->l, slice_ms);
			continue;
		}
		listen_until(g, &b, now_ms + slice_ms);
		put_by(g, &b, 0);
	}
	obs_batch_fini(&b);
}

static int begin(void *arg, struct once *o, struct err *e)
{
	struct ingest *g = arg;

	g->flow = once_flow(o);
	g->store = once_store(o);
	g->space = policy_space_by_name(once_policy(o), g->conf->space);
	g->src = g->space == NULL ? NULL : policy_source_by_name(g->space, g->conf->name);
	if (g->src == NULL)
		return err_set(e, ERR_BUG, "source \"%s\" is not in the policy", g->conf->name);
	if (g->confirms != NULL)
		g->confirm = policy_source_by_name(g->space, g->confirms);
	return 0;
}

/* The configured source as it stands, before any session gave it an id. */
static int set_source(struct ingest *g, struct err *e)
{
	const struct policy_space *space = policy_space_by_name(&g->l->conf->policy, g->conf->space);
	const struct policy_source *src =
	    space == NULL ? NULL : policy_source_by_name(space, g->conf->name);

	if (src == NULL)
		return err_set(e, ERR_BUG, "source \"%s\" is not in the policy", g->conf->name);
	g->kind = (uint8_t)src->kind;
	g->ops = adapter_find(g->conf->type);
	g->confirms = settings_str(&g->conf->set, "confirm", NULL);
	g->every_ms = (g->conf->every_s > 0 ? g->conf->every_s : g->l->conf->reconcile_s) * 1000;
	g->full_ms = clock_mono_ms();
	return 0;
}

static const struct conf_source *find_source(const struct conf *c, const char *of)
{
	size_t i;

	for (i = 0; of != NULL && i < c->n_sources; i++) {
		size_t n = strlen(c->sources[i].space);

		if (strncmp(of, c->sources[i].space, n) == 0 && of[n] == '/' &&
		    strcmp(of + n + 1, c->sources[i].name) == 0)
			return &c->sources[i];
	}
	return NULL;
}

int role_ingest(struct live *l, struct err *e)
{
	struct ingest g = {.l = l, .conf = find_source(l->conf, l->of), .spool = SPOOL_INIT,
			   .ask_ms = ASK_MS};
	struct work w = {.l = l, .arg = &g, .begin = begin, .turn = turn, .away = away,
			 .failing = &g.failing, .many = true};
	int r;

	if (g.conf == NULL)
		return err_set(e, ERR_CONF, "no source \"%s\" in the configuration",
			       l->of == NULL ? "" : l->of);
	r = set_source(&g, e);
	/* Whoever tells does not tell again: heard before there is a session with the database. */
	if (r == 0 && g.ops->events)
		hear_now(&g);
	r = r < 0 ? r : work_run(&w, e);
	hear_the_rest(&g);
	shut(&g);
	spool_close(&g.spool);
	return r;
}
