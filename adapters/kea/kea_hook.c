/* kea_hook.c - see kea_hook.h. */

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "adapters/kea/kea_hook.h"
#include "adapters/kea/kea_hook_decode.h"
#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/base/own.h"
#include "bridge/base/spool.h"

enum {
	BATCH_MAX = 256, /* records of one read, from each side */
	OBS_MAX = 2000,  /* a record has one observation, seldom more */
	POLL_MAX_MS = 60000,
	LOOK_MS = 500, /* between looks at the spool when nothing tells that it grew */
};

struct kea_hook {
	struct adapter base;
	struct sockaddr_un addr;
	int fd;
	ino_t ino; /* of the socket; 0: not bound */
	struct spool spool;
	int watch; /* inotify: the spool grew; -1: nothing tells */
	uint64_t n_records; /* since open */
	struct buf record;
	struct buf unsure; /* datagrams of the last answer, each behind its length (u32) */
};

/* ---- spooling what was not stored -------------------------------------------------------- */

static void put_back(struct kea_hook *a, const void *p, size_t len)
{
	struct err e = {0};
	int r = len == 0 ? 0 : spool_append(&a->spool, p, len, KEA_HOOK_SPOOL_MAX, &e);

	if (r < 0)
		log_event(MSG_EVENTS_LOST, a->addr.sun_path, "closing, an event is lost (%s)", e.text);
}

static void put_back_unsure(struct kea_hook *a)
{
	uint32_t len;

	for (size_t at = 0; at + sizeof(len) <= a->unsure.len; at += len) {
		memcpy(&len, a->unsure.p + at, sizeof(len));
		at += sizeof(len);
		put_back(a, a->unsure.p + at, len);
	}
	buf_reset(&a->unsure);
}

/* One datagram to a->record: its length, which may be 0 or more than was taken; -1: none. */
static ssize_t receive(struct kea_hook *a)
{
	ssize_t n;

	do {
		n = recv(a->fd, a->record.p, KEA_HOOK_RECORD_MAX, MSG_DONTWAIT | MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	return n;
}

static void put_back_unread(struct kea_hook *a)
{
	ssize_t n;

	while ((n = receive(a)) >= 0) {
		if (n <= KEA_HOOK_RECORD_MAX)
			put_back(a, a->record.p, (size_t)n);
	}
}

/* ---- reading ----------------------------------------------------------------------------- */

static int decode(struct kea_hook *a, struct obs_batch *into, const void *p, size_t len,
		  struct err *e)
{
	return kea_hook_decode(into, p, len, ++a->n_records) < 0 ? err_nomem(e) : 0;
}

static int take_spool(struct kea_hook *a, struct obs_batch *into, struct err *e)
{
	int r = 1;

	for (int i = 0; i < BATCH_MAX && into->n < OBS_MAX && r == 1; i++) {
		buf_reset(&a->record);
		r = spool_next(&a->spool, &a->record, e);
		if (r == 1 && decode(a, into, a->record.p, a->record.len, e) < 0)
			return ERR_NOMEM;
	}
	return r < 0 ? r : 0;
}

static int take_datagram(struct kea_hook *a, struct obs_batch *into, size_t len, struct err *e)
{
	uint32_t n = (uint32_t)len;

	if (len > KEA_HOOK_RECORD_MAX) {
		obs_batch_refuse(into, ++a->n_records, "it is longer than any record");
		return 0;
	}
	buf_add(&a->unsure, &n, sizeof(n));
	buf_add(&a->unsure, a->record.p, len);
	return a->unsure.bad ? err_nomem(e) : decode(a, into, a->record.p, len, e);
}

static int take_socket(struct kea_hook *a, struct obs_batch *into, struct err *e)
{
	for (int i = 0; i < BATCH_MAX && into->n < OBS_MAX; i++) {
		ssize_t n = receive(a);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n < 0)
			return err_sys(e, errno, "reading socket \"%s\"", a->addr.sun_path);
		if (take_datagram(a, into, (size_t)n, e) < 0)
			return ERR_NOMEM;
	}
	return 0;
}

/* ADAPTER_IDLE at the deadline; 0: look again. */
static int wait_news(struct kea_hook *a, int64_t until_ms, struct err *e)
{
	struct pollfd p[] = {{.fd = a->fd, .events = POLLIN}, {.fd = a->watch, .events = POLLIN}};
	char ignored[sizeof(struct inotify_event) * 16];
	int64_t left = until_ms - clock_mono_ms();
	int64_t max = a->watch < 0 ? LOOK_MS : POLL_MAX_MS;

	if (left <= 0)
		return ADAPTER_IDLE;
	if (poll(p, 2, (int)(left < max ? left : max)) < 0 && errno != EINTR)
		return err_sys(e, errno, "waiting for socket \"%s\"", a->addr.sun_path);
	while (read(a->watch, ignored, sizeof(ignored)) > 0)
		;
	return 0;
}

/* Whoever removed the socket sends every event through the spool. */
static int check_socket(const struct kea_hook *a, struct err *e)
{
	struct stat st;

	if (stat(a->addr.sun_path, &st) == 0 && st.st_ino == a->ino)
		return 0;
	return err_set(e, ERR_SYS, "socket \"%s\" was removed", a->addr.sun_path);
}

/* Is something missing?  Said once for each loss. */
static bool lost(const struct kea_hook *a)
{
	if (a->spool.lost > 0)
		log_event(MSG_SPOOL_FULL, a->spool.path, "spool, full, %llu events lost",
			  (unsigned long long)a->spool.lost);
	if (a->spool.damaged > 0)
		log_event(MSG_EVENTS_LOST, a->spool.path, "spool, damaged, events lost");
	return a->spool.lost > 0 || a->spool.damaged > 0;
}

static int hook_read(struct adapter *base, struct obs_batch *into, int64_t until_ms,
		     struct err *e)
{
	struct kea_hook *a = (struct kea_hook *)base;
	uint64_t before = a->n_records;
	int r = check_socket(a, e);

	r = r < 0 ? r : spool_commit(&a->spool, e);
	buf_reset(&a->unsure);
	while (r == 0) {
		if ((r = take_spool(a, into, e)) < 0 || (r = take_socket(a, into, e)) < 0)
			return r;
		if (lost(a))
			return ADAPTER_LOST;
		if (a->n_records > before)
			return ADAPTER_DELTA;
		r = wait_news(a, until_ms, e);
	}
	return r;
}

/* ---- opening ----------------------------------------------------------------------------- */

/* A socket that nobody listens on is in the way; anything else there is not ours. */
static int make_way(const struct kea_hook *a, struct err *e)
{
	AUTO(own_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const char *path = a->addr.sun_path;
	struct stat st;

	if (fd < 0)
		return err_sys(e, errno, "socket");
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "socket \"%s\"", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONF, "\"%s\" is there and is no socket", path);
	if (connect(fd, (const struct sockaddr *)&a->addr, sizeof(a->addr)) == 0) {
		err_set(e, ERR_BUSY, "another process listens on socket \"%s\"", path);
		err_hint(e, "give each source its own \"socket\" and \"spool\"");
		return ERR_BUSY;
	}
	if (errno != ECONNREFUSED || unlink(path) < 0)
		return err_sys(e, errno, "socket \"%s\"", path);
	return 0;
}

static int listen_on(struct kea_hook *a, struct err *e)
{
	struct stat st;
	int r = make_way(a, e);

	if (r < 0)
		return r;
	a->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0 ||
	    bind(a->fd, (const struct sockaddr *)&a->addr, sizeof(a->addr)) < 0 ||
	    stat(a->addr.sun_path, &st) < 0)
		return err_sys(e, errno, "socket \"%s\"", a->addr.sun_path);
	a->ino = st.st_ino;
	return 0;
}

/* Who may tell: the user of this process, and a group. */
static int permit(const struct kea_hook *a, const char *group, struct err *e)
{
	struct group *g = group != NULL ? getgrnam(group) : NULL;
	struct stat st;

	if (group != NULL && g == NULL)
		return err_set(e, ERR_CONF, "there is no group \"%s\"", group);
	/* The other side may have made the spool: then it cannot be given away, nor need it. */
	if (g != NULL && (chown(a->addr.sun_path, (uid_t)-1, g->gr_gid) < 0 ||
			  fstat(a->spool.fd, &st) < 0 ||
			  (st.st_gid != g->gr_gid &&
			   fchown(a->spool.fd, (uid_t)-1, g->gr_gid) < 0))) {
		err_sys(e, errno, "giving socket and spool to group \"%s\"", group);
		err_hint(e, "the user that runs ipambridge must be a member of that group");
		return ERR_SYS;
	}
	if (chmod(a->addr.sun_path, 0660) < 0)
		return err_sys(e, errno, "socket \"%s\"", a->addr.sun_path);
	return 0;
}

static void watch_spool(struct kea_hook *a)
{
	a->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (a->watch >= 0 &&
	    inotify_add_watch(a->watch, a->spool.path, IN_MODIFY | IN_ATTRIB) >= 0)
		return;
	log_event(MSG_SOURCE_LIMIT, a->spool.path, "watching, failed (%s), looked at every %d ms; "
		  "see sysctl fs.inotify.max_user_instances and fs.inotify.max_user_watches",
		  strerror(errno), LOOK_MS);
	own_closep(&a->watch);
	a->watch = -1;
}

/* The setting, else the file of this name in state-dir. */
static int path_of(struct buf *out, const struct settings *set, const char *key, const char *name,
		   struct err *e)
{
	const char *given = settings_str(set, key, NULL);

	if (given != NULL)
		buf_str(out, given);
	else
		buf_printf(out, "%s/%s", settings_str(set, "state-dir", "."), name);
	return out->bad ? err_nomem(e) : 0;
}

static int configure(struct kea_hook *a, const struct settings *set, struct err *e)
{
	AUTO(buf_fini) struct buf sock = BUF_INIT, spool = BUF_INIT;
	int r;

	if ((r = path_of(&sock, set, "socket", KEA_HOOK_SOCKET, e)) < 0 ||
	    (r = path_of(&spool, set, "spool", KEA_HOOK_SPOOL, e)) < 0)
		return r;
	if (sock.len == 0 || sock.len >= sizeof(a->addr.sun_path))
		return err_set(e, ERR_CONF, "socket \"%s\": a path has 1 to %zu bytes",
			       buf_text(&sock), sizeof(a->addr.sun_path) - 1);
	if (buf_reserve(&a->record, SPOOL_RECORD_MAX) == NULL)
		return err_nomem(e);
	a->addr.sun_family = AF_UNIX;
	memcpy(a->addr.sun_path, sock.p, sock.len);
	if ((r = spool_open(&a->spool, buf_text(&spool), e)) < 0 ||
	    (r = listen_on(a, e)) < 0)
		return r;
	watch_spool(a);
	return permit(a, settings_str(set, "group", NULL), e);
}

static void hook_close(struct adapter *base)
{
	struct kea_hook *a = (struct kea_hook *)base;

	if (a == NULL)
		return;
	/* From here on the other side spools by itself. */
	if (a->ino != 0 && check_socket(a, NULL) == 0)
		unlink(a->addr.sun_path);
	if (a->ino != 0) {
		put_back_unsure(a);
		put_back_unread(a);
	}
	own_closep(&a->fd);
	own_closep(&a->watch);
	spool_close(&a->spool);
	buf_fini(&a->record);
	buf_fini(&a->unsure);
	free(a);
}

static int hook_open(struct adapter **out, const struct settings *set, const char *cursor,
		     struct err *e)
{
	struct kea_hook *a = calloc(1, sizeof(*a));
	int r;

	(void)cursor; /* the spool knows how far it was read */
	if (a == NULL)
		return err_nomem(e);
	a->base.ops = &kea_hook_ops;
	a->fd = a->watch = a->spool.fd = -1;
	r = configure(a, set, e);
	if (r < 0) {
		hook_close(&a->base);
		return r;
	}
	*out = &a->base;
	return 0;
}

static const char *hook_cursor(struct adapter *a)
{
	(void)a;
	return NULL;
}

static const struct setting_key hook_keys[] = {
    {"socket", SETTING_STR, false, "Unix socket to listen on; default hook.sock in state-dir"},
    {"spool", SETTING_STR, false, "file for what the socket cannot take; default hook.spool"},
    {"group", SETTING_STR, false, "whose members may tell, beside the user that listens"},
    {"confirm", SETTING_STR, false, "the source that is asked whether an event is true"},
    {NULL, SETTING_STR, false, NULL},
};

const struct adapter_ops kea_hook_ops = {
    .type = "kea-hook",
    .kind = OBS_LEASE,
    .events = true,
    .keys = hook_keys,
    .open = hook_open,
    .read = hook_read,
    .cursor = hook_cursor,
    .close = hook_close,
};
