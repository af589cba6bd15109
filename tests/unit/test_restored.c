/* test_restored.c - what the journal proves of records that a restored zone brought back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/core/restored.h"

#define A1 "A 192.0.2.1"
#define A2 "A 192.0.2.2"
#define A1_A2 "A 192.0.2.1\nA 192.0.2.2"
#define A1_DHCID "A 192.0.2.1\nDHCID AAECAw=="
#define D "DHCID AAECAw=="

static struct past_line done(const char *before, const char *after)
{
	return (struct past_line){.event = "done", .before = before, .after = after};
}

static void read_set(struct rrs *out, struct arena *a, const char *text)
{
	*out = (struct rrs){NULL, 0};
	assert_int_equal(rrs_parse(out, a, text, strlen(text), NULL), 0);
}

/* lines: the newest first.  ours: the text of what is to come out. */
static void check_had(const char *had, const char *seen, const struct past_line *lines, size_t n,
		      const char *ours)
{
	struct arena a = ARENA_INIT;
	struct buf text = BUF_INIT;
	struct rrs h, s, out;

	read_set(&h, &a, had);
	read_set(&s, &a, seen);
	assert_int_equal(restored_ours(&out, &a, &h, &s, lines, n), 0);
	rrs_print(&text, &out);
	assert_string_equal(buf_text(&text), ours);
	buf_fini(&text);
	arena_fini(&a);
}

static void check(const char *seen, const struct past_line *lines, size_t n, const char *ours)
{
	check_had("", seen, lines, n, ours);
}

static void what_we_removed_last_is_ours(void **state)
{
	const struct past_line l[] = {done(A1_DHCID, ""), done("", A1_DHCID)};

	(void)state;
	check(A1_DHCID, l, 2, A1_DHCID);
	check(A1_DHCID, l, 1, A1_DHCID);
	check("PTR pc.lab.example.", (struct past_line[]){done("PTR pc.lab.example.", "")}, 1,
	      "PTR pc.lab.example.");
}

static void other_records_than_those_are_not(void **state)
{
	const struct past_line l[] = {done(A1, "")};

	(void)state;
	check(A2, l, 1, "");
	check(A1_A2, l, 1, "");
	check(A1_DHCID, l, 1, "");
	check(A1, (struct past_line[]){done(A1_A2, "")}, 1, "");
	check("", (struct past_line[]){done("", "")}, 1, "");
	check(A1, NULL, 0, "");
}

static void types_that_the_bridge_does_not_write_have_no_say(void **state)
{
	(void)state;
	check(A1 "\nTXT *", (struct past_line[]){done(A1, "")}, 1, A1);
	check("CNAME x.lab.example.\nTXT *", (struct past_line[]){done("", "")}, 1, "");
}

static void what_we_left_there_is_not_what_we_removed(void **state)
{
	(void)state;
	check(A1_A2, (struct past_line[]){done(A1_A2, A2)}, 1, A1);
	check(A1_A2, (struct past_line[]){done(A1_A2, A1_A2)}, 1, "");
}

static void what_was_there_before_the_zone_was_restored_is_not(void **state)
{
	const struct past_line l[] = {done(A1_DHCID, "")};

	(void)state;
	check_had(A1, A1_DHCID, l, 1, D);
	check_had(A1_DHCID, A1_DHCID, l, 1, "");
}

static void changes_of_ours_may_follow_one_another(void **state)
{
	const struct past_line l[] = {done(A2, ""), done("", A2), done(A1, ""), done("", A1)};
	/* the copy is of the time between the two additions */
	const struct past_line two[] = {done(A2, ""), done(A1_A2, A2), done(A1, A1_A2)};

	const struct past_line there_and_back[] = {done(A2, A1), done(A1, A2)};

	(void)state;
	check(A1, l, 4, A1);
	check(A2, l, 4, A2);
	check(A1, two, 3, A1);
	check(A1, there_and_back, 2, "");
}

static void a_gap_between_two_changes_is_somebody_elses(void **state)
{
	const struct past_line l[] = {done(A2, ""), done(A1, "")};

	(void)state;
	check(A1, l, 2, "");
	check(A2, l, 2, A2);
}

static void any_other_word_in_between_ends_it(void **state)
{
	static const char *const events[] = {"conflict", "agreed",   "frozen", "observed", "held",
					     "reread",   "restored", "refused", "of-tomorrow"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		const struct past_line last[] = {{.event = events[i], .before = A1, .after = ""},
						 done(A1, "")};
		const struct past_line later[] = {done(A2, ""), last[0], done(A1, A2)};

		check(A1, last, 2, "");
		check(A1, later, 3, "");
		check(A2, later, 3, A2);
	}
}

static void what_a_person_let_us_write_over_was_not_ours(void **state)
{
	struct past_line l[] = {done(A1, A2), {.event = "retry"}, {.event = "resolved"}};

	(void)state;
	check(A1, l, 3, "");
	l[1].after = A1_A2;
	check(A1, l, 3, "");
	/* But what we made of it was. */
	check(A2, (struct past_line[]){done(A2, ""), l[0], l[2]}, 3, A2);
	l[2].event = "observed";
	check(A1, l, 3, A1);
}

static void what_a_used_leave_brought_there_was_ours(void **state)
{
	const struct past_line wrote = {.event = "retry", .before = A1, .after = A2};
	const struct past_line l[] = {done(A2, ""), wrote, {.event = "resolved"}};

	(void)state;
	check(A2, l, 3, A2);
	check(A1, l, 3, "");
}

static void what_was_somebody_elses_until_it_agreed_was_not_ours(void **state)
{
	const struct past_line found = {.event = "observed", .before = "", .after = A1},
			       agreed = {.event = "agreed", .before = A1, .after = A1_DHCID},
			       conflict = {.event = "conflict", .before = A1, .after = A2},
			       unlike = {.event = "agreed", .before = A2, .after = A1};

	(void)state;
	check(A1, (struct past_line[]){done(A1, ""), found}, 2, "");
	check(A1, (struct past_line[]){done(A1, ""), agreed}, 2, "");
	check(A1, (struct past_line[]){done(A1, ""), unlike, conflict}, 3, "");
	check(A1, (struct past_line[]){done(A1, ""), unlike}, 2, A1);
	check(A1, (struct past_line[]){done(A1, ""), {.event = "agreed"}}, 2, A1);
	/* Written by us since. */
	check(A1, (struct past_line[]){done(A1, ""), unlike, done("", A1), agreed}, 4, A1);
	check(A1, (struct past_line[]){done(A1, ""), done("", A2), agreed}, 3, "");
	/* A client's, whoever wrote it. */
	check(A1_DHCID, (struct past_line[]){done(A1_DHCID, ""),
					     {.event = "conflict", .before = A1_DHCID}}, 2, A1_DHCID);
}

static void a_change_that_did_not_come_through_is_no_word(void **state)
{
	const struct past_line retry = {.event = "retry", .before = "", .after = A2};
	const struct past_line l[] = {retry, done(A2, ""), retry, done("", A2), done(A1, "")};

	(void)state;
	check(A1, l, 5, A1);
	check(A2, l, 5, A2);
}

static void lines_without_sets_or_with_nonsense_prove_nothing(void **state)
{
	(void)state;
	check(A1, (struct past_line[]){done(NULL, "")}, 1, "");
	check(A1, (struct past_line[]){done(A1, NULL)}, 1, "");
	check(A1, (struct past_line[]){done(A1, "no set")}, 1, "");
	check(A1, (struct past_line[]){done("no set", ""), done(A1, "no set")}, 2, A1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_removed_last_is_ours),
		cmocka_unit_test(other_records_than_those_are_not),
		cmocka_unit_test(types_that_the_bridge_does_not_write_have_no_say),
		cmocka_unit_test(what_we_left_there_is_not_what_we_removed),
		cmocka_unit_test(what_was_there_before_the_zone_was_restored_is_not),
		cmocka_unit_test(changes_of_ours_may_follow_one_another),
		cmocka_unit_test(a_gap_between_two_changes_is_somebody_elses),
		cmocka_unit_test(any_other_word_in_between_ends_it),
		cmocka_unit_test(what_a_person_let_us_write_over_was_not_ours),
		cmocka_unit_test(what_a_used_leave_brought_there_was_ours),
		cmocka_unit_test(what_was_somebody_elses_until_it_agreed_was_not_ours),
		cmocka_unit_test(a_change_that_did_not_come_through_is_no_word),
		cmocka_unit_test(lines_without_sets_or_with_nonsense_prove_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
