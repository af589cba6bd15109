/* health.c - see health.h. */

#include "bridge/report/health.h"

#include <string.h>

#include "bridge/base/own.h"
#include "sql.h"

static void arg_servers(struct pg_args *a, const struct conf *c)
{
	pg_arg_array(a, PG_TEXT, c->n_servers);
	for (size_t i = 0; i < c->n_servers; i++)
		pg_elem_text(a, c->servers[i].name, strlen(c->servers[i].name));
}

int report_health(struct pg *pg, const struct conf *c, report_failing_cb cb, void *arg,
		  struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	struct pg_args a;
	pg_args_init(&a);
	arg_servers(&a, c);
	int rc = pg_query(&r, pg, sql_health, &a, e);
	pg_args_fini(&a);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < pg_rows_n(r); i++) {
		struct report_failing row = {
		    .part = pg_text(r, i, 0), .name = pg_text(r, i, 1), .error = pg_text(r, i, 2)};
		cb(arg, &row);
	}
	return 0;
}
