/* The gate and the reader behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bridge/dns/wirecheck.h"
#include "bridge/value/rrtype.h"

struct m {
	uint8_t b[66000];
	size_t n;
};

static struct m msg;

static void u16(unsigned v)
{
	msg.b[msg.n++] = (uint8_t)(v >> 8);
	msg.b[msg.n++] = (uint8_t)v;
}

static void head(unsigned qd, unsigned an, unsigned ns, unsigned ar)
{
	memset(&msg, 0, sizeof(msg));
	u16(0x1234);
	u16(0x8000);
	u16(qd);
	u16(an);
	u16(ns);
	u16(ar);
}

static void bytes(const void *p, size_t n)
{
	memcpy(msg.b + msg.n, p, n);
	msg.n += n;
}

#define NAME(s) bytes(s, sizeof(s)) /* with the final zero */

static void rest(unsigned type, unsigned class_, unsigned ttl, const void *rdata, size_t n)
{
	u16(type);
	u16(class_);
	u16(ttl >> 16);
	u16(ttl & 0xffff);
	u16((unsigned)n);
	if (n > 0)
		bytes(rdata, n);
}

static void takes(void)
{
	struct wire_msg w;
	const char *why = "";

	if (!wirecheck(&w, msg.b, msg.n, &why))
		fail_msg("refused: %s", why);
}

static void refuses(const char *words)
{
	struct wire_msg w;
	const char *why = NULL;

	if (wirecheck(&w, msg.b, msg.n, &why))
		fail_msg("taken, should say \"%s\"", words);
	if (strstr(why, words) == NULL)
		fail_msg("says \"%s\", should \"%s\"", why, words);
}

static void lengths_and_counts_are_bounded(void **state)
{
	(void)state;
	head(0, 0, 0, 0);
	takes();
	msg.n = 11;
	refuses("length");
	msg.n = 65536;
	refuses("length");
	head(0, 0, 0, 0);
	msg.b[msg.n++] = 0;
	refuses("bytes follow");
	head(65535, 65535, 65535, 65535);
	refuses("counts");
	head(1, 0, 0, 0);
	refuses("counts");
	head(1, 0, 0, 0);
	bytes("\1a\0\0\1", 5);
	refuses("the question is cut");
	head(0, 1, 0, 0);
	bytes("\7example\0\0\1", 11);
	refuses("a record is cut");
	head(0, 1, 0, 0);
	NAME("");
	rest(1, 1, 0, "abcd", 4);
	takes();
	msg.n--;
	refuses("past the end");
}

static void names_are_checked(void **state)
{
	(void)state;
	head(1, 0, 0, 0);
	bytes("\xc0\x0c\0\1\0\1", 6);
	refuses("backwards"); /* itself */
	head(1, 0, 0, 0);
	bytes("\1a\xc0\x0c\0\1\0\1", 8);
	refuses("backwards"); /* its own piece */
	head(1, 0, 0, 0);
	bytes("\xc0\x10\0\1\0\1\0", 7);
	refuses("backwards"); /* forwards */
	head(1, 0, 0, 0);
	bytes("\xc0\x04\0\1\0\1", 6);
	refuses("backwards"); /* into the header */
	head(1, 0, 0, 0);
	bytes("\x41\0\0\1\0\1", 6);
	refuses("reserved");
	head(1, 0, 0, 0);
	bytes("\x80\0\0\1\0\1", 6);
	refuses("reserved");
	head(1, 0, 0, 0);
	bytes("\77abcde", 6);
	refuses("past the end");
	head(1, 0, 0, 0);
	bytes("\2ab\xc0", 4);
	msg.b[msg.n++] = 1;
	msg.n--;
	bytes("", 0);
	refuses("counts");
}

static void label(char c, size_t n)
{
	msg.b[msg.n++] = (uint8_t)n;
	memset(msg.b + msg.n, c, n);
	msg.n += n;
}

static void a_name_of_255_bytes_passes_and_of_256_does_not(void **state)
{
	(void)state;
	for (size_t last = 61; last <= 62; last++) {
		head(1, 0, 0, 0);
		for (int i = 0; i < 3; i++)
			label('a', 63);
		label('b', last);
		msg.b[msg.n++] = 0;
		u16(1);
		u16(1);
		if (last == 61)
			takes();
		else
			refuses("255");
	}
	/* The same through a pointer, with the suffix remembered and not. */
	for (size_t last = 61; last <= 62; last++) {
		head(2, 1, 0, 0);
		label('b', last);
		msg.b[msg.n++] = 0;
		u16(1);
		u16(1);
		bytes("\xc0\x0c", 2);
		u16(1);
		u16(1);
		for (int i = 0; i < 3; i++)
			label('a', 63);
		bytes("\xc0\x0c", 2);
		rest(1, 1, 0, "abcd", 4);
		if (last == 61)
			takes();
		else
			refuses("255");
	}
}

/* A chain of n pointers, each to the one before, in the RDATA of an unknown type. */
static void chain(unsigned n)
{
	head(0, 2, 0, 0);
	NAME("");
	u16(65280);
	u16(1);
	u16(0);
	u16(0);
	u16(4 + 2 * n);
	size_t before = msg.n;
	bytes("\1a\0\0", 4);
	for (unsigned i = 0; i < n; i++) {
		size_t here = msg.n;
		u16(0xc000 | (unsigned)before);
		before = here;
	}
	u16(0xc000 | (unsigned)before);
	rest(1, 1, 0, "abcd", 4);
}

/* Two owners into one chain: at its 100th pointer, and at its 100 + more-th. */
static void chain_in_two(unsigned more)
{
	chain(100 + more);
	size_t deep = msg.n - 16 - 2; /* behind it the second record, 16 bytes */
	size_t chain_at = deep - 2 * (100 + more - 1);
	msg.b[7] = 3;
	msg.n -= 16;
	u16(0xc000 | (unsigned)(chain_at + 2 * 99));
	rest(1, 1, 0, "abcd", 4);
	u16(0xc000 | (unsigned)deep);
	rest(1, 1, 0, "abcd", 4);
}

static void hops_behind_a_remembered_pointer_count(void **state)
{
	(void)state;
	chain_in_two(27); /* 1 + 27 + 100 */
	takes();
	chain_in_two(28);
	refuses("too many compression pointers");
}

static void pointer_chains_end_at_128_hops(void **state)
{
	(void)state;
	chain(127);
	takes();
	chain(128);
	refuses("too many compression pointers");
	chain(8000);
	refuses("too many compression pointers");
}

static const uint8_t tsig_rdata[17] = {0};

static void tsig_stands_last_and_alone(void **state)
{
	struct wire_msg w;
	const char *why;

	(void)state;
	head(0, 0, 0, 1);
	NAME("\1k");
	rest(250, 255, 0, tsig_rdata, 17);
	takes();
	assert_true(wirecheck(&w, msg.b, msg.n, &why));
	assert_int_equal(w.tsig_at, 12);
	head(0, 0, 0, 2);
	for (int i = 0; i < 2; i++) {
		NAME("\1k");
		rest(250, 255, 0, tsig_rdata, 17);
	}
	refuses("TSIG");
	head(0, 0, 0, 2);
	NAME("\1k");
	rest(250, 255, 0, tsig_rdata, 17);
	NAME("");
	rest(1, 1, 0, "abcd", 4);
	refuses("TSIG");
	head(0, 1, 0, 0);
	NAME("\1k");
	rest(250, 255, 0, tsig_rdata, 17);
	refuses("TSIG");
	head(0, 0, 0, 1);
	NAME("\1k");
	rest(250, 1, 0, tsig_rdata, 17);
	refuses("class or TTL");
	head(0, 0, 0, 1);
	NAME("\1k");
	rest(250, 255, 7, tsig_rdata, 17);
	refuses("class or TTL");
}

static void one_opt_and_only_in_the_additional_section(void **state)
{
	(void)state;
	head(0, 0, 0, 2);
	NAME("");
	rest(41, 1232, 0, NULL, 0);
	NAME("\1k");
	rest(250, 255, 0, tsig_rdata, 17);
	takes();
	head(0, 0, 0, 2);
	for (int i = 0; i < 2; i++) {
		NAME("");
		rest(41, 1232, 0, NULL, 0);
	}
	refuses("OPT");
	head(0, 1, 0, 0);
	NAME("");
	rest(41, 1232, 0, NULL, 0);
	refuses("OPT");
}

static void rdata_must_be_filled_by_its_name(void **state)
{
	(void)state;
	head(0, 1, 0, 0);
	NAME("");
	rest(12, 1, 0, "\1a", 3);
	takes();
	head(0, 1, 0, 0);
	NAME("");
	rest(12, 1, 0, "\1a\0x", 4);
	refuses("longer or shorter");
	head(0, 2, 0, 0);
	NAME("");
	rest(12, 1, 0, "\5a", 2); /* reaches into the next record */
	NAME("");
	rest(12, 1, 0, "\1a", 3);
	refuses("longer or shorter");
	head(0, 1, 0, 0);
	NAME("");
	rest(15, 1, 0, "\0", 1);
	refuses("too short");
	head(0, 1, 0, 0);
	NAME("");
	rest(1, 1, 0, "abc", 3);
	refuses("wrong length");
	head(0, 1, 0, 0);
	NAME("");
	rest(1, 255, 0, NULL, 0); /* RFC 2136: delete an RRset */
	takes();
	head(0, 1, 0, 0);
	NAME("");
	rest(6, 1, 0, "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 22);
	takes();
	head(0, 1, 0, 0);
	NAME("");
	rest(6, 1, 0, "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0", 21);
	refuses("longer or shorter");
}

/* 65 KB of records that all point at a 255-byte name. */
static void bomb(void)
{
	unsigned n = 0;

	head(1, 0, 0, 0);
	for (int i = 0; i < 3; i++)
		label('a', 63);
	label('b', 59);
	msg.b[msg.n++] = 0;
	u16(12);
	u16(1);
	while (msg.n + 14 < 65000) {
		bytes("\xc0\x0c", 2);
		rest(12, 1, 0, "\xc0\x0c", 2);
		n++;
	}
	msg.b[6] = (uint8_t)(n >> 8);
	msg.b[7] = (uint8_t)n;
}

static void names_that_expand_without_end_are_refused_quickly(void **state)
{
	struct wire_msg w;
	const char *why;

	(void)state;
	bomb();
	refuses("1 MiB");
	clock_t t = clock();
	for (int i = 0; i < 100; i++) {
		bomb();
		wirecheck(&w, msg.b, msg.n, &why);
		chain(8000);
		wirecheck(&w, msg.b, msg.n, &why);
	}
	assert_true(clock() - t < CLOCKS_PER_SEC * 2 / 10 * 5); /* far under 2 ms a message */
}

static void the_reader_expands_and_lower_cases(void **state)
{
	struct wire_msg w;
	struct wire_iter it;
	struct wire_rr rr;
	struct dname want;
	const char *why;
	uint8_t out[300];

	(void)state;
	head(1, 2, 1, 0);
	NAME("\3LAB\7Example");
	u16(6);
	u16(1);
	bytes("\4HOST\xc0\x0c", 7);
	rest(15, 1, 300, "\0\12\2Mx\xc0\x0c", 7);
	bytes("\xc0\x0c", 2);
	rest(16, 1, 60, "\2Hi", 3);
	bytes("\1R\xc0\x1d", 4);
	rest(6, 1, 60, "\xc0\x0c\xc0\x1d\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 24);
	assert_true(wirecheck(&w, msg.b, msg.n, &why));
	wire_iter_init(&it, &w);
	assert_true(wire_iter_next(&it, &rr));
	assert_true(dname_parse(&want, "lab.example", 11));
	assert_true(rr.section == 0 && rr.type == 6 && rr.class_ == 1 &&
		    dname_equal(&rr.owner, &want));
	assert_true(wire_iter_next(&it, &rr));
	assert_true(dname_parse(&want, "host.lab.example", 16));
	assert_true(rr.section == 1 && rr.type == 15 && rr.ttl_s == 300 &&
		    dname_equal(&rr.owner, &want));
	assert_int_equal(wire_rdata(&w, &rr, out, sizeof(out)), 2 + 3 + 13);
	assert_memory_equal(out, "\0\12\2mx\3lab\7example", 18);
	assert_int_equal(wire_rdata(&w, &rr, out, 17), 0);
	assert_int_equal(wire_rdata(&w, &rr, out, 18), 18);
	assert_true(wire_iter_next(&it, &rr));
	assert_int_equal(wire_rdata(&w, &rr, out, sizeof(out)), 3);
	assert_memory_equal(out, "\2Hi", 3);
	assert_true(wire_iter_next(&it, &rr));
	assert_int_equal(rr.section, 2);
	assert_int_equal(wire_rdata(&w, &rr, out, sizeof(out)), 13 + 18 + 20);
	assert_memory_equal(out + 13, "\4host\3lab\7example", 18);
	assert_false(wire_iter_next(&it, &rr));
	assert_int_equal(wire_opcode(&w), 0);
	assert_int_equal(wire_rcode(&w), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_and_counts_are_bounded),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(a_name_of_255_bytes_passes_and_of_256_does_not),
		cmocka_unit_test(pointer_chains_end_at_128_hops),
		cmocka_unit_test(hops_behind_a_remembered_pointer_count),
		cmocka_unit_test(tsig_stands_last_and_alone),
		cmocka_unit_test(one_opt_and_only_in_the_additional_section),
		cmocka_unit_test(rdata_must_be_filled_by_its_name),
		cmocka_unit_test(names_that_expand_without_end_are_refused_quickly),
		cmocka_unit_test(the_reader_expands_and_lower_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
