/* test_command.c - programs whose output is a source. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/transport/command.h"
#include "adapters/transport/file.h"
#include "bridge/base/clock.h"

enum { MAX = 1 << 20 };

static struct buf out;
static struct err e;

static int setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&out);
	out = (struct buf)BUF_INIT;
	/* Nothing may be left behind, not even a zombie. */
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : -1;
}

static int run_for(int64_t ms, size_t max, const char *const *argv)
{
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	return command_run(&out, argv, n, max, clock_mono_ms() + ms, &e);
}

#define RUN(...)   run_for(10000, MAX, (const char *const[]){__VA_ARGS__, NULL})
#define SH(script) RUN("/bin/sh", "-c", script)

static void command_gives_all_output(void **state)
{
	(void)state;
	assert_int_equal(RUN("printf", "%s-%s", "a", "b c"), 0);
	assert_string_equal(buf_text(&out), "a-b c");
	buf_reset(&out);
	assert_int_equal(SH("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done"),
			 0);
	assert_int_equal(out.len, 220000);
}

static void command_passes_arguments_without_a_shell(void **state)
{
	(void)state;
	assert_int_equal(RUN("echo", "$(id)", ";", "`id`", "| cat"), 0);
	assert_string_equal(buf_text(&out), "$(id) ; `id` | cat\n");
}

static void command_with_empty_output_is_no_error(void **state)
{
	(void)state;
	assert_int_equal(RUN("true"), 0);
	assert_int_equal(out.len, 0);
}

static void command_that_fails_is_an_error_with_its_first_words(void **state)
{
	(void)state;
	assert_int_equal(SH("echo table; echo >&2; printf 'no \\033route\\nmore\\n' >&2; exit 3"),
			 ERR_SYS);
	assert_string_equal(e.text, "command \"/bin/sh\": ended with status 3: no ?route");
	assert_int_equal(SH("kill -9 $$"), ERR_SYS);
	assert_string_equal(e.text, "command \"/bin/sh\": ended by signal 9");
}

static void command_that_is_not_there_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(RUN("no-such-program-here"), ERR_SYS);
	assert_non_null(strstr(e.text, "could not be started"));
	assert_true(e.hint[0] != '\0');
	assert_int_equal(RUN("/etc/passwd"), ERR_SYS);
	assert_non_null(strstr(e.text, "Permission denied"));
}

static void command_is_killed_with_its_children_at_the_deadline(void **state)
{
	int64_t began = clock_mono_ms();
	char *end;
	pid_t grandchild;

	(void)state;
	assert_int_equal(
	    run_for(300, MAX,
		    (const char *const[]){"/bin/sh", "-c", "sleep 100 & echo $!; wait", NULL}),
	    ERR_BUSY);
	assert_true(clock_mono_ms() - began < 5000);
	grandchild = (pid_t)strtol(buf_text(&out), &end, 10);
	assert_true(grandchild > 1);
	/* Killed, and reaped by init (or a zombie until then). */
	for (int i = 0; i < 200 && kill(grandchild, 0) == 0; i++) {
		char path[64], line[256] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)grandchild);
		f = fopen(path, "r");
		if (f == NULL)
			break;
		if (fgets(line, sizeof(line), f) == NULL)
			line[0] = '\0';
		fclose(f);
		if (strstr(line, ") Z ") != NULL)
			break;
		assert_true(i < 199);
		usleep(10000);
	}
}

static void command_that_floods_is_killed(void **state)
{
	(void)state;
	assert_int_equal(RUN("cat", "/dev/zero"), ERR_PROTO);
	assert_non_null(strstr(e.text, "printed more than 1 MiB"));
}

static void command_that_floods_stderr_is_not_held_up(void **state)
{
	(void)state;
	assert_int_equal(SH("head -c 1000000 /dev/zero >&2; echo done"), 0);
	assert_string_equal(buf_text(&out), "done\n");
}

static void command_ends_when_the_program_does_not_when_its_pipes_close(void **state)
{
	int64_t began = clock_mono_ms();

	(void)state;
	assert_int_equal(SH("sleep 100 & echo table"), 0);
	assert_string_equal(buf_text(&out), "table\n");
	assert_true(clock_mono_ms() - began < 5000);
}

static void command_inherits_no_descriptor_and_no_database_secret(void **state)
{
	int fd = open("/dev/null", O_RDONLY); /* without close-on-exec, on purpose */

	(void)state;
	setenv("PGPASSWORD", "secret", 1);
	setenv("LC_ALL", "de_DE.UTF-8", 1);
	assert_true(fd >= 0);
	assert_int_equal(SH("ls -l /proc/self/fd | grep -c ' [0-9]* ->'; env"), 0);
	close(fd);
	/* 0, 1, 2 and the directory that ls reads. */
	assert_memory_equal(buf_text(&out), "4\n", 2);
	assert_null(strstr(buf_text(&out), "PGPASSWORD"));
	assert_non_null(strstr(buf_text(&out), "LC_ALL=C\n"));
	unsetenv("PGPASSWORD");
	unsetenv("LC_ALL");
}

static void command_reads_nothing(void **state)
{
	(void)state;
	assert_int_equal(RUN("cat"), 0);
	assert_int_equal(out.len, 0);
}

static void file_is_read_whole_and_within_bounds(void **state)
{
	int64_t mtime_s = -1, until = clock_mono_ms() + 5000;

	(void)state;
	assert_int_equal(
	    file_read(&out, &mtime_s, "tests/fixtures/neighbour/proc.txt", MAX, until, &e), 0);
	assert_int_equal(out.len, 310);
	assert_true(mtime_s > 1000000);
	buf_reset(&out);
	assert_int_equal(file_read(&out, &mtime_s, "/proc/self/status", MAX, until, &e), 0);
	assert_true(out.len > 100);
	assert_int_equal(mtime_s, 0);
	buf_reset(&out);
	assert_int_equal(file_read(&out, NULL, "/dev/zero", MAX, until, &e), ERR_PROTO);
	assert_int_equal(file_read(&out, NULL, "/nowhere", MAX, until, &e), ERR_SYS);
	assert_string_equal(e.text, "file \"/nowhere\": No such file or directory");
	assert_int_equal(file_read(&out, NULL, "/", MAX, until, &e), ERR_SYS);
}

static void file_that_is_a_fifo_does_not_hold_us_past_the_deadline(void **state)
{
	char dir[] = "/tmp/fifo.XXXXXX", path[64];
	int64_t began = clock_mono_ms();
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR); /* a writer that says nothing */
	assert_true(fd >= 0);
	assert_int_equal(file_read(&out, NULL, path, MAX, began + 100, &e), ERR_BUSY);
	assert_true(clock_mono_ms() - began < 5000);
	close(fd);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(command_gives_all_output),
	    T(command_passes_arguments_without_a_shell),
	    T(command_with_empty_output_is_no_error),
	    T(command_that_fails_is_an_error_with_its_first_words),
	    T(command_that_is_not_there_is_an_error),
	    T(command_is_killed_with_its_children_at_the_deadline),
	    T(command_that_floods_is_killed),
	    T(command_that_floods_stderr_is_not_held_up),
	    T(command_ends_when_the_program_does_not_when_its_pipes_close),
	    T(command_inherits_no_descriptor_and_no_database_secret),
	    T(command_reads_nothing),
	    T(file_is_read_whole_and_within_bounds),
	    T(file_that_is_a_fifo_does_not_hold_us_past_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
