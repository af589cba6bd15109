/* hosts.c - see hosts.h. */

#include "bridge/report/hosts.h"

#include "bridge/base/own.h"
#include "sql.h"

int report_hosts(struct pg *pg, const struct report_filter *f, report_host_cb cb, void *arg,
		 struct err *e)
{
	struct pg_args a;
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	pg_args_init(&a);
	pg_arg_text(&a, f->space);
	int rc = pg_query(&r, pg, sql_report_hosts, &a, e);
	pg_args_fini(&a);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < pg_rows_n(r); i++) {
		struct report_host h = {
		    .space = pg_text(r, i, 0),
		    .name = report_text(r, i, 1),
		    .addr = pg_inet(r, i, 2),
		    .mac = pg_mac(r, i, 3),
		    .source = pg_text(r, i, 4),
		    .kind = pg_text(r, i, 5),
		    .expires_at_s = pg_time(r, i, 6),
		    .last_seen_s = pg_time(r, i, 7),
		};
		cb(arg, &h);
	}
	return 0;
}
