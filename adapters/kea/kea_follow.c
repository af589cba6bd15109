/* kea_follow.c - inotify on the directory of a lease file, and the look that needs none. */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/kea/kea_follow.h"
#include "bridge/base/clock.h"
#include "bridge/base/log.h"

enum {
	LOOK_MS = 1000,        /* without a watch */
	SURE_MS = 10000,       /* with one */
	GONE_MAX_MS = 1000,    /* Kea makes the new file at once */
	ANY_ARRIVALS = 1000,
	WATCHED = IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |
		  IN_MOVE_SELF | IN_ONLYDIR,
	WATCH_ENDS = IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT,
};

int kea_follow_init(struct kea_follow *f, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');

	*f = (struct kea_follow)KEA_FOLLOW_INIT;
	f->path = path;
	f->name = slash != NULL ? slash + 1 : path;
	f->dir = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
	return f->dir != NULL ? 0 : err_nomem(e);
}

static void unwatch(struct kea_follow *f)
{
	if (f->watch >= 0)
		close(f->watch);
	f->watch = -1;
	f->arrivals = ANY_ARRIVALS;
}

void kea_follow_fini(struct kea_follow *f)
{
	unwatch(f);
	free(f->dir);
	f->dir = NULL;
}

/* ---- the watch --------------------------------------------------------------------------- */

static struct kea_id dir_now(const struct kea_follow *f)
{
	struct stat st;

	if (stat(f->dir, &st) < 0)
		return (struct kea_id){0};
	return (struct kea_id){.dev = st.st_dev, .ino = st.st_ino};
}

static const char *remedy(int errnum)
{
	switch (errnum) {
	case EMFILE:
		return "raise the sysctl fs.inotify.max_user_instances";
	case ENOSPC:
		return "raise the sysctl fs.inotify.max_user_watches";
	case EACCES:
		return "let this program's user read the directory";
	default:
		return "nothing is lost, it only takes longer";
	}
}

static void tell(struct kea_follow *f, int errnum)
{
	/* A directory that is not there is told as the error of its file. */
	if (!f->told && errnum != ENOENT && errnum != ENOTDIR)
		log_event(MSG_SOURCE_LIMIT, f->path,
			  "follow, no watch (%s), looks every second; %s", strerror(errnum),
			  remedy(errnum));
	f->told = f->told || (errnum != ENOENT && errnum != ENOTDIR);
}

static void watch(struct kea_follow *f)
{
	int64_t now = clock_mono_ms();

	if (f->watch >= 0 || now < f->retry_ms)
		return;
	f->retry_ms = now + LOOK_MS;
	f->arrivals = ANY_ARRIVALS;
	f->watched = dir_now(f);
	f->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (f->watch >= 0 && inotify_add_watch(f->watch, f->dir, WATCHED) >= 0) {
		if (f->told)
			log_info(f->path, "follow, watched again");
		f->told = false;
		return;
	}
	tell(f, errno);
	unwatch(f);
}

/* Has another directory taken its place?  The watch stays with the old one. */
static void check_watched(struct kea_follow *f)
{
	struct kea_id now;

	if (f->watch < 0)
		return;
	now = dir_now(f);
	if (kea_id_same_file(&now, &f->watched))
		return;
	unwatch(f);
	f->retry_ms = 0;
}

/* True when the event is about our file. */
static bool take_event(struct kea_follow *f, const struct inotify_event *ev, bool *over)
{
	if ((ev->mask & IN_Q_OVERFLOW) != 0) {
		f->arrivals = ANY_ARRIVALS;
		return true;
	}
	if ((ev->mask & WATCH_ENDS) != 0) {
		*over = true;
		return true;
	}
	if (ev->len == 0 || strcmp(ev->name, f->name) != 0)
		return false;
	/* Kea renames its file away and creates another: nothing else is a rotation. */
	if ((ev->mask & (IN_DELETE | IN_MOVED_TO)) != 0)
		f->arrivals = ANY_ARRIVALS;
	else if ((ev->mask & IN_CREATE) != 0 && f->arrivals < ANY_ARRIVALS)
		f->arrivals++;
	return true;
}

/* Takes the events there are.  True when one of them is about our file. */
static bool drain(struct kea_follow *f)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool ours = false, over = false;
	ssize_t n;

	while (f->watch >= 0 && !over && (n = read(f->watch, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *ev = (const void *)p;

			ours = take_event(f, ev, &over) || ours;
			p += sizeof(*ev) + ev->len;
		}
	}
	if (over) {
		unwatch(f);
		f->retry_ms = 0;
	}
	return ours;
}

bool kea_follow_wait(struct kea_follow *f, int64_t until_ms)
{
	int64_t now = clock_mono_ms();
	int64_t look_ms = now + (f->watch >= 0 ? SURE_MS : LOOK_MS);

	if (f->gone_ms != 0 && f->gone_ms + GONE_MAX_MS < look_ms)
		look_ms = f->gone_ms + GONE_MAX_MS;
	while (now < until_ms && now < look_ms) {
		struct pollfd p = {.fd = f->watch, .events = POLLIN};
		int64_t ms = (until_ms < look_ms ? until_ms : look_ms) - now;

		if (poll(&p, 1, (int)ms) > 0 && drain(f))
			return true;
		now = clock_mono_ms();
	}
	check_watched(f);
	return now < until_ms;
}

/* ---- the look ---------------------------------------------------------------------------- */

static int missing(struct kea_follow *f, struct err *e)
{
	int64_t now = clock_mono_ms();

	if (f->gone_ms == 0)
		f->gone_ms = now;
	if (now - f->gone_ms < GONE_MAX_MS)
		return KEA_QUIET;
	f->gone_ms = 0;
	return e != NULL ? e->code : ERR_BUSY;
}

int kea_follow_not_ready(struct kea_follow *f, struct err *e)
{
	err_set(e, ERR_BUSY, "lease file \"%s\" has no header yet", f->path);
	return missing(f, e);
}

static int grown(struct kea_file *held, const struct kea_id *now)
{
	if (kea_id_equal(now, &held->id))
		return KEA_QUIET;
	/* A file that was cut off or overwritten is caught by what is before our place in it. */
	held->id = *now;
	return KEA_GREW;
}

/* Our file had X.1 given as its name, and Kea does not rotate again while that is there.  Once
 * the cleanup has removed it, only the watch knows how many files had the name since; it is
 * asked last, when what has the name is open already. */
static bool rotated_once(struct kea_follow *f, const struct kea_file *held)
{
	struct kea_id previous = kea_id_named(f->path, KEA_PREVIOUS);

	if (previous.ino != 0)
		return kea_id_same_file(&previous, &held->id);
	drain(f);
	return f->arrivals == 1;
}

static int look_next(struct kea_follow *f, struct kea_file *held, struct kea_file *next,
		     struct err *e)
{
	int r = kea_file_open(next, f->path, KEA_LIVE, e);

	if (r < 0)
		return r == ERR_SYS ? missing(f, e) : r;
	if (next->id.size == 0)
		return kea_follow_not_ready(f, e);
	if (!rotated_once(f, held))
		return KEA_UNSURE;
	f->arrivals = 0;
	f->gone_ms = 0;
	return KEA_ROTATED;
}

static int look(struct kea_follow *f, struct kea_file *held, struct kea_file *next, struct err *e)
{
	struct kea_id named = kea_id_named(f->path, KEA_LIVE), now;

	if (kea_id_same_file(&named, &held->id)) {
		f->arrivals = 0;
		f->gone_ms = 0;
		return grown(held, &named);
	}
	/* Renamed away: what it holds is given out at once, whatever comes in its place. */
	now = kea_id_open(held->fd);
	if (grown(held, &now) == KEA_GREW)
		return KEA_GREW;
	return look_next(f, held, next, e);
}

int kea_follow_look(struct kea_follow *f, struct kea_file *held, struct kea_file *next,
		    struct err *e)
{
	int r;

	watch(f);
	drain(f);
	next->fd = -1;
	r = look(f, held, next, e);
	if (r != KEA_ROTATED && next->fd >= 0) {
		close(next->fd);
		next->fd = -1;
	}
	return r;
}
