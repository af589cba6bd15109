/* test_mac.c - value/mac: every spelling in, one out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/value/mac.h"

static void every_spelling_means_the_same(void **state)
{
	static const char *const good[] = {"0a:1b:02:00:ff:9c", "0A:1B:02:00:FF:9C",
					   "a:1b:2:0:ff:9c",
					   "0a-1b-02-00-ff-9c", "0a1b.0200.ff9c",
					   "0A1B.0200.FF9C"};
	struct mac m, first = {0};
	char text[MAC_TEXT];
	size_t i;

	(void)state;
	assert_true(mac_parse(&first, good[0], strlen(good[0])));
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(mac_parse(&m, good[i], strlen(good[i])));
		assert_true(mac_equal(&m, &first));
		assert_string_equal(mac_print(text, &m), "0a:1b:02:00:ff:9c");
	}
}

static void malformed_addresses_are_refused(void **state)
{
	static const char *const bad[] = {
	    "",       ":",       "0a:1b:02:00:ff",   "0a:1b:02:00:ff:9c:", "0a:1b:02:00:ff:9c:11",
	    "0a:1b-02:00:ff:9c", "a-1b-2-0-ff-9c",   "0a:1b:02:00:ff:9g",  "0a:1b:02:00:ff:",
	    "0aa:b:02:00:ff:9c", "0a1b0200ff9c",     "0a1b.0200.ff9",      "0a1b.0200.ff9cc",
	    "0a1b:0200:ff9c",    "0a1.b020.0ff9c",   " 0a:1b:02:00:ff:9c", "0a:1b:02:00:ff:9c ",
	    "::::::",            "0a::02:00:ff:9c",  "(incomplete)",       "<incomplete>",
	};
	struct mac m, before;
	size_t i;

	(void)state;
	memset(&m, 0, sizeof(m));
	before = m;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (mac_parse(&m, bad[i], strlen(bad[i])))
			fail_msg("\"%s\" parses", bad[i]);
	}
	assert_false(mac_parse(&m, "0a:1b:02:00:ff:9c", 16 - 1));
	assert_memory_equal(&m, &before, sizeof(m));
}

static void unknown_equals_nothing(void **state)
{
	struct mac a = {0}, b = {0};
	char text[MAC_TEXT];

	(void)state;
	assert_false(mac_equal(&a, &b));
	assert_string_equal(mac_print(text, &a), "");
	a.known = true;
	assert_false(mac_equal(&a, &b));
	b.known = true;
	assert_true(mac_equal(&a, &b));
	assert_true(mac_is_zero(&a));
	b.b[5] = 1;
	assert_false(mac_equal(&a, &b));
	assert_false(mac_is_zero(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_spelling_means_the_same),
	    cmocka_unit_test(malformed_addresses_are_refused),
	    cmocka_unit_test(unknown_equals_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
