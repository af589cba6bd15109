/* test_metrics.c - the table of metrics and what labels may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/report/metrics.h"

static void labels_are_escaped(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	metric_label(&b, "zone", "a\"b\\c\n\x1b\xc3");
	assert_string_equal(buf_text(&b), "zone=\"a\\\"b\\\\c\\\\x0a\\\\x1b\\\\xc3\"");
	buf_fini(&b);
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), k = strlen(with);

	return n >= k && strcmp(s + n - k, with) == 0;
}

static void names_follow_the_conventions(void **state)
{
	static const char *const hosts[] = {"owner", "host", "name", "address", "mac"};

	(void)state;
	for (const struct metric *m = metrics; m->name != NULL; m++) {
		assert_memory_equal(m->name, "ipambridge_", 11);
		assert_int_equal(strspn(m->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(m->name));
		assert_int_equal(ends(m->name, "_total"), m->type == METRIC_COUNTER);
		assert_true(ends(m->help, "."));
		for (int i = 0; i < METRIC_LABELS_MAX && m->labels[i] != NULL; i++) {
			for (size_t k = 0; k < sizeof(hosts) / sizeof(hosts[0]); k++)
				assert_string_not_equal(m->labels[i], hosts[k]);
		}
		for (const struct metric *o = metrics; o < m; o++)
			assert_string_not_equal(o->name, m->name);
		assert_true(!m->by_server || strcmp(m->labels[2], "zone") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(labels_are_escaped),
	    cmocka_unit_test(names_follow_the_conventions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
