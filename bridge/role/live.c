/* live.c - signals into a descriptor, signs of life into a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/role/live.h"

enum { AGAIN_MS = 1000, WAIT_PIECE_MS = 10000, SIGN_MAX = LIVE_TEXT_MAX + 32 };
enum { DAY_MS = 24 * 3600 * 1000 };

static int take_signals(struct live *l, struct err *e)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	if (sigprocmask(SIG_BLOCK, &stop, NULL) < 0 || signal(SIGHUP, SIG_IGN) == SIG_ERR)
		return err_sys(e, errno, "signals");
	l->stop_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	return l->stop_fd < 0 ? err_sys(e, errno, "signals") : 0;
}

/* The programs that a role runs have no business with the pipe. */
static int take_pipe(struct live *l, struct err *e)
{
	const char *s = getenv(LIVE_ENV);
	char *end;
	long fd;

	if (s == NULL)
		return 0;
	fd = strtol(s, &end, 10);
	if (end == s || *end != '\0' || fd <= STDERR_FILENO || fd > INT32_MAX ||
	    fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl((int)fd, F_SETFL, O_NONBLOCK) < 0)
		return err_set(e, ERR_CONF, "%s is not a descriptor of a pipe", LIVE_ENV);
	l->alive_fd = (int)fd;
	unsetenv(LIVE_ENV);
	return 0;
}

int live_open(struct live *l, const char *path, const char *role, const char *of, struct err *e)
{
	int r;

	*l = (struct live){.path = path, .role = role, .of = of, .stop_fd = -1, .alive_fd = -1};
	r = take_signals(l, e);
	r = r < 0 ? r : take_pipe(l, e);
	r = r < 0 ? r : conf_load(&l->conf, path, e);
	if (r < 0)
		live_close(l);
	return r;
}

void live_close(struct live *l)
{
	if (l->stop_fd >= 0)
		close(l->stop_fd);
	if (l->alive_fd >= 0)
		close(l->alive_fd);
	l->stop_fd = l->alive_fd = -1;
	conf_freep(&l->conf);
}

/* ---- the order to stop ------------------------------------------------------------------ */

static bool stop_within(const struct live *l, int ms)
{
	struct pollfd p = {.fd = l->stop_fd, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

bool live_stopped(const struct live *l)
{
	return stop_within(l, 0);
}

int live_fd(const struct live *l)
{
	return l->stop_fd;
}

/* ---- signs of life ---------------------------------------------------------------------- */

/* A full pipe is a supervisor that has signs enough to read. */
static void send_sign(const struct live *l)
{
	char line[SIGN_MAX];
	int n = snprintf(line, sizeof(line), "%" PRId64 " %s\n", l->busy_ms, l->said);

	if (l->alive_fd >= 0 && n > 0 && write(l->alive_fd, line, (size_t)n) < 0)
		return;
}

/* A line end inside would make two signs of one. */
static void copy_clean(char *out, const char *text)
{
	size_t n = strnlen(text, LIVE_TEXT_MAX);

	for (size_t i = 0; i < n; i++)
		out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	out[n] = '\0';
}

static bool keep_text(struct live *l, const char *text)
{
	char now[LIVE_TEXT_MAX + 1];

	copy_clean(now, text);
	if (strcmp(now, l->said) == 0)
		return false;
	memcpy(l->said, now, strlen(now) + 1);
	return true;
}

static void sign(struct live *l, int64_t busy_ms, const char *text)
{
	int64_t now_ms = clock_mono_ms();
	bool news = keep_text(l, text);

	if (!news && busy_ms == l->busy_ms && now_ms - l->said_ms < AGAIN_MS)
		return;
	l->busy_ms = busy_ms;
	l->said_ms = now_ms;
	send_sign(l);
}

void live_alive(struct live *l, const char *text)
{
	sign(l, 0, text);
}

void live_busy(struct live *l, int64_t ms, const char *text)
{
	sign(l, ms < 0 ? 0 : ms > DAY_MS ? DAY_MS : ms, text);
}

bool live_wait(struct live *l, int64_t ms)
{
	int64_t until_ms = clock_mono_ms() + ms, left = ms;

	while (left > 0) {
		/* What was said lately covers a short wait. */
		if (l->said_ms > 0 && clock_mono_ms() - l->said_ms >= AGAIN_MS)
			sign(l, 0, l->said);
		if (stop_within(l, left > WAIT_PIECE_MS ? WAIT_PIECE_MS : (int)left))
			return true;
		left = until_ms - clock_mono_ms();
	}
	return live_stopped(l);
}

/* Reads "MS TEXT" of one line without its end. */
static bool read_line(const char *p, size_t n, int64_t *busy_ms, char *text)
{
	char line[SIGN_MAX];
	char *end;

	if (n == 0 || n >= sizeof(line) || *p < '0' || *p > '9')
		return false;
	memcpy(line, p, n);
	line[n] = '\0';
	*busy_ms = strtoll(line, &end, 10);
	if (*end != ' ' || *busy_ms > DAY_MS)
		return false;
	copy_clean(text, end + 1);
	return true;
}

bool live_sign_read(const char *p, size_t n, int64_t *busy_ms, char *text)
{
	const char *end = memrchr(p, '\n', n), *start;

	if (end == NULL)
		return false;
	start = memrchr(p, '\n', (size_t)(end - p));
	start = start == NULL ? p : start + 1;
	return read_line(start, (size_t)(end - start), busy_ms, text);
}
