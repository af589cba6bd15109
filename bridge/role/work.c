/* work.c - the loop that every role of the daemon goes round in. */
#include "bridge/role/work.h"

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/role/backoff.h"
#include "bridge/store/live.h"

enum { NOTE_EVERY_MS = 10000, AWAY_MAX_MS = 5000 };

static bool told_to_stop(void *arg)
{
	return live_stopped(arg);
}

static int open_sessions(struct work *w, struct once **out, struct err *e)
{
	struct flow *f;
	int r = once_open(out, w->l->conf, w->l->role, false, e);

	if (r < 0)
		return r;
	f = once_flow(*out);
	f->stop = told_to_stop;
	f->stop_arg = w->l;
	return w->begin == NULL ? 0 : w->begin(w->arg, *out, e);
}

/* For whoever asks how the daemon is; it goes on without. */
static void note(struct work *w, struct once *o, int64_t *noted_ms)
{
	struct role_state s = {.role = w->l->role, .of = w->l->of == NULL ? "" : w->l->of,
			       .state = w->failing != NULL && *w->failing ? "failing" : "running",
			       .status = w->l->said};
	int64_t now_ms = clock_mono_ms();

	if (*noted_ms != 0 && now_ms < *noted_ms + NOTE_EVERY_MS)
		return;
	*noted_ms = now_ms;
	store_role_put(once_pg(o), &s, NULL);
}

/* A database that lets itself be opened and refuses what is written is not back. */
static void turned(struct work *w, struct backoff *b)
{
	if (b->failures > 0)
		log_event(MSG_DATABASE_BACK, w->l->role, "working again");
	b->failures = 0;
}

static int turns(struct work *w, struct once *o, struct backoff *b, struct err *e)
{
	int64_t noted_ms = 0;
	int r = 0;

	while (r == 0 && !live_stopped(w->l)) {
		note(w, o, &noted_ms);
		r = w->turn(w->arg, o, e);
		if (r == 0)
			turned(w, b);
	}
	if (r == 0)
		store_role_gone(once_pg(o), NULL);
	return r;
}

/* A session that is gone, a server that is away or starting, a schema that is being migrated. */
static bool may_pass(int code)
{
	return code == ERR_SYS || code == ERR_BUSY || code == ERR_DENIED || code == ERR_CONF;
}

static void stay_away(struct work *w, const struct err *why, struct backoff *b)
{
	bool first = b->failures == 0, policy = why->code == ERR_CONF;
	int64_t ms = backoff_next(b, 0, clock_random());

	if (ms > AWAY_MAX_MS)
		ms = AWAY_MAX_MS;
	if (first || policy)
		log_event(policy ? MSG_POLICY_DIFFERS : MSG_DATABASE_LOST, w->l->role, "%s%s%s; tried again",
			  why->text, why->hint[0] != '\0' ? "; hint: " : "", why->hint);
	live_alive(w->l, why->text);
	if (w->away != NULL)
		w->away(w->arg, ms);
	else
		live_wait(w->l, ms);
}

/* One set of sessions, from its opening to its loss or the end. */
static int session(struct work *w, struct backoff *b, struct err *e)
{
	struct flow_zones *zones = w->many ? flow_zones_new() : NULL;
	struct once *o = NULL;
	int r;

	if (w->many && zones == NULL)
		return err_nomem(e);
	r = open_sessions(w, &o, e);
	if (r == 0) {
		once_flow(o)->zones = zones;
		r = turns(w, o, b, e);
	}
	once_close(o);
	flow_zones_free(zones);
	return r;
}

int work_run(struct work *w, struct err *e)
{
	struct backoff b = {0};

	while (!live_stopped(w->l)) {
		struct err why = {0};
		int r = session(w, &b, &why);

		if (r == 0)
			break;
		if (!may_pass(r)) {
			if (e != NULL)
				*e = why;
			return r;
		}
		stay_away(w, &why, &b);
	}
	return 0;
}
