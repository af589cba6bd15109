/* file.c - reads a file, a FIFO, /proc or standard input to its end. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/transport/file.h"
#include "bridge/base/clock.h"
#include "bridge/base/own.h"

enum { PIECE = 64 * 1024, POLL_MAX_MS = 60000 };

/* 0: readable (or ended); ERR_BUSY: the deadline passed. */
static int wait_readable(int fd, int64_t until_ms, struct err *e)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until_ms - clock_mono_ms();
		int r;

		if (left <= 0)
			return err_set(e, ERR_BUSY, "reading took longer than its deadline");
		r = poll(&p, 1, left > POLL_MAX_MS ? POLL_MAX_MS : (int)left);
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return err_sys(e, errno, "waiting for input");
	}
}

static int read_all(struct buf *out, int fd, size_t max, int64_t until_ms, struct err *e)
{
	for (;;) {
		int r = wait_readable(fd, until_ms, e);
		char *room;
		ssize_t n;

		if (r < 0)
			return r;
		room = buf_reserve(out, PIECE);
		if (room == NULL)
			return err_nomem(e);
		n = read(fd, room, PIECE);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_sys(e, errno, "reading");
		if (n == 0)
			return 0;
		if (out->len + (size_t)n > max)
			return err_set(e, ERR_PROTO, "is larger than %zu MiB", max >> 20);
		out->len += (size_t)n;
		out->p[out->len] = '\0';
	}
}

static int open_path(const char *path, int64_t *mtime_s, struct err *e)
{
	/* O_NONBLOCK: opening a FIFO without a writer must not hold us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0) {
		int code = errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_SYS;

		return err_set(e, code, "%s", strerror(errno));
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		*mtime_s = st.st_mtim.tv_sec;
	return fd;
}

int file_read(struct buf *out, int64_t *mtime_s, const char *path, size_t max, int64_t until_ms,
	      struct err *e)
{
	bool is_stdin = strcmp(path, "-") == 0;
	AUTO(own_closep) int own = -1;
	int64_t written_s = 0;
	int r, fd = STDIN_FILENO;

	if (!is_stdin) {
		fd = own = open_path(path, &written_s, e);
		if (fd < 0)
			return err_in(e, fd, "file \"%s\"", path);
	}
	if (mtime_s != NULL)
		*mtime_s = written_s;
	r = read_all(out, fd, max, until_ms, e);
	if (r == 0)
		return 0;
	return is_stdin ? err_in(e, r, "standard input") : err_in(e, r, "file \"%s\"", path);
}
