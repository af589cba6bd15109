/* journal.c - see journal.h. */

#include "bridge/report/journal.h"

#include "bridge/base/own.h"
#include "sql.h"

static void hand_out_journal(const struct pg_rows *r, report_journal_cb cb, void *arg)
{
	for (size_t i = 0; i < pg_rows_n(r); i++) {
		struct report_journal j = {
		    .at_s = pg_time(r, i, 0),
		    .space = report_text(r, i, 1),
		    .zone = report_text(r, i, 2),
		    .owner = report_text(r, i, 3),
		    .addr = pg_is_null(r, i, 4) ? (struct ipaddr){0} : pg_inet(r, i, 4),
		    .event = pg_text(r, i, 5),
		    .before = report_text(r, i, 6),
		    .after = report_text(r, i, 7),
		    .rcode = pg_is_null(r, i, 8) ? -1 : pg_i32(r, i, 8),
		    .why = report_text(r, i, 9),
		};
		cb(arg, &j);
	}
}

static int about(struct pg_args *a, const struct report_journal_filter *f, struct err *e)
{
	struct report_filter space = {.space = f->space};
	int r = report_subject_args(a, &space, f->about, e);
	pg_arg_i64(a, f->limit);
	pg_arg_text(a, f->zone);
	pg_arg_time(a, f->since_s);
	return r;
}

static int everything(struct pg_args *a, const struct report_journal_filter *f)
{
	pg_arg_text(a, f->space);
	pg_arg_text(a, f->zone);
	pg_arg_time(a, f->since_s);
	pg_arg_i64(a, f->limit);
	return 0;
}

int report_journal(struct pg *pg, const struct report_journal_filter *f, report_journal_cb cb,
		   void *arg, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	struct pg_args a;
	pg_args_init(&a);
	int rc = f->about != NULL ? about(&a, f, e) : everything(&a, f);
	if (rc == 0)
		rc = pg_query(&r, pg, f->about != NULL ? sql_report_journal_of : sql_report_journal,
			      &a, e);
	pg_args_fini(&a);
	if (rc == 0)
		hand_out_journal(r, cb, arg);
	return rc;
}
