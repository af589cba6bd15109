/* test_dname.c - value/dname: hostile text and wire, order, kinship. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/value/dname.h"

static struct dname name(const char *s)
{
	struct dname n;

	if (!dname_parse(&n, s, strlen(s)))
		fail_msg("\"%s\" does not parse", s);
	return n;
}

static void assert_prints(const char *in, const char *want)
{
	struct dname n = name(in);
	char text[DNAME_TEXT];

	assert_string_equal(dname_print(text, &n), want);
}

static void assert_refused(const char *s, size_t len)
{
	struct dname n, before;

	memset(&n, 0x5a, sizeof(n));
	before = n;
	if (dname_parse(&n, s, len))
		fail_msg("\"%.*s\" parses", (int)len, s);
	assert_memory_equal(&n, &before, sizeof(n));
}

static void names_are_lower_case_and_absolute(void **state)
{
	struct dname n = name("Host1.LAB.Example.");

	(void)state;
	assert_int_equal(n.len, 19);
	assert_memory_equal(n.b, "\5host1\3lab\7example", 19);
	assert_prints("Host1.LAB.Example.", "host1.lab.example");
	assert_prints("host1.lab.example", "host1.lab.example");
	assert_prints(".", ".");
	assert_prints("_x._tcp.*.a/b.9", "_x._tcp.*.a/b.9");
}

static void escapes_are_read_and_written(void **state)
{
	struct dname n = name("a\\.b.c\\032d\\000\\\\.\\065");

	(void)state;
	assert_memory_equal(n.b, "\3a.b\5c d\0\\\1a\0", 13);
	assert_int_equal(n.len, 13);
	assert_prints("a\\.b.c\\032d\\000\\\\.\\065", "a\\.b.c\\032d\\000\\\\.a");
	assert_prints("\\255\\127\\(\\;\\\"$", "\\255\\127\\(\\;\\\"\\$");
	assert_prints("\\a", "a");
}

static void malformed_text_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",       "..",      ".a",      "a..b",    "a..",  "a\\",     "a\\1",   "a\\12",
	    "\\256",  "\\999",   "\\1a2",   "a b",     "a\tb", "a\nb",    "\x80",
	    "\xc3\xa9.example",
	    "\\\n",   "\\\x80",  "\x7f",    "a.\\",    "..a",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i], strlen(bad[i]));
	assert_refused("a\0b", 3);
	assert_refused("a.\0", 3);
}

static void labels_end_at_63_bytes(void **state)
{
	char s[70];

	(void)state;
	memset(s, 'a', sizeof(s));
	assert_int_equal(name("x").len, 3);
	s[63] = '\0';
	assert_int_equal(name(s).len, 65);
	s[63] = '.';
	s[64] = '\0';
	assert_int_equal(name(s).len, 65);
	s[63] = 'a';
	assert_refused(s, 64);
	s[64] = '.';
	assert_refused(s, 65);
	s[65] = 'b';
	assert_refused(s, 66);
}

/* 63 + 63 + 63 + 61 bytes in four labels and the root make 255. */
static void names_end_at_255_bytes(void **state)
{
	char s[300], text[DNAME_TEXT];
	struct dname n;

	(void)state;
	memset(s, 'a', sizeof(s));
	s[63] = s[127] = s[191] = '.';
	assert_true(dname_parse(&n, s, 253));
	assert_int_equal(n.len, 255);
	assert_int_equal(strlen(dname_print(text, &n)), 253);
	s[253] = '.';
	assert_true(dname_parse(&n, s, 254));
	assert_int_equal(n.len, 255);
	s[253] = 'a';
	assert_refused(s, 254);
	s[254] = '.';
	assert_refused(s, 255);
	s[252] = '.';
	assert_refused(s, 254);
	assert_refused(s, 300);
	memset(s, 'a', sizeof(s));
	for (size_t i = 1; i < sizeof(s); i += 2)
		s[i] = '.';
	assert_true(dname_parse(&n, s, 253));
	assert_int_equal(n.len, 255);
	assert_int_equal(dname_labels(&n), 127);
	assert_true(dname_parse(&n, s, 254));
	assert_refused(s, 255);
	assert_refused(s, 256);
}

static void longest_text_fits(void **state)
{
	struct dname n, back;
	char text[DNAME_TEXT];

	(void)state;
	memset(n.b, 0xff, sizeof(n.b));
	n.b[0] = n.b[64] = n.b[128] = 63;
	n.b[192] = 61;
	n.b[254] = 0;
	n.len = 255;
	assert_int_equal(strlen(dname_print(text, &n)), 1003);
	assert_true(dname_parse(&back, text, strlen(text)));
	assert_true(dname_equal(&n, &back));
}

static void wire_is_checked_byte_by_byte(void **state)
{
	uint8_t w[300];
	struct dname n;

	(void)state;
	assert_int_equal(dname_from_wire(&n, (const uint8_t *)"\1A\2bC\0rest", 10), 6);
	assert_memory_equal(n.b, "\1a\2bc", 6);
	assert_int_equal(n.len, 6);
	assert_int_equal(dname_from_wire(&n, (const uint8_t *)"", 1), 1);
	assert_int_equal(dname_from_wire(&n, NULL, 0), 0);
	assert_int_equal(dname_from_wire(&n, (const uint8_t *)"\1a", 2), 0);
	assert_int_equal(dname_from_wire(&n, (const uint8_t *)"\5a", 3), 0);
	assert_int_equal(dname_from_wire(&n, (const uint8_t *)"\1a\xc0\0", 4), 0);
	assert_int_equal(dname_from_wire(&n, (const uint8_t *)"\100a", 70), 0);
	memset(w, 1, sizeof(w));
	assert_int_equal(dname_from_wire(&n, w, sizeof(w)), 0);
	w[254] = 0;
	assert_int_equal(dname_from_wire(&n, w, sizeof(w)), 255);
	assert_int_equal(dname_from_wire(&n, w, 254), 0);
	memset(w, 63, sizeof(w));
	w[192] = 62; /* 3 * 64 + 63 bytes, the root would be the 256th */
	w[255] = 0;
	assert_int_equal(dname_from_wire(&n, w, sizeof(w)), 0);
	w[192] = 61;
	w[254] = 0;
	assert_int_equal(dname_from_wire(&n, w, sizeof(w)), 255);
	memset(w, 63, sizeof(w));
	w[256] = 0;
	assert_int_equal(dname_from_wire(&n, w, sizeof(w)), 0);
}

/* RFC 4034 6.1, the example, from first to last. */
static void order_is_canonical(void **state)
{
	static const char *const sorted[] = {
	    "example",   "a.example",     "yljkjljk.a.example", "z.a.example",
	    "zabc.a.example", "z.example", "\\001.z.example",   "*.z.example",
	    "\\200.z.example",
	};
	enum { N = sizeof(sorted) / sizeof(sorted[0]) };
	struct dname none = {.len = 0}, root = name("."), a, b;
	int i, j;

	(void)state;
	for (i = 0; i < N; i++) {
		for (j = 0; j < N; j++) {
			int c;

			a = name(sorted[i]);
			b = name(sorted[j]);
			c = dname_cmp(&a, &b);
			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
		}
	}
	assert_true(dname_cmp(&none, &root) < 0);
	assert_true(dname_cmp(&root, &none) > 0);
	assert_true(dname_cmp(&root, &a) < 0);
	assert_int_equal(dname_cmp(&none, &none), 0);
	a = name("a.b");
	b = name("aa.b");
	assert_true(dname_cmp(&a, &b) < 0);
}

static void under_looks_at_whole_labels(void **state)
{
	struct dname apex = name("lab.example"), root = name("."), none = {.len = 0};
	struct dname in = name("h.lab.example"), near = name("xlab.example"), up = name("example");
	struct dname odd = name("x\\003lab\\007example"); /* the apex's bytes inside a label */

	(void)state;
	assert_true(dname_under(&in, &apex));
	assert_true(dname_under(&apex, &apex));
	assert_true(dname_under(&apex, &root));
	assert_true(dname_under(&root, &root));
	assert_false(dname_under(&near, &apex));
	assert_false(dname_under(&up, &apex));
	assert_false(dname_under(&odd, &apex));
	assert_false(dname_under(&none, &apex));
	assert_false(dname_under(&in, &none));
	assert_false(dname_under(&none, &none));
}

static void labels_are_counted_put_in_front_and_taken_away(void **state)
{
	struct dname n = name("lab.example"), m, none = {.len = 0};
	uint8_t big[64];
	char text[DNAME_TEXT];

	(void)state;
	memset(big, 'B', sizeof(big));
	assert_int_equal(dname_labels(&n), 2);
	assert_true(dname_prepend(&n, (const uint8_t *)"Ho st", 5, &n));
	assert_string_equal(dname_print(text, &n), "ho\\032st.lab.example");
	assert_false(dname_prepend(&m, big, 0, &n));
	assert_false(dname_prepend(&m, big, 64, &n));
	assert_false(dname_prepend(&m, big, 1, &none));
	assert_true(dname_prepend(&m, big, 63, &n));
	assert_true(dname_prepend(&m, big, 63, &m));
	assert_true(dname_prepend(&m, big, 63, &m));
	assert_int_equal(m.len, 19 + 192);
	assert_false(dname_prepend(&m, big, 44, &m));
	assert_int_equal(m.len, 19 + 192);
	assert_true(dname_prepend(&m, big, 43, &m));
	assert_int_equal(m.len, 255);
	assert_int_equal(dname_labels(&m), 7);
	dname_parent(&m, &m, 4);
	assert_true(dname_equal(&m, &n));
	dname_parent(&m, &m, 0);
	assert_true(dname_equal(&m, &n));
	dname_parent(&m, &m, 2);
	assert_string_equal(dname_print(text, &m), "example");
	dname_parent(&m, &m, 9);
	assert_string_equal(dname_print(text, &m), ".");
	dname_parent(&m, &none, 1);
	assert_int_equal(m.len, 0);
	assert_string_equal(dname_print(text, &m), "");
}

/* Any wire name survives the trip through text, and no text has a byte that is not plain. */
static void every_name_survives_the_trip_through_text(void **state)
{
	uint32_t x = 99;
	int round;

	(void)state;
	for (round = 0; round < 3000; round++) {
		struct dname n = {.len = 1}, back, wired;
		char text[DNAME_TEXT];
		uint8_t label[63];
		size_t len, i;

		do {
			x = x * 1664525 + 1013904223;
			len = 1 + (x >> 16) % 63;
			for (i = 0; i < len; i++) {
				x = x * 1664525 + 1013904223;
				label[i] = (uint8_t)(x >> 20);
			}
		} while (dname_prepend(&n, label, len, &n) && x % 3 != 0);
		assert_int_equal(dname_from_wire(&wired, n.b, n.len), n.len);
		assert_true(dname_equal(&wired, &n));
		dname_print(text, &n);
		for (i = 0; text[i] != '\0'; i++)
			assert_in_range((unsigned char)text[i], 0x21, 0x7e);
		assert_true(dname_parse(&back, text, strlen(text)));
		assert_true(dname_equal(&back, &n));
		assert_int_equal(dname_cmp(&back, &n), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_lower_case_and_absolute),
	    cmocka_unit_test(escapes_are_read_and_written),
	    cmocka_unit_test(malformed_text_is_refused),
	    cmocka_unit_test(labels_end_at_63_bytes),
	    cmocka_unit_test(names_end_at_255_bytes),
	    cmocka_unit_test(longest_text_fits),
	    cmocka_unit_test(wire_is_checked_byte_by_byte),
	    cmocka_unit_test(order_is_canonical),
	    cmocka_unit_test(under_looks_at_whole_labels),
	    cmocka_unit_test(labels_are_counted_put_in_front_and_taken_away),
	    cmocka_unit_test(every_name_survives_the_trip_through_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
