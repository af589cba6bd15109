/* supervisor.c - one loop over signals, pipes and times. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/role/crew.h"
#include "bridge/role/notify.h"
#include "bridge/role/supervisor.h"

/* RENEWING: the old processes are told to stop, and the next configuration waits for the last
 * of them. */
enum phase { UP, RENEWING, STOPPING };

enum { AGAIN_MS = 1000, TURN_MAX_MS = 60000 };

struct supervisor {
	const struct supervisor_opts *o;
	enum phase phase;
	struct crew crew, next;       /* next: while RENEWING */
	int signal_fd;
	bool up;                      /* every process has reported, since they started anew */
	bool ready;                   /* the manager knows, since the start or the last reload */
	int64_t ready_at_ms;          /* not before */
	int64_t alive_every_ms, alive_at_ms;
	int64_t status_at_ms;         /* not before */
	struct buf status;            /* as said last */
	char refused[sizeof(((struct err *)0)->text)];  /* why a new configuration is not used */
};

static const char subject[] = "supervisor";

/* ---- phases ----------------------------------------------------------------------------- */

static void begin_stop(struct supervisor *s, const char *signal_name)
{
	if (s->phase == STOPPING)
		return;
	log_info(subject, "%s, stopping", signal_name);
	s->phase = STOPPING;
	crew_stop(&s->crew, clock_mono_ms(), s->o->stop_ms);
	notify_stopping();
}

static void refuse(struct supervisor *s, const struct err *e)
{
	log_event(MSG_CONFIG_REFUSED, subject, "%s; the configuration before stays in use%s%s",
		  e->text, e->hint[0] != '\0' ? "; hint: " : "", e->hint);
	memcpy(s->refused, e->text, sizeof(s->refused));
	s->ready = false;     /* said again, after "reloading" */
	s->status_at_ms = 0;
}

static void begin_reload(struct supervisor *s)
{
	struct crew next;
	struct err e = {0};

	if (s->phase == STOPPING)
		return;
	notify_reloading();
	if (crew_load(&next, s->o->conf_path, s->o->roles, s->o->only, &e) < 0) {
		refuse(s, &e);
		return;
	}
	log_event(MSG_CONFIG_LOADED, subject, "%s is good, all processes start anew",
		  next.conf->file);
	s->refused[0] = '\0';
	crew_fini(&s->next);
	s->next = next;
	s->phase = RENEWING;
	crew_stop(&s->crew, clock_mono_ms(), s->o->stop_ms);
}

static void finish_reload(struct supervisor *s)
{
	crew_fini(&s->crew);
	s->crew = s->next;
	s->next = (struct crew){0};
	s->phase = UP;
	s->up = s->ready = false;
	s->status_at_ms = 0;
}

/* ---- what the service manager sees ------------------------------------------------------ */

static void print_status(struct buf *b, const struct supervisor *s)
{
	struct buf before = BUF_INIT;

	if (s->refused[0] != '\0')
		buf_printf(&before, "the new configuration is not used: %s", s->refused);
	crew_print(b, &s->crew, buf_text(&before));
	b->bad |= before.bad;
	buf_fini(&before);
}

static void report_status(struct supervisor *s, int64_t now_ms)
{
	struct buf b = BUF_INIT;

	if (s->phase == STOPPING || now_ms < s->status_at_ms)
		return;
	print_status(&b, s);
	if (!b.bad && strcmp(buf_text(&b), buf_text(&s->status)) != 0) {
		s->status_at_ms = now_ms + AGAIN_MS;
		if (notify_status(buf_text(&b))) {
			buf_reset(&s->status);
			buf_add(&s->status, b.p, b.len);
		}
	}
	buf_fini(&b);
}

static void report_ready(struct supervisor *s, int64_t now_ms)
{
	if (s->phase != UP || now_ms < s->ready_at_ms || !crew_reported(&s->crew))
		return;
	if (!s->up)
		log_event(MSG_DAEMON_STARTED, subject, "ready, %zu processes", s->crew.kids.n);
	s->up = true;
	if (!s->ready && !(s->ready = notify_ready()))
		s->ready_at_ms = now_ms + AGAIN_MS;
}

static void report_alive(struct supervisor *s, int64_t now_ms)
{
	if (s->alive_every_ms == 0 || now_ms < s->alive_at_ms)
		return;
	notify_alive();
	s->alive_at_ms = now_ms + s->alive_every_ms;
}

/* ---- the loop --------------------------------------------------------------------------- */

static int open_signals(struct supervisor *s, struct err *e)
{
	static const int taken[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaddset(&set, taken[i]);
	/* Ignored, as some parents leave it, children would end without a status. */
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		return err_sys(e, errno, "signals");
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signal_fd < 0 ? err_sys(e, errno, "signals") : 0;
}

static void read_signals(struct supervisor *s)
{
	struct signalfd_siginfo i;

	while (read(s->signal_fd, &i, sizeof(i)) == (ssize_t)sizeof(i)) {
		if (i.ssi_signo == SIGHUP)
			begin_reload(s);
		else if (i.ssi_signo == SIGTERM || i.ssi_signo == SIGINT)
			begin_stop(s, i.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
	}
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = crew_find(&s->crew, pid);

		if (c != NULL)
			child_ended(c, status, clock_mono_ms());
	}
}

static void tend_all(struct supervisor *s, int64_t now_ms)
{
	for (size_t i = 0; i < s->crew.kids.n; i++) {
		struct child *c = &s->crew.kids.v[i];

		if (c->sign_fd >= 0)
			child_hear(c, now_ms, s->o->silent_ms);
		child_tend(c, now_ms);
		if (c->pid == 0 && s->phase == UP && now_ms >= c->start_at_ms)
			child_start(c, s->o->conf_path, s->o->verbose, now_ms, s->o->silent_ms);
	}
}

static int64_t next_ms(const struct supervisor *s, int64_t now_ms)
{
	int64_t at_ms = now_ms + TURN_MAX_MS;

	if (s->alive_every_ms > 0 && s->alive_at_ms < at_ms)
		at_ms = s->alive_at_ms;
	if (s->status_at_ms > now_ms && s->status_at_ms < at_ms)
		at_ms = s->status_at_ms;
	if (s->ready_at_ms > now_ms && s->ready_at_ms < at_ms)
		at_ms = s->ready_at_ms;
	for (size_t i = 0; i < s->crew.kids.n; i++) {
		int64_t child_ms = child_next_ms(&s->crew.kids.v[i]);

		if (child_ms < at_ms && (s->phase == UP || s->crew.kids.v[i].pid != 0))
			at_ms = child_ms;
	}
	return at_ms;
}

static void turn(struct supervisor *s)
{
	int64_t now_ms;

	read_signals(s);
	reap(s);
	if (s->phase == RENEWING && crew_ended(&s->crew))
		finish_reload(s);
	now_ms = clock_mono_ms();
	tend_all(s, now_ms);
	report_ready(s, now_ms);
	report_status(s, now_ms);
	report_alive(s, now_ms);
}

static void fini(struct supervisor *s)
{
	crew_fini(&s->crew);
	crew_fini(&s->next);
	buf_fini(&s->status);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
}

int supervisor_run(const struct supervisor_opts *o, struct err *e)
{
	struct supervisor s = {.o = o, .signal_fd = -1};
	int64_t now_ms;
	int r = open_signals(&s, e);

	r = r < 0 ? r : crew_load(&s.crew, o->conf_path, o->roles, o->only, e);
	s.alive_every_ms = notify_every_ms();
	while (r == 0) {
		turn(&s);
		if (s.phase == STOPPING && crew_ended(&s.crew))
			break;
		now_ms = clock_mono_ms();
		crew_poll(&s.crew, s.signal_fd, next_ms(&s, now_ms) - now_ms);
	}
	if (r == 0)
		log_event(MSG_DAEMON_STOPPED, subject, "stopped");
	fini(&s);
	return r;
}
