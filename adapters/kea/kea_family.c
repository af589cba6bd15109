/* kea_family.c - opens a lease file with the files its cleanup leaves beside it. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/kea/kea_family.h"
#include "bridge/base/clock.h"
#include "bridge/base/own.h"

enum { STDIN_MAX_MB = 1024 };

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

static struct kea_id id_of(const struct stat *st)
{
	return (struct kea_id){
	    .dev = st->st_dev,
	    .ino = st->st_ino,
	    .size = st->st_size,
	    .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
	};
}

int kea_file_open(struct kea_file *f, const char *path, int which, struct err *e)
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
	f->id = id_of(&st);
	return 0;
}

static int open_all(struct kea_family *k, const char *path, struct err *e)
{
	int r = kea_file_open(&k->f[KEA_COMPLETED], path, KEA_COMPLETED, e);

	if (r == 0 && k->f[KEA_COMPLETED].fd < 0) {
		r = kea_file_open(&k->f[KEA_SNAPSHOT], path, KEA_SNAPSHOT, e);
		if (r == 0)
			r = kea_file_open(&k->f[KEA_PREVIOUS], path, KEA_PREVIOUS, e);
	}
	if (r == 0)
		r = kea_file_open(&k->f[KEA_LIVE], path, KEA_LIVE, e);
	/* Kea renames X to X.1, then creates X, then writes its header. */
	if (r == ERR_SYS && k->f[KEA_LIVE].fd < 0 && k->f[KEA_PREVIOUS].fd >= 0)
		return 1;
	if (r == 0 && k->f[KEA_LIVE].id.size == 0) {
		err_set(e, ERR_BUSY, "lease file \"%s\" has no header yet", path);
		return 1;
	}
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

struct kea_id kea_id_named(const char *path, int which)
{
	char name[PATH_MAX];
	struct stat st;

	if (!name_of(name, path, which) || stat(name, &st) < 0)
		return (struct kea_id){0};
	return id_of(&st);
}

struct kea_id kea_id_open(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? id_of(&st) : (struct kea_id){0};
}

bool kea_id_same_file(const struct kea_id *a, const struct kea_id *b)
{
	return a->ino == b->ino && a->dev == b->dev;
}

bool kea_id_equal(const struct kea_id *a, const struct kea_id *b)
{
	return kea_id_same_file(a, b) && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

void kea_family_older(struct kea_id id[KEA_FILES], const char *path)
{
	memset(id, 0, KEA_LIVE * sizeof(*id));
	id[KEA_COMPLETED] = kea_id_named(path, KEA_COMPLETED);
	/* With X.completed there, the cleanup is free to remove the other two. */
	if (id[KEA_COMPLETED].ino != 0)
		return;
	id[KEA_SNAPSHOT] = kea_id_named(path, KEA_SNAPSHOT);
	id[KEA_PREVIOUS] = kea_id_named(path, KEA_PREVIOUS);
}

bool kea_family_same(const struct kea_family *k, const char *path)
{
	struct kea_id now[KEA_FILES];

	kea_family_older(now, path);
	now[KEA_LIVE] = kea_id_named(path, KEA_LIVE);
	for (int i = 0; i < KEA_FILES; i++) {
		if (!kea_id_same_file(&now[i], &k->f[i].id))
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
	r = copy_input(f->fd, &f->id.size, until_ms, e);
	if (r < 0)
		kea_family_close(k);
	return r;
}
