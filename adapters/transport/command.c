/* command.c - runs a program and collects what it prints. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/transport/command.h"
#include "bridge/base/clock.h"
#include "bridge/base/own.h"

enum { PIECE = 64 * 1024, WORDS_MAX = 200, POLL_MAX_MS = 60000, STATUS_LOST = -1 };

extern char **environ;

struct run {
	const char *name;
	pid_t pid;
	int pidfd, out, err, exec_err; /* our ends */
	char words[WORDS_MAX + 1]; /* first line on stderr, printable */
	size_t n_words;
	bool words_done;
};

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- the child --------------------------------------------------------------------------- */

/* Secrets of our own database session are no business of the program; the C locale keeps its
 * words those that the decoders know. */
static char **child_environ(void)
{
	static char locale[] = "LC_ALL=C";
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n] != NULL)
		n++;
	env = calloc(n + 2, sizeof(*env));
	if (env == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (strncmp(environ[i], "PG", 2) != 0 && strncmp(environ[i], "LC_ALL=", 7) != 0 &&
		    strncmp(environ[i], "NOTIFY_SOCKET=", 14) != 0)
			env[kept++] = environ[i];
	}
	env[kept] = locale;
	return env;
}

static void default_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Only async-signal-safe calls from here: the parent may have threads. */
static void __attribute__((noreturn))
child(char *const *argv, char **env, int out, int err, int exec_err)
{
	int null = open("/dev/null", O_RDONLY);

	/* Whoever started it may be killed before it can end it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	default_signals();
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(err, STDERR_FILENO) >= 0) {
		/* CLOSE_RANGE_CLOEXEC (4): whatever somebody forgot to mark. */
		syscall(SYS_close_range, 3U, ~0U, 4U);
		execvpe(argv[0], argv, env);
	}
	/* The parent reads errno from this pipe; when exec works it just closes. */
	if (write(exec_err, &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(127);
}

/* ---- starting ---------------------------------------------------------------------------- */

/* A pipe whose ends are not 0 to 2: dup2 onto itself would leave the close-on-exec flag. */
static int safe_pipe(int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		int high;

		if (fd[i] > STDERR_FILENO)
			continue;
		high = fcntl(fd[i], F_DUPFD_CLOEXEC, 3);
		close(fd[i]);
		fd[i] = high;
		if (high < 0) {
			drop_fd(&fd[0]);
			drop_fd(&fd[1]);
			return -1;
		}
	}
	return 0;
}

static int spawn(struct run *r, const char *const *argv, size_t n, struct err *e)
{
	AUTO(own_freep) char **args = calloc(n + 1, sizeof(*args));
	AUTO(own_freep) char **env = child_environ();
	int out[2] = {-1, -1}, err[2] = {-1, -1}, exec_err[2] = {-1, -1}, errnum;

	if (args == NULL || env == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		args[i] = (char *)(uintptr_t)argv[i]; /* execve does not write to them */
	if (safe_pipe(out) == 0 && safe_pipe(err) == 0 && safe_pipe(exec_err) == 0)
		r->pid = fork();
	errnum = errno;
	if (r->pid == 0)
		child(args, env, out[1], err[1], exec_err[1]);
	drop_fd(&out[1]);
	drop_fd(&err[1]);
	drop_fd(&exec_err[1]);
	r->out = out[0];
	r->err = err[0];
	r->exec_err = exec_err[0];
	if (r->pid < 0)
		return err_sys(e, errnum, "command \"%s\": could not be started", r->name);
	setpgid(r->pid, r->pid); /* both sides do it: whoever comes first */
	return 0;
}

static int check_exec(struct run *r, struct err *e)
{
	int errnum;
	ssize_t n;

	do
		n = read(r->exec_err, &errnum, sizeof(errnum));
	while (n < 0 && errno == EINTR);
	drop_fd(&r->exec_err);
	if (n != (ssize_t)sizeof(errnum))
		return 0;
	err_sys(e, errnum, "command \"%s\": could not be started", r->name);
	if (errnum == ENOENT && strchr(r->name, '/') == NULL)
		err_hint(e, "give its full path: it was not found in PATH");
	return ERR_SYS;
}

/* ---- collecting -------------------------------------------------------------------------- */

/* 1: more may come; 0: end of the stream or nothing there now. */
static int take_out(struct run *r, struct buf *out, size_t max, struct err *e)
{
	char *room = buf_reserve(out, PIECE);
	ssize_t n;

	if (room == NULL)
		return err_nomem(e);
	n = read(r->out, room, PIECE);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return err_sys(e, errno, "command \"%s\": reading its output", r->name);
	if (n == 0) {
		drop_fd(&r->out);
		return 0;
	}
	if (out->len + (size_t)n > max) {
		err_set(e, ERR_PROTO, "command \"%s\": printed more than %zu MiB", r->name,
			max >> 20);
		err_hint(e, "run it by hand: no table is that large");
		return ERR_PROTO;
	}
	out->len += (size_t)n;
	out->p[out->len] = '\0';
	return 1;
}

/* Keeps the first line that is not empty, made printable; reads the rest so that the program
 * does not stop on a full pipe. */
static int take_err(struct run *r)
{
	char piece[4096];
	ssize_t n = read(r->err, piece, sizeof(piece));

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		drop_fd(&r->err);
	for (ssize_t i = 0; i < n && !r->words_done; i++) {
		if (piece[i] == '\n' || piece[i] == '\r')
			r->words_done = r->n_words > 0;
		else if (r->n_words < WORDS_MAX)
			r->words[r->n_words++] =
			    piece[i] >= ' ' && piece[i] <= '~' ? piece[i] : '?';
	}
	return n > 0;
}

static int wait_any(struct run *r, bool *ended, int64_t until_ms, struct err *e)
{
	struct pollfd p[3] = {
	    {.fd = r->out, .events = POLLIN}, /* poll passes over negative ones */
	    {.fd = r->err, .events = POLLIN},
	    {.fd = r->pidfd, .events = POLLIN},
	};
	int64_t left = until_ms - clock_mono_ms();

	if (left <= 0) {
		err_set(e, ERR_BUSY, "command \"%s\": did not end before its deadline, killed",
			r->name);
		err_hint(e, "run it by hand: does it wait for a password or a host that is down? "
			    "\"timeout\" of the source gives it more time");
		return ERR_BUSY;
	}
	if (poll(p, 3, left > POLL_MAX_MS ? POLL_MAX_MS : (int)left) < 0 && errno != EINTR)
		return err_sys(e, errno, "command \"%s\": waiting", r->name);
	*ended = p[2].revents != 0;
	return 0;
}

/* Until the program itself has ended.  Not until its pipes close: something it left behind (an
 * ssh connection kept for later) may hold them for hours. */
static int collect(struct run *r, struct buf *out, size_t max, int64_t until_ms, struct err *e)
{
	bool ended = false;

	fcntl(r->out, F_SETFL, O_NONBLOCK);
	fcntl(r->err, F_SETFL, O_NONBLOCK);
	while (!ended) {
		int n = wait_any(r, &ended, until_ms, e);

		if (n < 0)
			return n;
		while (r->err >= 0 && take_err(r) > 0 && clock_mono_ms() < until_ms)
			;
		do
			n = r->out >= 0 ? take_out(r, out, max, e) : 0;
		while (n > 0 && clock_mono_ms() < until_ms);
		if (n < 0)
			return n;
		if (n > 0)
			ended = false; /* the deadline came first: half an output is none */
	}
	return 0;
}

/* The group is killed before its leader is reaped: until then the number is surely ours. */
static int reap(struct run *r)
{
	int status;
	pid_t got;

	kill(-r->pid, SIGKILL);
	do
		got = waitpid(r->pid, &status, 0);
	while (got < 0 && errno == EINTR);
	/* With SIGCHLD ignored the kernel throws the status away: no proof of success. */
	return got == r->pid ? status : STATUS_LOST;
}

static int judge(const struct run *r, int status, struct err *e)
{
	const char *sep = r->n_words > 0 ? ": " : "";

	if (status == STATUS_LOST)
		return err_set(e, ERR_BUG, "command \"%s\": its exit status was lost", r->name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		err_set(e, ERR_SYS, "command \"%s\": ended by signal %d%s%s", r->name,
			WTERMSIG(status), sep, r->words);
	else
		err_set(e, ERR_SYS, "command \"%s\": ended with status %d%s%s", r->name,
			WEXITSTATUS(status), sep, r->words);
	err_hint(e, "run it by hand as the user that runs ipambridge");
	return ERR_SYS;
}

int command_run(struct buf *out, const char *const *argv, size_t n, size_t max, int64_t until_ms,
		struct err *e)
{
	struct run r = {.pid = -1, .pidfd = -1, .out = -1, .err = -1, .exec_err = -1};
	int result, status;

	if (n == 0 || argv[0][0] == '\0')
		return err_set(e, ERR_CONF, "an empty command cannot be run");
	r.name = argv[0];
	result = spawn(&r, argv, n, e);
	if (r.pid > 0) {
		if (result == 0)
			result = check_exec(&r, e);
		/* pidfd_open(2), since Linux 5.3. */
		if (result == 0 && (r.pidfd = (int)syscall(SYS_pidfd_open, r.pid, 0U)) < 0)
			result = err_sys(e, errno, "command \"%s\": watching it", r.name);
		if (result == 0)
			result = collect(&r, out, max, until_ms, e);
		status = reap(&r);
		if (result == 0)
			result = judge(&r, status, e);
	}
	drop_fd(&r.pidfd);
	drop_fd(&r.out);
	drop_fd(&r.err);
	drop_fd(&r.exec_err);
	return result;
}
