/* test_observe.c - what several words about one address come to, in whatever order they arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/flow_fixture.h"

enum { NCR = 1, DNS = 2 };

static struct policy_source sources[] = {
    {.id = NCR, .name = "ncr", .type = "kea-ncr", .kind = OBS_LEASE, .events = true},
    {.id = DNS, .name = SOURCE_DNS, .type = SOURCE_DNS, .kind = OBS_DNS},
};
static struct policy_space space = {.id = 1, .name = "default", .sources = sources, .n_sources = 2};
static struct policy policy = {.spaces = &space, .n_spaces = 1, .brake_min = 1000};

static int open_fix(void **state)
{
	static struct fix f;

	*state = &f;
	return open_flow(&f, &policy);
}

static struct obs word(const char *name, bool end)
{
	struct obs o = {.addr = {4, {192, 0, 2, 7}}, .kind = OBS_LEASE, .end = end,
			.end_named = end, .end_why = end ? "removed" : NULL,
			.valid_until_s = OBS_FOREVER, .seen_at_s = 1700000000};

	o.name.p = (const uint8_t *)name;
	o.name.len = (uint16_t)strlen(name);
	return o;
}

/* As word, from a client; 0: the source does not say which. */
static struct obs word_of(uint8_t client, const char *name, bool end)
{
	static const uint8_t ids[][DHCID_LEN] = {{0}, {0, 1, 1, 1}, {0, 1, 1, 2}};
	struct obs o = word(name, end);

	o.dhcid = (struct bytes){ids[client], client == 0 ? 0 : DHCID_LEN};
	return o;
}

static void hear(struct fix *f, const struct obs *v, size_t n)
{
	struct err e = {0};

	assert_int_equal(flow_observe(&f->flow, &space, &sources[0], v, n, &e), 0);
}

/* The name that is kept; NULL: nothing is. */
static void expect(struct fix *f, const char *name)
{
	struct ipaddr a = {4, {192, 0, 2, 7}};
	struct evidence *ev;
	struct err e = {0};
	size_t n;

	assert_int_equal(f->store.evidence_get(f->store.ctx, &ev, &n, 1, &a, 1, &f->a, &e), 0);
	assert_int_equal(n, name == NULL ? 0 : 1);
	if (name != NULL)
		assert_memory_equal(ev[0].obs.name.p, name, strlen(name));
}

static void a_removal_that_was_overtaken_ends_nothing(void **state)
{
	struct obs old = word("old.lab.", false);
	struct obs swapped[] = {word("new.lab.", false), word("old.lab.", true)};
	struct obs late = word("old.lab.", true);

	hear(*state, &old, 1);
	hear(*state, swapped, 2);
	expect(*state, "new.lab.");
	hear(*state, &late, 1);
	expect(*state, "new.lab.");
}

static void what_came_and_went_ends_what_stood_before(void **state)
{
	struct obs old = word("old.lab.", false);
	struct obs both[] = {word("old.lab.", true), word("new.lab.", false), word("new.lab.", true)};

	hear(*state, &old, 1);
	hear(*state, both, 3);
	expect(*state, NULL);
	hear(*state, &old, 1);
	hear(*state, both + 1, 2);
	expect(*state, NULL);
}

static void a_removal_of_another_client_ends_nothing(void **state)
{
	struct obs mine = word_of(1, "pc.lab.", false), my_end = word_of(1, "pc.lab.", true);
	struct obs their_end = word_of(2, "pc.lab.", true);

	hear(*state, &mine, 1);
	hear(*state, &their_end, 1);
	expect(*state, "pc.lab.");
	hear(*state, &my_end, 1);
	expect(*state, NULL);
	/* Whatever else the end says. */
	their_end.end_named = false;
	hear(*state, &mine, 1);
	hear(*state, &their_end, 1);
	expect(*state, "pc.lab.");
}

static void a_removal_without_a_client_ends_any(void **state)
{
	struct obs known = word_of(1, "pc.lab.", false), unknown_end = word_of(0, "pc.lab.", true);
	struct obs unknown = word_of(0, "pc.lab.", false), known_end = word_of(1, "pc.lab.", true);

	hear(*state, &known, 1);
	hear(*state, &unknown_end, 1);
	expect(*state, NULL);
	hear(*state, &unknown, 1);
	hear(*state, &known_end, 1);
	expect(*state, NULL);
}

static void removals_of_two_clients_in_one_batch_count_each_for_itself(void **state)
{
	struct obs first = word_of(1, "pc.lab.", false);
	struct obs overtaken[] = {word_of(2, "pc.lab.", false), word_of(1, "pc.lab.", true)};
	struct obs ends[] = {word_of(2, "pc.lab.", true), word_of(1, "pc.lab.", true)};
	struct obs both[] = {word_of(2, "pc.lab.", false), word_of(2, "pc.lab.", true)};

	hear(*state, &first, 1);
	hear(*state, overtaken, 2);
	expect(*state, "pc.lab.");
	hear(*state, ends, 2);
	expect(*state, NULL);
	hear(*state, &first, 1);
	hear(*state, both, 2);
	expect(*state, NULL);
}

static void the_last_of_several_names_counts(void **state)
{
	struct obs v[] = {word("a.lab.", false), word("b.lab.", false), word("c.lab.", false)};

	hear(*state, v, 3);
	expect(*state, "c.lab.");
}

static void an_end_without_a_condition_ends_any_name(void **state)
{
	struct obs old = word("old.lab.", false), end = word("other.lab.", true);

	end.end_named = false;
	hear(*state, &old, 1);
	hear(*state, &end, 1);
	expect(*state, NULL);
}

static void an_older_word_changes_nothing(void **state)
{
	struct obs old = word("old.lab.", false), older = word("older.lab.", false);

	older.seen_at_s--;
	hear(*state, &old, 1);
	hear(*state, &older, 1);
	expect(*state, "old.lab.");
}

/* Another client had the address meanwhile, and its time is over too: between the two nobody may
 * lose a name to it. */
static void a_lease_that_is_over_follows_nobody(void **state)
{
	struct obs had = word("had.lab.", false), got = word("got.lab.", false);

	got.valid_until_s = 1700000000;
	hear(*state, &had, 1);
	hear(*state, &got, 1);
	expect(*state, NULL);
	got.valid_until_s = 1700000001;
	hear(*state, &had, 1);
	hear(*state, &got, 1);
	expect(*state, "got.lab.");
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_fix, close_fix)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_removal_that_was_overtaken_ends_nothing),
	    T(what_came_and_went_ends_what_stood_before),
	    T(a_removal_of_another_client_ends_nothing),
	    T(a_removal_without_a_client_ends_any),
	    T(removals_of_two_clients_in_one_batch_count_each_for_itself),
	    T(the_last_of_several_names_counts),
	    T(an_end_without_a_condition_ends_any_name),
	    T(an_older_word_changes_nothing),
	    T(a_lease_that_is_over_follows_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
