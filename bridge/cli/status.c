/* status.c - the whole in one look: the verdict first, then what stands behind it. */

#include "bridge/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/cli/output.h"
#include "bridge/report/status.h"
#include "bridge/report/zones.h"
#include "bridge/role/mark.h"

#define COLS(c) c, sizeof(c) / sizeof(c[0])

static json_t *age(const struct report_status *s, int64_t at_s)
{
	return at_s == 0 ? json_null() : js_num(s->now_s - at_s);
}

/* ---- sections: one object a row, the same for people and programs ------------------------ */

static const struct out_col source_cols[] = {
    {"space", "SPACE", 0},     {"name", "SOURCE", 0},       {"type", "TYPE", 0},
    {"rows", "ROWS", OUT_RIGHT}, {"bad", "BAD", OUT_RIGHT}, {"last_ok", "LAST READ", 0},
    {"last_try", NULL, 0},     {"age_s", "AGE", OUT_RIGHT}, {"error", "ERROR", OUT_WRAP},
};

static json_t *source_row(const struct report_status *s, size_t i)
{
	const struct status_source *v = &s->sources[i];
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "space", js_text(v->space), "name",
			 js_text(v->name), "type", js_text(v->type), "rows",
			 js_num((int64_t)v->rows), "bad", js_num((int64_t)v->bad), "last_ok",
			 js_time(v->last_ok_s), "last_try", js_time(v->last_try_s), "age_s",
			 age(s, v->last_ok_s), "error", js_text(v->error));
}

static const struct out_col server_cols[] = {
    {"name", "SERVER", 0},       {"state", "STATE", 0},     {"since_at", "SINCE", 0},
    {"next_try_at", "NEXT TRY", 0}, {"queue", "QUEUE", OUT_RIGHT},
    {"oldest_due_at", "OLDEST", 0}, {"in_flight", "IN FLIGHT", OUT_RIGHT},
    {"error", "ERROR", OUT_WRAP},
};

static json_t *server_row(const struct report_status *s, size_t i)
{
	const struct status_server *v = &s->servers[i];
	bool live = v->live.name != NULL;
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "name", js_text(v->name), "state",
			 js_text(v->state), "since_at", js_time(v->live.since_s), "next_try_at",
			 js_time(v->live.next_try_s), "queue", js_num((int64_t)v->queue),
			 "oldest_due_at", js_time(v->live.oldest_due_s), "in_flight",
			 live ? js_num(v->live.in_flight) : json_null(), "error",
			 js_text(v->error));
}

static const struct out_col zone_cols[] = {
    {"space", "SPACE", 0},     {"view", NULL, 0},             {"name", "ZONE", 0},
    {"serial", "SERIAL", OUT_RIGHT}, {"read_by", "READ BY", 0},  {"pulled_at", NULL, 0},
    {"age_s", "AGE", OUT_RIGHT},
    {"queue", "QUEUE", OUT_RIGHT}, {"conflicts", "CONFLICTS", OUT_RIGHT},
    {"frozen", "FROZEN", OUT_RIGHT}, {"refused", "REFUSED", OUT_RIGHT},
    {"agreed", NULL, 0},       {"waits", NULL, 0},            {"error", "ERROR", OUT_WRAP},
};

static json_t *zone_row(const struct report_status *s, size_t i)
{
	const struct status_zone *v = &s->zones[i];
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "space",
			 js_text(v->space), "view", js_text(v->view), "name",
			 js_text(v->name), "serial",
			 v->known || v->asked ? js_num(v->serial) : json_null(), "read_by",
			 js_text(zone_read_by(v->known, v->asked)), "pulled_at", js_time(v->pulled_at_s), "age_s", age(s, v->pulled_at_s),
			 "queue", js_num((int64_t)v->queue), "conflicts",
			 js_num((int64_t)v->conflicts), "frozen", js_num((int64_t)v->frozen),
			 "refused", js_num((int64_t)v->refused), "agreed",
			 js_num((int64_t)v->agreed), "waits", js_num((int64_t)v->waits), "error",
			 js_text(v->error));
}

static const struct out_col fight_cols[] = {
    {"space", NULL, 0},        {"view", NULL, 0},             {"zone", NULL, 0},
    {"owner", "FIGHT", 0},     {"wrote", "WE WROTE", 0},      {"seen", "SEEN", 0},
    {"reverts", "UNDONE", OUT_RIGHT}, {"removed_at", "LAST", 0}, {"why", "WHY", OUT_WRAP},
};

static json_t *fight_row(const struct report_status *s, size_t i)
{
	const struct status_fight *v = &s->fights[i];
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "space", js_text(v->space), "view",
			 js_text(v->view), "zone", js_text(v->zone), "owner", js_text(v->owner),
			 "wrote", js_set(v->wrote), "seen", js_set(v->seen), "reverts",
			 js_num((int64_t)v->reverts), "removed_at", js_time(v->removed_at_s), "why",
			 js_text(v->why));
}

static const struct out_col pass_cols[] = {
    {"verb", "PASS", 0},       {"began_at", NULL, 0},           {"ended_at", "ENDED", 0},
    {"exit", "EXIT", OUT_RIGHT}, {"changed", "CHANGED", OUT_RIGHT},
    {"refused", "REFUSED", OUT_RIGHT}, {"pending", "PENDING", OUT_RIGHT},
    {"held", "HELD", OUT_RIGHT}, {"conflicts", "CONFLICTS", OUT_RIGHT},
    {"pulled", "PULLED", OUT_RIGHT}, {"error", "ERROR", OUT_WRAP},
};

static json_t *pass_row(const struct report_status *s, size_t i)
{
	const struct pass_row *v = &s->passes[i];
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "verb", js_text(v->verb),
			 "began_at", js_time(v->began_s), "ended_at", js_time(v->ended_s), "exit",
			 js_num(v->exit), "changed", js_num((int64_t)v->changed), "refused",
			 js_num((int64_t)v->refused), "pending", js_num((int64_t)v->pending),
			 "held", js_num((int64_t)v->held), "conflicts",
			 js_num((int64_t)v->conflicts), "pulled", js_num((int64_t)v->pulled),
			 "error", js_text(v->error));
}

static const struct out_col role_cols[] = {
    {"host", "HOST", 0},   {"pid", "PID", OUT_RIGHT}, {"role", "PROCESS", 0}, {"of", "OF", 0},
    {"state", "STATE", 0}, {"started_at", NULL, 0},   {"alive_at", "ALIVE", 0},
    {"doing", "DOING", OUT_WRAP},
};

static json_t *role_row(const struct report_status *s, size_t i)
{
	const struct role_state *v = &s->roles[i];
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "host", js_text(v->host), "pid",
			 js_num(v->pid), "role", js_text(v->role), "of", js_text_or(v->of, NULL),
			 "state", js_text(status_role_silent(s, v) ? "silent" : v->state),
			 "started_at", js_time(v->started_at_s), "alive_at",
			 js_time(v->alive_at_s), "doing", js_text(v->status));
}

struct section {
	const char *key;
	const struct out_col *cols;
	size_t n_cols;
	json_t *(*row)(const struct report_status *s, size_t i);
	size_t n;
};

/* ---- printing ---------------------------------------------------------------------------- */

static json_t *rows_of(const struct report_status *s, const struct section *x)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < x->n; i++) {
		if (json_array_append_new(rows, x->row(s, i)) < 0) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}

static int print_table(const struct report_status *s, const struct section *x, struct err *e)
{
	AUTO(out_freep) struct out *o = NULL;
	int r = out_open(&o, stdout, false, x->cols, x->n_cols, e);
	if (r < 0)
		return r;
	putchar('\n');
	for (size_t i = 0; i < x->n; i++) {
		json_t *row = x->row(s, i);
		for (size_t k = 0; k < x->n_cols; k++)
			out_cell(o, json_incref(json_object_get(row, x->cols[k].key)));
		json_decref(row);
	}
	return out_end(o, e);
}

static int print(const struct report_status *s, const char *verdict, unsigned troubles, bool json,
		 struct err *e)
{
	const struct section sections[] = {
	    {"servers", COLS(server_cols), server_row, s->n_servers},
	    {"sources", COLS(source_cols), source_row, s->n_sources},
	    {"zones", COLS(zone_cols), zone_row, s->n_zones},
	    {"fights", COLS(fight_cols), fight_row, s->n_fights},
	    {"passes", COLS(pass_cols), pass_row, s->n_passes},
	    {"processes", COLS(role_cols), role_row, s->n_roles},
	};
	json_t *all = json ? json_pack("{s:o,s:I,s:I}", "verdict", js_text(verdict), "troubles",
				       (json_int_t)troubles, "held", (json_int_t)s->held)
			   : NULL;
	int r = 0;
	if (!json) {
		struct buf b = BUF_INIT;
		out_escaped(&b, verdict, strlen(verdict));
		puts(buf_text(&b));
		buf_fini(&b);
	}
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]) && r == 0; i++) {
		if (json)
			json_object_set_new(all, sections[i].key, rows_of(s, &sections[i]));
		else if (sections[i].n > 0)
			r = print_table(s, &sections[i], e);
	}
	return json ? out_object(stdout, all, e) : r;
}

int verb_status(struct cli *c)
{
	struct err e = {0};
	AUTO(session_fini) struct session s = {0};
	AUTO(arena_fini) struct arena a = ARENA_INIT;
	AUTO(buf_fini) struct buf verdict = BUF_INIT;
	struct report_filter f = {c->space, c->view};
	struct report_status st;
	struct err closed = {0};
	int mark;
	if (session_open(&s, c, "status", true, &e) < 0 ||
	    report_status(&st, &a, once_pg(s.once), s.conf, once_policy(s.once), &f, clock_wall_s(),
			  &e) < 0 ||
	    (mark = mark_check(s.conf, once_pg(s.once), &closed, &e)) < 0)
		return cli_fail(&e);
	st.closed = mark == MARK_OTHER ? &closed : NULL;
	unsigned troubles = status_verdict(&verdict, &st);
	if (print(&st, buf_text(&verdict), troubles, c->json, &e) < 0)
		return cli_fail(&e);
	return EXIT_DONE;
}
