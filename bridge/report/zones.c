/* zones.c - see zones.h. */

#include "bridge/report/zones.h"

#include <string.h>

#include "bridge/base/own.h"
#include "sql.h"

static void fill(struct report_zone *z, const struct pg_rows *r, size_t i)
{
	z->known = pg_bool(r, i, 1);
	z->serial = (uint32_t)pg_i64(r, i, 2);
	z->pulled_at_s = pg_time(r, i, 3);
	z->full_at_s = pg_time(r, i, 4);
	z->error = pg_is_null(r, i, 5) ? NULL : pg_text(r, i, 5);
	z->ours = (uint64_t)pg_i64(r, i, 6);
	z->agreed = (uint64_t)pg_i64(r, i, 7);
	z->conflicts = (uint64_t)pg_i64(r, i, 8);
	z->refused = (uint64_t)pg_i64(r, i, 9);
	z->due = (uint64_t)pg_i64(r, i, 10);
	z->asked = pg_bool(r, i, 11);
}

const char *zone_read_by(bool known, bool asked)
{
	return asked ? "queries" : known ? "transfer" : NULL;
}

static void in_space(const struct policy_space *s, const struct report_filter *f,
		     const struct pg_rows *r, report_zone_cb cb, void *arg)
{
	for (size_t k = 0; k < s->n_zones; k++) {
		struct report_zone row = {.space = s->name, .zone = &s->zones[k]};
		if (f->view != NULL && strcmp(f->view, row.zone->view) != 0)
			continue;
		for (size_t i = 0; i < pg_rows_n(r); i++) {
			if (pg_i32(r, i, 0) == row.zone->id)
				fill(&row, r, i);
		}
		cb(arg, &row);
	}
}

int report_zones(struct pg *pg, const struct policy *p, const struct report_filter *f,
		 report_zone_cb cb, void *arg, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	int rc = pg_query(&r, pg, sql_report_zones, NULL, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < p->n_spaces; i++) {
		if (f->space == NULL || strcmp(f->space, p->spaces[i].name) == 0)
			in_space(&p->spaces[i], f, r, cb, arg);
	}
	return 0;
}
