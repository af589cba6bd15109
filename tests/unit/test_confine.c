/* test_confine.c - what a confined process can read: bridge/role/confine.c on this kernel.
 *
 *	DIR/keys/ddns.key     the key        DIR/keys/other     beside it
 *	DIR/keys/link         to the key     DIR/keys/hard      the key by another name
 *	DIR/lib               state-dir      DIR/data           the source's files
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
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/role/confine.h"

static char dir[] = "/tmp/ipambridge-confine-XXXXXX";
static char dir_link[64];

static const char *at(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && write(fd, "secret\n", 7) == 7);
	close(fd);
}

/* errno of opening it to read; 0: it opens. */
static int opened(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Exit status of a program that copies the file to nowhere. */
static int run_cat(const char *path)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		close(STDERR_FILENO);
		execl("/bin/cp", "cp", path, "/dev/null", (char *)NULL);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct conf conf_of(struct conf_server *s, const char *key, const char *state_dir)
{
	*s = (struct conf_server){.key_file = key, .transfer_key_file = key};
	return (struct conf){.state_dir = state_dir, .servers = s, .n_servers = 1};
}

/* In a process of its own, because there is no way back.  Numbers of checks that failed are its
 * status. */
static void confined(int (*check)(void), const char *key, const char *source_file)
{
	const struct setting v[] = {
	    {.name = "file", .type = SETTING_STR, .str = source_file},
	    {.name = "state-dir", .type = SETTING_STR, .str = at("lib")},
	    {.name = "format", .type = SETTING_STR, .str = "bsd"},
	};
	struct settings set = {.v = v, .n = 3};
	struct conf_server server;
	struct conf c = conf_of(&server, key, at("lib"));
	struct err e = {0};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (confine_rights(&e) < 0 || confine_keys(&c, &set, &e) < 0) {
			print_error("%s\n", e.text);
			_exit(100);
		}
		_exit(check());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- the walls -------------------------------------------------------------------------- */

static int no_way_to_the_key(void)
{
	char by_root[160];

	if (opened(at("keys/ddns.key")) != EACCES)
		return 1;
	if (opened(at("keys/link")) != EACCES)
		return 2;
	if (opened(at("keys/hard")) != EACCES)
		return 3;
	if (rename(at("keys/ddns.key"), at("lib/moved")) == 0)
		return 4;
	if (link(at("keys/ddns.key"), at("lib/linked")) == 0)
		return 5;
	if (run_cat(at("keys/ddns.key")) == 0)
		return 6;
	snprintf(by_root, sizeof(by_root), "/proc/self/root%s", at("keys/ddns.key"));
	return opened(by_root) == EACCES ? 0 : 7;
}

static int everything_else_is_there(void)
{
	if (opened(at("keys/other")) != 0)
		return 1;
	if (run_cat(at("keys/other")) != 0)
		return 2;
	make_file(at("data/rotated"));
	if (opened(at("data/rotated")) != 0)
		return 3;
	if (rename(at("data/rotated"), at("lib/rotated")) < 0 || opened(at("lib/rotated")) != 0)
		return 4;
	if (opened("/etc/passwd") != 0 || opened("/dev/null") != 0)
		return 5;
	return unlink(at("lib/rotated")) < 0 ? 6 : 0;
}

static int a_key_made_later(void)
{
	make_file(at("keys/late.key"));
	return opened(at("keys/late.key")) != EACCES || unlink(at("keys/late.key")) < 0;
}

static int a_directory_made_later(void)
{
	if (mkdir(at("later"), 0700) < 0)
		return 1;
	make_file(at("later/ddns.key"));
	return opened(at("later/ddns.key")) != EACCES || unlink(at("later/ddns.key")) < 0 ||
	       rmdir(at("later")) < 0;
}

static int the_key_is_readable(void)
{
	return opened(at("keys/ddns.key"));
}

static void a_key_cannot_be_read_in_any_way(void **state)
{
	(void)state;
	confined(no_way_to_the_key, at("keys/ddns.key"), at("data/leases.csv"));
}

static void a_key_given_by_a_link_cannot_either(void **state)
{
	(void)state;
	confined(no_way_to_the_key, at("keys/link"), at("data/leases.csv"));
	confined(no_way_to_the_key, dir_link, at("data/leases.csv"));
}

static void the_rest_is_as_before(void **state)
{
	(void)state;
	confined(everything_else_is_there, at("keys/ddns.key"), at("data/leases.csv"));
}

static void what_does_not_exist_yet_is_denied(void **state)
{
	(void)state;
	confined(a_key_made_later, at("keys/late.key"), at("data/leases.csv"));
	confined(a_directory_made_later, at("later/ddns.key"), at("data/leases.csv"));
}

/* The source comes first: a lease file that cannot be read after its rotation ends names. */
static void a_source_beside_the_key_stays_readable(void **state)
{
	(void)state;
	confined(the_key_is_readable, at("keys/ddns.key"), at("keys/leases.csv"));
}

static void without_keys_there_are_no_walls(void **state)
{
	(void)state;
	confined(the_key_is_readable, NULL, at("data/leases.csv"));
}

/* ---- rights and memory ------------------------------------------------------------------ */

static void a_role_leaves_no_memory_behind(void **state)
{
	struct err e = {0};
	struct rlimit core = {1, 1};
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (confine_rights(&e) < 0 || confine_memory(&e) < 0)
			_exit(1);
		getrlimit(RLIMIT_CORE, &core);
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1		 ? 2
		      : core.rlim_cur != 0 || core.rlim_max != 0		 ? 3
		      : prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != CONFINE_LOOKED_AT ? 4
										 : 0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int prepare(void **state)
{
	char target[128];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	mkdir(at("keys"), 0700);
	mkdir(at("lib"), 0700);
	mkdir(at("data"), 0700);
	make_file(at("keys/ddns.key"));
	make_file(at("keys/other"));
	snprintf(target, sizeof(target), "%s", at("keys/ddns.key"));
	snprintf(dir_link, sizeof(dir_link), "%s/aside/ddns.key", dir);
	return symlink(target, at("keys/link")) < 0 || link(target, at("keys/hard")) < 0 ||
	       symlink(at("keys"), at("aside")) < 0;
}

static int clear(void **state)
{
	static const char *const files[] = {"keys/ddns.key", "keys/other", "keys/link", "keys/hard",
					    "aside"};
	static const char *const dirs[] = {"keys", "lib", "data", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(at(files[i]));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		rmdir(at(dirs[i]));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_cannot_be_read_in_any_way),
	    cmocka_unit_test(a_key_given_by_a_link_cannot_either),
	    cmocka_unit_test(the_rest_is_as_before),
	    cmocka_unit_test(what_does_not_exist_yet_is_denied),
	    cmocka_unit_test(a_source_beside_the_key_stays_readable),
	    cmocka_unit_test(without_keys_there_are_no_walls),
	    cmocka_unit_test(a_role_leaves_no_memory_behind),
	};

	const struct CMUnitTest bare[] = {
	    cmocka_unit_test(without_keys_there_are_no_walls),
	    cmocka_unit_test(a_role_leaves_no_memory_behind),
	};

	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1)
		return cmocka_run_group_tests(tests, prepare, clear);
	print_error("THIS KERNEL HAS NO LANDLOCK: that keys are denied is not proved here\n");
	return cmocka_run_group_tests(bare, prepare, clear);
}
