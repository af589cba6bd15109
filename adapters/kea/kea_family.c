/* kea_family.c - opens a lease file with the files its cleanup leaves beside it. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/kea/kea_family.h"
#include "bridge/base/clock.h"
#include "bridge/base/hash.h"
#include "bridge/base/own.h"

enum { TAIL = 512, STDIN_MAX_MB = 1024 };

const char *kea_family_suffix(int which)
{
	static const char *const suffix[KEA_FILES] = {
	    [KEA_COMPLETED] = ".completed",
	    [KEA_SNAPSHOT] = ".2",
	    [KEA_PREVIOUS] = ".1",
	    [KEA_LIVE] = "",
	};

	return suffix[which];
}

void kea_family_close(struct kea_family *k)
{
	for (int i = 0; i < KEA_FILES; i++)
		own_closep(&k->f[i].fd);
	*k = (struct kea_family)KEA_FAMILY_INIT;
}

static bool name_of(char out[PATH_MAX], const char *path, int which)
{
	int n = snprintf(out, PATH_MAX, "%s%s", path, kea_family_suffix(which));

	return n > 0 && n < PATH_MAX;
}

static void hint_name(struct err *e)
{
	err_hint(e, "compare with \"lease-database\" in Kea's configuration: type memfile, name, "
		    "persist true");
}

static int refuse_open(const char *name, int errnum, struct err *e)
{
	if (errnum == EACCES || errnum == EPERM) {
		err_set(e, ERR_DENIED, "lease file \"%s\": %s", name, strerror(errnum));
		err_hint(e, "let this program's user read Kea's lease files, usually by adding it "
			    "to Kea's group");
		return ERR_DENIED;
	}
	err_sys(e, errnum, "lease file \"%s\"", name);
	hint_name(e);
	return ERR_SYS;
}

/* 0 also when the file is not there (fd stays -1). */
static int open_one(struct kea_file *f, const char *path, int which, struct err *e)
{
	char name[PATH_MAX];
	struct stat st;

	if (!name_of(name, path, which))
		return err_set(e, ERR_CONF, "lease file name is too long");
	/* O_NONBLOCK: a FIFO in its place must not hold us. */
	f->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f->fd < 0 && errno == ENOENT && which != KEA_LIVE)
		return 0;
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return refuse_open(name, errno, e);
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_CONF, "lease file \"%s\" is not a regular file", name);
		hint_name(e);
		return ERR_CONF;
	}
	f->size = st.st_size;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->mtime_s = st.st_mtim.tv_sec;
	f->mtime_ns = st.st_mtim.tv_nsec;
	return 0;
}

/* Covers at least a usual last line.  The key only has to be the same next time. */
static int tail_sum(uint64_t *out, const struct kea_file *f, struct err *e)
{
	static const struct hash_key key = {0x6c65617365732d34, 0x6c65617365732d36};
	uint8_t tail[TAIL];
	int64_t from = f->size > TAIL ? f->size - TAIL : 0;
	ssize_t n = pread(f->fd, tail, (size_t)(f->size - from), (off_t)from);

	if (n < 0)
		return err_sys(e, errno, "reading");
	*out = hash_bytes(&key, tail, (size_t)n);
	return 0;
}

static int write_cursor(struct kea_family *k, struct err *e)
{
	size_t at = (size_t)snprintf(k->cursor, sizeof(k->cursor), "v1");

	for (int i = 0; i < KEA_FILES; i++) {
		const struct kea_file *f = &k->f[i];
		uint64_t sum;
		int n;

		if (f->fd < 0)
			continue;
		if (tail_sum(&sum, f, e) < 0)
			return ERR_SYS;
		n = snprintf(k->cursor + at, sizeof(k->cursor) - at,
			     " X%s:%ju:%ju:%" PRId64 ":%" PRId64 ".%09ld:%016" PRIx64,
			     kea_family_suffix(i), (uintmax_t)f->dev, (uintmax_t)f->ino, f->size,
			     f->mtime_s, f->mtime_ns, sum);
		if (n < 0 || (size_t)n >= sizeof(k->cursor) - at)
			return err_set(e, ERR_BUG, "the cursor of a lease file does not fit");
		at += (size_t)n;
	}
	return 0;
}

static int open_all(struct kea_family *k, const char *path, struct err *e)
{
	int r = open_one(&k->f[KEA_COMPLETED], path, KEA_COMPLETED, e);

	if (r == 0 && k->f[KEA_COMPLETED].fd < 0) {
		r = open_one(&k->f[KEA_SNAPSHOT], path, KEA_SNAPSHOT, e);
		if (r == 0)
			r = open_one(&k->f[KEA_PREVIOUS], path, KEA_PREVIOUS, e);
	}
	if (r == 0)
		r = open_one(&k->f[KEA_LIVE], path, KEA_LIVE, e);
	/* Kea renames X to X.1, then creates X, then writes its header. */
	if (r == ERR_SYS && k->f[KEA_LIVE].fd < 0 && k->f[KEA_PREVIOUS].fd >= 0)
		return 1;
	if (r == 0 && k->f[KEA_LIVE].size == 0) {
		err_set(e, ERR_BUSY, "lease file \"%s\" has no header yet", path);
		return 1;
	}
	if (r == 0)
		r = write_cursor(k, e);
	return r;
}

int kea_family_open(struct kea_family *k, const char *path, struct err *e)
{
	int r;

	*k = (struct kea_family)KEA_FAMILY_INIT;
	r = open_all(k, path, e);
	if (r != 0)
		kea_family_close(k);
	return r;
}

bool kea_family_same(const struct kea_family *k, const char *path)
{
	for (int i = 0; i < KEA_FILES; i++) {
		bool passed =
		    k->f[KEA_COMPLETED].fd >= 0 && (i == KEA_SNAPSHOT || i == KEA_PREVIOUS);
		const struct kea_file *f = &k->f[i];
		char name[PATH_MAX];
		struct stat st;
		bool there;

		/* With X.completed there, the cleanup is free to remove the other two. */
		if (passed)
			continue;
		there = name_of(name, path, i) && stat(name, &st) == 0;
		if (there != (f->fd >= 0))
			return false;
		if (there && (st.st_ino != f->ino || st.st_dev != f->dev))
			return false;
	}
	return true;
}

/* ---- standard input ---------------------------------------------------------------------- */

static int wait_input(int64_t until_ms, struct err *e)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t left = until_ms - clock_mono_ms();

	if (left <= 0 || poll(&p, 1, left > 1000 ? 1000 : (int)left) < 0) {
		if (left > 0 && errno == EINTR)
			return 0;
		return err_set(e, ERR_BUSY, "standard input did not end before the deadline");
	}
	return p.revents != 0 ? 1 : 0;
}

static int copy_input(int to, int64_t *size, int64_t until_ms, struct err *e)
{
	char buf[65536];

	for (;;) {
		int r = wait_input(until_ms, e);
		ssize_t n;

		if (r <= 0) {
			if (r < 0)
				return r;
			continue;
		}
		n = read(STDIN_FILENO, buf, sizeof(buf));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_sys(e, errno, "reading standard input");
		if (n == 0)
			return 0;
		*size += n;
		if (*size > INT64_C(1048576) * STDIN_MAX_MB)
			return err_set(e, ERR_CONF, "standard input is larger than %d MiB",
				       STDIN_MAX_MB);
		for (ssize_t done = 0; done < n;) {
			ssize_t w = write(to, buf + done, (size_t)(n - done));

			if (w < 0 && errno != EINTR)
				return err_sys(e, errno, "keeping standard input");
			if (w > 0)
				done += w;
		}
	}
}

int kea_family_stdin(struct kea_family *k, int64_t until_ms, struct err *e)
{
	struct kea_file *f = &k->f[KEA_SNAPSHOT];
	int r;

	*k = (struct kea_family)KEA_FAMILY_INIT;
	f->fd = memfd_create("leases", MFD_CLOEXEC);
	if (f->fd < 0)
		return err_sys(e, errno, "keeping standard input");
	r = copy_input(f->fd, &f->size, until_ms, e);
	if (r < 0)
		kea_family_close(k);
	return r;
}
