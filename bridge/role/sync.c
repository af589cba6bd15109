/* sync.c - the process that looks: at DNS on a schedule, at the clock, at the configuration. */
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/role/hints.h"
#include "bridge/role/roles.h"
#include "bridge/role/work.h"
#include "bridge/store/live.h"

enum { AGAIN_MS = 10000, EXPIRE_MS = 2000, TRIM_MS = 3600000, FOLD_MS = 60000, LISTEN_MS = 60000 };

struct sync_role {
	struct live *l;
	struct hints *hints;         /* NULL: none */
	bool planned;                /* with this configuration */
	int64_t pull_ms;             /* monotonic: when each is to be done next */
	int64_t again_ms;            /* after a pull that failed: how soon the next comes */
	int64_t trim_ms;
	int64_t fold_ms;
	int64_t listen_ms;           /* when listening is tried again */
};

static void note_pass(struct once *o, int64_t began_s, int code, const struct err *why)
{
	const struct flow_counts *n = &once_flow(o)->counts;
	struct pass_row row = {.verb = "sync", .began_s = began_s, .ended_s = clock_wall_s(),
			       .exit = code < 0 ? 1 : 0, .pending = n->pending, .pulled = n->pulled,
			       .error = code < 0 ? why->text : NULL};

	if (code == 0 || why->code != ERR_SYS)
		store_pass_note(once_pg(o), &row, NULL);
}

/* A zone that could not be read is looked at again soon, then less and less often. */
static int64_t wait_of(struct sync_role *s, bool failed)
{
	int64_t usual_ms = s->l->conf->pull_s * 1000;

	s->again_ms = !failed ? 0 : s->again_ms == 0 ? AGAIN_MS : s->again_ms * 2;
	return failed && s->again_ms < usual_ms ? s->again_ms : usual_ms;
}

static int pull(struct sync_role *s, struct once *o, struct err *e)
{
	const struct conf *c = s->l->conf;
	int64_t began_s = clock_wall_s();
	struct err why = {0};
	int r;

	live_busy(s->l, c->run_timeout_s * 1000, "pulling");
	once_begin(o, c->run_timeout_s);
	r = flow_pull(once_flow(o), NULL, &why);
	note_pass(o, began_s, r, &why);
	if (r < 0 && e != NULL)
		*e = why;
	s->pull_ms = clock_mono_ms() + wait_of(s, once_flow(o)->counts.pending > 0);
	return r;
}

/* Correctness never depends on hints: without them the schedule goes on. */
static void listen_again(struct sync_role *s)
{
	struct err why = {0};

	if (s->hints != NULL || clock_mono_ms() < s->listen_ms)
		return;
	s->listen_ms = clock_mono_ms() + LISTEN_MS;
	if (hints_open(&s->hints, s->l->conf, &why) < 0)
		log_event(MSG_NOTIFY_FAILED, "notify", "%s%s%s", why.text,
			  why.hint[0] != '\0' ? "; hint: " : "", why.hint);
}

static const struct policy_zone *zone_at(const struct policy *p, size_t i)
{
	const struct policy_space *s = p->spaces;

	for (; i >= s->n_zones; s++)
		i -= s->n_zones;
	return &s->zones[i];
}

static int follow(struct sync_role *s, struct once *o, int place, struct err *e)
{
	const struct policy_zone *z = zone_at(once_policy(o), (size_t)place);
	struct flow *f = once_flow(o);
	int r;

	log_event(MSG_NOTIFY_HEARD, z->text, "its server says that it changed");
	live_busy(s->l, s->l->conf->run_timeout_s * 1000, "pulling");
	store_zone_hinted(once_pg(o), z->id, NULL);
	once_begin(o, s->l->conf->run_timeout_s);
	f->left_out = false;
	r = flow_pull(f, z, e);
	if (f->left_out || r < 0)
		hints_again(s->hints, place);
	return r;
}

static int follow_hints(struct sync_role *s, struct once *o, struct err *e)
{
	int r = 0, i;

	while (r == 0 && !live_stopped(s->l) && (i = hints_next(s->hints)) >= 0)
		r = follow(s, o, i, e);
	return r;
}

static int expire(struct sync_role *s, struct once *o, struct err *e)
{
	live_busy(s->l, s->l->conf->run_timeout_s * 1000, "watching the clock");
	once_begin(o, s->l->conf->run_timeout_s);
	return flow_expire(once_flow(o), e);
}

static int plan(struct sync_role *s, struct once *o, struct err *e)
{
	int r;

	live_busy(s->l, s->l->conf->run_timeout_s * 1000, "planning");
	once_begin(o, s->l->conf->run_timeout_s);
	r = flow_policy(once_flow(o), e);
	s->planned = r == 0;
	return r;
}

static int begin(void *arg, struct once *o, struct err *e)
{
	(void)arg;
	(void)e;
	once_flow(o)->only_looks = true;
	return 0;
}

static int turn(void *arg, struct once *o, struct err *e)
{
	struct sync_role *s = arg;
	int64_t now_ms = clock_mono_ms();
	int r = 0;

	listen_again(s);
	if (!s->planned)
		r = plan(s, o, e);
	if (r == 0 && now_ms >= s->pull_ms)
		r = pull(s, o, e);
	r = r < 0 ? r : follow_hints(s, o, e);
	r = r < 0 ? r : expire(s, o, e);
	if (r == 0 && now_ms >= s->trim_ms) {
		r = store_journal_trim(once_store(o), s->l->conf->journal_keep_s, e);
		s->trim_ms = now_ms + TRIM_MS;
	}
	if (r == 0 && now_ms >= s->fold_ms) {
		r = store_fold_tally(once_pg(o), e);
		r = r < 0 ? r : once_keep_mark(o, e);
		s->fold_ms = now_ms + FOLD_MS;
	}
	if (r == 0)
		hints_wait(s->hints, s->l, EXPIRE_MS);
	return r;
}

int role_sync(struct live *l, struct err *e)
{
	struct sync_role s = {.l = l};
	struct work w = {.l = l, .arg = &s, .begin = begin, .turn = turn};
	int r = work_run(&w, e);

	hints_close(s.hints);
	return r;
}
