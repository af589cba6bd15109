/* sources.c - see sources.h. */

#include "bridge/report/sources.h"

#include <string.h>

#include "bridge/base/own.h"
#include "sql.h"

static void in_space(const struct policy_space *s, const struct pg_rows *r, report_source_cb cb,
		     void *arg)
{
	for (size_t k = 0; k < s->n_sources; k++) {
		struct report_source row = {.space = s->name, .source = &s->sources[k]};
		for (size_t i = 0; i < pg_rows_n(r); i++) {
			if (pg_i32(r, i, 0) != row.source->id)
				continue;
			row.rows = (uint64_t)pg_i64(r, i, 1);
			row.bad = (uint64_t)pg_i64(r, i, 2);
			row.last_ok_s = pg_time(r, i, 3);
			row.last_try_s = pg_time(r, i, 4);
			row.error = pg_is_null(r, i, 5) ? NULL : pg_text(r, i, 5);
		}
		cb(arg, &row);
	}
}

int report_sources(struct pg *pg, const struct policy *p, const struct report_filter *f,
		   report_source_cb cb, void *arg, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	int rc = pg_query(&r, pg, sql_report_sources, NULL, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < p->n_spaces; i++) {
		if (f->space == NULL || strcmp(f->space, p->spaces[i].name) == 0)
			in_space(&p->spaces[i], r, cb, arg);
	}
	return 0;
}
