/* test_setting.c - value/setting: durations, sizes, look-up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/value/setting.h"

static void durations_are_seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t s;
	} good[] = {{"0", 0}, {"90", 90}, {"30s", 30}, {"5m", 300}, {"2h", 7200}, {"7d", 604800},
		    {"1w", 604800}, {"3650d", 315360000}, {"315360000", 315360000}};
	int64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(duration_parse(&v, good[i].text));
		assert_int_equal(v, good[i].s);
	}
}

static void malformed_durations_are_refused(void **state)
{
	static const char *const bad[] = {"", "s", "-5", "+5", " 5", "5 ", "5 m", "5M", "5mm",
					  "5m3s",
					  "1.5h", "0x10", "5y", "3651d", "315360001", "523w",
					  "9223372036854775807", "9223372036854775808",
					  "9223372036854775807w", "99999999999999999999999"};
	int64_t v = 42;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (duration_parse(&v, bad[i]))
			fail_msg("\"%s\" parses", bad[i]);
	}
	assert_int_equal(v, 42);
}

static void sizes_are_bytes(void **state)
{
	static const char *const bad[] = {"", "k", "-1", "64kb", "64 k", "1T", "1.5M", "\xcb",
					  "1\xcb",
					  "1+", "9223372036854775807k", "9007199254740992k",
					  "99999999999999999999"};
	int64_t v;
	size_t i;

	(void)state;
	assert_true(size_parse(&v, "512") && v == 512);
	assert_true(size_parse(&v, "64k") && v == 65536);
	assert_true(size_parse(&v, "8M") && v == 8388608);
	assert_true(size_parse(&v, "1G") && v == 1073741824);
	assert_true(size_parse(&v, "9007199254740991k") && v == INT64_MAX - 1023);
	v = 42;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (size_parse(&v, bad[i]))
			fail_msg("\"%s\" parses", bad[i]);
	}
	assert_int_equal(v, 42);
}

static void durations_print_in_the_largest_unit_that_divides(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} want[] = {{0, "0s"}, {1, "1s"}, {90, "90s"}, {300, "5m"}, {5400, "90m"}, {7200, "2h"},
		    {172800, "2d"}, {604800, "1w"}, {-300, "-5m"},
		    {INT64_MAX, "9223372036854775807s"},
		    {INT64_MIN, "-9223372036854775808s"}};
	char text[24];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_string_equal(duration_print(text, want[i].s), want[i].text);
}

static void absent_settings_take_the_default(void **state)
{
	const struct setting v[] = {
	    {.name = "file", .type = SETTING_STR, .str = "/x"},
	    {.name = "every", .type = SETTING_DURATION, .num = 300},
	    {.name = "command", .type = SETTING_LIST, .n = 0},
	};
	const struct settings s = {v, 3, "ipambridge.conf", 4}, none = {NULL, 0, NULL, 0};

	(void)state;
	assert_string_equal(settings_str(&s, "file", "dflt"), "/x");
	assert_string_equal(settings_str(&s, "fil", "dflt"), "dflt");
	assert_null(settings_str(&s, "command", NULL));
	assert_int_equal(settings_num(&s, "every", 1), 300);
	assert_int_equal(settings_num(&s, "timeout", 30), 30);
	assert_ptr_equal(settings_find(&s, "command"), &v[2]);
	assert_null(settings_find(&none, "file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_are_seconds),
	    cmocka_unit_test(malformed_durations_are_refused),
	    cmocka_unit_test(sizes_are_bytes),
	    cmocka_unit_test(durations_print_in_the_largest_unit_that_divides),
	    cmocka_unit_test(absent_settings_take_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
