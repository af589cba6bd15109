/* test_supervisor.c - bridge/role/supervisor.c over real processes.
 *
 * The supervisor starts its own program again: this one.  A source's name says how its process
 * behaves (see double_run); each start is a line in a file.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/role/supervisor.h"

enum { SILENT_MS = 800, STOP_MS = 300, PATIENCE_MS = 20000 };

static char dir[] = "/tmp/ipambridge-supervisor-XXXXXX";
static char conf_path[64], starts_path[64], socket_path[64];
static pid_t supervisor;
static int64_t stop_ms = STOP_MS;
static int notify_fd = -1;

/* ---- the doubles ------------------------------------------------------------------------ */

static void write_start(const char *of)
{
	char line[128];
	int fd = open(getenv("TEST_STARTS"), O_WRONLY | O_APPEND);
	int n = snprintf(line, sizeof(line), "%s %d\n", of, (int)getpid());

	if (fd < 0 || write(fd, line, (size_t)n) != n)
		_exit(9);
	close(fd);
}

static int double_run(struct live *l, struct err *e)
{
	write_start(l->of);
	if (strcmp(l->of, "default/dies") == 0) {
		live_alive(l, "no such table");
		return err_set(e, ERR_SYS, "no such table");
	}
	live_alive(l, "working");
	if (strcmp(l->of, "default/hangs") == 0 || strcmp(l->of, "default/deaf") == 0) {
		while (strcmp(l->of, "default/deaf") == 0) {
			live_alive(l, "deaf");
			live_alive(l, "and blind");
			poll(NULL, 0, 50);
		}
		pause();
	}
	if (strcmp(l->of, "default/slow") == 0) {
		live_busy(l, 2 * SILENT_MS, "a long read");
		poll(NULL, 0, 2 * SILENT_MS);
		live_alive(l, "read");
	}
	/* The same words are said once a second only, which is too seldom here. */
	for (unsigned i = 0; !live_wait(l, SILENT_MS / 8); i++)
		live_alive(l, i % 2 == 0 ? "working" : "working hard");
	return 0;
}

/* ipambridge -c FILE serve --role ROLE:OF */
static int double_main(char **argv)
{
	struct live l;
	struct err e = {0};
	char *of = strchr(argv[5], ':') + 1;
	int r;

	if (live_open(&l, argv[2], "ingest", of, &e) < 0)
		return 2;
	r = double_run(&l, &e);
	live_close(&l);
	return r < 0;
}

static const struct role table[] = {
    {"ingest", ROLE_PER_SOURCE, false, double_run},
    {"push", ROLE_PER_SERVER, true, double_run},
    {NULL, ROLE_ONCE, false, NULL},
};

/* ---- the stage -------------------------------------------------------------------------- */

static void write_conf(const char *sources)
{
	FILE *f = fopen(conf_path, "w");

	assert_non_null(f);
	fprintf(f, "database = \"dbname=x\"\nserver \"ns1\" { address = \"127.0.0.1\" }\n"
		   "server \"unused\" { address = \"127.0.0.1\" }\n"
		   "zone \"lab.example\" { server = \"ns1\" }\n%s", sources);
	fclose(f);
}

#define SOURCE(name) "source \"" name "\" { type = neighbour format = ip command = {\"true\"} }\n"

static void start(const char *sources, const char *only)
{
	struct supervisor_opts o = {.conf_path = conf_path, .roles = table, .only = only,
				    .silent_ms = SILENT_MS, .stop_ms = stop_ms};
	struct err e = {0};

	write_conf(sources);
	fclose(fopen(starts_path, "w"));
	supervisor = fork();
	if (supervisor == 0)
		_exit(supervisor_run(&o, &e) < 0 ? 2 : 0);
	assert_true(supervisor > 0);
}

static size_t read_starts(char *p, size_t size)
{
	int fd = open(starts_path, O_RDONLY);
	ssize_t n = read(fd, p, size - 1);

	close(fd);
	p[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* The process of the nth start of this name; 0: there was none so far. */
static pid_t nth_start(const char *name, int nth)
{
	char all[8192], want[64];
	const char *p = all;

	read_starts(all, sizeof(all));
	snprintf(want, sizeof(want), "%s ", name);
	while ((p = strstr(p, want)) != NULL) {
		p += strlen(want);
		if (nth-- == 1)
			return atoi(p);
	}
	return 0;
}

static pid_t await_start(const char *name, int nth)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	pid_t pid;

	while ((pid = nth_start(name, nth)) == 0) {
		if (clock_mono_ms() > until_ms)
			fail_msg("%s did not start %d times", name, nth);
		poll(NULL, 0, 5);
	}
	return pid;
}

/* Gone, or a zombie that nobody is left to collect. */
static bool is_gone(pid_t pid)
{
	char path[64], stat[512] = "";
	const char *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return true;
	if (read(fd, stat, sizeof(stat) - 1) < 0)
		stat[0] = '\0';
	close(fd);
	state = strrchr(stat, ')');
	return state == NULL || state[2] == 'Z' || state[2] == 'X';
}

static void await_gone(pid_t pid)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (!is_gone(pid)) {
		if (clock_mono_ms() > until_ms)
			fail_msg("process %d still runs", (int)pid);
		poll(NULL, 0, 5);
	}
}

/* Its exit status, or minus the signal; with how long it took. */
static int stop(int64_t *took_ms)
{
	int64_t began_ms = clock_mono_ms();
	int status;

	kill(supervisor, SIGTERM);
	assert_int_equal(waitpid(supervisor, &status, 0), supervisor);
	supervisor = 0;
	if (took_ms != NULL)
		*took_ms = clock_mono_ms() - began_ms;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* A test that failed leaves nothing behind. */
static int clear(void **state)
{
	(void)state;
	if (supervisor > 0)
		kill(supervisor, SIGKILL);
	supervisor = 0;
	return 0;
}

/* ---- stopping --------------------------------------------------------------------------- */

static void everything_starts_and_stops(void **state)
{
	int64_t took_ms;
	pid_t source, server;

	(void)state;
	start(SOURCE("well"), NULL);
	source = await_start("default/well", 1);
	server = await_start("ns1", 1);
	assert_int_equal(stop(&took_ms), 0);
	assert_true(took_ms < 2000);
	assert_true(is_gone(source) && is_gone(server));
	assert_int_equal(nth_start("unused", 1), 0);
}

static void what_does_not_stop_is_killed(void **state)
{
	int64_t took_ms;
	pid_t deaf;

	(void)state;
	stop_ms = SUPERVISOR_STOP_MS;
	start(SOURCE("deaf"), "ingest");
	stop_ms = STOP_MS;
	deaf = await_start("default/deaf", 1);
	assert_int_equal(stop(&took_ms), 0);
	assert_true(took_ms >= SUPERVISOR_STOP_MS && took_ms < 2000);
	assert_true(is_gone(deaf));
	assert_int_equal(nth_start("ns1", 1), 0);
}

static void nothing_outlives_a_killed_supervisor(void **state)
{
	pid_t well, deaf;
	int status;

	(void)state;
	start(SOURCE("well") SOURCE("deaf"), "ingest");
	well = await_start("default/well", 1);
	deaf = await_start("default/deaf", 1);
	kill(supervisor, SIGKILL);
	waitpid(supervisor, &status, 0);
	supervisor = 0;
	await_gone(well);
	await_gone(deaf);
}

/* ---- starting again --------------------------------------------------------------------- */

static void the_killed_starts_again(void **state)
{
	pid_t first;
	int64_t began_ms;

	(void)state;
	start(SOURCE("well"), "ingest");
	first = await_start("default/well", 1);
	for (int nth = 2; nth <= 4; nth++) {
		began_ms = clock_mono_ms();
		kill(await_start("default/well", nth - 1), SIGKILL);
		await_start("default/well", nth);
		assert_true(clock_mono_ms() - began_ms >= 75 << (nth - 2));
	}
	assert_true(is_gone(first));
	assert_int_equal(stop(NULL), 0);
}

static void the_hung_is_killed_and_starts_again(void **state)
{
	pid_t first;
	int64_t began_ms = clock_mono_ms();

	(void)state;
	start(SOURCE("hangs") SOURCE("well"), "ingest");
	first = await_start("default/hangs", 1);
	await_start("default/hangs", 2);
	assert_true(clock_mono_ms() - began_ms >= SILENT_MS);
	assert_true(is_gone(first));
	assert_int_equal(nth_start("default/well", 2), 0);
	assert_int_equal(stop(NULL), 0);
}

static void who_asks_for_time_gets_it(void **state)
{
	(void)state;
	start(SOURCE("slow") SOURCE("hangs"), "ingest");
	await_start("default/hangs", 3);
	assert_int_equal(nth_start("default/slow", 2), 0);
	assert_int_equal(stop(NULL), 0);
}

/* ---- the configuration ------------------------------------------------------------------ */

static void a_bad_configuration_does_not_start(void **state)
{
	struct supervisor_opts o = {.conf_path = conf_path, .roles = table};
	struct err e = {0};

	(void)state;
	write_conf("nonsense = 1\n");
	assert_int_equal(supervisor_run(&o, &e), ERR_CONF);
	assert_non_null(strstr(e.text, ":5: "));
	write_conf("");
	o.only = "ingest";
	assert_int_equal(supervisor_run(&o, &e), ERR_CONF);
	assert_non_null(strstr(e.text, "\"ingest\""));
}

static void a_good_reload_starts_anew(void **state)
{
	pid_t old;

	(void)state;
	start(SOURCE("well"), NULL);
	old = await_start("default/well", 1);
	await_start("ns1", 1);
	write_conf(SOURCE("other"));
	kill(supervisor, SIGHUP);
	await_start("default/other", 1);
	await_start("ns1", 2);
	assert_true(is_gone(old));
	assert_int_equal(nth_start("default/well", 2), 0);
	assert_int_equal(stop(NULL), 0);
}

/* ---- the service manager ---------------------------------------------------------------- */

static void listen_as_manager(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(notify_fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setenv("NOTIFY_SOCKET", socket_path, 1);
	setenv("WATCHDOG_USEC", "400000", 1);
}

static void leave_manager(void)
{
	close(notify_fd);
	unlink(socket_path);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
}

static void fill_socket(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	while (sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)) == 1)
		;
	assert_int_equal(errno, EAGAIN);
	close(fd);
}

static void a_manager_that_does_not_read_stops_nobody(void **state)
{
	int64_t took_ms;

	(void)state;
	listen_as_manager();
	fill_socket();
	start(SOURCE("well"), "ingest");
	await_start("default/well", 1);
	kill(supervisor, SIGHUP);
	await_start("default/well", 2);
	assert_int_equal(stop(&took_ms), 0);
	assert_true(took_ms < 2000);
	leave_manager();
}

/* Until a message holds the words; skips others. */
static void await_message(const char *words)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	struct pollfd p = {.fd = notify_fd, .events = POLLIN};
	char got[4096] = "";
	ssize_t n;

	while (clock_mono_ms() < until_ms) {
		if (poll(&p, 1, 100) <= 0)
			continue;
		n = recv(notify_fd, got, sizeof(got) - 1, 0);
		got[n > 0 ? n : 0] = '\0';
		if (strstr(got, words) != NULL)
			return;
	}
	fail_msg("no message with \"%s\"; the last was \"%s\"", words, got);
}

static void the_manager_is_told(void **state)
{
	(void)state;
	listen_as_manager();
	start(SOURCE("well") SOURCE("dies"), NULL);
	await_message("READY=1");
	await_message("ingest default/dies is down: no such table");
	await_message("WATCHDOG=1");
	await_message("WATCHDOG=1");
	assert_int_equal(stop(NULL), 0);
	await_message("STOPPING=1");
	leave_manager();
}

static void a_bad_reload_is_told_and_changes_nothing(void **state)
{
	char place[96];
	pid_t old;

	(void)state;
	listen_as_manager();
	start(SOURCE("well"), NULL);
	old = await_start("default/well", 1);
	await_message("READY=1");
	write_conf("nonsense = 1\n");
	kill(supervisor, SIGHUP);
	await_message("RELOADING=1\nMONOTONIC_USEC=");
	await_message("READY=1");
	snprintf(place, sizeof(place), "%s:5: ", conf_path);
	await_message(place);
	assert_false(is_gone(old));
	write_conf(SOURCE("well"));
	kill(supervisor, SIGHUP);
	await_message("RELOADING=1");
	await_message("READY=1");
	await_message("STATUS=2 of 2 processes run; ingest");
	assert_true(is_gone(old));
	assert_int_equal(stop(NULL), 0);
	leave_manager();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(everything_starts_and_stops, clear),
	    cmocka_unit_test_teardown(what_does_not_stop_is_killed, clear),
	    cmocka_unit_test_teardown(nothing_outlives_a_killed_supervisor, clear),
	    cmocka_unit_test_teardown(the_killed_starts_again, clear),
	    cmocka_unit_test_teardown(the_hung_is_killed_and_starts_again, clear),
	    cmocka_unit_test_teardown(who_asks_for_time_gets_it, clear),
	    cmocka_unit_test_teardown(a_bad_configuration_does_not_start, clear),
	    cmocka_unit_test_teardown(a_good_reload_starts_anew, clear),
	    cmocka_unit_test_teardown(the_manager_is_told, clear),
	    cmocka_unit_test_teardown(a_manager_that_does_not_read_stops_nobody, clear),
	    cmocka_unit_test_teardown(a_bad_reload_is_told_and_changes_nothing, clear),
	};
	int r;

	if (argc == 6)
		return double_main(argv);
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(conf_path, sizeof(conf_path), "%s/conf", dir);
	snprintf(starts_path, sizeof(starts_path), "%s/starts", dir);
	snprintf(socket_path, sizeof(socket_path), "%s/notify", dir);
	setenv("TEST_STARTS", starts_path, 1);
	log_init(getenv("TEST_TALK") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERR);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(conf_path);
	unlink(starts_path);
	rmdir(dir);
	return r;
}
