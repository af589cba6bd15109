/* once.c - binds the rooms together for one command. */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/base/own.h"
#include "bridge/role/feed.h"
#include "bridge/role/mark.h"
#include "bridge/role/once.h"
#include "bridge/role/wire.h"

struct once {
	const struct conf *conf;
	struct policy policy;
	struct pg *pg;
	struct store *store;
	struct wire *wire;
	struct feed *feed;
	struct flow_store flow_store;
	struct flow_net flow_net;
	struct flow_feed flow_feed;
	struct flow flow;
	struct err closed;           /* why nothing may be sent; code 0: it may */
	bool said_mark;
};

static void say(void *arg, enum message id, const char *subject, const char *sentence)
{
	(void)arg;
	log_event(id, subject, "%s", sentence);
}

static void wait_ms(void *arg, int64_t ms)
{
	(void)arg;
	clock_sleep_until_ms(clock_mono_ms() + ms);
}

static int connect_all(struct once *o, const struct conf *c, const char *role, bool look,
		       struct err *e)
{
	int r;

	r = pg_open(&o->pg, c->database, role, c->statement_timeout_s, e);
	r = r < 0 ? r : store_open(&o->store, o->pg, e);
	/* Nothing of a configuration that another process plans against reaches the database. */
	if (r == 0)
		r = look ? store_dry_begin(o->store, e) : store_hold_policy(o->store, &o->policy, e);
	r = r < 0 ? r : store_sync_policy(o->store, &o->policy, e);
	r = r < 0 ? r : wire_open(&o->wire, c, e);
	return r < 0 ? r : feed_open(&o->feed, c, e);
}

int once_open(struct once **out, const struct conf *c, const char *role, bool look, struct err *e)
{
	AUTO(once_closep) struct once *o = calloc(1, sizeof(*o));
	int r;

	if (o == NULL)
		return err_nomem(e);
	o->conf = c;
	o->policy = c->policy;
	r = connect_all(o, c, role, look, e);
	if (r < 0)
		return r;
	o->flow_store = store_flow(o->store);
	o->flow_net = wire_flow(o->wire);
	o->flow_feed = feed_flow(o->feed);
	o->flow.policy = &o->policy;
	o->flow.store = &o->flow_store;
	o->flow.net = &o->flow_net;
	o->flow.dry_run = look;
	o->flow.full_every_s = c->full_s;
	o->flow.say = say;
	o->flow.wait = wait_ms;
	once_begin(o, c->run_timeout_s);
	r = look ? 0 : once_check_mark(o, e);
	if (r == 0)
		*out = own_take(&o);
	return r;
}

int once_check_mark(struct once *o, struct err *e)
{
	int r;

	memset(&o->closed, 0, sizeof(o->closed));
	r = mark_check(o->conf, o->pg, &o->closed, e);
	o->flow.closed = r == MARK_OTHER ? &o->closed : NULL;
	return r < 0 ? r : 0;
}

int once_keep_mark(struct once *o, struct err *e)
{
	struct err why = {0};
	int r = o->flow.closed != NULL ? once_check_mark(o, e) : 0;

	if (r < 0 || o->flow.closed != NULL)
		return r;
	r = mark_keep(o->conf, o->pg, &why);
	if (r < 0 && !o->said_mark)
		log_event(MSG_MARK_FAILED, o->conf->state_dir, "mark of the journal, not kept (%s)",
			  why.text);
	o->said_mark = r < 0;
	return 0;
}

void once_begin(struct once *o, int64_t timeout_s)
{
	struct flow *f = &o->flow;

	memset(&f->counts, 0, sizeof(f->counts));
	f->n_down = 0;
	f->said_late = false;
	f->started_s = clock_wall_s();
	f->deadline_s = f->started_s + timeout_s;
	wire_begin(o->wire, clock_mono_ms() + timeout_s * 1000);
}

void once_close(struct once *o)
{
	if (o == NULL)
		return;
	feed_close(o->feed);
	wire_close(o->wire);
	store_close(o->store);
	pg_close(o->pg);
	free(o);
}

void once_closep(struct once **o)
{
	once_close(*o);
}

struct flow *once_flow(struct once *o)
{
	return &o->flow;
}

struct flow_feed *once_feed(struct once *o)
{
	return &o->flow_feed;
}

struct store *once_store(struct once *o)
{
	return o->store;
}

struct pg *once_pg(struct once *o)
{
	return o->pg;
}

const struct policy *once_policy(struct once *o)
{
	return &o->policy;
}
