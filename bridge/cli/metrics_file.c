/* metrics_file.c - see metrics_file.h. */

#include "bridge/cli/metrics_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/report/metrics.h"

static int write_all(int fd, const struct buf *b, const char *path, struct err *e)
{
	size_t at = 0;
	while (at < b->len) {
		ssize_t n = write(fd, b->p + at, b->len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "writing \"%s\"", path);
		at += (size_t)n;
	}
	/* Other users read it: what mkostemp makes is for us alone. */
	if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		return err_sys(e, errno, "writing \"%s\"", path);
	return 0;
}

static int replace(const char *path, const struct buf *b, struct err *e)
{
	AUTO(own_freep) char *tmp = NULL;
	if (asprintf(&tmp, "%s.XXXXXX", path) < 0)
		return err_nomem(e);
	AUTO(own_closep) int fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "making a file beside \"%s\"", path);
	int r = write_all(fd, b, tmp, e);
	if (r == 0 && rename(tmp, path) < 0)
		r = err_sys(e, errno, "renaming to \"%s\"", path);
	if (r < 0)
		unlink(tmp);
	return r;
}

int metrics_file_write(const char *path, struct pg *pg, const struct policy *p, struct err *e)
{
	enum { ALL_MS = 60000 };
	struct buf b = BUF_INIT;
	int r = report_metrics(&b, pg, p, clock_mono_ms() + ALL_MS, e);
	if (r == 0)
		r = replace(path, &b, e);
	buf_fini(&b);
	return r < 0 ? err_in(e, r, "metrics") : 0;
}
