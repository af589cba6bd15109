/* roles.c - the table of roles, and how a process becomes one. */
#include <string.h>

#include "bridge/base/log.h"
#include "bridge/role/confine.h"
#include "bridge/role/roles.h"

const struct role role_table[] = {
    {"ingest", ROLE_PER_SOURCE, false, role_ingest},
    {"push", ROLE_PER_SERVER, true, role_push},
    {"sync", ROLE_ONCE, true, role_sync},
    {"http", ROLE_IF_HTTP, false, role_http},
    {NULL, ROLE_ONCE, false, NULL},
};

/* The place that the configuration has for this process; negative: none. */
static int find_place(const struct role *r, const struct live *l, const char *of, struct err *e)
{
	struct buf b = BUF_INIT;
	int at = -1;

	for (size_t i = 0; at < 0 && i < role_places(r, l->conf); i++) {
		if (role_of(&b, r, l->conf, i) && strcmp(buf_text(&b), of) == 0)
			at = (int)i;
	}
	buf_fini(&b);
	return at >= 0 ? at
		       : err_set(e, ERR_CONF, "%s: there is nothing to do for role \"%s:%s\"",
				 l->conf->file, r->name, of);
}

static int confine(const struct role *r, const struct live *l, int place, struct err *e)
{
	const struct settings *set = NULL;
	int n = confine_rights(e);

	if (n < 0 || r->keys)
		return n < 0 ? n : confine_memory(e);
	if (r->each == ROLE_PER_SOURCE)
		set = &l->conf->sources[place].set;
	return confine_keys(l->conf, set, e);
}

static int run(const struct role *r, struct live *l, const char *of, struct err *e)
{
	int n = find_place(r, l, of, e);

	n = n < 0 ? n : confine(r, l, n, e);
	return n < 0 ? n : r->run(l, e);
}

int role_run(const struct role *r, const char *conf_path, const char *of, struct err *e)
{
	struct live l;
	int n = live_open(&l, conf_path, r->name, *of != '\0' ? of : NULL, e);

	if (n < 0)
		return n;
	n = run(r, &l, of, e);
	if (n < 0)
		live_alive(&l, e->text);  /* the last words: the supervisor shows them */
	live_close(&l);
	return n;
}
