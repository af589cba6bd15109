/* serve.c - the daemon, one role of it, or one process of a role. */

#include "bridge/cli/cli.h"

#include <string.h>

#include "bridge/base/log.h"
#include "bridge/role/supervisor.h"

enum { ROLE_NAME_MAX = 32 };

static int unknown_role(const char *name, struct err *e)
{
	struct buf b = BUF_INIT;

	for (const struct role *r = role_table; r->name != NULL; r++)
		buf_printf(&b, "%s\"%s\"", r == role_table ? "" : ", ", r->name);
	err_set(e, ERR_CONF, "there is no role \"%s\"", name);
	err_hint(e, "roles are %s", buf_text(&b));
	buf_fini(&b);
	return ERR_CONF;
}

/* "ROLE" or "ROLE:OF"; *of is NULL without a colon. */
static int split(const struct role **role, const char **of, const char *text, struct err *e)
{
	char name[ROLE_NAME_MAX];
	size_t n = strcspn(text, ":");

	*of = text[n] == ':' ? text + n + 1 : NULL;
	*role = NULL;
	if (n < sizeof(name)) {
		memcpy(name, text, n);
		name[n] = '\0';
		*role = role_find(role_table, name);
	}
	return *role == NULL ? unknown_role(text, e) : 0;
}

static int supervise(const struct cli *c, const struct role *only, struct err *e)
{
	struct supervisor_opts o = {
	    .conf_path = c->config,
	    .roles = role_table,
	    .only = only != NULL ? only->name : NULL,
	    .verbose = c->verbose,
	    .silent_ms = LIVE_SILENT_MS,
	    .stop_ms = SUPERVISOR_STOP_MS,
	};

	return supervisor_run(&o, e);
}

/* Words for the journal, where this process writes; nobody sits at a terminal. */
static int fail(const struct err *e)
{
	log_event(MSG_RUN_FAILED, "serve", "%s%s%s", e->text, e->hint[0] != '\0' ? "; hint: " : "",
		  e->hint);
	return cli_exit_of_err(e->code);
}

int verb_serve(struct cli *c)
{
	const char *text = cli_val(c, "role"), *of = NULL;
	const struct role *role = NULL;
	struct err e = {0};
	int r = 0;

	log_init(c->verbose > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	if (text != NULL)
		r = split(&role, &of, text, &e);
	if (r == 0)
		r = of != NULL ? role_run(role, c->config, of, &e) : supervise(c, role, &e);
	return r < 0 ? fail(&e) : EXIT_DONE;
}
