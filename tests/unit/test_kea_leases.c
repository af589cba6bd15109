/* test_kea_leases.c - a lease set on disk: the family of files, their last rows, the cursor. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/kea/kea_family.h"
#include "adapters/kea/kea_last.h"
#include "adapters/kea/kea_leases.h"
#include "adapters/kea/kea_place.h"
#include "bridge/base/clock.h"

#define HEAD                                                                                       \
	"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,"     \
	"state,user_context\n"
#define HEAD6                                                                                      \
	"address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,"   \
	"fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source\n"
#define ROW(addr, name) addr ",02:00:00:00:00:01,,3600,1795250068,7,1,1," name ",0,\n"
#define RELEASED(addr)  addr ",02:00:00:00:00:01,,0,1795250068,7,1,1,x,0,\n"

/* Runs just before the live file is opened, once: the moment a cleanup hurts most. */
static void (*before_live)(void);
static char path[64];

int open(const char *name, int flags, ...)
{
	void (*now)(void) = before_live;
	mode_t mode = 0;

	if (now != NULL && strcmp(name, path) == 0) {
		before_live = NULL;
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

static char dir[] = "/tmp/leases.XXXXXX";
static struct adapter *adapter;
static struct obs_batch batch;
static struct err e;

static void name_of(char out[96], const char *suffix)
{
	snprintf(out, 96, "%s%s", path, suffix);
}

static void write_file(const char *suffix, const char *text)
{
	char name[96];
	FILE *f;

	name_of(name, suffix);
	f = fopen(name, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
}

static void append(const char *text)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void clear(void)
{
	static const char *const suffix[] = {"", ".1", ".2", ".completed"};

	for (size_t i = 0; i < 4; i++) {
		char name[96];

		name_of(name, suffix[i]);
		unlink(name);
	}
}

static int open_with(const char *file, const char *cursor)
{
	struct setting s = {.name = "file", .type = SETTING_STR, .str = file};
	struct settings set = {.v = &s, .n = 1};

	return kea_leases_ops.open(&adapter, &set, cursor, &e);
}

static int read_for(int64_t ms)
{
	obs_batch_reset(&batch);
	return kea_leases_ops.read(adapter, &batch, clock_mono_ms() + ms, &e);
}

static int read_once(void)
{
	return read_for(20000);
}

/* As another process would that has what this one kept. */
static void reopen(bool with_cursor)
{
	const char *text = kea_leases_ops.cursor(adapter);
	char cursor[600] = "";

	if (text != NULL)
		snprintf(cursor, sizeof(cursor), "%s", text);
	kea_leases_ops.close(adapter);
	assert_int_equal(open_with(path, with_cursor && text != NULL ? cursor : NULL), 0);
}

static int read_anew(void)
{
	reopen(false);
	return read_once();
}

static int read_with_cursor(void)
{
	reopen(true);
	return read_once();
}

static int setup(void **state)
{
	(void)state;
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/kea-leases4.csv", dir);
	obs_batch_init(&batch);
	memset(&e, 0, sizeof(e));
	return open_with(path, NULL);
}

static int teardown(void **state)
{
	(void)state;
	kea_leases_ops.close(adapter);
	obs_batch_fini(&batch);
	clear();
	return rmdir(dir);
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

static void last_row_of_an_address_wins(void **state)
{
	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a") ROW("192.0.2.2", "b") ROW("192.0.2.1", "c")
			   RELEASED("192.0.2.3") ROW("192.0.2.4", "d") RELEASED("192.0.2.4"));
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("b c - -");
	assert_int_equal(batch.n_bad, 0);
}

static void header_alone_is_complete_and_empty(void **state)
{
	(void)state;
	write_file("", HEAD);
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	assert_int_equal(batch.n, 0);
}

static void blank_lines_crlf_and_repeated_headers_are_passed_over(void **state)
{
	(void)state;
	write_file("", "\n" HEAD "\n" ROW("192.0.2.1", "a") "\n\r\n" HEAD ROW(
			   "192.0.2.2",
			   "b") "192.0.2.3,02:00:00:00:00:01,,3600,1795250068,7,1,1,c,0,\r\n");
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("a b c");
	assert_int_equal(batch.n_bad, 0);
	assert_memory_equal(batch.v[2].raw.p + batch.v[2].raw.len - 2, "0,", 2);
}

static void torn_last_line_is_not_read_until_it_is_whole(void **state)
{
	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a") "192.0.2.1,02:00:00:00:00:01,,3600,17952500");
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("a");
	append("68,7,1,1,b,0,");
	assert_int_equal(read_anew(), ADAPTER_COMPLETE);
	shows("a");
	append("\n");
	assert_int_equal(read_anew(), ADAPTER_COMPLETE);
	shows("b");
	assert_int_equal(batch.n_bad, 0);
}

static void torn_last_line_of_a_finished_file_is_read(void **state)
{
	(void)state;
	write_file(".1", HEAD "192.0.2.1,02:00:00:00:00:01,,3600,1795250068,7,1,1,a,0,");
	write_file("", HEAD);
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("a");
}

static void family_is_read_in_the_order_of_its_age(void **state)
{
	(void)state;
	write_file(".2", HEAD ROW("192.0.2.1", "a2") ROW("192.0.2.2", "b2") ROW("192.0.2.3", "c2"));
	write_file(".1", HEAD ROW("192.0.2.2", "b1") ROW("192.0.2.3", "c1"));
	write_file("", HEAD ROW("192.0.2.3", "c0"));
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("a2 b1 c0");
}

static void completed_file_replaces_the_older_two(void **state)
{
	(void)state;
	write_file(".completed", HEAD ROW("192.0.2.1", "done"));
	write_file(".2", HEAD ROW("192.0.2.2", "b2"));
	write_file(".1", HEAD ROW("192.0.2.3", "c1"));
	write_file("", HEAD ROW("192.0.2.4", "d0"));
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("done d0");
}

static void live_file_that_lacks_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(read_once(), ERR_SYS);
	assert_non_null(strstr(e.text, "No such file"));
	assert_non_null(strstr(e.hint, "lease-database"));
	write_file(".2", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(read_once(), ERR_SYS);
	assert_int_equal(batch.n, 0);
}

static void live_file_without_header_is_not_empty_but_an_error(void **state)
{
	(void)state;
	write_file("", "");
	assert_int_equal(read_once(), ERR_BUSY);
	write_file("", "address,hwad");
	assert_int_equal(read_once(), ERR_BUSY);
	write_file("", "\n\n\n");
	assert_int_equal(read_once(), ERR_BUSY);
	assert_non_null(strstr(e.text, "no header"));
}

static void older_file_without_header_is_an_error(void **state)
{
	(void)state;
	write_file(".2", "");
	write_file("", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(read_once(), ERR_PROTO);
	assert_non_null(strstr(e.text, "kea-leases4.csv.2\": has no header"));
}

static void file_of_another_program_is_an_error(void **state)
{
	(void)state;
	write_file("", "1795250068 02:00:00:aa:bb:01 192.0.2.7 web01 *\n");
	assert_int_equal(read_once(), ERR_PROTO);
	write_file("", HEAD ROW("192.0.2.1", "a") HEAD6);
	assert_int_equal(read_once(), ERR_PROTO);
	assert_non_null(strstr(e.text, "mixed"));
}

static void fifo_or_directory_in_its_place_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_once(), ERR_CONF);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(read_once(), ERR_CONF);
	rmdir(path);
}

static void bad_rows_do_not_poison_the_others(void **state)
{
	(void)state;
	write_file(".1", HEAD ROW("192.0.2.9", "i") "junk\n");
	write_file("", HEAD ROW("192.0.2.1", "a") "junk\n" ROW(
			   "192.0.2.2",
			   "b") "192.0.2.3,,,x,1795250068,7,1,1,c,0,\n" ROW("192.0.2.4", "d"));
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("i a b d");
	assert_int_equal(batch.n_bad, 3);
	assert_int_equal(batch.bad[0].record, 3);
	assert_non_null(strstr(batch.bad[0].why, "in .1: "));
	assert_int_equal(batch.bad[1].record, 3);
	assert_null(strstr(batch.bad[1].why, "in "));
	assert_int_equal(batch.bad[2].record, 5);
}

static void refused_row_hides_the_older_row_of_its_address(void **state)
{
	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "old") ROW(
			   "192.0.2.2", "b") "192.0.2.1,02:00:00:00:00:02,,3600,17,7,1,1,new,0,\n");
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("b");
	assert_int_equal(batch.n_bad, 1);
	append(ROW("192.0.2.1", "newest"));
	assert_int_equal(read_anew(), ADAPTER_COMPLETE);
	shows("b newest");
	assert_int_equal(batch.n_bad, 0);
}

/* The client called itself "x\n192.0.2.1": its second half must not touch that address. */
static void newline_in_a_name_does_not_reach_another_address(void **state)
{
	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "victim") ROW("192.0.2.7", "x\n192.0.2.1"));
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("victim");
	assert_int_equal(batch.n_bad, 2);
}

static void nul_block_and_endless_line_are_refused_alone(void **state)
{
	static char big[700000];
	int fd;

	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a"));
	memset(big, 'x', sizeof(big));
	memset(big, 0, 5000);
	big[5000] = '\n';
	big[sizeof(big) - 1] = '\n';
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, big, sizeof(big)), sizeof(big));
	close(fd);
	append(ROW("192.0.2.2", "b"));
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("a b");
	assert_int_equal(batch.n_bad, 2);
	assert_int_equal(batch.bad[0].record, 3);
	assert_int_equal(batch.bad[1].record, 4);
	assert_non_null(strstr(batch.bad[1].why, "longer"));
}

static void many_rows_come_in_portions_and_none_is_lost(void **state)
{
	enum { N = 70000, ADDRESSES = 9001 };
	static uint8_t seen[ADDRESSES];
	FILE *f = fopen(path, "w");
	int r, calls = 0, n = 0;

	(void)state;
	memset(seen, 0, sizeof(seen));
	fputs(HEAD, f);
	for (int i = 0; i < N; i++)
		fprintf(f, "10.0.%d.%d,02:00:00:00:00:01,,3600,1795250068,7,1,1,h%d,0,\n",
			i % ADDRESSES / 250, i % ADDRESSES % 250 + 1, i);
	fclose(f);
	do {
		r = read_once();
		assert_true(batch.n <= 4000);
		calls++;
		for (size_t i = 0; i < batch.n; i++) {
			const struct obs *o = &batch.v[i];
			int k = o->addr.b[2] * 250 + o->addr.b[3] - 1;
			int row = (int)strtol((const char *)o->name.p + 1, NULL, 10);

			assert_int_equal(row % ADDRESSES, k);
			assert_true(row >= N - ADDRESSES);
			assert_int_equal(seen[k]++, 0);
			n++;
		}
	} while (r == ADAPTER_MORE);
	assert_int_equal(r, ADAPTER_COMPLETE);
	assert_int_equal(calls, 3);
	assert_int_equal(n, ADDRESSES);
}

static void rows_written_while_we_read_belong_to_the_next_read(void **state)
{
	FILE *f = fopen(path, "w");
	char name[96];
	int r;

	(void)state;
	fputs(HEAD, f);
	for (int i = 0; i < 5000; i++)
		fprintf(f, "10.0.%d.%d,02:00:00:00:00:01,,3600,1795250068,7,1,1,h%d,0,\n", i / 250,
			i % 250 + 1, i);
	fclose(f);
	assert_int_equal(read_once(), ADAPTER_MORE);
	/* A renewal, then a rotation: the files we hold are still the same set. */
	append(ROW("10.0.0.1", "later"));
	name_of(name, ".1");
	assert_int_equal(rename(path, name), 0);
	write_file("", HEAD ROW("10.0.0.2", "latest"));
	r = read_once();
	assert_int_equal(r, ADAPTER_COMPLETE);
	assert_int_equal(batch.n, 1000);
	assert_int_equal(read_anew(), ADAPTER_MORE);
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	assert_memory_equal(batch.v[batch.n - 2].name.p, "later", 5);
	assert_memory_equal(batch.v[batch.n - 1].name.p, "latest", 6);
}

static void file_that_shrinks_between_the_passes_is_an_error(void **state)
{
	FILE *f = fopen(path, "w");

	(void)state;
	fputs(HEAD, f);
	for (int i = 0; i < 9000; i++)
		fprintf(f, "10.0.%d.%d,02:00:00:00:00:01,,3600,1795250068,7,1,1,h%d,0,\n", i / 250,
			i % 250 + 1, i);
	fclose(f);
	assert_int_equal(read_once(), ADAPTER_MORE);
	assert_int_equal(truncate(path, 300000), 0);
	assert_int_equal(read_once(), ERR_BUSY);
	assert_null(kea_leases_ops.cursor(adapter));
}

static void deadline_in_the_past_is_kept(void **state)
{
	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(read_for(-1000), ERR_BUSY);
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
}

static void unchanged_files_are_the_same(void **state)
{
	char cursor[512];

	(void)state;
	write_file(".2", HEAD ROW("192.0.2.9", "z"));
	write_file("", HEAD ROW("192.0.2.1", "a"));
	assert_null(kea_leases_ops.cursor(adapter));
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	assert_non_null(kea_leases_ops.cursor(adapter));
	snprintf(cursor, sizeof(cursor), "%s", kea_leases_ops.cursor(adapter));
	assert_memory_equal(cursor, "v2 X.2:", 7);
	assert_int_equal(read_with_cursor(), ADAPTER_SAME);
	assert_int_equal(batch.n, 0);
	assert_string_equal(kea_leases_ops.cursor(adapter), cursor);

	write_file(".2", HEAD ROW("192.0.2.9", "y"));
	assert_int_equal(read_with_cursor(), ADAPTER_COMPLETE);
	shows("y a");
	assert_string_not_equal(kea_leases_ops.cursor(adapter), cursor);
}

static void cursor_notices_every_change_of_the_family(void **state)
{
	char name[96];
	struct stat st;
	struct timespec times[2];

	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
		/* Another last line of the same length and time in the same file. */
	assert_int_equal(stat(path, &st), 0);
	write_file("", HEAD ROW("192.0.2.1", "b"));
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_int_equal(read_with_cursor(), ADAPTER_COMPLETE);
	/* A copy with the same bytes. */
	name_of(name, ".2");
	write_file(".2", HEAD ROW("192.0.2.1", "b"));
	assert_int_equal(rename(name, path), 0);
	assert_int_equal(read_with_cursor(), ADAPTER_COMPLETE);
	/* An older file that comes and goes. */
	write_file(".1", HEAD);
	assert_int_equal(read_with_cursor(), ADAPTER_COMPLETE);
	assert_int_equal(read_with_cursor(), ADAPTER_SAME);
	name_of(name, ".1");
	unlink(name);
	assert_int_equal(read_with_cursor(), ADAPTER_COMPLETE);
	assert_int_equal(read_with_cursor(), ADAPTER_SAME);
}

static void cursor_of_another_version_is_ignored(void **state)
{
	char longest[2000];

	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a"));
	kea_leases_ops.close(adapter);
	assert_int_equal(open_with(path, "v0 whatever"), 0);
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	kea_leases_ops.close(adapter);
	assert_int_equal(open_with(path, longest), 0);
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("a");
}

/* ---- going on from a cursor -------------------------------------------------------------- */

static void cursor_gives_what_was_appended(void **state)
{
	(void)state;
	write_file(".2", HEAD ROW("192.0.2.9", "z"));
	write_file("", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	append(ROW("192.0.2.1", "b") ROW("192.0.2.2", "c") "junk\n" ROW("192.0.2.1", "d"));
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	shows("c d");
	assert_int_equal(batch.n_bad, 1);
	assert_int_equal(batch.bad[0].record, 5); /* line of the file */
	assert_int_equal(read_with_cursor(), ADAPTER_SAME);
	append(RELEASED("192.0.2.1"));
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	shows("-");
}

static void cursor_waits_for_the_end_of_a_torn_line(void **state)
{
	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a") "192.0.2.2,02:00:00:00:00:01,,3600,17952500");
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	assert_int_equal(read_with_cursor(), ADAPTER_SAME);
	append("68,7,1,1,b,0,");
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	shows("");
	append("\n192.");
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	shows("b");
	append("0.2.3,02:00:00:00:00:01,,3600,1795250068,7,1,1,c,0,\n");
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	shows("c");
	assert_int_equal(batch.n_bad, 0);
}

/* What was read before is not what is there now, though the file is longer. */
static void cursor_of_other_bytes_is_no_place_to_go_on(void **state)
{
	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	write_file("", HEAD ROW("192.0.2.1", "b") ROW("192.0.2.2", "c"));
	assert_int_equal(read_with_cursor(), ADAPTER_COMPLETE);
	shows("b c");
	/* Another header of the same length, the same last rows. */
	for (int i = 0; i < 20; i++)
		append(ROW("192.0.2.1", "b"));
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	{
		FILE *f = fopen(path, "r+");

		assert_int_equal(fseek(f, (long)strlen(HEAD) - 2, SEEK_SET), 0);
		assert_int_equal(fputs("X", f) >= 0, 1);
		fclose(f);
	}
	append(ROW("192.0.2.3", "d"));
	assert_int_equal(read_with_cursor(), ADAPTER_COMPLETE);
	shows("c b d");
	/* Shorter than it was, and the rows before the place are the same. */
	assert_int_equal(truncate(path, (off_t)(strlen(HEAD) + strlen(ROW("192.0.2.1", "b")))), 0);
	assert_int_equal(read_with_cursor(), ADAPTER_COMPLETE);
	shows("b");
}

static void cursor_keeps_the_header_that_counts(void **state)
{
	static const char swapped[] =
	    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,state,"
	    "hostname,user_context\n";

	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a") "address,hwaddr,client_id,valid_lifetime,expire,"
			   "subnet_id,fqdn_fwd,fqdn_rev,state,hostname,user_context\n");
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	append("192.0.2.2,02:00:00:00:00:01,,3600,1795250068,7,1,1,0,b,\n");
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	shows("b");
	assert_int_equal(batch.n_bad, 0);
	append(HEAD ROW("192.0.2.3", "c"));
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	shows("c");
	append(swapped);
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	append("192.0.2.4,02:00:00:00:00:01,,3600,1795250068,7,1,1,0,d,\n");
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	shows("d");
	assert_int_equal(batch.n_bad, 0);
}

static void cursor_does_not_go_on_behind_a_cut_line(void **state)
{
	static char big[300000];
	FILE *f;

	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a"));
	memset(big, 'x', sizeof(big));
	f = fopen(path, "a");
	assert_int_equal(fwrite(big, 1, sizeof(big), f), sizeof(big));
	fclose(f);
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	assert_int_equal(batch.n_bad, 1);
	append("," ROW("192.0.2.1", "evil") ROW("192.0.2.2", "b"));
	assert_int_equal(read_with_cursor(), ADAPTER_DELTA);
	shows("b");
	assert_int_equal(batch.n_bad, 1);
	assert_int_equal(batch.bad[0].record, 3);
}

static void place_reads_only_its_own_text(void **state)
{
	static const char *const bad[] = {
	    "", "v2", "v2 ", "v1 X:1:2:3:4 1:1:0:0000000000000000",
	    "v2 X:1:2:900:4 500:9:0:00000000000000zz", "v2 X:1:2:900:4 500:9:0:0",
	    "v2 X:1:2:900:4 500:9:0:00000000000000ff ", "v2 X:1:2:900:4 500:9:-1:00000000000000ff",
	    "v2 X:1:2:900:4 500:9:500:00000000000000ff", "v2 X:1:2:400:4 500:9:0:00000000000000ff",
	    "v2 X.1:1:2:900:4 500:9:0:00000000000000ff", "v2  X:1:2:900:4 500:9:0:00000000000000ff",
	    "v2 X:1:+2:900:4 500:9:0:00000000000000ff",
	    "v2 X:99999999999999999999999:2:900:4 500:9:0:00000000000000ff",
	    "v2 X:1:0:900:4 500:9:0:00000000000000ff",
	};
	static const char good[] = "v2 X.completed:5:6:7:-8 X.1:9:1:0:0 "
				   "X:1:2:900:4 500:9:0:00000000000000ff";
	struct kea_place p, most = {.known = true};
	char text[KEA_PLACE_TEXT];

	(void)state;
	assert_true(kea_place_parse(&p, good));
	assert_true(p.id[KEA_COMPLETED].mtime_ns == -8 && p.id[KEA_PREVIOUS].dev == 9);
	assert_true(p.offset == 500 && p.lines == 9 && p.sum == 0xff);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(kea_place_parse(&p, bad[i]));
		assert_false(p.known);
	}
	for (int i = 0; i < KEA_FILES; i++)
		most.id[i] = (struct kea_id){UINT64_MAX, UINT64_MAX, INT64_MAX, INT64_MIN};
	most.offset = INT64_MAX;
	most.head_at = INT64_MAX - 1;
	most.lines = most.sum = UINT64_MAX;
	assert_true(kea_place_text(text, &most));
	assert_true(kea_place_parse(&p, text));
}

static void family_notices_a_rotation(void **state)
{
	struct kea_family k;
	char name[96];

	(void)state;
	write_file("", HEAD ROW("192.0.2.1", "a"));
	assert_int_equal(kea_family_open(&k, path, &e), 0);
	assert_true(kea_family_same(&k, path));
	append(ROW("192.0.2.2", "b"));
	assert_true(kea_family_same(&k, path));
	name_of(name, ".1");
	assert_int_equal(rename(path, name), 0);
	assert_false(kea_family_same(&k, path));
	write_file("", HEAD);
	assert_false(kea_family_same(&k, path));
	kea_family_close(&k);
	/* A second rotation between two looks: the same names, other files. */
	assert_int_equal(kea_family_open(&k, path, &e), 0);
	write_file(".new", HEAD);
	{
		char fresh[96];

		name_of(fresh, ".new");
		assert_int_equal(rename(fresh, path), 0);
	}
	assert_false(kea_family_same(&k, path));
	kea_family_close(&k);
	/* Renamed, and the new file not made yet. */
	unlink(path);
	assert_int_equal(kea_family_open(&k, path, &e), 1);
	write_file("", "");
	assert_int_equal(kea_family_open(&k, path, &e), 1);
	write_file("", HEAD);
	assert_int_equal(kea_family_open(&k, path, &e), 0);
	write_file(".completed", HEAD);
	assert_false(kea_family_same(&k, path));
	kea_family_close(&k);
	assert_int_equal(kea_family_open(&k, path, &e), 0);
	unlink(name);
	assert_true(kea_family_same(&k, path));
	kea_family_close(&k);
	assert_int_equal(kea_family_open(&k, path, &e), 0);
	name_of(name, ".completed");
	unlink(name);
	assert_false(kea_family_same(&k, path));
	kea_family_close(&k);
}

static void rotate_once(void)
{
	char name[96];

	name_of(name, ".1");
	assert_int_equal(rename(path, name), 0);
	write_file("", HEAD ROW("192.0.2.4", "d"));
}

static void rotation_between_two_opens_is_read_again(void **state)
{
	(void)state;
	write_file(".2", HEAD ROW("192.0.2.1", "a") ROW("192.0.2.2", "b"));
	write_file("", HEAD ROW("192.0.2.3", "c"));
	before_live = rotate_once;
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	assert_null(before_live);
	shows("a b c d");
}

/* Kea renewing leases and cleaning up as fast as it can: the steps of kea-lfc in its order. */
static void __attribute__((noreturn)) play_kea(void)
{
	enum { ADDRESSES = 50, CYCLES = 1000 };
	char one[96], two[96], out[96], done[96];

	name_of(one, ".1");
	name_of(two, ".2");
	name_of(out, ".output");
	name_of(done, ".completed");
	for (int c = 1; c <= CYCLES; c++) {
		FILE *f = fopen(path, "a");

		for (int i = 1; f != NULL && i <= ADDRESSES; i++)
			fprintf(f, "10.0.0.%d,02:00:00:00:00:01,,3600,%d,7,1,1,h,0,\n", i,
				1795250000 + c);
		if (f == NULL || fclose(f) != 0 || rename(path, one) != 0)
			_exit(1);
		write_file("", HEAD);
		f = fopen(out, "w");
		fputs(HEAD, f);
		for (int i = 1; i <= ADDRESSES; i++)
			fprintf(f, "10.0.0.%d,02:00:00:00:00:01,,3600,%d,7,1,1,h,0,\n", i,
				1795250000 + c);
		if (fclose(f) != 0 || rename(out, done) != 0)
			_exit(1);
		unlink(two);
		unlink(one);
		if (rename(done, two) != 0)
			_exit(1);
	}
	_exit(0);
}

static void no_lease_is_missed_while_kea_cleans_up(void **state)
{
	int64_t newest = 0;
	int status = -1, good = 0;
	pid_t kea;

	(void)state;
	write_file("", HEAD);
	for (int i = 1; i <= 50; i++) {
		char row[128];

		snprintf(row, sizeof(row),
			 "10.0.0.%d,02:00:00:00:00:01,,3600,1795250000,7,1,1,h,0,\n", i);
		append(row);
	}
	kea = fork();
	if (kea == 0)
		play_kea();
	while (waitpid(kea, &status, WNOHANG) == 0) {
		int r;

		reopen(false);
		r = read_for(3);
		int64_t oldest = INT64_MAX;

		if (r == ERR_BUSY || r == ERR_SYS || r == ADAPTER_SAME)
			continue; /* said so, or nothing new: both harmless */
		assert_int_equal(r, ADAPTER_COMPLETE);
		assert_int_equal(batch.n, 50);
		assert_int_equal(batch.n_bad, 0);
		for (size_t i = 0; i < batch.n; i++) {
			if (batch.v[i].valid_until_s < oldest)
				oldest = batch.v[i].valid_until_s;
		}
		assert_true(oldest >= newest - 1); /* never back behind what was seen */
		newest = oldest;
		good++;
	}
	assert_int_equal(status, 0);
	assert_true(good > 0);
}

static void ipv6_leases_are_told_by_their_header(void **state)
{
	kea_leases_ops.close(adapter);
	(void)state;
	assert_int_equal(open_with("tests/fixtures/kea/leases6.csv", NULL), 0);
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	assert_int_equal(batch.n, 2);
	shows("- -");
	assert_int_equal(batch.n_skipped, 1);
	assert_int_equal(batch.v[0].addr.family, 6);
}

static void real_file_ends_in_its_last_state(void **state)
{
	(void)state;
	kea_leases_ops.close(adapter);
	assert_int_equal(open_with("tests/fixtures/kea/leases4.csv", NULL), 0);
	assert_int_equal(read_once(), ADAPTER_COMPLETE);
	shows("- - badhost12x.lab.example noupd.lab.example. duidhost.lab.example - -");
}

static void read_stdin(const char *name)
{
	int keep = dup(STDIN_FILENO), fd = open(name, O_RDONLY);

	assert_true(keep >= 0 && fd >= 0);
	dup2(fd, STDIN_FILENO);
	close(fd);
	kea_leases_ops.close(adapter);
	assert_int_equal(open_with("-", NULL), 0);
	assert_int_equal(read_once(), ADAPTER_DELTA);
	dup2(keep, STDIN_FILENO);
	close(keep);
}

static void standard_input_is_a_delta_without_cursor(void **state)
{
	(void)state;
	write_file(".2",
		   HEAD ROW("192.0.2.1", "a") HEAD ROW(
		       "192.0.2.1", "b") "192.0.2.2,02:00:00:00:00:01,,3600,1795250068,7,1,1,c,0,");
	{
		char name[96];

		name_of(name, ".2");
		read_stdin(name);
	}
	shows("b c");
	assert_null(kea_leases_ops.cursor(adapter));
	assert_int_equal(read_once(), ADAPTER_DELTA);
	assert_int_equal(batch.n, 0);
}

static void file_setting_is_required(void **state)
{
	struct settings none = {0};
	struct adapter *a = NULL;

	(void)state;
	assert_int_equal(kea_leases_ops.open(&a, &none, NULL, &e), ERR_CONF);
	assert_null(a);
}

static void last_index_agrees_with_a_slow_one(void **state)
{
	enum { ROWS = 20000, ADDRS = 3000 };
	static uint32_t last[ADDRS], addr_of[ROWS];
	struct kea_last l;
	uint32_t x = 1;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		kea_last_init(&l, (uint8_t)family);
		for (uint32_t i = 0; i < ROWS; i++) {
			struct ipaddr a = {.family = (uint8_t)family};

			x = x * 1664525 + 1013904223;
			addr_of[i] = (x >> 8) % ADDRS;
			last[addr_of[i]] = i;
			a.b[family == 4 ? 3 : 15] = (uint8_t)addr_of[i];
			a.b[family == 4 ? 2 : 7] = (uint8_t)(addr_of[i] >> 8);
			assert_int_equal(kea_last_put(&l, &a, i), 0);
		}
		kea_last_seal(&l);
		for (uint32_t i = 0; i < ROWS; i++)
			assert_int_equal(kea_last_has(&l, i), last[addr_of[i]] == i);
		assert_false(kea_last_has(&l, 10000000));
		kea_last_fini(&l);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(last_row_of_an_address_wins),
	    T(header_alone_is_complete_and_empty),
	    T(blank_lines_crlf_and_repeated_headers_are_passed_over),
	    T(torn_last_line_is_not_read_until_it_is_whole),
	    T(torn_last_line_of_a_finished_file_is_read),
	    T(family_is_read_in_the_order_of_its_age),
	    T(completed_file_replaces_the_older_two),
	    T(live_file_that_lacks_is_an_error),
	    T(live_file_without_header_is_not_empty_but_an_error),
	    T(older_file_without_header_is_an_error),
	    T(file_of_another_program_is_an_error),
	    T(fifo_or_directory_in_its_place_is_an_error),
	    T(bad_rows_do_not_poison_the_others),
	    T(refused_row_hides_the_older_row_of_its_address),
	    T(newline_in_a_name_does_not_reach_another_address),
	    T(nul_block_and_endless_line_are_refused_alone),
	    T(many_rows_come_in_portions_and_none_is_lost),
	    T(rows_written_while_we_read_belong_to_the_next_read),
	    T(file_that_shrinks_between_the_passes_is_an_error),
	    T(deadline_in_the_past_is_kept),
	    T(unchanged_files_are_the_same),
	    T(cursor_notices_every_change_of_the_family),
	    T(cursor_of_another_version_is_ignored),
	    T(cursor_gives_what_was_appended),
	    T(cursor_waits_for_the_end_of_a_torn_line),
	    T(cursor_of_other_bytes_is_no_place_to_go_on),
	    T(cursor_keeps_the_header_that_counts),
	    T(cursor_does_not_go_on_behind_a_cut_line),
	    T(place_reads_only_its_own_text),
	    T(family_notices_a_rotation),
	    T(rotation_between_two_opens_is_read_again),
	    T(no_lease_is_missed_while_kea_cleans_up),
	    T(ipv6_leases_are_told_by_their_header),
	    T(real_file_ends_in_its_last_state),
	    T(standard_input_is_a_delta_without_cursor),
	    T(file_setting_is_required),
	    T(last_index_agrees_with_a_slow_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
