/* addresses.c - see addresses.h. */

#include "bridge/report/addresses.h"

#include "bridge/base/own.h"
#include "sql.h"

int report_addresses(struct pg *pg, const struct report_filter *f, report_address_cb cb,
		     void *arg, struct err *e)
{
	struct pg_args a;
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	pg_args_init(&a);
	pg_arg_text(&a, f->space);
	int rc = pg_query(&r, pg, sql_report_addresses, &a, e);
	pg_args_fini(&a);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < pg_rows_n(r); i++) {
		struct report_address row = {
		    .space = pg_text(r, i, 0),
		    .addr = pg_inet(r, i, 1),
		    .subnet = report_text(r, i, 2),
		    .names = report_text(r, i, 3),
		    .mac = pg_mac(r, i, 4),
		    .sources = report_text(r, i, 5),
		    .first_seen_s = pg_time(r, i, 6),
		    .last_seen_s = pg_time(r, i, 7),
		    .note = report_text(r, i, 8),
		};
		cb(arg, &row);
	}
	return 0;
}
