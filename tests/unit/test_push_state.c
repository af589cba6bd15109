/* test_push_state.c - the life of one change, the outcome table, brake and batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/core/batch.h"
#include "bridge/core/brake.h"
#include "bridge/core/push_state.h"
#include "tests/unit/policy_fixture.h"

struct change_life {
	struct arena a;
	struct belief b;
	struct verdict v;
};

static void start(struct change_life *l, const char *seen, const char *want)
{
	struct err e;

	memset(l, 0, sizeof(*l));
	l->b.owner = fx_name("pc.lab.example");
	l->b.seen_known = true;
	l->b.want_kind = OBS_LEASE;
	l->b.want_ttl_s = 300;
	l->b.why = "";
	assert_int_equal(rrs_parse(&l->b.seen, &l->a, seen, strlen(seen), &e), 0);
	assert_int_equal(rrs_parse(&l->b.want, &l->a, want, strlen(want), &e), 0);
	assert_int_equal(rrs_managed(&l->b.published, &l->a, &l->b.seen), 0);
	assert_int_equal(verdict_owner(&l->v, &l->a, &l->b, FOREIGN_KEEP, true), 0);
	assert_int_equal(l->v.state, BELIEF_DUE);
}

static void what_is_offered_is_remembered_once(void **state)
{
	struct change_life l;

	(void)state;
	start(&l, "A 192.0.2.5\nTXT *", "A 192.0.2.7");
	assert_int_equal(push_offer(&l.b, &l.a, &l.v, 100), 0);
	assert_int_equal(push_offer(&l.b, &l.a, &l.v, 101), 0);
	assert_int_equal(l.b.n_offered, 1);
	assert_true(rrs_equal(&l.b.offered[0], &l.v.ours));
	assert_int_equal(l.b.offered_at_s[0], 101);
	arena_fini(&l.a);
}

static void a_proven_change_becomes_published_and_seen_as_sent(void **state)
{
	struct change_life l;
	const struct rr *v;

	(void)state;
	start(&l, "A 192.0.2.5\nTXT *", "A 192.0.2.7");
	push_offer(&l.b, &l.a, &l.v, 100);
	/* want moved on meanwhile: what was sent is what is true */
	l.b.want = (struct rrs){NULL, 0};
	assert_int_equal(push_done(&l.b, &l.a, &l.v, true, 102), 0);
	assert_int_equal(l.b.n_offered, 0);
	assert_true(rrs_equal(&l.b.published, &l.v.ours));
	assert_true(rrs_equal_of(&l.b.seen, &l.v.target, RR_A));
	assert_int_equal(rrs_of(&l.b.seen, RR_TXT, &v), 1);
	assert_int_equal(l.b.settled_at_s, 102);
	assert_int_equal(l.b.sent_ttl_s, 300);
	arena_fini(&l.a);
}

/* Somebody took the AAAA away and put an A there; our DHCID goes, the AAAA is missed as before. */
static void what_was_taken_away_is_counted_once(void **state)
{
	static const char seen[] = "A 192.0.2.9\nDHCID AAEB";
	static const char ours[] = "AAAA 2001:db8::5\nDHCID AAEB";
	static const char want[] = "A 192.0.2.7\nAAAA 2001:db8::7";
	struct change_life l = {.b = {.owner = fx_name("pc.lab.example"), .seen_known = true,
				      .want_kind = OBS_LEASE, .why = "", .removed_at_s = 50}};
	struct err e;

	(void)state;
	assert_int_equal(rrs_parse(&l.b.seen, &l.a, seen, strlen(seen), &e), 0);
	assert_int_equal(rrs_parse(&l.b.published, &l.a, ours, strlen(ours), &e), 0);
	assert_int_equal(rrs_parse(&l.b.want, &l.a, want, strlen(want), &e), 0);
	assert_int_equal(verdict_owner(&l.v, &l.a, &l.b, FOREIGN_KEEP, true), 0);
	assert_int_equal(l.v.state, BELIEF_DUE);
	assert_int_equal(push_done(&l.b, &l.a, &l.v, true, 102), 0);
	assert_int_equal(l.b.removed_at_s, 50);
	assert_int_equal(verdict_owner(&l.v, &l.a, &l.b, FOREIGN_KEEP, true), 0);
	assert_false(l.v.revert);
	arena_fini(&l.a);
}

/* The change, proven, and the row as it stands then. */
static void finish(struct change_life *l, struct belief *was)
{
	struct verdict v;

	*was = l->b;
	assert_int_equal(push_done(&l->b, &l->a, &l->v, true, 102), 0);
	assert_int_equal(verdict_owner(&v, &l->a, &l->b, FOREIGN_KEEP, true), 0);
	l->b.state = v.state;
}

static void a_row_is_as_wanted_when_nothing_else_is_left_of_its_change(void **state)
{
	struct change_life l;
	struct belief was, b;

	(void)state;
	start(&l, "", "A 192.0.2.7");
	finish(&l, &was);
	assert_true(push_as_wanted(&was, &l.b));
#define BUT(change) (b = l.b, change, push_as_wanted(&was, &b))
	assert_false(BUT(b.state = BELIEF_DUE));
	assert_false(BUT(b.want.n = 0));
	assert_false(BUT(b.published.n = 0));
	assert_false(BUT(b.seen_known = false));
	assert_false(BUT(b.seen.n = 0));
	assert_false(BUT(b.n_offered = 1));
	assert_false(BUT(b.due_at_s = 1));
	assert_false(BUT(b.removed_at_s = 1));
	assert_false(BUT(b.attempts = 1));
	assert_false(BUT(b.sent_ttl_s = 1));
	assert_false(BUT(b.decided = DECIDED_DISOWNED));
	assert_false(BUT(b.reverts = 1));
	assert_false(BUT(b.why = "another lease"));
	assert_true(BUT(b.version = 1));
#undef BUT
	arena_fini(&l.a);
	/* Nothing is wanted: its row goes. */
	start(&l, "A 192.0.2.7", "");
	finish(&l, &was);
	l.b.sent_ttl_s = l.b.want_ttl_s;
	assert_false(push_as_wanted(&was, &l.b));
	arena_fini(&l.a);
}

static void a_proof_ends_what_the_change_had_gone_through(void **state)
{
	struct change_life l;

	(void)state;
	start(&l, "A 192.0.2.5", "A 192.0.2.7");
	l.b.removed_at_s = l.b.due_at_s = 50;
	l.b.attempts = 3;
	assert_false(push_offered(&l.b, &l.v));
	assert_int_equal(push_done(&l.b, &l.a, &l.v, true, 102), 0);
	assert_int_equal(l.b.removed_at_s + l.b.due_at_s + l.b.attempts, 0);
	assert_int_equal(l.b.settled_at_s, 102);
	/* What it did not bring back is missed still. */
	l.b.removed_at_s = 60;
	l.v.target.n = 0;
	assert_int_equal(push_done(&l.b, &l.a, &l.v, true, 103), 0);
	assert_int_equal(l.b.removed_at_s, 60);
	arena_fini(&l.a);
}

static void a_later_attempt_is_counted(void **state)
{
	struct belief b = {.attempts = 2};

	(void)state;
	push_retry(&b, 1000, 0);
	assert_int_equal(b.attempts, 3);
	assert_true(b.due_at_s > 1000);
}

static void what_is_removed_has_no_ttl(void **state)
{
	struct change_life l;

	(void)state;
	start(&l, "A 192.0.2.5", "");
	assert_int_equal(push_done(&l.b, &l.a, &l.v, true, 102), 0);
	assert_int_equal(l.b.sent_ttl_s, 0);
	arena_fini(&l.a);
}

static void a_second_proof_does_not_forget_the_first_packet(void **state)
{
	struct change_life l;

	(void)state;
	start(&l, "A 192.0.2.5", "A 192.0.2.7");
	push_offer(&l.b, &l.a, &l.v, 100);
	assert_true(push_offered(&l.b, &l.v));
	assert_int_equal(push_done(&l.b, &l.a, &l.v, false, 102), 0);
	assert_int_equal(l.b.n_offered, 1);
	arena_fini(&l.a);
}

static void an_unanswered_offer_stays_until_the_fudge_has_passed(void **state)
{
	struct change_life l;

	(void)state;
	start(&l, "A 192.0.2.5", "A 192.0.2.7");
	push_offer(&l.b, &l.a, &l.v, 100);
	assert_int_equal(push_late_s(&l.b), 401);
	push_forget_late(&l.b, 400);
	assert_int_equal(l.b.n_offered, 1);
	push_forget_late(&l.b, 401);
	assert_int_equal(l.b.n_offered, 0);
	arena_fini(&l.a);
}

#define DHCID "\nDHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="

static bool waits(const char *published, const char *seen, const char *offered)
{
	struct change_life l;
	struct err e;
	bool w = true;

	start(&l, "", "A 192.0.2.7" DHCID);
	rrs_parse(&l.b.published, &l.a, published, strlen(published), &e);
	rrs_parse(&l.b.seen, &l.a, seen, strlen(seen), &e);
	if (offered != NULL)
		rrs_parse(&l.b.offered[l.b.n_offered++], &l.a, offered, strlen(offered), &e);
	assert_int_equal(verdict_owner(&l.v, &l.a, &l.b, FOREIGN_KEEP, true), 0);
	assert_int_equal(push_waits(&w, &l.a, &l.b, &l.v, FOREIGN_KEEP, true), 0);
	arena_fini(&l.a);
	return w;
}

static void an_unanswered_change_keeps_a_clients_value_in_doubt(void **state)
{
	(void)state;
	assert_true(waits("", "A 192.0.2.9" DHCID, "A 192.0.2.7" DHCID));
	assert_true(waits("", "A 192.0.2.9" DHCID, "A 192.0.2.6"));
	assert_false(waits("", "A 192.0.2.9" DHCID, NULL));                             /* due */
	assert_false(waits("", "A 192.0.2.7" DHCID, "A 192.0.2.7" DHCID));              /* in step */
	assert_false(waits("", "A 192.0.2.9", "A 192.0.2.7" DHCID));                    /* not its */
	assert_false(waits("", "A 192.0.2.9", NULL));
	assert_false(waits("A 192.0.2.8" DHCID, "A 192.0.2.9" DHCID, "A 192.0.2.7" DHCID));
}

static bool implied(struct change_life *l)
{
	return push_implied(&l->b, &l->v);
}

static void a_due_row_is_an_offer_of_what_its_dhcid_proves(void **state)
{
	struct change_life l;

	(void)state;
	start(&l, "", "A 192.0.2.7" DHCID);
	l.b.state = BELIEF_DUE;
	assert_true(implied(&l));
	l.b.state = BELIEF_REFUSED;
	assert_false(implied(&l));
	l.b.state = BELIEF_DUE;
	push_offer(&l.b, &l.a, &l.v, 100);
	assert_false(implied(&l));
	arena_fini(&l.a);
	/* Nothing tells it from what a person may write. */
	start(&l, "", "A 192.0.2.7");
	l.b.state = BELIEF_DUE;
	assert_false(implied(&l));
	arena_fini(&l.a);
	/* A removal leaves nothing to be taken for ours. */
	start(&l, "A 192.0.2.7", "");
	l.b.state = BELIEF_DUE;
	assert_true(implied(&l));
	l.v.contested = true;
	assert_false(implied(&l));
	arena_fini(&l.a);
}

static void only_the_ordinary_rows_are_implied(void **state)
{
	struct change_life l;
	uint8_t row;

	(void)state;
	start(&l, "", "A 192.0.2.7" DHCID);
	l.b.state = BELIEF_DUE;
	for (row = 1; row <= 9; row++) {
		l.v.row = row;
		assert_int_equal(implied(&l), row == 3 || row == 6);
	}
	l.v.row = 6;
	l.v.state = BELIEF_CONFLICT;
	assert_false(implied(&l));
	arena_fini(&l.a);
}

static void who_rewrites_a_due_row_keeps_what_it_implied(void **state)
{
	struct change_life l;

	(void)state;
	start(&l, "", "A 192.0.2.7" DHCID);
	assert_int_equal(push_keep_implied(&l.b, &l.a, FOREIGN_KEEP, 100), 0);
	assert_int_equal(l.b.n_offered, 0);
	l.b.state = BELIEF_DUE;
	/* Found out after it was sent. */
	l.b.below_cut = true;
	assert_int_equal(push_keep_implied(&l.b, &l.a, FOREIGN_KEEP, 100), 0);
	assert_int_equal(l.b.n_offered, 1);
	assert_true(rrs_equal(&l.b.offered[0], &l.b.want));
	assert_int_equal(l.b.offered_at_s[0], 100);
	/* With one that is an offer already it implies nothing, whatever is wanted now. */
	l.b.want = (struct rrs){NULL, 0};
	assert_int_equal(push_keep_implied(&l.b, &l.a, FOREIGN_KEEP, 101), 0);
	assert_int_equal(l.b.offered_at_s[0], 100);
	assert_int_equal(l.b.n_offered, 1);
	arena_fini(&l.a);
	start(&l, "", "A 192.0.2.7");
	l.b.state = BELIEF_DUE;
	assert_int_equal(push_keep_implied(&l.b, &l.a, FOREIGN_KEEP, 100), 0);
	assert_int_equal(l.b.n_offered, 0);
	arena_fini(&l.a);
}

static void versions_wrap_as_serials_do(void **state)
{
	struct belief b = {.version = 5};

	(void)state;
	assert_true(belief_written_since(&b, 5));
	assert_true(belief_written_since(&b, 4));
	assert_false(belief_written_since(&b, 6));
	assert_true(belief_written_since(&b, 0xfffffff0u));
	b.version = 0xfffffff0u;
	assert_false(belief_written_since(&b, 5));
	assert_false(belief_written_since(&b, 0x100000005u));
}

static void only_the_withdrawn_offer_goes(void **state)
{
	struct change_life l;
	struct err e;

	(void)state;
	start(&l, "A 192.0.2.5", "A 192.0.2.7");
	assert_int_equal(rrs_parse(&l.b.offered[0], &l.a, "A 192.0.2.6", 11, &e), 0);
	l.b.n_offered = 1;
	push_offer(&l.b, &l.a, &l.v, 100);
	assert_int_equal(l.b.n_offered, 2);
	push_withdraw(&l.b, &l.v);
	assert_int_equal(l.b.n_offered, 1);
	assert_false(rrs_equal(&l.b.offered[0], &l.v.ours));
	arena_fini(&l.a);
}

static void retries_back_off_and_never_beyond_the_cap(void **state)
{
	struct belief b = {.state = BELIEF_DUE};
	int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		push_retry(&b, 1000, (uint64_t)i * 7919);
		assert_true(b.due_at_s >= 1000 && b.due_at_s <= 1000 + 450);
	}
	assert_true(outcome_backoff_s(20, 0) >= 150);
	assert_true(outcome_backoff_s(0, 12345) <= 1);
}

static enum outcome out(enum answer_end end, unsigned rcode, unsigned tsig, bool verified)
{
	struct answer a = {.end = end, .rcode = (uint8_t)rcode, .tsig_error = (uint16_t)tsig,
			   .verified = verified};
	const struct outcome_row *row = outcome_of(&a);

	if (row->outcome != OUTCOME_DONE) {
		assert_true(row->cause[0] != '\0');
		assert_true(row->next[0] != '\0');
	}
	return row->outcome;
}

static void only_a_verified_noerror_is_done(void **state)
{
	(void)state;
	assert_int_equal(out(ANSWER_REPLY, RCODE_NOERROR, 0, true), OUTCOME_DONE);
	assert_int_equal(out(ANSWER_REPLY, RCODE_NOERROR, 0, false), OUTCOME_UNKNOWN);
	assert_int_equal(out(ANSWER_TIMEOUT, 0, 0, false), OUTCOME_UNKNOWN);
	assert_int_equal(out(ANSWER_LOST, 0, 0, false), OUTCOME_UNKNOWN);
	assert_int_equal(out(ANSWER_UNSENT, 0, 0, false), OUTCOME_RETRY);
}

static void answers_lead_to_the_documented_reactions(void **state)
{
	(void)state;
	assert_int_equal(out(ANSWER_REPLY, RCODE_YXDOMAIN, 0, true), OUTCOME_REREAD);
	assert_int_equal(out(ANSWER_REPLY, RCODE_NXRRSET, 0, true), OUTCOME_REREAD);
	assert_int_equal(out(ANSWER_REPLY, RCODE_YXRRSET, 0, false), OUTCOME_UNKNOWN);
	assert_int_equal(out(ANSWER_REPLY, RCODE_REFUSED, 0, true), OUTCOME_SPLIT);
	assert_int_equal(out(ANSWER_REPLY, RCODE_REFUSED, 0, false), OUTCOME_PARK);
	assert_int_equal(out(ANSWER_REPLY, RCODE_SERVFAIL, 0, true), OUTCOME_SPLIT);
	assert_int_equal(out(ANSWER_REPLY, RCODE_NOTZONE, 0, true), OUTCOME_SPLIT);
	assert_int_equal(out(ANSWER_REPLY, RCODE_NOTAUTH, TSIG_BADKEY, false), OUTCOME_PARK);
	assert_int_equal(out(ANSWER_REPLY, RCODE_NOTAUTH, TSIG_BADSIG, false), OUTCOME_PARK);
	assert_int_equal(out(ANSWER_REPLY, RCODE_NOTAUTH, TSIG_BADTIME, true), OUTCOME_RETRY);
	assert_int_equal(out(ANSWER_REPLY, RCODE_NOTAUTH, 0, true), OUTCOME_PARK);
	assert_int_equal(out(ANSWER_REPLY, RCODE_FORMERR, 0, true), OUTCOME_SPLIT);
	assert_int_equal(out(ANSWER_REPLY, RCODE_NOTIMP, 0, false), OUTCOME_PARK);
	assert_string_equal(rcode_name(RCODE_NOTZONE), "NOTZONE");
	assert_string_equal(rcode_name(RCODE_NOTZONE + 1), "RCODE?");
	assert_int_equal(out(ANSWER_REPLY, 23, 0, true), OUTCOME_SPLIT);
	assert_int_equal(out(ANSWER_REPLY, 23, 0, false), OUTCOME_UNKNOWN);
}

static void the_brake_lets_a_share_through_and_rolls_on(void **state)
{
	struct brake b = {0};
	int i, n = 0;

	(void)state;
	brake_start(&b, 100, 1000);
	for (i = 0; i < 100; i++)
		n += brake_admit(&b, 10, 30);
	assert_int_equal(n, 30);
	/* Still the same window: names that are left do not shrink the share. */
	assert_false(brake_is_over(&b, BRAKE_WINDOW_S, 1000 + BRAKE_WINDOW_S - 1));
	assert_false(brake_admit(&b, 10, 30));
	assert_true(brake_is_over(&b, BRAKE_WINDOW_S, 1000 + BRAKE_WINDOW_S));
	assert_true(brake_is_over(&b, BRAKE_WINDOW_S, 999));
	brake_start(&b, 5, 1000 + BRAKE_WINDOW_S);
	for (i = 0, n = 0; i < 100; i++)
		n += brake_admit(&b, 10, 30);
	assert_int_equal(n, 10);
}

static void a_message_is_full_by_records_or_owners_and_never_empty(void **state)
{
	struct change_rr rr = {.type = RR_A, .class_ = RR_CLASS_IN, .rdlen = 4,
			       .rdata = (const uint8_t *)"abcd"};
	struct change_rr many[600];
	struct change small = {.upd = &rr, .n_upd = 1}, big = {.upd = many, .n_upd = 600},
		      few = {.upd = many, .n_upd = 100};
	const struct change *v[400];
	size_t i;

	(void)state;
	small.owner = big.owner = fx_name("a.lab.example");
	for (i = 0; i < 600; i++)
		many[i] = rr;
	for (i = 0; i < 400; i++)
		v[i] = &small;
	assert_int_equal(batch_take(v, 400), BATCH_OWNERS);
	assert_int_equal(batch_take(v, 3), 3);
	/* Removals of short names: their number fills a message before their bytes do. */
	for (i = 0; i < 600; i++)
		many[i] = (struct change_rr){.type = RR_A, .class_ = RR_CLASS_NONE};
	few.owner = fx_name("a.b");
	for (i = 0; i < 400; i++)
		v[i] = &few;
	assert_true(change_wire_len(&few) * 6 < BATCH_BYTES);
	assert_int_equal(batch_take(v, 400), 5);
	for (i = 0; i < 600; i++)
		many[i] = rr;
	for (i = 0; i < 400; i++)
		v[i] = &small;
	v[0] = &big;
	assert_int_equal(batch_take(v, 400), 1);
	v[0] = &small;
	v[1] = &big;
	assert_int_equal(batch_take(v, 400), 1);
	assert_int_equal(batch_take(v, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_offered_is_remembered_once),
	    cmocka_unit_test(a_proven_change_becomes_published_and_seen_as_sent),
	    cmocka_unit_test(what_was_taken_away_is_counted_once),
	    cmocka_unit_test(a_row_is_as_wanted_when_nothing_else_is_left_of_its_change),
	    cmocka_unit_test(what_is_removed_has_no_ttl),
	    cmocka_unit_test(a_second_proof_does_not_forget_the_first_packet),
	    cmocka_unit_test(an_unanswered_offer_stays_until_the_fudge_has_passed),
	    cmocka_unit_test(a_due_row_is_an_offer_of_what_its_dhcid_proves),
	    cmocka_unit_test(only_the_ordinary_rows_are_implied),
	    cmocka_unit_test(who_rewrites_a_due_row_keeps_what_it_implied),
	    cmocka_unit_test(versions_wrap_as_serials_do),
	    cmocka_unit_test(only_the_withdrawn_offer_goes),
	    cmocka_unit_test(retries_back_off_and_never_beyond_the_cap),
	    cmocka_unit_test(a_proof_ends_what_the_change_had_gone_through),
	    cmocka_unit_test(a_later_attempt_is_counted),
	    cmocka_unit_test(an_unanswered_change_keeps_a_clients_value_in_doubt),
	    cmocka_unit_test(only_a_verified_noerror_is_done),
	    cmocka_unit_test(answers_lead_to_the_documented_reactions),
	    cmocka_unit_test(the_brake_lets_a_share_through_and_rolls_on),
	    cmocka_unit_test(a_message_is_full_by_records_or_owners_and_never_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
