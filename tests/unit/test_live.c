/* test_live.c - the order to stop and the signs of life of bridge/role/live.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/role/live.h"

static char conf_path[] = "/tmp/ipambridge-live-XXXXXX";

static void write_conf(const char *text)
{
	int fd = open(conf_path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static const char good[] = "database = \"dbname=x\"\n"
			   "server \"ns1\" { address = \"127.0.0.1\" }\n"
			   "zone \"lab.example\" { server = \"ns1\" }\n";

static struct live opened(void)
{
	struct live l;
	struct err e = {0};

	write_conf(good);
	if (live_open(&l, conf_path, "sync", NULL, &e) < 0)
		fail_msg("%s", e.text);
	return l;
}

/* With a pipe where the supervisor's would be; *reader is its end. */
static struct live watched(int *reader)
{
	int fd[2];
	char number[16];

	assert_int_equal(pipe(fd), 0);
	snprintf(number, sizeof(number), "%d", fd[1]);
	setenv(LIVE_ENV, number, 1);
	*reader = fd[0];
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	return opened();
}

static size_t signs(int reader, char *p, size_t size)
{
	ssize_t n = read(reader, p, size - 1);

	p[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* For the next test: a pending signal outlives its descriptor. */
static void forget_the_order(void)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	assert_int_equal(sigwaitinfo(&term, NULL), SIGTERM);
}

static void told_to_stop_once_is_told_for_good(void **state)
{
	struct live l = opened();
	struct pollfd p = {.fd = live_fd(&l), .events = POLLIN};
	int64_t began_ms;

	(void)state;
	assert_false(live_stopped(&l));
	assert_int_equal(poll(&p, 1, 0), 0);
	raise(SIGTERM);
	assert_int_equal(poll(&p, 1, 0), 1);
	began_ms = clock_mono_ms();
	assert_true(live_wait(&l, 60000));
	assert_true(clock_mono_ms() - began_ms < 5000);
	assert_true(live_wait(&l, 0));
	assert_true(live_stopped(&l));
	forget_the_order();
	live_close(&l);
}

static void a_hangup_is_no_order(void **state)
{
	struct live l = opened();

	(void)state;
	raise(SIGHUP);
	assert_false(live_wait(&l, 10));
	live_close(&l);
}

static void a_wait_takes_its_time(void **state)
{
	struct live l = opened();
	int64_t began_ms = clock_mono_ms();

	(void)state;
	assert_false(live_wait(&l, 50));
	assert_true(clock_mono_ms() - began_ms >= 50);
	assert_false(live_wait(&l, -1));
	live_close(&l);
}

static void a_bad_configuration_has_its_line(void **state)
{
	struct live l;
	struct err e = {0};
	char begin[64];

	(void)state;
	write_conf("database = \"dbname=x\"\nnonsense = 1\n");
	assert_int_equal(live_open(&l, conf_path, "sync", NULL, &e), ERR_CONF);
	snprintf(begin, sizeof(begin), "%s:2: ", conf_path);
	assert_memory_equal(e.text, begin, strlen(begin));
}

static void news_are_sent_at_once_and_sameness_seldom(void **state)
{
	int reader;
	struct live l = watched(&reader);
	char got[1024];

	(void)state;
	assert_null(getenv(LIVE_ENV));
	assert_int_equal(fcntl(l.alive_fd, F_GETFD), FD_CLOEXEC);
	live_alive(&l, "idle");
	live_alive(&l, "idle");
	live_alive(&l, "two\nlines");
	live_busy(&l, 5000, "two\nlines");
	signs(reader, got, sizeof(got));
	assert_string_equal(got, "0 idle\n0 two?lines\n5000 two?lines\n");
	l.said_ms -= 1000;
	assert_false(live_wait(&l, 1));
	signs(reader, got, sizeof(got));
	assert_string_equal(got, "0 two?lines\n");
	live_close(&l);
	close(reader);
}

static void a_full_pipe_blocks_nobody(void **state)
{
	int reader;
	struct live l = watched(&reader);

	(void)state;
	for (int i = 0; i < 20000; i++)
		live_alive(&l, i % 2 == 0 ? "even" : "odd");
	live_close(&l);
	close(reader);
}

static void the_last_whole_sign_counts(void **state)
{
	static const char many[] = "60000 first\n65000 second one\n70000 cut";
	int64_t ms = 0;
	char text[LIVE_TEXT_MAX + 1];

	(void)state;
	assert_true(live_sign_read(many, strlen(many), &ms, text));
	assert_int_equal(ms, 65000);
	assert_string_equal(text, "second one");
	assert_true(live_sign_read("0 \033[2J\n", 7, &ms, text));
	assert_string_equal(text, "?[2J");
	assert_true(live_sign_read("1 \n", 3, &ms, text));
	assert_string_equal(text, "");
	assert_false(live_sign_read("60000 cut", 9, &ms, text));
	assert_false(live_sign_read("", 0, &ms, text));
	assert_false(live_sign_read("\n", 1, &ms, text));
	assert_false(live_sign_read("-5 x\n", 5, &ms, text));
	assert_false(live_sign_read("12x y\n", 6, &ms, text));
	assert_false(live_sign_read("99999999999999999999 x\n", 23, &ms, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(told_to_stop_once_is_told_for_good),
	    cmocka_unit_test(a_hangup_is_no_order),
	    cmocka_unit_test(a_wait_takes_its_time),
	    cmocka_unit_test(a_bad_configuration_has_its_line),
	    cmocka_unit_test(news_are_sent_at_once_and_sameness_seldom),
	    cmocka_unit_test(a_full_pipe_blocks_nobody),
	    cmocka_unit_test(the_last_whole_sign_counts),
	};
	int fd = mkstemp(conf_path), r;

	if (fd < 0)
		return 1;
	close(fd);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(conf_path);
	return r;
}
