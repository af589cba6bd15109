/* report.h - database to values, for the command line and the status page alike.
 *
 * A report reads and never decides.  Each hands typed rows to a callback, in a documented order;
 * texts and sets in a row are borrowed until the callback returns.  NULL text, 0 times and
 * family 0 addresses mean "not known".
 */
#ifndef BRIDGE_REPORT_REPORT_H
#define BRIDGE_REPORT_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "bridge/base/arena.h"
#include "bridge/base/err.h"
#include "bridge/core/policy.h"
#include "bridge/pg/pg.h"

struct report_filter {
	const char *space;  /* NULL: all */
	const char *view;   /* NULL: all */
};

static inline const char *report_text(const struct pg_rows *r, size_t row, int col)
{
	return pg_is_null(r, row, col) ? NULL : pg_text(r, row, col);
}

#endif
