/* db.c - the verb "db": creates, migrates and shows the database schema. */

#include "bridge/cli/cli.h"

#include <string.h>

#include "bridge/base/own.h"
#include "bridge/cli/output.h"

enum { MIGRATIONS_MAX = 256 };

static int print_run(const struct cli *c, unsigned n_run, struct err *e)
{
	if (c->json)
		return out_object(stdout, json_pack("{s:i}", "migrations_run", (int)n_run), e);
	printf("db: %u migration%s run\n", n_run, n_run == 1 ? "" : "s");
	return 0;
}

static int init(struct pg *pg, const struct cli *c, struct err *e)
{
	unsigned n_run = 0;
	int r = db_init(pg, &n_run, e);
	return r < 0 ? r : print_run(c, n_run, e);
}

static int migrate(struct pg *pg, const struct cli *c, struct err *e)
{
	unsigned n_run = 0;
	int r = db_migrate(pg, &n_run, e);
	return r < 0 ? r : print_run(c, n_run, e);
}

static const struct out_col status_cols[] = {
    {"version", "VERSION", OUT_RIGHT},
    {"name", "NAME", 0},
    {"applied_at", "APPLIED", 0},
    {"state", "STATE", 0},
};

static int status(struct pg *pg, const struct cli *c, struct err *e)
{
	static struct migration_row rows[MIGRATIONS_MAX];
	size_t n = 0;
	AUTO(out_freep) struct out *o = NULL;
	int r = db_status(pg, rows, MIGRATIONS_MAX, &n, e);
	if (r < 0 || (r = out_open(&o, stdout, c->json, status_cols, 4, e)) < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		bool applied = rows[i].applied_at[0] != '\0';
		out_cell(o, js_num(rows[i].version));
		out_cell(o, js_text(rows[i].name));
		out_cell(o, applied ? js_text(rows[i].applied_at) : json_null());
		out_cell(o, js_text(!applied ? "pending" : rows[i].changed ? "changed"
									    : "applied"));
	}
	return out_end(o, e);
}

static const struct {
	const char *name;
	int (*run)(struct pg *pg, const struct cli *c, struct err *e);
} actions[] = {{"init", init}, {"migrate", migrate}, {"status", status}};

enum { N_ACTIONS = sizeof(actions) / sizeof(actions[0]) };

static int unknown(const char *s, struct err *e)
{
	const char *names[N_ACTIONS];
	for (size_t i = 0; i < N_ACTIONS; i++)
		names[i] = actions[i].name;
	const char *near = cli_nearest(s, names, N_ACTIONS);
	err_set(e, ERR_CONF, "\"db\" does not know \"%s\"", s);
	if (near != NULL)
		err_hint(e, "did you mean \"db %s\"?", near);
	else
		err_hint(e, "usage: ipambridge db init|migrate|status");
	return ERR_CONF;
}

int verb_db(struct cli *c)
{
	struct err e = {0};
	AUTO(conf_freep) struct conf *conf = NULL;
	AUTO(pg_closep) struct pg *pg = NULL;
	size_t i = 0;
	while (i < N_ACTIONS && strcmp(actions[i].name, c->arg[0]) != 0)
		i++;
	if (i == N_ACTIONS) {
		unknown(c->arg[0], &e);
		return cli_fail(&e);
	}
	if (conf_load(&conf, c->config, &e) < 0 ||
	    pg_open(&pg, conf->database, "db", conf->statement_timeout_s, &e) < 0 ||
	    actions[i].run(pg, c, &e) < 0)
		return cli_fail(&e);
	return EXIT_DONE;
}
