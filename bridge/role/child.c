/* child.c - fork, exec, signals and the pipe of one process. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/role/child.h"

enum { VERBOSE_MAX = 4, EXIT_NO_EXEC = 127 };

int child_init(struct child *c, const char *role, const char *of, struct err *e)
{
	*c = (struct child){.sign_fd = -1};
	if (asprintf(&c->name, "%s%s%s", role, *of != '\0' ? " " : "", of) < 0)
		c->name = NULL;
	if (asprintf(&c->role, "%s:%s", role, of) < 0)
		c->role = NULL;
	if (c->name != NULL && c->role != NULL)
		return 0;
	child_fini(c);
	return err_nomem(e);
}

void child_fini(struct child *c)
{
	free(c->name);
	free(c->role);
	c->name = c->role = NULL;
}

/* ---- starting --------------------------------------------------------------------------- */

static void clean_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What was said to the supervisor alone is not for its children. */
static void clean_environ(int sign_fd)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", sign_fd);
	setenv(LIVE_ENV, number, 1);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void arguments(char *argv[], const char *conf_path, unsigned verbose, const char *role)
{
	static char name[] = "ipambridge", c[] = "-c", v[] = "-v", serve[] = "serve";
	static char role_option[] = "--role";

	*argv++ = name;
	*argv++ = c;
	*argv++ = (char *)(uintptr_t)conf_path;  /* execv does not write to them */
	for (unsigned i = 0; i < verbose && i < VERBOSE_MAX; i++)
		*argv++ = v;
	*argv++ = serve;
	*argv++ = role_option;
	*argv++ = (char *)(uintptr_t)role;
	*argv = NULL;
}

/* In the new process.  The supervisor has one thread: any call is safe here. */
static void __attribute__((noreturn))
become(const struct child *c, const char *conf_path, unsigned verbose, int sign_fd, pid_t parent)
{
	char *argv[8 + VERBOSE_MAX];
	int null = open("/dev/null", O_RDONLY);

	/* A supervisor that died before the call leaves another parent. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_NO_EXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || fcntl(sign_fd, F_SETFD, 0) < 0)
		_exit(EXIT_NO_EXEC);
	clean_environ(sign_fd);
	arguments(argv, conf_path, verbose, c->role);
	clean_signals();
	execv("/proc/self/exe", argv);
	log_err(c->name, "could not be started: /proc/self/exe: %s", strerror(errno));
	_exit(EXIT_NO_EXEC);
}

static void failed_to_start(struct child *c, int errnum, int64_t now_ms)
{
	int64_t wait_ms = backoff_next(&c->backoff, 0, clock_random());

	log_event(MSG_ROLE_DIED, c->name, "could not be started (%s), next try in %" PRId64 " ms",
		  strerror(errnum), wait_ms);
	snprintf(c->text, sizeof(c->text), "could not be started");
	c->start_at_ms = now_ms + wait_ms;
	c->reported = true;
}

void child_start(struct child *c, const char *conf_path, unsigned verbose, int64_t now_ms,
		 int64_t silent_ms)
{
	int fd[2];
	pid_t parent = getpid(), pid;

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) < 0) {
		failed_to_start(c, errno, now_ms);
		return;
	}
	pid = fork();
	if (pid == 0)
		become(c, conf_path, verbose, fd[1], parent);
	close(fd[1]);
	if (pid < 0) {
		failed_to_start(c, errno, now_ms);
		close(fd[0]);
		return;
	}
	c->pid = pid;
	c->sign_fd = fd[0];
	c->started_ms = now_ms;
	c->heard_ms = now_ms;
	c->hung_at_ms = now_ms + silent_ms;
	c->kill_at_ms = CHILD_NEVER;
	c->hung = false;
	log_info(c->name, "started, process %d", (int)pid);
}

/* ---- hearing ---------------------------------------------------------------------------- */

/* The process writes each sign at once, so a read ends in the middle of one only when more than
 * fits has gathered; the last whole one is news enough. */
void child_hear(struct child *c, int64_t now_ms, int64_t silent_ms)
{
	enum { READS_MAX = 16 };
	char p[8192];
	int64_t busy_ms;
	ssize_t n = 1;

	for (int i = 0; i < READS_MAX && (n = read(c->sign_fd, p, sizeof(p))) > 0; i++) {
		if (!live_sign_read(p, (size_t)n, &busy_ms, c->text))
			continue;
		c->heard_ms = now_ms;
		c->hung_at_ms = now_ms + busy_ms + silent_ms;
		c->reported = true;
	}
	/* Closed by a process that still runs: heard no more, so it ends as hung. */
	if (n == 0) {
		close(c->sign_fd);
		c->sign_fd = -1;
	}
}

/* ---- ending ----------------------------------------------------------------------------- */

void child_stop(struct child *c, int64_t now_ms, int64_t patience_ms)
{
	if (c->pid == 0 || c->kill_at_ms != CHILD_NEVER)
		return;
	kill(c->pid, SIGTERM);
	c->kill_at_ms = now_ms + patience_ms;
}

void child_tend(struct child *c, int64_t now_ms)
{
	if (c->pid == 0)
		return;
	if (c->kill_at_ms != CHILD_NEVER && now_ms >= c->kill_at_ms) {
		log_warn(c->name, "did not stop in time, killed");
		kill(c->pid, SIGKILL);
		c->kill_at_ms = INT64_MAX;
	} else if (c->kill_at_ms == CHILD_NEVER && now_ms >= c->hung_at_ms) {
		log_event(MSG_ROLE_HUNG, c->name, "no sign of life for %" PRId64 " ms (last: %s), killed",
			  now_ms - c->heard_ms, c->text[0] != '\0' ? c->text : "none");
		kill(c->pid, SIGKILL);
		c->hung = true;
		c->hung_at_ms = INT64_MAX;
	}
}

static void print_end(char *out, size_t size, int status)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
}

/* Nobody told it to. */
static void ended_early(struct child *c, const char *end, int64_t now_ms)
{
	int64_t lived_ms = now_ms - c->started_ms;
	int64_t wait_ms = backoff_next(&c->backoff, lived_ms, clock_random());

	c->start_at_ms = now_ms + wait_ms;
	log_event(MSG_ROLE_DIED, c->name,
		  "process %d %s after %" PRId64 ".%03" PRId64 " s, starts again in %" PRId64 " ms",
		  (int)c->pid, end, lived_ms / 1000, lived_ms % 1000, wait_ms);
	if (c->hung)
		snprintf(c->text, sizeof(c->text), "gave no sign of life");
	else if (c->text[0] == '\0')
		snprintf(c->text, sizeof(c->text), "%s", end);
}

void child_ended(struct child *c, int status, int64_t now_ms)
{
	char end[96];

	if (c->sign_fd >= 0)
		child_hear(c, now_ms, 0);
	if (c->sign_fd >= 0)
		close(c->sign_fd);
	c->sign_fd = -1;
	print_end(end, sizeof(end), status);
	if (c->kill_at_ms == CHILD_NEVER)
		ended_early(c, end, now_ms);
	else
		log_info(c->name, "process %d %s", (int)c->pid, end);
	c->pid = 0;
	c->reported = true;
}

int64_t child_next_ms(const struct child *c)
{
	if (c->pid == 0)
		return c->start_at_ms;
	return c->kill_at_ms != CHILD_NEVER ? c->kill_at_ms : c->hung_at_ms;
}
