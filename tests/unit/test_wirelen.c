/* test_wirelen.c - value/wirelen and value/change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "bridge/value/change.h"
#include "bridge/value/obs.h"
#include "bridge/value/wirelen.h"

/* RFC 1982 3.2, with 32 bits. */
static void serials_wrap_around(void **state)
{
	(void)state;
	assert_true(serial_newer(0, 1));
	assert_false(serial_newer(1, 0));
	assert_false(serial_newer(7, 7));
	assert_true(serial_newer(0xffffffff, 0));
	assert_false(serial_newer(0, 0xffffffff));
	assert_true(serial_newer(0, 0x7fffffff));
	assert_false(serial_newer(0, 0x80000000));
	assert_false(serial_newer(0x80000000, 0));
	assert_true(serial_newer(0x80000001, 0));
}

static void times_print_as_rfc_3339(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} want[] = {{1, "1970-01-01T00:00:01Z"},
		    {951782399, "2000-02-28T23:59:59Z"},
		    {951782400, "2000-02-29T00:00:00Z"},
		    {951868800, "2000-03-01T00:00:00Z"},
		    {1700000000, "2023-11-14T22:13:20Z"},
		    {4107542400, "2100-03-01T00:00:00Z"},
		    {253402300799, "9999-12-31T23:59:59Z"},
		    {253402300800, ""},
		    {0, ""},
		    {-1, ""},
		    {INT64_MIN, ""},
		    {OBS_FOREVER, ""}};
	char text[24];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_string_equal(time_print(text, want[i].s), want[i].text);
}

static void times_agree_with_the_c_library(void **state)
{
	char ours[24], theirs[64];
	uint64_t x = 11;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		time_t t;
		struct tm tm;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		t = (time_t)(1 + (x >> 20) % (i % 2 == 0 ? 253402300799ULL : 4102444800ULL));
		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
		assert_string_equal(time_print(ours, t), theirs);
	}
}

static void change_is_as_long_as_its_records(void **state)
{
	struct change_rr pre[2] = {{.type = RR_A, .class_ = RR_CLASS_NONE},
				   {.type = RR_DHCID, .rdlen = 35}};
	struct change_rr upd[1] = {{.type = RR_A, .class_ = RR_CLASS_IN, .rdlen = 4}};
	struct change c = {.pre = pre, .n_pre = 2, .upd = upd, .n_upd = 1}, none = {.n_pre = 0};

	(void)state;
	assert_true(dname_parse(&c.owner, "h.lab", 5));
	assert_int_equal(change_wire_len(&c), 7 + 2 * 2 + 3 * 10 + 35 + 4);
	assert_int_equal(change_wire_len(&none), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(serials_wrap_around),
	    cmocka_unit_test(times_print_as_rfc_3339),
	    cmocka_unit_test(times_agree_with_the_c_library),
	    cmocka_unit_test(change_is_as_long_as_its_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
