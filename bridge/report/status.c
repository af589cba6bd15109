/* status.c - see status.h. */

#include "bridge/report/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/value/wirelen.h"
#include "sql.h"

/* A read or a pass that is this many of its intervals old is late. */
enum { LATE_TIMES = 3 };

static bool in_filter(const char *want, const char *is)
{
	return want == NULL || strcmp(want, is) == 0;
}

static size_t find_row(const struct pg_rows *r, int32_t id)
{
	size_t i = 0;
	while (i < pg_rows_n(r) && pg_i32(r, i, 0) != id)
		i++;
	return i;
}

/* NULL for SQL NULL; false: no memory. */
static bool keep(const char **out, struct arena *a, const struct pg_rows *r, size_t row, int col)
{
	*out = pg_is_null(r, row, col) ? NULL : arena_strdup(a, pg_text(r, row, col));
	return *out != NULL || pg_is_null(r, row, col);
}

/* ---- sources ---------------------------------------------------------------------------- */

static int64_t late_after(const struct conf *c, const char *space, const char *name)
{
	const struct conf_source *s = conf_source_find(c, space, name);
	if (s == NULL)
		return 0;
	return LATE_TIMES * (s->every_s > 0 ? s->every_s : c->reconcile_s);
}

static bool add_source(struct report_status *out, struct arena *a, const struct pg_rows *r,
		       const struct conf *c, const struct policy_space *s,
		       const struct policy_source *src)
{
	struct status_source *v = &out->sources[out->n_sources++];
	size_t i = find_row(r, src->id);
	*v = (struct status_source){.space = s->name, .name = src->name, .type = src->type,
				    .late_s = late_after(c, s->name, src->name)};
	if (i == pg_rows_n(r))
		return true;
	v->rows = (uint64_t)pg_i64(r, i, 1);
	v->bad = (uint64_t)pg_i64(r, i, 2);
	v->last_ok_s = pg_time(r, i, 3);
	v->last_try_s = pg_time(r, i, 4);
	return keep(&v->error, a, r, i, 5);
}

/* The configured ones; what people and DNS say is never late and never fails. */
static int get_sources(struct report_status *out, struct arena *a, struct pg *pg,
		       const struct conf *c, const struct policy *p,
		       const struct report_filter *f, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	int rc = pg_query(&r, pg, sql_status_sources, NULL, e);
	if (rc < 0)
		return rc;
	out->sources = arena_array(a, c->n_sources + 1, sizeof(*out->sources));
	if (out->sources == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < p->n_spaces; i++) {
		const struct policy_space *s = &p->spaces[i];
		for (size_t k = 0; k < s->n_sources; k++) {
			bool read = conf_source_find(c, s->name, s->sources[k].name) != NULL;
			if (read && in_filter(f->space, s->name) &&
			    !add_source(out, a, r, c, s, &s->sources[k]))
				return err_nomem(e);
		}
	}
	return 0;
}

/* ---- zones ------------------------------------------------------------------------------ */

static bool add_zone(struct report_status *out, struct arena *a, const struct pg_rows *r,
		     const struct policy_space *s, const struct policy_zone *z)
{
	struct status_zone *v = &out->zones[out->n_zones++];
	size_t i = find_row(r, z->id);
	*v = (struct status_zone){.space = s->name, .view = z->view, .name = z->text,
				  .server = z->n_servers > 0 ? z->servers[0] : NULL};
	if (i == pg_rows_n(r))
		return true;
	v->known = pg_bool(r, i, 1);
	v->asked = pg_bool(r, i, 11);
	v->serial = (uint32_t)pg_i64(r, i, 2);
	v->pulled_at_s = pg_time(r, i, 3);
	v->queue = (uint64_t)pg_i64(r, i, 5);
	v->agreed = (uint64_t)pg_i64(r, i, 6);
	v->conflicts = (uint64_t)pg_i64(r, i, 7);
	v->frozen = (uint64_t)pg_i64(r, i, 8);
	v->refused = (uint64_t)pg_i64(r, i, 9);
	v->waits = (uint64_t)pg_i64(r, i, 10);
	return keep(&v->error, a, r, i, 4);
}

static int get_zones(struct report_status *out, struct arena *a, struct pg *pg,
		     const struct policy *p, const struct report_filter *f, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	int rc = pg_query(&r, pg, sql_status_zones, NULL, e);
	if (rc < 0)
		return rc;
	out->zones = arena_array(a, policy_n_zones(p) + 1, sizeof(*out->zones));
	if (out->zones == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < p->n_spaces; i++) {
		const struct policy_space *s = &p->spaces[i];
		for (size_t k = 0; k < s->n_zones; k++) {
			if (in_filter(f->space, s->name) && in_filter(f->view, s->zones[k].view) &&
			    !add_zone(out, a, r, s, &s->zones[k]))
				return err_nomem(e);
		}
	}
	return 0;
}

/* ---- servers ---------------------------------------------------------------------------- */

static void from_zones(struct status_server *v, const struct report_status *s)
{
	for (size_t i = 0; i < s->n_zones; i++) {
		const struct status_zone *z = &s->zones[i];
		if (z->server == NULL || strcmp(z->server, v->name) != 0)
			continue;
		v->queue += z->queue;
		if (z->error != NULL) {
			v->state = "failing";
			v->error = z->error;
		} else if (v->state == NULL && z->pulled_at_s != 0) {
			v->state = "ok";
		}
	}
}

static int get_servers(struct report_status *out, struct arena *a, struct pg *pg,
		       const struct conf *c, struct err *e)
{
	struct server_state *live;
	size_t n;
	int r = store_servers_get(pg, &live, &n, a, e);
	if (r < 0)
		return r;
	out->servers = arena_array(a, c->n_servers + 1, sizeof(*out->servers));
	if (out->servers == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < c->n_servers; i++) {
		struct status_server *v = &out->servers[out->n_servers++];
		v->name = c->servers[i].name;
		from_zones(v, out);
		for (size_t k = 0; k < n; k++) {
			if (strcmp(live[k].name, v->name) != 0)
				continue;
			v->live = live[k];
			v->state = server_status_name(live[k].state);
			if (live[k].state == SERVER_OK || live[k].last_error != NULL)
				v->error = live[k].last_error;
		}
	}
	return 0;
}

/* ---- fights ------------------------------------------------------------------------------ */

static bool add_fight(struct report_status *out, struct arena *a, const struct pg_rows *r, size_t i,
		      const struct policy_space *s, const struct policy_zone *z)
{
	struct status_fight *v = &out->fights[out->n_fights++];
	*v = (struct status_fight){.space = s->name, .view = z->view, .zone = z->text};
	v->reverts = (uint64_t)pg_i64(r, i, 4);
	v->removed_at_s = pg_time(r, i, 5);
	return keep(&v->owner, a, r, i, 1) && keep(&v->wrote, a, r, i, 2) &&
	       keep(&v->seen, a, r, i, 3) && keep(&v->why, a, r, i, 6);
}

static int get_fights(struct report_status *out, struct arena *a, struct pg *pg,
		      const struct policy *p, const struct report_filter *f, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	struct pg_args args;
	pg_args_init(&args);
	pg_arg_i32(&args, STATUS_FIGHTS);
	int rc = pg_query(&r, pg, sql_status_fights, &args, e);
	pg_args_fini(&args);
	if (rc < 0)
		return rc;
	out->fights = arena_array(a, pg_rows_n(r) + 1, sizeof(*out->fights));
	if (out->fights == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < pg_rows_n(r); i++) {
		const struct policy_space *s;
		const struct policy_zone *z = policy_zone_by_id(p, pg_i32(r, i, 0), &s);
		if (z != NULL && in_filter(f->space, s->name) && in_filter(f->view, z->view) &&
		    !add_fight(out, a, r, i, s, z))
			return err_nomem(e);
	}
	return 0;
}

/* ---- the whole -------------------------------------------------------------------------- */

static int get_held(struct report_status *out, struct pg *pg, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	int rc = pg_query(&r, pg, sql_metric_held, NULL, e);
	if (rc == 0)
		out->held = (uint64_t)pg_i64(r, 0, 0);
	return rc;
}

int report_status(struct report_status *out, struct arena *a, struct pg *pg, const struct conf *c,
		  const struct policy *p, const struct report_filter *f, int64_t now_s,
		  struct err *e)
{
	*out = (struct report_status){.now_s = now_s, .pass_late_s = LATE_TIMES * c->reconcile_s};
	int r = get_sources(out, a, pg, c, p, f, e);
	r = r < 0 ? r : get_zones(out, a, pg, p, f, e);
	r = r < 0 ? r : get_servers(out, a, pg, c, e);
	r = r < 0 ? r : get_held(out, pg, e);
	r = r < 0 ? r : get_fights(out, a, pg, p, f, e);
	r = r < 0 ? r : store_roles_get(pg, &out->roles, &out->n_roles, a, e);
	return r < 0 ? r : store_passes_get(pg, &out->passes, &out->n_passes, STATUS_PASSES, a, e);
}

/* ---- the verdict ------------------------------------------------------------------------ */

struct verdict {
	struct buf *out;
	unsigned n;
};

/* Only the first is said. */
static struct buf *trouble(struct verdict *v, struct buf *nowhere)
{
	return v->n++ == 0 ? v->out : nowhere;
}

#define TROUBLE(v, ...)                                                                            \
	do {                                                                                       \
		struct buf nowhere_ = BUF_INIT;                                                    \
		buf_printf(trouble(v, &nowhere_), __VA_ARGS__);                                    \
		buf_fini(&nowhere_);                                                               \
	} while (0)

static const char *since(char out[32], int64_t at_s)
{
	char t[24];
	time_print(t, at_s);
	snprintf(out, 32, "%s%s", at_s != 0 ? " since " : "", at_s != 0 ? t : "");
	return out;
}

/* Long times to the hour will do. */
static const char *lasting(char out[32], int64_t s)
{
	if (s < 120)
		snprintf(out, 32, "%" PRId64 " s", s);
	else if (s < 120 * 60)
		snprintf(out, 32, "%" PRId64 " min", s / 60);
	else if (s < 48 * 3600)
		snprintf(out, 32, "%" PRId64 " h", s / 3600);
	else
		snprintf(out, 32, "%" PRId64 " days", s / 86400);
	return out;
}

static void judge_servers(struct verdict *v, const struct report_status *s)
{
	char t[32];
	for (size_t i = 0; i < s->n_servers; i++) {
		const struct status_server *x = &s->servers[i];
		if (x->state == NULL || strcmp(x->state, "ok") == 0)
			continue;
		TROUBLE(v, "server \"%s\" is %s%s%s%s", x->name, x->state,
			since(t, x->live.since_s), x->error != NULL ? ": " : "",
			x->error != NULL ? x->error : "");
	}
}

static void judge_sources(struct verdict *v, const struct report_status *s)
{
	char t[32];
	for (size_t i = 0; i < s->n_sources; i++) {
		const struct status_source *x = &s->sources[i];
		if (x->error != NULL)
			TROUBLE(v, "source \"%s\" cannot be read, last read%s: %s", x->name,
				x->last_ok_s != 0 ? since(t, x->last_ok_s) + 6 : " never", x->error);
		else if (x->last_ok_s != 0 && x->late_s != 0 && s->now_s - x->last_ok_s > x->late_s)
			TROUBLE(v, "source \"%s\" was last read %s ago", x->name,
				lasting(t, s->now_s - x->last_ok_s));
	}
}

bool status_role_silent(const struct report_status *s, const struct role_state *r)
{
	return s->now_s - r->alive_at_s > ROLE_SILENT_S;
}

/* Does a living process do what this silent one did? */
static bool replaced(const struct report_status *s, const struct role_state *r)
{
	for (size_t i = 0; i < s->n_roles; i++) {
		const struct role_state *o = &s->roles[i];
		if (!status_role_silent(s, o) && strcmp(o->role, r->role) == 0 &&
		    strcmp(o->of, r->of) == 0)
			return true;
	}
	return false;
}

static bool daemon_lives(const struct report_status *s)
{
	bool lives = false;
	for (size_t i = 0; i < s->n_roles; i++)
		lives |= !status_role_silent(s, &s->roles[i]);
	return lives;
}

static void judge_roles(struct verdict *v, const struct report_status *s)
{
	char t[32];
	for (size_t i = 0; i < s->n_roles; i++) {
		const struct role_state *x = &s->roles[i];
		const char *of = *x->of != '\0' ? ":" : "";
		if (!status_role_silent(s, x) && strcmp(x->state, "failing") == 0)
			TROUBLE(v, "process %s%s%s fails: %s", x->role, of, x->of,
				x->status != NULL ? x->status : "");
		else if (status_role_silent(s, x) && !replaced(s, x))
			TROUBLE(v, "process %s%s%s on %s gives no sign of life for %s", x->role, of,
				x->of, x->host, lasting(t, s->now_s - x->alive_at_s));
	}
}

static void judge_passes(struct verdict *v, const struct report_status *s)
{
	char t[32];
	if (s->n_passes > 0 && s->passes[0].error != NULL)
		TROUBLE(v, "the last pass failed: %s", s->passes[0].error);
	if (daemon_lives(s))
		return;
	if (s->n_passes == 0)
		TROUBLE(v, "no pass was made yet and no daemon runs");
	else if (s->now_s - s->passes[0].ended_s > s->pass_late_s)
		TROUBLE(v, "the last pass ended %s ago and no daemon runs",
			lasting(t, s->now_s - s->passes[0].ended_s));
}

static const char *names_are(uint64_t n)
{
	return n == 1 ? "name is" : "names are";
}

static void judge_names(struct verdict *v, const struct report_status *s)
{
	uint64_t off = 0, refused = 0, frozen = 0, queue = 0;
	for (size_t i = 0; i < s->n_zones; i++) {
		off += s->zones[i].conflicts;
		refused += s->zones[i].refused;
		frozen += s->zones[i].frozen;
		queue += s->zones[i].queue;
	}
	if (s->held > 0)
		TROUBLE(v, "the brake holds %" PRIu64 " row%s; if they may go: ipambridge reconcile "
			"--force ZONE", s->held, s->held == 1 ? "" : "s");
	if (frozen > 0)
		TROUBLE(v, "%" PRIu64 " %s frozen, somebody keeps undoing what is written: "
			"ipambridge list conflicts, ipambridge resolve", frozen, names_are(frozen));
	if (refused > 0)
		TROUBLE(v, "%" PRIu64 " %s refused by the server: ipambridge list conflicts",
			refused, names_are(refused));
	if (off > 0)
		TROUBLE(v, "%" PRIu64 " %s in conflict: ipambridge list conflicts", off,
			names_are(off));
	if (queue > 0)
		TROUBLE(v, "%" PRIu64 " %s still to be sent", queue, names_are(queue));
}

static void remark_asked(struct buf *out, const struct report_status *s)
{
	unsigned n = 0;
	for (size_t i = 0; i < s->n_zones; i++)
		n += s->zones[i].asked;
	if (n > 0)
		buf_printf(out, "; %u zone%s read by queries, because no transfer is allowed: names "
			   "that only DNS has are not seen there", n, n == 1 ? " is" : "s are");
}

unsigned status_verdict(struct buf *out, const struct report_status *s)
{
	struct verdict v = {out, 0};
	if (s->closed != NULL)
		TROUBLE(&v, "nothing is sent to DNS: %s; hint: %s", s->closed->text, s->closed->hint);
	judge_servers(&v, s);
	judge_passes(&v, s);
	judge_sources(&v, s);
	judge_roles(&v, s);
	judge_names(&v, s);
	if (v.n == 0)
		buf_str(out, "all in step");
	else if (v.n > 1)
		buf_printf(out, " (and %u more)", v.n - 1);
	remark_asked(out, s);
	return v.n;
}
