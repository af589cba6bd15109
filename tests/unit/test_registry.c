/* test_registry.c - the list of adapters. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "adapters/adapter.h"

static void registry_finds_each_adapter_by_its_type(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct adapter_ops *o; (o = adapter_at(n)) != NULL; n++)
		assert_ptr_equal(adapter_find(o->type), o);
	assert_true(n >= 2);
	assert_non_null(adapter_find("kea-leases"));
	assert_non_null(adapter_find("neighbour"));
}

static void registry_knows_no_other_type(void **state)
{
	(void)state;
	assert_null(adapter_find(""));
	assert_null(adapter_find("kea"));
	assert_null(adapter_find("Kea-Leases"));
	assert_null(adapter_at(1000));
}

static void every_adapter_is_complete_and_describes_its_settings(void **state)
{
	const struct adapter_ops *o;

	(void)state;
	for (size_t i = 0; (o = adapter_at(i)) != NULL; i++) {
		assert_non_null(o->open);
		assert_non_null(o->read);
		assert_non_null(o->cursor);
		assert_non_null(o->close);
		assert_true(o->kind < OBS_KINDS);
		for (const struct setting_key *k = o->keys; k->name != NULL; k++)
			assert_true(k->help != NULL && strlen(k->help) > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(registry_finds_each_adapter_by_its_type),
	    cmocka_unit_test(registry_knows_no_other_type),
	    cmocka_unit_test(every_adapter_is_complete_and_describes_its_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
