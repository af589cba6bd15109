/* replace.c - see replace.h. */
#include "bridge/base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/base/own.h"

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

/* Its name is there after a power cut, too. */
static int sync_directory(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	AUTO(own_freep) char *dir = slash == NULL ? strdup(".")
						  : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	AUTO(own_closep) int fd = dir == NULL ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir == NULL)
		return err_nomem(e);
	return fd < 0 || fsync(fd) < 0 ? err_sys(e, errno, "writing \"%s\"", dir) : 0;
}

int file_replace(const char *path, const struct buf *b, struct err *e)
{
	AUTO(own_freep) char *tmp = NULL;

	if (b->bad || asprintf(&tmp, "%s.XXXXXX", path) < 0)
		return err_nomem(e);
	AUTO(own_closep) int fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "making a file beside \"%s\"", path);
	int r = write_all(fd, b, tmp, e);
	if (r == 0 && rename(tmp, path) < 0)
		r = err_sys(e, errno, "renaming to \"%s\"", path);
	if (r < 0)
		unlink(tmp);
	return r < 0 ? r : sync_directory(path, e);
}
