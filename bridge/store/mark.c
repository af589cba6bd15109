/* mark.c - which database this is, and what its journal holds. */
#include <stdio.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

int store_mark_get(struct pg *pg, struct store_mark *out, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	int r = pg_query(&rows, pg, sql_mark_get, NULL, e);

	if (r < 0)
		return r;
	if (pg_rows_n(rows) != 1)
		return err_set(e, ERR_PROTO, "the database has no identity");
	*out = (struct store_mark){.line = pg_i64(rows, 0, 1), .at_s = pg_time(rows, 0, 2)};
	snprintf(out->database, sizeof(out->database), "%s", pg_text(rows, 0, 0));
	return 0;
}

int store_mark_held(struct pg *pg, const struct store_mark *m, bool *out, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i64(&a, m->line);
	pg_arg_time(&a, m->at_s);
	r = pg_query(&rows, pg, sql_mark_held, &a, e);
	pg_args_fini(&a);
	if (r == 0)
		*out = pg_bool(rows, 0, 0);
	return r;
}
