/* test_kea_hook.c - the listener of Kea's hook: socket, spool, and what survives a stop. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/kea/kea_hook.h"
#include "adapters/kea/kea_hook_decode.h"
#include "bridge/base/clock.h"
#include "bridge/base/spool.h"

enum { LONG_MS = 10000 };

static char dir[64], sock[80], spool[80];
static struct adapter *a;
static struct obs_batch batch;
static struct err e;

static int open_with(const char *key, const char *value)
{
	struct setting v[] = {
	    {.name = "state-dir", .type = SETTING_STR, .str = dir},
	    {.name = key, .type = SETTING_STR, .str = value},
	};
	struct settings set = {.v = v, .n = key != NULL ? 2 : 1};

	return kea_hook_ops.open(&a, &set, NULL, &e);
}

static void close_it(void)
{
	if (a != NULL)
		kea_hook_ops.close(a);
	a = NULL;
}

static int read_for(int64_t ms)
{
	int64_t until_ms = clock_mono_ms() + ms;
	int r;

	obs_batch_reset(&batch);
	r = kea_hook_ops.read(a, &batch, until_ms, &e);
	/* What is there to be told is not kept until the deadline. */
	assert_true(ms == 0 || r == ADAPTER_IDLE || clock_mono_ms() < until_ms);
	return r;
}

static int setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	obs_batch_init(&batch);
	strcpy(dir, "/tmp/test_kea_hook.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(sock, sizeof(sock), "%s/%s", dir, KEA_HOOK_SOCKET);
	snprintf(spool, sizeof(spool), "%s/%s", dir, KEA_HOOK_SPOOL);
	return 0;
}

static int setup_open(void **state)
{
	return setup(state) == 0 ? open_with(NULL, NULL) : -1;
}

static int teardown(void **state)
{
	(void)state;
	close_it();
	obs_batch_fini(&batch);
	unlink(sock);
	unlink(spool);
	return rmdir(dir);
}

/* ---- Kea's side -------------------------------------------------------------------------- */

static const char *value_of(void *ctx, const char *name)
{
	static const char *const set[][2] = {
	    {"LEASE4_CLTT", "1000"},
	    {"LEASE4_STATE", "default"},
	    {"LEASE4_VALID_LIFETIME", "60"},
	};

	if (strcmp(name, "LEASE4_ADDRESS") == 0)
		return ctx;
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		if (strcmp(name, set[i][0]) == 0)
			return set[i][1];
	}
	return NULL;
}

static void make(struct buf *out, const char *addr)
{
	kea_hook_encode(out, "lease4_renew", value_of, (void *)(uintptr_t)addr);
}

/* 0 or errno. */
static int send_bytes(const void *p, size_t len)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ssize_t n;
	int err;

	strcpy(to.sun_path, sock);
	n = sendto(fd, p, len, 0, (struct sockaddr *)&to, sizeof(to));
	err = n < 0 ? errno : 0;
	close(fd);
	return err;
}

static int tell(const char *addr)
{
	struct buf b = BUF_INIT;
	int r;

	make(&b, addr);
	r = send_bytes(b.p, b.len);
	buf_fini(&b);
	return r;
}

static int put(const char *addr, int64_t max)
{
	struct spool s;
	struct buf b = BUF_INIT;
	int r = spool_open(&s, spool, &e);

	make(&b, addr);
	r = r < 0 ? r : spool_append(&s, b.p, b.len, max, &e);
	spool_close(&s);
	buf_fini(&b);
	return r;
}

static bool shows(size_t i, const char *addr)
{
	char text[IPADDR_TEXT];

	return i < batch.n && strcmp(ipaddr_print(text, &batch.v[i].addr), addr) == 0;
}

/* Until the process waits for something: in these tests that is the adapter's poll. */
static void wait_asleep(pid_t pid)
{
	int64_t until_ms = clock_mono_ms() + LONG_MS;
	char path[64], c = '?';

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	while (c != 'S' && clock_mono_ms() < until_ms) {
		FILE *f = fopen(path, "r");

		if (f == NULL || fscanf(f, "%*d (%*[^)]) %c", &c) != 1)
			_exit(1);
		fclose(f);
		sched_yield();
	}
}

/* ---- tests ------------------------------------------------------------------------------- */

static void a_datagram_is_an_observation(void **state)
{
	(void)state;
	assert_int_equal(tell("192.0.2.1"), 0);
	assert_int_equal(tell("192.0.2.2"), 0);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(batch.n, 2);
	assert_true(shows(0, "192.0.2.1") && shows(1, "192.0.2.2"));
	assert_int_equal(read_for(20), ADAPTER_IDLE);
	assert_int_equal(batch.n, 0);
}

static void a_datagram_wakes_the_reader(void **state)
{
	int status;

	(void)state;
	if (fork() == 0) {
		wait_asleep(getppid());
		_exit(tell("192.0.2.1"));
	}
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_true(shows(0, "192.0.2.1"));
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
}

static void a_spooled_record_wakes_the_reader(void **state)
{
	int status;

	(void)state;
	if (fork() == 0) {
		wait_asleep(getppid());
		_exit(put("192.0.2.1", KEA_HOOK_SPOOL_MAX) != 0);
	}
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_true(shows(0, "192.0.2.1"));
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	/* Its own writing to the spool does not. */
	assert_int_equal(read_for(0), ADAPTER_IDLE);
	assert_int_equal(read_for(0), ADAPTER_IDLE);
}

static void without_inotify_the_spool_is_looked_at(void **state)
{
	int next = dup(STDIN_FILENO);
	struct rlimit old;

	/* Descriptors for spool and socket, none more. */
	close(next);
	getrlimit(RLIMIT_NOFILE, &old);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)next + 2, old.rlim_max});
	assert_int_equal(open_with(NULL, NULL), 0);
	setrlimit(RLIMIT_NOFILE, &old);
	a_spooled_record_wakes_the_reader(state);
}

static void nonsense_is_counted_with_its_reason(void **state)
{
	char *big = calloc(1, KEA_HOOK_RECORD_MAX + 1);

	(void)state;
	assert_int_equal(send_bytes("", 0), 0);
	assert_int_equal(send_bytes("hello", 5), 0);
	assert_int_equal(send_bytes(big, KEA_HOOK_RECORD_MAX + 1), 0);
	assert_int_equal(tell("192.0.2.1"), 0);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(batch.n_bad, 3);
	assert_string_equal(batch.bad[1].why, "it is no record of kea-hook");
	assert_int_equal(batch.bad[2].record, 3);
	assert_string_equal(batch.bad[2].why, "it is longer than any record");
	assert_true(shows(0, "192.0.2.1"));
	free(big);
}

static void the_spool_comes_first_and_until_the_next_read(void **state)
{
	(void)state;
	assert_int_equal(put("192.0.2.1", KEA_HOOK_SPOOL_MAX), 0);
	assert_int_equal(open_with(NULL, NULL), 0);
	assert_int_equal(tell("192.0.2.2"), 0);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_true(shows(0, "192.0.2.1") && shows(1, "192.0.2.2"));
	/* It could not be stored. */
	close_it();
	assert_int_equal(open_with(NULL, NULL), 0);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(batch.n, 2);
	assert_true(shows(0, "192.0.2.1") && shows(1, "192.0.2.2"));
	/* Now it could. */
	assert_int_equal(read_for(0), ADAPTER_IDLE);
	close_it();
	assert_int_equal(open_with(NULL, NULL), 0);
	assert_int_equal(read_for(0), ADAPTER_IDLE);
}

static void what_the_socket_holds_survives_a_stop(void **state)
{
	(void)state;
	assert_int_equal(tell("192.0.2.1"), 0);
	close_it();
	assert_int_equal(access(sock, F_OK), -1);
	assert_int_equal(tell("192.0.2.2"), ENOENT);
	assert_int_equal(open_with(NULL, NULL), 0);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(batch.n, 1);
	assert_true(shows(0, "192.0.2.1"));
}

static void a_full_spool_is_told(void **state)
{
	(void)state;
	assert_int_equal(put("192.0.2.1", 200), 0);
	assert_int_equal(put("192.0.2.2", 200), SPOOL_FULL);
	assert_int_equal(read_for(LONG_MS), ADAPTER_LOST);
	assert_int_equal(batch.n, 1);
	assert_int_equal(read_for(0), ADAPTER_IDLE);
	assert_int_equal(put("192.0.2.2", 200), 0);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
}

static void a_burst_comes_in_portions(void **state)
{
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 600; i++)
		assert_int_equal(put("192.0.2.1", KEA_HOOK_SPOOL_MAX), 0);
	while (n < 600) {
		assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
		assert_true(batch.n <= 512);
		n += batch.n;
	}
	assert_int_equal(n, 600);
	assert_int_equal(read_for(0), ADAPTER_IDLE);
}

static void only_user_and_group_may_tell(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(sock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(stat(spool, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

static void a_group_that_is_not_there_is_refused(void **state)
{
	(void)state;
	assert_int_equal(open_with("group", "no such group"), ERR_CONF);
	assert_string_equal(e.text, "there is no group \"no such group\"");
}

static void two_do_not_listen_on_one_socket(void **state)
{
	struct adapter *first = a;

	(void)state;
	assert_int_equal(open_with(NULL, NULL), ERR_BUSY);
	a = first;
	assert_int_equal(tell("192.0.2.1"), 0);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
}

static void a_socket_that_a_crash_left_is_replaced(void **state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)state;
	strcpy(to.sun_path, sock);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	close(fd);
	assert_int_equal(open_with(NULL, NULL), 0);
	assert_int_equal(tell("192.0.2.1"), 0);
}

static void another_file_in_the_way_stays(void **state)
{
	FILE *f = fopen(sock, "w");

	(void)state;
	fclose(f);
	assert_int_equal(open_with(NULL, NULL), ERR_CONF);
	assert_non_null(strstr(e.text, "is no socket"));
	assert_int_equal(access(sock, F_OK), 0);
}

static void a_socket_that_was_removed_is_noticed(void **state)
{
	(void)state;
	assert_int_equal(unlink(sock), 0);
	assert_int_equal(read_for(0), ERR_SYS);
	assert_non_null(strstr(e.text, "was removed"));
}

static void a_spool_that_was_removed_is_noticed(void **state)
{
	int status;

	(void)state;
	if (fork() == 0) {
		wait_asleep(getppid());
		_exit(unlink(spool) != 0);
	}
	assert_int_equal(read_for(LONG_MS), ERR_SYS);
	assert_true(wait(&status) > 0);
	close_it();
	assert_int_equal(open_with(NULL, NULL), 0);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	char path[200] = "/tmp/";

	(void)state;
	memset(path + 5, 'x', 150);
	assert_int_equal(open_with("socket", path), ERR_CONF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_datagram_is_an_observation, setup_open, teardown),
	    cmocka_unit_test_setup_teardown(a_datagram_wakes_the_reader, setup_open, teardown),
	    cmocka_unit_test_setup_teardown(a_spooled_record_wakes_the_reader, setup_open,
					    teardown),
	    cmocka_unit_test_setup_teardown(without_inotify_the_spool_is_looked_at, setup, teardown),
	    cmocka_unit_test_setup_teardown(nonsense_is_counted_with_its_reason, setup_open,
					    teardown),
	    cmocka_unit_test_setup_teardown(the_spool_comes_first_and_until_the_next_read, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(what_the_socket_holds_survives_a_stop, setup_open,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_full_spool_is_told, setup_open, teardown),
	    cmocka_unit_test_setup_teardown(a_burst_comes_in_portions, setup_open, teardown),
	    cmocka_unit_test_setup_teardown(only_user_and_group_may_tell, setup_open, teardown),
	    cmocka_unit_test_setup_teardown(a_group_that_is_not_there_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(two_do_not_listen_on_one_socket, setup_open, teardown),
	    cmocka_unit_test_setup_teardown(a_socket_that_a_crash_left_is_replaced, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(another_file_in_the_way_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_socket_that_was_removed_is_noticed, setup_open,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_spool_that_was_removed_is_noticed, setup_open,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_path_that_is_too_long_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
