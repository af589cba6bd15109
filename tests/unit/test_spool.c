/* test_spool.c - records on disk: order, bound, counters, and every way a file can be torn. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/base/spool.h"

enum { MAX = 1 << 20, HEADER = 36 };

static char dir[64], path[80];
static struct buf got;
static struct err e;

static int setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	strcpy(dir, "/tmp/test_spool.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/spool", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&got);
	got = (struct buf)BUF_INIT;
	unlink(path);
	return rmdir(dir);
}

static int put(const char *text, int64_t max)
{
	struct spool s;
	int r = spool_open(&s, path, &e);

	r = r < 0 ? r : spool_append(&s, text, strlen(text), max, &e);
	spool_close(&s);
	return r;
}

/* What the next record says; NULL: there is none. */
static const char *next(struct spool *s)
{
	int r;

	buf_reset(&got);
	r = spool_next(s, &got, &e);
	assert_true(r >= 0);
	return r == 1 ? buf_text(&got) : NULL;
}

static off_t size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* ---- as it should be --------------------------------------------------------------------- */

static void spool_gives_records_in_their_order(void **state)
{
	struct spool s;

	(void)state;
	assert_int_equal(put("one", MAX), 0);
	assert_int_equal(put("two", MAX), 0);
	assert_int_equal(spool_open(&s, path, &e), 0);
	assert_string_equal(next(&s), "one");
	assert_int_equal(put("three", MAX), 0);
	assert_string_equal(next(&s), "two");
	assert_string_equal(next(&s), "three");
	assert_null(next(&s));
	assert_int_equal(s.lost + s.damaged, 0);
	spool_close(&s);
}

static void spool_is_open_to_its_group_whatever_the_umask(void **state)
{
	mode_t old = umask(077);
	struct stat st;

	(void)state;
	assert_int_equal(put("one", MAX), 0);
	umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

static void spool_gives_again_what_was_not_committed(void **state)
{
	struct spool s;

	(void)state;
	put("one", MAX);
	put("two", MAX);
	assert_int_equal(spool_open(&s, path, &e), 0);
	assert_string_equal(next(&s), "one");
	assert_int_equal(spool_commit(&s, &e), 0);
	assert_string_equal(next(&s), "two");
	spool_close(&s);
	assert_int_equal(spool_open(&s, path, &e), 0);
	assert_string_equal(next(&s), "two");
	assert_null(next(&s));
	spool_close(&s);
}

static void spool_is_cut_when_all_is_read(void **state)
{
	struct spool s;

	(void)state;
	put("one", MAX);
	assert_int_equal(spool_open(&s, path, &e), 0);
	assert_string_equal(next(&s), "one");
	assert_int_equal(spool_commit(&s, &e), 0);
	assert_int_equal(size(), HEADER);
	assert_null(next(&s));
	put("two", MAX);
	assert_string_equal(next(&s), "two");
	spool_close(&s);
}

static void spool_commit_without_news_writes_nothing(void **state)
{
	struct spool s;
	struct stat st;

	(void)state;
	put("one", MAX);
	assert_int_equal(spool_open(&s, path, &e), 0);
	assert_string_equal(next(&s), "one");
	assert_int_equal(spool_commit(&s, &e), 0);
	assert_int_equal(futimens(s.fd, (struct timespec[]){{1, 0}, {1, 0}}), 0);
	assert_null(next(&s));
	assert_int_equal(spool_commit(&s, &e), 0);
	assert_int_equal(fstat(s.fd, &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1);
	spool_close(&s);
}

static void spool_counts_what_does_not_fit(void **state)
{
	struct spool s;
	const int64_t max = HEADER + 8 + 3;

	(void)state;
	assert_int_equal(put("one", max), 0);
	assert_int_equal(put("two", max), SPOOL_FULL);
	assert_int_equal(put("x", max), SPOOL_FULL);
	assert_int_equal(size(), max);
	assert_int_equal(spool_open(&s, path, &e), 0);
	assert_string_equal(next(&s), "one");
	assert_int_equal(s.lost, 2);
	/* One more after the reader looked: its commit must not forget it. */
	assert_int_equal(put("y", max), SPOOL_FULL);
	assert_int_equal(spool_commit(&s, &e), 0);
	assert_null(next(&s));
	assert_int_equal(s.lost, 1);
	assert_int_equal(spool_commit(&s, &e), 0);
	assert_int_equal(put("two", max), 0);
	assert_string_equal(next(&s), "two");
	assert_int_equal(s.lost, 0);
	spool_close(&s);
}

/* A limit of the file's size is the full disk that a test can have. */
static void spool_counts_what_the_disk_refuses(void **state)
{
	struct rlimit old;
	struct spool s;

	(void)state;
	put("one", MAX);
	getrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){(rlim_t)size() + 9, old.rlim_max});
	assert_int_equal(put("two", MAX), ERR_SYS);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_non_null(strstr(e.text, "writing"));
	assert_int_equal(spool_open(&s, path, &e), 0);
	assert_string_equal(next(&s), "one");
	assert_null(next(&s));
	assert_int_equal(s.lost, 1);
	spool_close(&s);
}

static void spool_refuses_records_without_sense(void **state)
{
	struct spool s;
	char *big = calloc(1, SPOOL_RECORD_MAX + 1);

	(void)state;
	assert_int_equal(spool_open(&s, path, &e), 0);
	assert_int_equal(spool_append(&s, "", 0, MAX, &e), ERR_BUG);
	assert_int_equal(spool_append(&s, big, SPOOL_RECORD_MAX + 1, MAX, &e), ERR_BUG);
	assert_int_equal(spool_append(&s, big, SPOOL_RECORD_MAX, MAX, &e), 0);
	assert_int_equal(spool_next(&s, &got, &e), 1);
	assert_int_equal(got.len, SPOOL_RECORD_MAX);
	spool_close(&s);
	free(big);
}

static void spool_takes_many_writers(void **state)
{
	enum { WRITERS = 4, EACH = 50 };
	int seen[WRITERS] = {0}, status;
	struct spool s;

	(void)state;
	for (int w = 0; w < WRITERS; w++) {
		if (fork() != 0)
			continue;
		for (int i = 0; i < EACH; i++) {
			char text[32];

			snprintf(text, sizeof(text), "%d %d", w, i);
			if (put(text, MAX) != 0)
				_exit(1);
		}
		_exit(0);
	}
	for (int w = 0; w < WRITERS; w++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(spool_open(&s, path, &e), 0);
	for (const char *text; (text = next(&s)) != NULL;) {
		int w, i;

		assert_int_equal(sscanf(text, "%d %d", &w, &i), 2);
		assert_int_equal(i, seen[w]++);
	}
	for (int w = 0; w < WRITERS; w++)
		assert_int_equal(seen[w], EACH);
	spool_close(&s);
}

static void spool_waits_for_a_lock_only_so_long(void **state)
{
	int fd;

	(void)state;
	put("one", MAX);
	fd = open(path, O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(put("two", MAX), ERR_BUSY);
	close(fd);
}

static void spool_says_that_it_was_removed(void **state)
{
	struct spool s;

	(void)state;
	assert_int_equal(spool_open(&s, path, &e), 0);
	assert_false(spool_removed(&s));
	unlink(path);
	assert_true(spool_removed(&s));
	assert_int_equal(spool_next(&s, &got, &e), ERR_SYS);
	assert_non_null(strstr(e.text, "removed"));
	spool_close(&s);
	assert_false(spool_removed(&s));
	put("one", MAX);
}

static void spool_opens_nothing_but_a_file(void **state)
{
	struct spool s;

	(void)state;
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_true(spool_open(&s, path, &e) < 0);
	spool_close(&s);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(spool_open(&s, path, &e), ERR_CONF);
	spool_close(&s);
	unlink(path);
	put("one", MAX);
}

/* Another version's file is read, and this CRC is zip's. */
static void spool_file_has_the_bytes_that_are_described(void **state)
{
	static const char want[] =
	    "ipaspool" "\0\0\0\0\0\0\0\x24" "\0\0\0\0\0\0\0\x2f" "\0\0\0\0\0\0\0\0"
	    "\xb0\x20\x8f\x83"
	    "\0\0\0\x03" "\x0a\xf4\x2f\x73" "one";
	char image[64];
	FILE *f;

	(void)state;
	put("one", MAX);
	f = fopen(path, "r");
	assert_int_equal(fread(image, 1, sizeof(image), f), sizeof(want) - 1);
	fclose(f);
	assert_memory_equal(image, want, sizeof(want) - 1);
}

/* ---- torn -------------------------------------------------------------------------------- */

/* Three records, as bytes of the file. */
static size_t make_file(uint8_t *image, size_t room)
{
	FILE *f;
	size_t n;

	put("first", MAX);
	put("second", MAX);
	put("third", MAX);
	f = fopen(path, "r");
	n = fread(image, 1, room, f);
	fclose(f);
	return n;
}

static void set_file(const uint8_t *image, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_int_equal(fwrite(image, 1, n, f), n);
	fclose(f);
}

/* Reads all: how many of the three, in order; what follows is still taken. */
static int survivors(bool *noticed)
{
	static const char *const want[] = {"first", "second", "third"};
	struct spool s;
	const char *text;
	int n = 0;

	assert_int_equal(spool_open(&s, path, &e), 0);
	while ((text = next(&s)) != NULL) {
		assert_true(n < 3);
		assert_string_equal(text, want[n++]);
	}
	*noticed = s.lost + s.damaged > 0;
	assert_int_equal(spool_commit(&s, &e), 0);
	assert_int_equal(size(), HEADER);
	assert_int_equal(put("fresh", MAX), 0);
	assert_string_equal(next(&s), "fresh");
	assert_int_equal(s.lost + s.damaged, 0);
	spool_close(&s);
	return n;
}

static void spool_cut_at_any_byte_gives_what_is_whole_and_notices(void **state)
{
	static const size_t ends[] = {HEADER + 13, HEADER + 27, HEADER + 40};
	uint8_t image[256];
	size_t n = make_file(image, sizeof(image));

	(void)state;
	assert_int_equal(n, ends[2]);
	for (size_t cut = 1; cut <= n; cut++) {
		int whole = (cut >= ends[0]) + (cut >= ends[1]) + (cut >= ends[2]);
		bool noticed;

		set_file(image, cut);
		assert_int_equal(survivors(&noticed), whole);
		assert_int_equal(noticed, cut != n);
	}
}

static void spool_with_any_bit_wrong_gives_no_wrong_record(void **state)
{
	uint8_t image[256];
	size_t n = make_file(image, sizeof(image));

	(void)state;
	for (size_t bit = 0; bit < n * 8; bit++) {
		bool noticed;

		image[bit / 8] ^= (uint8_t)(1 << bit % 8);
		set_file(image, n);
		survivors(&noticed);
		assert_true(noticed);
		image[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* A writer that was killed before it moved the end: nobody was told that its record is safe. */
static void spool_overwrites_what_a_killed_writer_left(void **state)
{
	uint8_t image[256];
	size_t n;
	bool noticed;

	(void)state;
	n = make_file(image, sizeof(image));
	memset(image + n, 'x', 20);
	for (size_t left = 1; left <= 20; left++) {
		struct spool s;

		set_file(image, n + left);
		put("4th", MAX);
		assert_int_equal(spool_open(&s, path, &e), 0);
		for (int i = 0; i < 3; i++)
			assert_non_null(next(&s));
		assert_string_equal(next(&s), "4th");
		assert_null(next(&s));
		assert_int_equal(s.lost + s.damaged, 0);
		spool_close(&s);
	}
	set_file(image, n + 20);
	assert_int_equal(survivors(&noticed), 3);
	assert_false(noticed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(spool_gives_records_in_their_order, setup, teardown),
	    cmocka_unit_test_setup_teardown(spool_is_open_to_its_group_whatever_the_umask, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(spool_gives_again_what_was_not_committed, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(spool_is_cut_when_all_is_read, setup, teardown),
	    cmocka_unit_test_setup_teardown(spool_commit_without_news_writes_nothing, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(spool_counts_what_does_not_fit, setup, teardown),
	    cmocka_unit_test_setup_teardown(spool_counts_what_the_disk_refuses, setup, teardown),
	    cmocka_unit_test_setup_teardown(spool_refuses_records_without_sense, setup, teardown),
	    cmocka_unit_test_setup_teardown(spool_takes_many_writers, setup, teardown),
	    cmocka_unit_test_setup_teardown(spool_waits_for_a_lock_only_so_long, setup, teardown),
	    cmocka_unit_test_setup_teardown(spool_says_that_it_was_removed, setup, teardown),
	    cmocka_unit_test_setup_teardown(spool_opens_nothing_but_a_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(spool_file_has_the_bytes_that_are_described, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(spool_cut_at_any_byte_gives_what_is_whole_and_notices,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(spool_with_any_bit_wrong_gives_no_wrong_record, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(spool_overwrites_what_a_killed_writer_left, setup,
					    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
