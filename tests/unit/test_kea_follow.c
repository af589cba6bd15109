/* test_kea_follow.c - a lease file that is read on while Kea writes it and cleans it up. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/kea/kea_leases.h"
#include "bridge/base/clock.h"
#include "bridge/base/log.h"

#define HEAD                                                                                       \
	"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,"     \
	"state,user_context\n"
#define ROW(addr, name) addr ",02:00:00:00:00:01,,3600,1795250068,7,1,1," name ",0,\n"
#define RELEASED(addr)  addr ",02:00:00:00:00:01,,0,1795250068,7,1,1,x,0,\n"

/* The system's refusal of a watch, and what is done just before the live file is opened. */
static int refuse_init, refuse_add;
static void (*before_open)(void);
static char path[96];

int inotify_init1(int flags)
{
	if (refuse_init != 0) {
		errno = refuse_init;
		return -1;
	}
	return (int)syscall(SYS_inotify_init1, flags);
}

int inotify_add_watch(int fd, const char *name, uint32_t mask)
{
	if (refuse_add != 0) {
		errno = refuse_add;
		return -1;
	}
	return (int)syscall(SYS_inotify_add_watch, fd, name, mask);
}

int open(const char *name, int flags, ...)
{
	void (*now)(void) = before_open;
	mode_t mode = 0;

	if (now != NULL && strcmp(name, path) == 0) {
		before_open = NULL;
		now();
	}
	if ((flags & O_CREAT) != 0) {
		va_list ap;

		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return (int)syscall(SYS_openat, AT_FDCWD, name, flags, mode);
}

static char dir[32];
static char names[5][112]; /* X.completed, X.2, X.1, X, X.output */
enum { COMPLETED, SNAPSHOT, PREVIOUS, LIVE, OUTPUT };
static struct adapter *adapter;
static struct obs_batch batch;
static struct err e;

/* ---- the writer -------------------------------------------------------------------------- */

static void write_file(int which, const char *mode, const char *text)
{
	FILE *f = fopen(names[which], mode);

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void append(const char *text)
{
	write_file(LIVE, "a", text);
}

static void move(int from, int to)
{
	assert_int_equal(rename(names[from], names[to]), 0);
}

static void rotate(void)
{
	move(LIVE, PREVIOUS);
	write_file(LIVE, "w", HEAD);
}

/* As kea-lfc does it; what it keeps is up to the caller. */
static void clean_up(const char *kept)
{
	write_file(OUTPUT, "w", kept);
	move(OUTPUT, COMPLETED);
	unlink(names[SNAPSHOT]);
	unlink(names[PREVIOUS]);
	move(COMPLETED, SNAPSHOT);
}

/* ---- the reader -------------------------------------------------------------------------- */

static int open_with(const char *cursor)
{
	struct setting s = {.name = "file", .type = SETTING_STR, .str = path};
	struct settings set = {.v = &s, .n = 1};

	return kea_leases_ops.open(&adapter, &set, cursor, &e);
}

static int read_for(int64_t ms)
{
	obs_batch_reset(&batch);
	memset(&e, 0, sizeof(e));
	return kea_leases_ops.read(adapter, &batch, clock_mono_ms() + ms, &e);
}

static int read_now(void)
{
	return read_for(0);
}

static int read_with_cursor(void)
{
	const char *text = kea_leases_ops.cursor(adapter);
	char cursor[600] = "";

	if (text != NULL)
		snprintf(cursor, sizeof(cursor), "%s", text);
	kea_leases_ops.close(adapter);
	assert_int_equal(open_with(text != NULL ? cursor : NULL), 0);
	return read_for(2000);
}

/* "NAME" in file order, ended leases as "-": what the last read gave. */
static void shows(const char *want)
{
	char got[512] = "";

	for (size_t i = 0; i < batch.n; i++) {
		const struct obs *o = &batch.v[i];
		size_t at = strlen(got);

		snprintf(got + at, sizeof(got) - at, "%s%.*s", at > 0 ? " " : "",
			 o->end ? 1 : (int)o->name.len, o->end ? "-" : (const char *)o->name.p);
	}
	assert_string_equal(got, want);
}

static void delta(const char *want)
{
	assert_int_equal(read_now(), ADAPTER_DELTA);
	shows(want);
}

static void whole(const char *want)
{
	assert_int_equal(read_now(), ADAPTER_COMPLETE);
	shows(want);
}

static int setup(void **state)
{
	(void)state;
	/* In memory: a disk that is asked to keep each rename takes its time. */
	snprintf(dir, sizeof(dir), "%s/follow.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/kea-leases4.csv", dir);
	snprintf(names[COMPLETED], sizeof(names[0]), "%s.completed", path);
	snprintf(names[SNAPSHOT], sizeof(names[0]), "%s.2", path);
	snprintf(names[PREVIOUS], sizeof(names[0]), "%s.1", path);
	snprintf(names[LIVE], sizeof(names[0]), "%s", path);
	snprintf(names[OUTPUT], sizeof(names[0]), "%s.output", path);
	obs_batch_init(&batch);
	refuse_init = refuse_add = 0;
	before_open = NULL;
	return open_with(NULL);
}

static int teardown(void **state)
{
	(void)state;
	kea_leases_ops.close(adapter);
	obs_batch_fini(&batch);
	for (size_t i = 0; i < 5; i++)
		unlink(names[i]);
	return rmdir(dir);
}

/* A set that was read once and is followed, with one more look behind it. */
static void follow(void)
{
	write_file(LIVE, "w", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(read_for(2000), ADAPTER_COMPLETE);
	assert_int_equal(read_now(), ADAPTER_IDLE);
}

/* ---- appended rows ----------------------------------------------------------------------- */

static void appended_rows_are_a_delta(void **state)
{
	(void)state;
	follow();
	append(ROW("192.0.2.2", "b"));
	delta("b");
	assert_int_equal(read_now(), ADAPTER_IDLE);
	append(ROW("192.0.2.2", "c") RELEASED("192.0.2.1") ROW("192.0.2.2", "d"));
	delta("- d");
	append("junk\n");
	delta("");
	assert_int_equal(batch.n_bad, 1);
	assert_int_equal(batch.bad[0].record, 7);
	assert_int_equal(read_now(), ADAPTER_IDLE);
	assert_int_equal(read_with_cursor(), ADAPTER_SAME);
}

static void row_before_the_first_look_is_not_missed(void **state)
{
	(void)state;
	write_file(LIVE, "w", HEAD);
	assert_int_equal(read_for(2000), ADAPTER_COMPLETE);
	append(ROW("192.0.2.2", "b"));
	delta("b");
}

static void torn_line_waits_for_its_end(void **state)
{
	(void)state;
	follow();
	append("192.0.2.2,02:00:00:00:00:01,,3600,17952500");
	assert_int_equal(read_now(), ADAPTER_IDLE);
	append("68,7,1,1,b,0,");
	assert_int_equal(read_now(), ADAPTER_IDLE);
	append("\n");
	delta("b");
	assert_int_equal(batch.n_bad, 0);
	append("\n\n");
	assert_int_equal(read_now(), ADAPTER_IDLE);
}

static void many_appended_rows_come_in_portions(void **state)
{
	FILE *f;

	(void)state;
	follow();
	f = fopen(path, "a");
	for (int i = 0; i < 9000; i++)
		fprintf(f, "10.0.%d.%d,02:00:00:00:00:01,,3600,1795250068,7,1,1,h%d,0,\n", i / 250,
			i % 250 + 1, i);
	fclose(f);
	assert_int_equal(read_now(), ADAPTER_MORE);
	append(ROW("192.0.2.2", "later"));
	assert_int_equal(read_now(), ADAPTER_MORE);
	assert_int_equal(read_now(), ADAPTER_DELTA);
	assert_int_equal(batch.n, 1000);
	delta("later");
}

static void cursor_goes_on_where_following_ended(void **state)
{
	(void)state;
	follow();
	append(ROW("192.0.2.2", "b"));
	delta("b");
	assert_int_equal(read_with_cursor(), ADAPTER_SAME);
	append(ROW("192.0.2.3", "c"));
	delta("c"); /* followed from ADAPTER_SAME on */
	append(ROW("192.0.2.4", "d"));
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	shows("d");
	append(ROW("192.0.2.5", "e"));
	delta("e");
}

/* ---- rotation ---------------------------------------------------------------------------- */

static void rotation_seen_in_every_step_is_followed(void **state)
{
	(void)state;
	follow();
	append(ROW("192.0.2.2", "b"));
	move(LIVE, PREVIOUS);
	delta("b");
	assert_int_equal(read_now(), ADAPTER_IDLE);
	write_file(LIVE, "w", "");
	assert_int_equal(read_now(), ADAPTER_IDLE);
	append("address,hw");
	assert_int_equal(read_now(), ADAPTER_IDLE);
	append(&HEAD[strlen("address,hw")]);
	assert_int_equal(read_now(), ADAPTER_IDLE);
	append(ROW("192.0.2.3", "c"));
	delta("c");
	write_file(OUTPUT, "w", HEAD ROW("192.0.2.1", "a") ROW("192.0.2.2", "b"));
	move(OUTPUT, COMPLETED);
	assert_int_equal(read_now(), ADAPTER_IDLE);
	unlink(names[PREVIOUS]);
	append(ROW("192.0.2.4", "d"));
	delta("d");
	move(COMPLETED, SNAPSHOT);
	assert_int_equal(read_now(), ADAPTER_IDLE);
}

static void rotation_with_its_cleanup_is_followed(void **state)
{
	char in_cleanup[600];

	(void)state;
	follow();
	append(ROW("192.0.2.2", "b"));
	rotate();
	append(ROW("192.0.2.3", "c"));
	/* What the old file still held comes first, at once. */
	delta("b");
	delta("c");
	snprintf(in_cleanup, sizeof(in_cleanup), "%s", kea_leases_ops.cursor(adapter));
	clean_up(HEAD ROW("192.0.2.1", "a") ROW("192.0.2.2", "b"));
	assert_int_equal(read_now(), ADAPTER_IDLE);
	append(ROW("192.0.2.4", "d"));
	delta("d");
	assert_string_not_equal(kea_leases_ops.cursor(adapter), in_cleanup);
	assert_int_equal(read_with_cursor(), ADAPTER_SAME);
	/* A cursor from the time of the cleanup is one of other files. */
	kea_leases_ops.close(adapter);
	assert_int_equal(open_with(in_cleanup), 0);
	assert_int_equal(read_for(2000), ADAPTER_COMPLETE);
	shows("a b c d");
}

static void rotation_that_was_over_before_the_look_is_followed(void **state)
{
	(void)state;
	follow();
	for (int i = 0; i < 3; i++) {
		rotate();
		clean_up(HEAD ROW("192.0.2.1", "a"));
		append(ROW("192.0.2.2", "b"));
		delta("b");
		assert_int_equal(read_now(), ADAPTER_IDLE);
	}
}

static void torn_line_of_a_file_that_is_finished_is_read(void **state)
{
	(void)state;
	follow();
	append("192.0.2.2,02:00:00:00:00:01,,3600,1795250068,7,1,1,b,0,");
	assert_int_equal(read_now(), ADAPTER_IDLE);
	rotate();
	append("junk\n" ROW("192.0.2.3", "c"));
	delta("b c");
	assert_int_equal(batch.n_bad, 1);
	assert_int_equal(batch.bad[0].record, 2);
}

static void two_rotations_between_two_looks_are_a_doubt(void **state)
{
	(void)state;
	follow();
	rotate();
	append(ROW("192.0.2.2", "b"));
	clean_up(HEAD ROW("192.0.2.1", "a"));
	rotate();
	append(ROW("192.0.2.3", "c"));
	whole("a b c");
	/* The same with the second cleanup done. */
	rotate();
	append(ROW("192.0.2.4", "d"));
	clean_up(HEAD ROW("192.0.2.1", "a") ROW("192.0.2.2", "b") ROW("192.0.2.3", "c"));
	rotate();
	clean_up(HEAD ROW("192.0.2.1", "a") ROW("192.0.2.2", "b") ROW("192.0.2.3", "c")
		     ROW("192.0.2.4", "d"));
	whole("a b c d");
	append(ROW("192.0.2.5", "e"));
	delta("e");
}

static void rotate_and_clean_up(void)
{
	clean_up(HEAD ROW("192.0.2.1", "a"));
	rotate();
	clean_up(HEAD ROW("192.0.2.1", "a") ROW("192.0.2.2", "b"));
}

/* Between the look at the name and the opening of what has it. */
static void second_rotation_while_the_first_is_taken_is_a_doubt(void **state)
{
	(void)state;
	follow();
	rotate();
	append(ROW("192.0.2.2", "b"));
	before_open = rotate_and_clean_up;
	whole("a b");
	assert_null(before_open);
}

static void new_file_without_header_is_waited_for(void **state)
{
	pid_t kea;

	(void)state;
	follow();
	move(LIVE, PREVIOUS);
	write_file(LIVE, "w", "");
	kea = fork();
	if (kea == 0) {
		usleep(20000);
		append("address,hwaddr");
		usleep(20000);
		append(&HEAD[strlen("address,hwaddr")]);
		append(ROW("192.0.2.2", "b"));
		_exit(0);
	}
	assert_int_equal(read_for(10000), ADAPTER_DELTA);
	shows("b");
	waitpid(kea, NULL, 0);
}

/* ---- whatever else ----------------------------------------------------------------------- */

static void file_that_is_not_what_it_was_is_read_whole(void **state)
{
	(void)state;
	follow();
	append(ROW("192.0.2.2", "b"));
	delta("b");
	write_file(LIVE, "w", HEAD ROW("192.0.2.3", "c")); /* shorter */
	whole("c");
	write_file(LIVE, "w", HEAD ROW("192.0.2.4", "d") ROW("192.0.2.5", "e")); /* longer */
	whole("d e");
	write_file(LIVE, "w", HEAD ROW("192.0.2.4", "d") ROW("192.0.2.5", "f")); /* as long */
	whole("d f");
	write_file(OUTPUT, "w", HEAD ROW("192.0.2.4", "d") ROW("192.0.2.5", "f"));
	move(OUTPUT, LIVE); /* a copy put in its place */
	whole("d f");
	append(ROW("192.0.2.6", "g"));
	delta("g");
}

static void file_that_stays_away_is_an_error_before_the_deadline(void **state)
{
	int64_t began;

	(void)state;
	follow();
	unlink(path);
	began = clock_mono_ms();
	assert_int_equal(read_now(), ADAPTER_IDLE);
	assert_int_equal(read_for(60000), ERR_SYS);
	assert_true(clock_mono_ms() - began < 4000);
	assert_non_null(strstr(e.text, "No such file"));
	assert_non_null(strstr(e.hint, "lease-database"));
	assert_int_equal(read_for(20), ERR_SYS);
	write_file(LIVE, "w", HEAD ROW("192.0.2.2", "b"));
	assert_int_equal(read_for(2000), ADAPTER_COMPLETE);
	shows("b");
}

static void directory_that_is_made_anew_is_followed(void **state)
{
	char aside[112];

	(void)state;
	follow();
	snprintf(aside, sizeof(aside), "%s-aside", dir);
	assert_int_equal(rename(dir, aside), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	write_file(LIVE, "w", HEAD ROW("192.0.2.2", "b"));
	whole("b");
	append(ROW("192.0.2.3", "c"));
	delta("c");
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(read_now(), ADAPTER_IDLE);
	assert_int_equal(rename(aside, dir), 0);
	assert_int_equal(read_for(2000), ADAPTER_COMPLETE);
	shows("a");
	append(ROW("192.0.2.3", "d"));
	delta("d");
}

static void events_that_were_lost_only_cost_a_look(void **state)
{
	(void)state;
	follow();
	append(ROW("192.0.2.2", "b"));
	for (int i = 0; i < 10000; i++) { /* the queue holds 16,384 */
		write_file(OUTPUT, "w", "x");
		unlink(names[OUTPUT]);
	}
	append(ROW("192.0.2.3", "c"));
	delta("b c");
	assert_int_equal(read_now(), ADAPTER_IDLE);
	/* Rotated, cleaned up, and nobody saw how often. */
	for (int i = 0; i < 10000; i++) {
		write_file(OUTPUT, "w", "x");
		unlink(names[OUTPUT]);
	}
	rotate();
	clean_up(HEAD ROW("192.0.2.1", "a"));
	whole("a");
}

static void reader_wakes_up_for_a_row(void **state)
{
	int64_t began = clock_mono_ms();
	pid_t kea;

	(void)state;
	follow();
	kea = fork();
	if (kea == 0) {
		usleep(50000);
		append(ROW("192.0.2.2", "b"));
		_exit(0);
	}
	assert_int_equal(read_for(20000), ADAPTER_DELTA);
	shows("b");
	assert_true(clock_mono_ms() - began < 900); /* by the event, not by a timer */
	waitpid(kea, NULL, 0);
}

/* ---- without a watch --------------------------------------------------------------------- */

/* What is written to stderr meanwhile. */
static char said[1024];

static int read_and_hear(int64_t ms)
{
	FILE *f = tmpfile();
	int keep = dup(STDERR_FILENO), r;
	ssize_t n;

	dup2(fileno(f), STDERR_FILENO);
	r = read_for(ms);
	fflush(stderr);
	dup2(keep, STDERR_FILENO);
	close(keep);
	n = pread(fileno(f), said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	fclose(f);
	return r;
}

static void limit_that_is_reached_is_named_once(void **state)
{
	(void)state;
	write_file(LIVE, "w", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(read_for(2000), ADAPTER_COMPLETE);
	refuse_init = EMFILE;
	assert_int_equal(read_and_hear(0), ADAPTER_IDLE);
	assert_non_null(strstr(said, "fs.inotify.max_user_instances"));
	append(ROW("192.0.2.2", "b"));
	assert_int_equal(read_and_hear(0), ADAPTER_DELTA);
	assert_int_equal(read_and_hear(1100), ADAPTER_IDLE);
	assert_string_equal(said, "");
	/* One rotation can still be told, while its file is there. */
	append(ROW("192.0.2.3", "c"));
	rotate();
	append(ROW("192.0.2.4", "d"));
	delta("c");
	delta("d");
	rotate();
	clean_up(HEAD ROW("192.0.2.1", "a"));
	whole("a");
}

static void watch_that_is_refused_is_asked_for_again(void **state)
{
	pid_t kea;

	(void)state;
	write_file(LIVE, "w", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(read_for(2000), ADAPTER_COMPLETE);
	refuse_add = ENOSPC;
	assert_int_equal(read_and_hear(0), ADAPTER_IDLE);
	assert_non_null(strstr(said, "fs.inotify.max_user_watches"));
	refuse_add = 0;
	kea = fork();
	if (kea == 0) {
		usleep(50000);
		append(ROW("192.0.2.2", "b"));
		_exit(0);
	}
	assert_int_equal(read_for(3000), ADAPTER_DELTA); /* by looking */
	shows("b");
	waitpid(kea, NULL, 0);
	refuse_add = ENOSPC;
	assert_int_equal(read_and_hear(1100), ADAPTER_IDLE);
	assert_string_equal(said, ""); /* watched since, so not asked again */
}

static void directory_that_may_not_be_watched_is_named(void **state)
{
	(void)state;
	write_file(LIVE, "w", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(read_for(2000), ADAPTER_COMPLETE);
	refuse_add = EACCES;
	assert_int_equal(read_and_hear(0), ADAPTER_IDLE);
	assert_non_null(strstr(said, "let this program's user read the directory"));
}

/* ---- against a cold read ----------------------------------------------------------------- */

enum { ADDRESSES = 12, OPS = 80, SEEDS = 300 };

/* Kea as it is known to write: one number for each row, so that no two are alike. */
struct kea {
	uint64_t rng;
	int name[ADDRESSES]; /* of the lease; 0: none */
	int last;
	int step; /* of a rotation; 0: none under way */
	char torn[160]; /* the rest of a row, not written yet */
	char kept[ADDRESSES * 100 + 200]; /* what the cleanup will leave */
};

/* What the reader was told. */
struct told {
	int name[ADDRESSES];
	int pending[ADDRESSES]; /* of a read that did not end yet; -1: nothing, 0: ended */
	int n_whole, n_delta;
	bool follows; /* the last read ended well: no need to wait */
};

static unsigned pick(struct kea *k, unsigned n)
{
	k->rng ^= k->rng << 13;
	k->rng ^= k->rng >> 7;
	k->rng ^= k->rng << 17;
	return (unsigned)(k->rng >> 33) % n;
}

static int row_text(char *out, size_t room, int i, int name)
{
	return snprintf(out, room, "192.0.2.%d,02:00:00:00:00:01,,%d,1795250068,7,1,1,h%d,0,\n",
			i + 1, name == 0 ? 0 : 3600, name);
}

static void kea_dump(const struct kea *k, char *out, size_t room, bool ended)
{
	size_t at = (size_t)snprintf(out, room, HEAD);

	for (int i = 0; i < ADDRESSES; i++) {
		if (k->name[i] != 0 || ended)
			at += (size_t)row_text(out + at, room - at, i, k->name[i]);
	}
}

static void kea_finish_row(struct kea *k)
{
	if (k->torn[0] != '\0')
		append(k->torn);
	k->torn[0] = '\0';
}

static void kea_write_row(struct kea *k)
{
	char text[160];
	int i = (int)pick(k, ADDRESSES), n;

	kea_finish_row(k);
	k->name[i] = pick(k, 4) == 0 ? 0 : ++k->last;
	n = row_text(text, sizeof(text), i, k->name[i]);
	if (pick(k, 5) == 0) {
		int cut = 1 + (int)pick(k, (unsigned)n - 1);

		memcpy(k->torn, text + cut, (size_t)(n - cut) + 1);
		text[cut] = '\0';
	}
	append(text);
}

static void kea_step(struct kea *k)
{
	switch (k->step++) {
	case 0:
		kea_finish_row(k);
		kea_dump(k, k->kept, sizeof(k->kept), false);
		move(LIVE, PREVIOUS);
		break;
	case 1:
		write_file(LIVE, "w", "");
		break;
	case 2:
		append(HEAD);
		break;
	case 3:
		write_file(OUTPUT, "w", k->kept);
		break;
	case 4:
		move(OUTPUT, COMPLETED);
		break;
	case 5:
		unlink(names[SNAPSHOT]);
		break;
	case 6:
		unlink(names[PREVIOUS]);
		break;
	default:
		move(COMPLETED, SNAPSHOT);
		k->step = 0;
	}
}

/* A person restores the file: in place, or by a copy put in its place. */
static void kea_restore(struct kea *k)
{
	char all[sizeof(k->kept)];
	bool copy = pick(k, 2) == 0;

	k->torn[0] = '\0';
	kea_dump(k, all, sizeof(all), true);
	write_file(copy ? OUTPUT : LIVE, "w", all);
	if (copy)
		move(OUTPUT, LIVE);
}

static void kea_act(struct kea *k)
{
	unsigned what = pick(k, 100);
	bool writable = k->step == 0 || k->step > 2;

	if (what < 45 && writable)
		kea_write_row(k);
	else if (what < 50 && writable)
		kea_finish_row(k);
	else if (what < 51 && writable && k->step == 0)
		kea_restore(k);
	else if (what < 65 || k->step > 0)
		kea_step(k);
	/* All of a rotation at once, or its rest. */
	while (k->step > 0 && what % 4 == 0)
		kea_step(k);
}

static void told_take(struct told *t)
{
	for (size_t i = 0; i < batch.n; i++) {
		const struct obs *o = &batch.v[i];
		char name[16] = "";

		memcpy(name, o->name.p + 1, o->name.len - 1u);
		t->pending[o->addr.b[3] - 1] = o->end ? 0 : (int)strtol(name, NULL, 10);
	}
}

static void told_end(struct told *t, int answer)
{
	for (int i = 0; i < ADDRESSES; i++) {
		if (answer == ADAPTER_COMPLETE || t->pending[i] >= 0)
			t->name[i] = t->pending[i] > 0 ? t->pending[i] : 0;
		t->pending[i] = -1;
	}
	t->n_whole += answer == ADAPTER_COMPLETE;
	t->n_delta += answer == ADAPTER_DELTA;
}

/* One read to its end; false when it had none. */
static bool told_read(struct told *t, int64_t cold_ms)
{
	int r = read_for(t->follows ? 0 : cold_ms);

	assert_int_not_equal(r, ADAPTER_MORE);
	t->follows = r > 0;
	if (r < 0) {
		assert_true(r == ERR_BUSY || r == ERR_SYS);
		return false;
	}
	assert_int_equal(batch.n_bad, 0);
	told_take(t);
	if (r == ADAPTER_COMPLETE || r == ADAPTER_DELTA)
		told_end(t, r);
	else
		assert_int_equal(batch.n, 0);
	return true;
}

static void told_reopen(struct told *t, bool with_cursor)
{
	char cursor[600] = "";
	const char *text = with_cursor ? kea_leases_ops.cursor(adapter) : NULL;

	if (text != NULL)
		snprintf(cursor, sizeof(cursor), "%s", text);
	kea_leases_ops.close(adapter);
	assert_int_equal(open_with(text != NULL ? cursor : NULL), 0);
	t->follows = false;
}

/* All there is, from whatever state the reader is in. */
static void told_finish(struct told *t)
{
	/* Of a rotation comes first what was left of the old file. */
	for (int quiet = 0; quiet < 3;)
		quiet = told_read(t, 2000) ? quiet + 1 : 0;
}

static void one_seed(struct kea *k, struct told *t)
{
	write_file(LIVE, "w", HEAD);
	for (int i = 0; i < ADDRESSES; i++)
		t->pending[i] = -1;
	for (int i = 0; i < OPS; i++) {
		kea_act(k);
		/* A cold read of files in the middle of a rotation waits for its deadline. */
		if (pick(k, !t->follows && k->step > 0 && k->step < 3 ? 30 : 3) != 0)
			continue;
		if (pick(k, 30) == 0)
			told_reopen(t, true);
		told_read(t, 2);
	}
	kea_finish_row(k);
	while (k->step > 0)
		kea_step(k);
	told_finish(t);
}

static void deltas_add_up_to_a_cold_read(void **state)
{
	int n_whole = 0, n_delta = 0;

	(void)state;
	log_init(LOG_LEVEL_ERR);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct kea k = {.rng = seed * 0x9e3779b97f4a7c15};
		struct told t = {0}, cold = {0};

		/* Every second one without a watch; those that have one are slow to close. */
		refuse_init = seed % 2 == 0 ? EMFILE : 0;
		one_seed(&k, &t);
		told_reopen(&t, false);
		for (int i = 0; i < ADDRESSES; i++)
			cold.pending[i] = -1;
		assert_true(told_read(&cold, 2000));
		for (int i = 0; i < ADDRESSES; i++) {
			if (t.name[i] != cold.name[i] || t.name[i] != k.name[i])
				fail_msg("seed %d: 192.0.2.%d is h%d, was told h%d, is read h%d",
					 (int)seed, i + 1, k.name[i], t.name[i], cold.name[i]);
		}
		n_whole += t.n_whole;
		n_delta += t.n_delta;
		for (size_t i = 0; i < 5; i++)
			unlink(names[i]);
		told_reopen(&t, false);
	}
	log_init(LOG_LEVEL_WARN);
	assert_true(n_delta > 5 * SEEDS && n_whole > SEEDS);
}

/* Kea in a process of its own, as fast as it can. */
static void __attribute__((noreturn)) play_kea(uint64_t seed, const volatile bool *enough)
{
	struct kea k = {.rng = seed};

	alarm(60); /* not for ever, should the test have failed */
	for (int i = 0; i < 20000 || !*enough; i++) {
		unsigned what = pick(&k, 40);

		if (what > 0 && (k.step == 0 || k.step > 2))
			kea_write_row(&k);
		else
			kea_step(&k);
	}
	kea_finish_row(&k);
	while (k.step > 0)
		kea_step(&k);
	_exit(0);
}

static void deltas_add_up_beside_a_kea_in_a_hurry(void **state)
{
	struct told t = {0}, cold = {0};
	volatile bool *enough = mmap(NULL, sizeof(*enough), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = -1;
	pid_t kea;

	(void)state;
	assert_ptr_not_equal(enough, MAP_FAILED);
	write_file(LIVE, "w", HEAD);
	for (int i = 0; i < ADDRESSES; i++)
		t.pending[i] = cold.pending[i] = -1;
	kea = fork();
	if (kea == 0)
		play_kea(0x1234567, enough);
	while (waitpid(kea, &status, WNOHANG) == 0) {
		told_read(&t, 5);
		*enough = t.n_delta > 200;
	}
	munmap((void *)enough, sizeof(*enough));
	assert_int_equal(status, 0);
	told_finish(&t);
	told_reopen(&t, false);
	assert_true(told_read(&cold, 2000));
	assert_memory_equal(t.name, cold.name, sizeof(t.name));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(appended_rows_are_a_delta),
	    T(row_before_the_first_look_is_not_missed),
	    T(torn_line_waits_for_its_end),
	    T(many_appended_rows_come_in_portions),
	    T(cursor_goes_on_where_following_ended),
	    T(rotation_seen_in_every_step_is_followed),
	    T(rotation_with_its_cleanup_is_followed),
	    T(rotation_that_was_over_before_the_look_is_followed),
	    T(torn_line_of_a_file_that_is_finished_is_read),
	    T(two_rotations_between_two_looks_are_a_doubt),
	    T(second_rotation_while_the_first_is_taken_is_a_doubt),
	    T(new_file_without_header_is_waited_for),
	    T(file_that_is_not_what_it_was_is_read_whole),
	    T(file_that_stays_away_is_an_error_before_the_deadline),
	    T(directory_that_is_made_anew_is_followed),
	    T(events_that_were_lost_only_cost_a_look),
	    T(reader_wakes_up_for_a_row),
	    T(limit_that_is_reached_is_named_once),
	    T(watch_that_is_refused_is_asked_for_again),
	    T(directory_that_may_not_be_watched_is_named),
	    T(deltas_add_up_to_a_cold_read),
	    T(deltas_add_up_beside_a_kea_in_a_hurry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
