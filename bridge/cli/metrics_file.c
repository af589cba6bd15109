/* metrics_file.c - see metrics_file.h. */

#include "bridge/cli/metrics_file.h"

#include "bridge/base/clock.h"
#include "bridge/base/replace.h"
#include "bridge/report/metrics.h"

int metrics_file_write(const char *path, struct pg *pg, const struct policy *p, struct err *e)
{
	enum { ALL_MS = 60000 };
	struct buf b = BUF_INIT;
	int r = report_metrics(&b, pg, p, clock_mono_ms() + ALL_MS, e);
	if (r == 0)
		r = file_replace(path, &b, e);
	buf_fini(&b);
	return r < 0 ? err_in(e, r, "metrics") : 0;
}
