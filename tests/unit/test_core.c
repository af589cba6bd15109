/* test_core.c - the edges of core: values at their limits, what is not there, what cannot fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/core/batch.h"
#include "bridge/core/belief.h"
#include "bridge/core/brake.h"
#include "bridge/core/decide.h"
#include "bridge/core/dhcid.h"
#include "bridge/core/gate.h"
#include "bridge/core/outcome.h"
#include "bridge/core/plan.h"
#include "bridge/core/push_state.h"
#include "tests/unit/policy_fixture.h"

static struct bytes text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, (uint16_t)strlen(s)};
}

/* ---- counting and waiting ------------------------------------------------------------------- */

static void a_window_ends_at_its_length_or_when_the_clock_goes_back(void **state)
{
	struct brake b = {.window_s = 1000, .names = 1, .used = 1};

	(void)state;
	assert_false(brake_is_over(&b, 60, 1000));
	assert_false(brake_is_over(&b, 60, 1059));
	assert_true(brake_is_over(&b, 60, 1060));
	assert_true(brake_is_over(&b, 60, 999));
	b.window_s = 0;
	assert_true(brake_is_over(&b, 60, 0));
	b.window_s = 1;
	assert_false(brake_is_over(&b, 60, 1));
}

static void a_closed_gate_waits_a_second_at_least_and_a_minute_at_most(void **state)
{
	struct gate g = {0};
	uint64_t random;

	(void)state;
	for (random = 0; random < 200; random++) {
		g.attempts = 0;
		gate_failed(&g, true, 1000, random);
		assert_in_range(g.next_s, 1001, 1002);
		g.attempts = 20;
		gate_failed(&g, true, 1000, random);
		assert_int_equal(g.next_s, 1060);
	}
	assert_false(gate_lets(&g, 1059));
	assert_true(gate_lets(&g, 1060));
}

static void backoff_doubles_to_five_minutes_with_half_as_jitter(void **state)
{
	static const int64_t base[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300};
	uint32_t i;

	(void)state;
	for (i = 0; i < 12; i++) {
		int64_t half = base[i] / 2, low = base[i] - half;

		assert_int_equal(outcome_backoff_s(i, 0), low);
		assert_int_equal(outcome_backoff_s(i, (uint64_t)half), base[i]);
		assert_int_equal(outcome_backoff_s(i, (uint64_t)half * 2), base[i] + half);
		assert_int_equal(outcome_backoff_s(i, (uint64_t)half * 2 + 1), low);
	}
}

static void a_message_is_full_by_bytes_too(void **state)
{
	struct change_rr big[2] = {{.type = RR_TXT, .rdlen = 12000}, {.type = RR_TXT, .rdlen = 12000}};
	struct change large = {.owner = fx_name("pc.lab.example"), .upd = big, .n_upd = 2};
	struct change small = {.owner = fx_name("pc.lab.example"), .upd = big, .n_upd = 0};
	const struct change *two[] = {&large, &large}, *mixed[] = {&small, &large, &large};
	struct change_rr one[1] = {{.type = RR_A, .rdlen = 4}};
	struct change exact = {.owner = fx_name("a"), .upd = one, .n_upd = 1};
	const struct change *many[3] = {&exact, &exact, &exact};

	(void)state;
	assert_int_equal(batch_take(two, 0), 0);
	assert_int_equal(batch_take(two, 2), 1);
	assert_int_equal(batch_take(mixed, 3), 2);
	/* Exactly full is not too full. */
	exact.n_upd = 0;
	many[0] = &exact;
	big[0].rdlen = (uint16_t)(BATCH_BYTES - 3 * change_wire_len(&exact) -
				  (change_wire_len(&(struct change){exact.owner, NULL, 0, one, 1}) - 4 -
				   change_wire_len(&exact)));
	large = (struct change){exact.owner, NULL, 0, big, 1};
	many[2] = &large;
	while (2 * change_wire_len(&exact) + change_wire_len(&large) < BATCH_BYTES)
		big[0].rdlen++;
	assert_int_equal(2 * change_wire_len(&exact) + change_wire_len(&large), BATCH_BYTES);
	assert_int_equal(batch_take(many, 3), 3);
	big[0].rdlen++;
	assert_int_equal(batch_take(many, 3), 2);
}

/* ---- names for states and answers ----------------------------------------------------------- */

static void every_state_has_a_name_that_reads_back(void **state)
{
	enum belief_state s, back;

	(void)state;
	for (s = 0; s < BELIEF_STATES; s++) {
		const char *name = belief_state_name(s);

		assert_true(belief_state_parse(&back, name, strlen(name)));
		assert_int_equal(back, s);
		assert_false(belief_state_parse(&back, name, strlen(name) - 1));
	}
	assert_string_equal(belief_state_name(BELIEF_STATES), "unknown");
	assert_false(belief_state_parse(&back, "xxx", 3));
	assert_false(belief_state_parse(&back, "", 0));
}

static void a_row_goes_when_nothing_is_in_it(void **state)
{
	struct rr one = {RR_A, 0, NULL};
	struct belief b = {0};

	(void)state;
	assert_true(belief_is_empty(&b));
	b.want = (struct rrs){&one, 1};
	assert_false(belief_is_empty(&b));
	b = (struct belief){.published = {&one, 1}};
	assert_false(belief_is_empty(&b));
	b = (struct belief){.n_offered = 1};
	assert_false(belief_is_empty(&b));
	b = (struct belief){.seen = {&one, 1}};
	assert_false(belief_is_empty(&b));
}

static void cuts_aliases_and_names_set_aside_bear_on_others(void **state)
{
	struct rr one = {RR_A, 0, NULL};
	struct belief b = {.seen = {&one, 1}};

	(void)state;
	assert_false(belief_guards(&b));
	one.type = RR_NS;
	assert_true(belief_guards(&b));
	b = (struct belief){.decided = DECIDED_DNS};
	assert_true(belief_guards(&b));
	b.decided = DECIDED_DISOWNED;
	assert_false(belief_guards(&b));
}

static void every_rcode_has_a_name(void **state)
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",
					    "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
					    "NOTZONE"};
	unsigned i;

	(void)state;
	for (i = 0; i <= RCODE_NOTZONE; i++)
		assert_string_equal(rcode_name(i), names[i]);
	assert_string_equal(rcode_name(11), "RCODE?");
}

static enum outcome means(enum answer_end end, uint8_t rcode, uint16_t tsig, bool verified)
{
	struct answer a = {.end = end, .rcode = rcode, .tsig_error = tsig, .verified = verified};

	return outcome_of(&a)->outcome;
}

static void answers_mean_what_the_table_says(void **state)
{
	static const struct {
		uint8_t rcode;
		uint16_t tsig;
		enum outcome with_signature, without;
	} v[] = {
	    {RCODE_NOERROR, 0, OUTCOME_DONE, OUTCOME_UNKNOWN},
	    {RCODE_FORMERR, 0, OUTCOME_SPLIT, OUTCOME_SPLIT},
	    {RCODE_SERVFAIL, 0, OUTCOME_SPLIT, OUTCOME_SPLIT},
	    {RCODE_NXDOMAIN, 0, OUTCOME_REREAD, OUTCOME_UNKNOWN},
	    {RCODE_NOTIMP, 0, OUTCOME_PARK, OUTCOME_PARK},
	    {RCODE_REFUSED, 0, OUTCOME_SPLIT, OUTCOME_PARK},
	    {RCODE_YXDOMAIN, 0, OUTCOME_REREAD, OUTCOME_UNKNOWN},
	    {RCODE_YXRRSET, 0, OUTCOME_REREAD, OUTCOME_UNKNOWN},
	    {RCODE_NXRRSET, 0, OUTCOME_REREAD, OUTCOME_UNKNOWN},
	    {RCODE_NOTAUTH, 0, OUTCOME_PARK, OUTCOME_PARK},
	    {RCODE_NOTZONE, 0, OUTCOME_SPLIT, OUTCOME_SPLIT},
	    {11, 0, OUTCOME_SPLIT, OUTCOME_UNKNOWN},
	    {RCODE_NOTAUTH, TSIG_BADTIME, OUTCOME_RETRY, OUTCOME_RETRY},
	    {RCODE_NOTAUTH, TSIG_BADKEY, OUTCOME_PARK, OUTCOME_PARK},
	    {RCODE_NOTAUTH, TSIG_BADSIG, OUTCOME_PARK, OUTCOME_PARK},
	    {RCODE_NOTAUTH, TSIG_BADTRUNC, OUTCOME_PARK, OUTCOME_UNKNOWN},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(means(ANSWER_REPLY, v[i].rcode, v[i].tsig, true),
				 v[i].with_signature);
		assert_int_equal(means(ANSWER_REPLY, v[i].rcode, v[i].tsig, false), v[i].without);
	}
	assert_int_equal(means(ANSWER_TIMEOUT, 0, 0, false), OUTCOME_UNKNOWN);
	assert_int_equal(means(ANSWER_LOST, 0, 0, false), OUTCOME_UNKNOWN);
	assert_int_equal(means(ANSWER_UNSENT, 0, 0, false), OUTCOME_RETRY);
	assert_int_equal(means((enum answer_end)9, 0, 0, true), OUTCOME_UNKNOWN);
}

/* ---- a change's life ------------------------------------------------------------------------- */

static void offers_are_bounded_and_a_refusal_is_kept(void **state)
{
	uint8_t addr[4] = {192, 0, 2, 0};
	struct arena a = ARENA_INIT;
	struct belief b = {.due_at_s = 7};
	struct verdict v = {0};
	int i;

	(void)state;
	for (i = 0; i < BELIEF_OFFERED_MAX; i++) {
		v.ours = (struct rrs){NULL, 0};
		addr[3]++;
		rrs_add(&v.ours, &a, RR_A, addr, 4);
		assert_int_equal(push_offer(&b, &a, &v, 10 + i), 0);
	}
	assert_int_equal(push_offer(&b, &a, &v, 20), 0);  /* the same once more */
	assert_int_equal(b.offered_at_s[BELIEF_OFFERED_MAX - 1], 20);
	v.ours = (struct rrs){NULL, 0};
	addr[3]++;
	rrs_add(&v.ours, &a, RR_A, addr, 4);
	push_withdraw(&b, &v);
	assert_int_equal(b.n_offered, BELIEF_OFFERED_MAX);
	assert_int_equal(push_offer(&b, &a, &v, 30), 1);
	/* Each goes in its time: the first left at 10, the last at 17 and once more at 20. */
	assert_int_equal(push_late_s(&b), 311);
	push_forget_late(&b, 310);
	assert_int_equal(b.n_offered, BELIEF_OFFERED_MAX);
	push_forget_late(&b, 311);
	assert_int_equal(b.n_offered, BELIEF_OFFERED_MAX - 1);
	assert_int_equal(push_late_s(&b), 312);
	push_forget_late(&b, 320);
	assert_int_equal(b.n_offered, 1);
	assert_int_equal(push_late_s(&b), 321);
	push_forget_late(&b, 321);
	assert_int_equal(b.n_offered, 0);
	push_refused(&b, "no");
	assert_int_equal(b.state, BELIEF_REFUSED);
	assert_string_equal(b.why, "no");
	assert_int_equal(b.due_at_s, 0);
	arena_fini(&a);
}

static void an_offer_reads_back_with_its_time(void **state)
{
	static const char *const bad[] = {"", "7", "7:", " A 192.0.2.7", "-1 A 192.0.2.7", "7 A",
					  "12345678901234567890 A 192.0.2.7"};
	struct arena a = ARENA_INIT;
	struct belief b = {.n_offered = 2, .offered_at_s = {1798765432, 0}}, got = {.n_offered = 0};
	struct err e;
	size_t i;
	int k;

	(void)state;
	rrs_add(&b.offered[0], &a, RR_A, "\300\0\2\7", 4);
	for (k = 0; k < 2; k++) {
		struct buf text = BUF_INIT;

		belief_print_offer(&text, &b, k);
		if (k == 0)
			assert_string_equal(buf_text(&text), "1798765432 A 192.0.2.7");
		assert_int_equal(belief_parse_offer(&got, &a, buf_text(&text), text.len, &e), 0);
		assert_int_equal(got.offered_at_s[k], b.offered_at_s[k]);
		assert_true(rrs_equal(&got.offered[k], &b.offered[k]));
		buf_fini(&text);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(belief_parse_offer(&got, &a, bad[i], strlen(bad[i]), &e), ERR_PROTO);
	assert_int_equal(belief_parse_offer(&got, &a, "77 A 192.0.2.7", 1, &e), ERR_PROTO);
	assert_int_equal(got.n_offered, 2);
	got.n_offered = BELIEF_OFFERED_MAX;
	assert_int_equal(belief_parse_offer(&got, &a, "7 ", 2, &e), ERR_PROTO);
	/* The last comes to the place of one that goes. */
	belief_drop_offer(&b, 0);
	assert_int_equal(b.n_offered, 1);
	assert_int_equal(b.offered_at_s[0], 0);
	assert_int_equal(b.offered[0].n, 0);
	arena_fini(&a);
}

/* What stands there in place of what is wanted is a conflict, what is equal is none. */
static void a_disowned_name_is_contested_where_it_differs(void **state)
{
	struct arena a = ARENA_INIT;
	struct belief b = {.owner = fx_name("pc.lab.example"), .decided = DECIDED_DISOWNED,
			   .seen_known = true};
	struct verdict v;

	(void)state;
	rrs_add(&b.want, &a, RR_A, "\300\0\2\1", 4);
	rrs_add(&b.seen, &a, RR_A, "\300\0\2\2", 4);
	assert_int_equal(verdict_owner(&v, &a, &b, FOREIGN_KEEP, true), 0);
	assert_true(v.contested);
	b.seen = b.want;
	assert_int_equal(verdict_owner(&v, &a, &b, FOREIGN_KEEP, true), 0);
	assert_false(v.contested);
	arena_fini(&a);
}

static void nothing_is_sent_in_step_or_without_a_difference(void **state)
{
	struct arena a = ARENA_INIT;
	struct belief b = {.owner = fx_name("pc.lab.example")};
	struct verdict v = {.state = BELIEF_DUE};
	struct change c;

	(void)state;
	assert_int_equal(verdict_change(&c, &a, &b, &v), 1);
	v.state = BELIEF_STEP;
	v.ttl_only = true;
	assert_int_equal(verdict_change(&c, &a, &b, &v), 1);
	/* A name that has other data is never asked to be free. */
	v = (struct verdict){.state = BELIEF_DUE};
	b.want_kind = OBS_LEASE;
	rrs_add(&v.target, &a, RR_A, "abcd", 4);
	assert_int_equal(verdict_change(&c, &a, &b, &v), 0);
	assert_int_equal(c.n_pre, 1);
	rrs_add(&b.seen, &a, RR_TXT, "", 0);
	assert_int_equal(verdict_change(&c, &a, &b, &v), 0);
	assert_int_equal(c.n_pre, 5);
	arena_fini(&a);
}

/* ---- who is who ------------------------------------------------------------------------------ */

static struct identity who(const char *client_id, const char *duid, uint8_t mac)
{
	struct identity id = {.client_id = text(client_id), .duid = text(duid)};

	id.mac = (struct mac){.known = mac != 0, .b = {[5] = mac}};
	return id;
}

static void a_dhcid_compares_only_for_one_name_and_one_type(void **state)
{
	static const uint8_t b1[DHCID_LEN] = {0, 1, 1, 1}, b2[DHCID_LEN] = {0, 1, 1, 2},
			     other_type[DHCID_LEN] = {0, 2, 1, 2};
	struct identity none = {.dhcid = {NULL, 0}};
	const char *by;
	struct identity x = {.dhcid = {b1, DHCID_LEN}, .dhcid_name = text("pc.lab.example")};
	struct identity y = {.dhcid = {b2, DHCID_LEN}, .dhcid_name = text("pc.lab.example")};

	(void)state;
	assert_int_equal(identity_compare(&x, &x, &by), 1);
	assert_int_equal(identity_compare(&x, &y, &by), 0);
	assert_int_equal(identity_compare(&x, &none, &by), -1);
	assert_int_equal(identity_compare(&none, &x, &by), -1);
	y.dhcid.p = other_type;
	assert_int_equal(identity_compare(&x, &y, &by), -1);
	y = x;
	y.dhcid_name = text("tv.lab.example");
	assert_int_equal(identity_compare(&x, &y, &by), -1);
	y.dhcid_name = text("..");
	assert_int_equal(identity_compare(&y, &x, &by), -1);
	assert_int_equal(identity_compare(&x, &y, &by), -1);
	y = x;
	y.dhcid.len = DHCID_LEN - 1;
	assert_int_equal(identity_compare(&y, &x, &by), -1);
}

static void a_duid_is_taken_out_of_an_rfc_4361_client_identifier(void **state)
{
	static const uint8_t id[140] = {255, 1, 2, 3, 4, 9, 9};
	struct obs o = {.client_id = {id, 6}};
	struct identity out;

	(void)state;
	identity_of(&out, &o);
	assert_int_equal(out.duid.len, 1);
	assert_ptr_equal(out.duid.p, id + 5);
	o.client_id.len = 5;
	identity_of(&out, &o);
	assert_int_equal(out.duid.len, 0);
	o.client_id.len = 135;
	identity_of(&out, &o);
	assert_int_equal(out.duid.len, 130);
	o.client_id.len = 136;
	identity_of(&out, &o);
	assert_int_equal(out.duid.len, 0);
	o.client_id = (struct bytes){id + 1, 7};
	identity_of(&out, &o);
	assert_int_equal(out.duid.len, 0);
	o.client_id = (struct bytes){id, 6};
	o.duid = text("dd");
	identity_of(&out, &o);
	assert_int_equal(out.duid.len, 2);
}

static void a_dhcid_is_known_again_and_does_not_overflow(void **state)
{
	static uint8_t huge[300];
	struct dname name = fx_name("pc.lab.example"), longest;
	struct identity id = who("c", "", 1), other = who("", "", 0);
	uint8_t rdata[DHCID_LEN], v6[DHCID_LEN];
	struct rr rr = {RR_DHCID, DHCID_LEN, rdata};
	char label[254];
	int i;

	(void)state;
	assert_true(dhcid_make(rdata, &id, false, &name));
	assert_int_equal(rdata[1], 1);
	assert_true(dhcid_is(&rr, &id, false, &name));
	assert_true(dhcid_make(v6, &id, true, &name));
	assert_int_equal(v6[1], 0);
	rdata[DHCID_LEN - 1] ^= 1;
	assert_false(dhcid_is(&rr, &id, false, &name));
	rdata[DHCID_LEN - 1] ^= 1;
	rr.rdlen--;
	assert_false(dhcid_is(&rr, &id, false, &name));
	assert_false(dhcid_is(&rr, &other, false, &name));
	/* What no message can hold is refused. */
	memset(label, 'a', sizeof(label));
	for (i = 63; i < 253; i += 64)
		label[i] = '.';
	label[253] = '\0';
	assert_true(dname_parse(&longest, label, 253));
	assert_int_equal(longest.len, 255);
	id.duid = (struct bytes){huge, 257};
	assert_true(dhcid_make(rdata, &id, false, &longest));
	assert_int_equal(rdata[1], 2);
	id.duid.len++;
	assert_false(dhcid_make(rdata, &id, false, &longest));
}

/* Made of what is strong, two DHCIDs tell two clients apart; made of what may change, they don't. */
static void dhcids_tell_apart_what_they_were_made_of(void **state)
{
	static const uint8_t global[] = {1, 0, 0, 0, 0, 0, 5}, local[] = {1, 2, 0, 0, 0, 0, 5};
	static const uint8_t c1[DHCID_LEN] = {0, 1, 1, 1}, c2[DHCID_LEN] = {0, 1, 1, 2},
			     d1[DHCID_LEN] = {0, 2, 1, 1}, d2[DHCID_LEN] = {0, 2, 1, 2};
	struct identity x = who("", "", 0), y = who("", "", 0);
	const char *by;

	(void)state;
	x.dhcid = (struct bytes){c1, DHCID_LEN};
	y.dhcid = (struct bytes){c2, DHCID_LEN};
	x.dhcid_name = y.dhcid_name = text("pc.lab.example");
	assert_int_equal(identity_compare(&x, &y, &by), 0);
	x.client_id = text("strong");
	assert_int_equal(identity_compare(&x, &y, &by), 0);
	x.client_id = (struct bytes){global, sizeof(global)};
	assert_int_equal(identity_compare(&x, &y, &by), 0);
	x.client_id = (struct bytes){local, sizeof(local)};
	assert_int_equal(identity_compare(&x, &y, &by), -1);
	x.client_id.len = 0;
	x.duid = text("strong");
	x.dhcid.p = d1;
	y.dhcid.p = d2;
	assert_int_equal(identity_compare(&x, &y, &by), 0);
	assert_string_equal(by, "another DHCID");
}

static void who_is_known_and_who_is_weak(void **state)
{
	static const uint8_t local[] = {1, 2, 0, 0, 0, 0, 5}, random[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 5},
			     other_type[] = {0, 1, 0, 1, 2, 0, 0, 0, 0, 5};
	static const uint8_t of_mac[DHCID_LEN] = {0, 0, 1}, of_client[DHCID_LEN] = {0, 1, 1},
			     of_duid[DHCID_LEN] = {0, 2, 1};
	struct identity id = who("", "", 0);

	(void)state;
	assert_false(identity_known(&id));
	id = who("c", "", 0);
	assert_true(identity_known(&id));
	id = who("", "d", 0);
	assert_true(identity_known(&id));
	id = who("", "", 5);
	assert_true(identity_known(&id));
	assert_false(identity_is_weak(&id));
	id.mac.b[0] = 2;
	assert_true(identity_is_weak(&id));
	id.duid = (struct bytes){random, sizeof(random)};
	assert_true(identity_is_weak(&id));
	/* A DHCID is as strong as what it was made of. */
	id.dhcid = (struct bytes){of_duid, DHCID_LEN};
	assert_true(identity_is_weak(&id));
	id.duid.len = 0;
	assert_false(identity_is_weak(&id));
	id.dhcid.p = of_mac;
	assert_true(identity_is_weak(&id));
	id.dhcid.p = of_client;
	assert_false(identity_is_weak(&id));
	id.client_id = (struct bytes){local, sizeof(local)};
	assert_true(identity_is_weak(&id));
	id.dhcid.len = 0;
	id.duid = (struct bytes){other_type, sizeof(other_type)};
	assert_false(identity_is_weak(&id));
}

/* ---- a person's decisions ---------------------------------------------------------------------- */

static void adopting_keeps_what_is_ours_besides(void **state)
{
	struct arena a = ARENA_INIT;
	struct belief b = {.seen_known = true, .state = BELIEF_AGREED};
	const char *why = NULL;
	const struct rr *v;

	(void)state;
	rrs_add(&b.want, &a, RR_A, "\300\0\2\1", 4);
	rrs_add(&b.seen, &a, RR_A, "\300\0\2\1", 4);
	rrs_add(&b.seen, &a, RR_AAAA, "0123456789abcdef", 16);
	rrs_add(&b.published, &a, RR_AAAA, "0123456789abcdef", 16);
	assert_int_equal(decide(&b, &a, DECIDE_ADOPT, false, &why), DECIDE_DONE);
	assert_int_equal(rrs_of(&b.published, RR_A, &v), 1);
	assert_int_equal(rrs_of(&b.published, RR_AAAA, &v), 1);
	b.state = BELIEF_STEP;
	assert_int_equal(decide(&b, &a, DECIDE_ADOPT, false, &why), DECIDE_NOTHING);
	assert_string_equal(why, "it is ours already");
	b.decided = DECIDED_DISOWNED;
	assert_int_equal(decide(&b, &a, DECIDE_ADOPT, false, &why), DECIDE_DONE);
	assert_int_equal(b.decided, DECIDED_NOTHING);
	assert_int_equal(decide(&b, &a, (enum decide_verb)99, false, &why), DECIDE_IMPOSSIBLE);
	arena_fini(&a);
}

/* What DNS shows stands, by a person's word: IPAM wants nothing there. */
static void what_was_given_to_dns_is_not_wanted(void **state)
{
	struct arena a = ARENA_INIT;
	struct host h = {.addr = fx_addr("192.0.2.5"), .kind = OBS_LEASE, .why = "w"};
	struct belief fwd = {.decided = DECIDED_DNS}, rev = {.decided = DECIDED_DNS};

	(void)state;
	h.name = h.asked = fwd.owner = fx_name("pc.lab.example");
	rev.owner = fx_name("5.2.0.192.in-addr.arpa");
	assert_int_equal(plan_forward(&fwd, &a, &fx_zones[0], &h, 1), 0);
	assert_int_equal(fwd.want.n, 0);
	fwd.seen_known = true;
	assert_int_equal(plan_reverse(&rev, &a, &fx_zones[1], &h, &fwd), 0);
	assert_int_equal(rev.want.n, 0);
	assert_string_equal(rev.why, fwd.why);
	arena_fini(&a);
}

/* ---- naming ------------------------------------------------------------------------------------ */

static const char *rule(const char *raw, enum obs_kind kind)
{
	static char out[DNAME_TEXT];
	struct dname n;
	const char *why = NULL;

	if (naming_rule(&n, &fx_space, &fx_subnets[0], kind, text(raw), &why) != 0)
		return why;
	return dname_print(out, &n);
}

static void names_are_refused_with_their_reason(void **state)
{
	static const struct {
		const char *raw, *answer;
		enum obs_kind kind;
	} v[] = {
	    {"ns1", "the name is protected", OBS_LEASE},
	    {"dns12", "the name is protected", OBS_LEASE},
	    {"dns", "the name is protected", OBS_LEASE},
	    {"ns", "the name is protected", OBS_LEASE},
	    {"www", "the name is protected", OBS_LEASE},
	    {"wpad", "the name is protected", OBS_LEASE},
	    {"autoconfig", "the name is protected", OBS_LEASE},
	    {"secret-pc", "the name is protected", OBS_MANUAL},
	    {"nsx", "nsx.lab.example", OBS_LEASE},
	    {"ns1a", "ns1a.lab.example", OBS_LEASE},
	    {"dnsx", "dnsx.lab.example", OBS_LEASE},
	    {"dn1", "dn1.lab.example", OBS_LEASE},
	    {"ns1", "ns1.lab.example", OBS_MANUAL},
	    {"dns1", "dns1.lab.example", OBS_MANUAL},
	    {"lab.example", "only a person may name the zone itself", OBS_LEASE},
	    {"lab.example", "lab.example", OBS_MANUAL},
	    {"*", "*.lab.example", OBS_MANUAL},
	    {"*.lab.example", "*.lab.example", OBS_MANUAL},
	    {"", "the name is empty", OBS_LEASE},
	    {".", "the name is empty", OBS_LEASE},
	    {"a..b", "a label is empty", OBS_LEASE},
	    {"-a", "a label starts or ends with \"-\"", OBS_LEASE},
	    {"a-", "a label starts or ends with \"-\"", OBS_LEASE},
	    {"a;b", "the name has a byte outside a-z, 0-9 and \"-\"", OBS_LEASE},
	    {"AZ-az-09", "az-az-09.lab.example", OBS_LEASE},
	    {"a@", "the name has a byte outside a-z, 0-9 and \"-\"", OBS_LEASE},
	    {"a[", "the name has a byte outside a-z, 0-9 and \"-\"", OBS_LEASE},
	    {"a`", "the name has a byte outside a-z, 0-9 and \"-\"", OBS_LEASE},
	    {"a{", "the name has a byte outside a-z, 0-9 and \"-\"", OBS_LEASE},
	    {"a/", "the name has a byte outside a-z, 0-9 and \"-\"", OBS_LEASE},
	    {"a:", "the name has a byte outside a-z, 0-9 and \"-\"", OBS_LEASE},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_string_equal(rule(v[i].raw, v[i].kind), v[i].answer);
	assert_string_not_equal(rule("*x", OBS_MANUAL), "*x.lab.example");
	assert_string_not_equal(rule("a.*", OBS_MANUAL), "a.*.lab.example");
	assert_string_not_equal(rule("*.*", OBS_MANUAL), "*.*.lab.example");
	assert_string_not_equal(rule("x*", OBS_MANUAL), "x*.lab.example");
	assert_string_not_equal(rule("192.0.2.1", OBS_LEASE), "192.lab.example");
}

static void a_pattern_protects_labels_and_whole_names(void **state)
{
	static const char *const patterns[] = {"*.lab.example"};
	struct policy_space space = fx_space;
	struct dname n;
	const char *why;

	(void)state;
	assert_int_equal(naming_rule(&n, &space, &fx_subnets[0], OBS_LEASE, text("pc"), &why), 0);
	space.protect = patterns;
	assert_int_equal(naming_rule(&n, &space, &fx_subnets[0], OBS_LEASE, text("pc"), &why), 1);
	assert_string_equal(why, "the name is protected");
}

static void the_longest_label_and_name_are_known(void **state)
{
	char raw[300], want[400];

	(void)state;
	memset(raw, 'a', sizeof(raw));
	raw[63] = '\0';
	snprintf(want, sizeof(want), "%s.lab.example", raw);
	assert_string_equal(rule(raw, OBS_LEASE), want);
	raw[63] = 'a';
	raw[64] = '\0';
	assert_string_equal(rule(raw, OBS_LEASE), "a label has more than 63 bytes");
	memset(raw, 'a', sizeof(raw));
	raw[254] = '\0';
	assert_string_equal(rule(raw, OBS_LEASE), "the name has more than 253 bytes");
	raw[253] = '\0';
	assert_string_equal(rule(raw, OBS_LEASE), "a label has more than 63 bytes");
}

static void a_name_must_fit_below_the_zone(void **state)
{
	struct policy_subnet bare = fx_subnets[0], deep = fx_subnets[0];
	struct policy_zone zone = fx_zones[0];
	const struct policy_zone *zones[1] = {&zone};
	char label[252];
	struct dname n;
	const char *why;
	int i;

	(void)state;
	bare.n_zones = 0;
	assert_int_equal(naming_rule(&n, &fx_space, &bare, OBS_LEASE, text("pc"), &why), 1);
	assert_string_equal(why, "the name does not fit below the subnet's zone");
	memset(label, 'z', sizeof(label));
	for (i = 62; i < 251; i += 63)
		label[i] = '.';
	label[251] = '\0';
	assert_true(dname_parse(&zone.name, label, 251));
	deep.zones = zones;
	assert_int_equal(naming_rule(&n, &fx_space, &deep, OBS_LEASE, text("pc"), &why), 1);
	assert_int_equal(naming_rule(&n, &fx_space, &deep, OBS_LEASE, text("p"), &why), 0);
}

static struct evidence evidence(const char *name, enum obs_kind kind, int64_t seen_at_s)
{
	struct evidence ev = {.source_id = 1};

	ev.obs = (struct obs){.addr = fx_addr("192.0.2.5"), .kind = (uint8_t)kind,
			      .name = text(name), .seen_at_s = seen_at_s};
	return ev;
}

static size_t name_all(struct host **out, struct arena *a, const struct evidence *ev, size_t n_ev)
{
	struct ipaddr addr = fx_addr("192.0.2.5");
	size_t n;

	assert_int_equal(naming_address(out, &n, a, &fx_space, &addr, ev, n_ev, 100), 0);
	return n;
}

static void the_newest_word_of_a_kind_counts(void **state)
{
	struct arena a = ARENA_INIT;
	struct evidence ev[3] = {evidence("old", OBS_LEASE, 1), evidence("new", OBS_LEASE, 3),
				 evidence("late", OBS_LEASE, 3)};
	struct host *h;

	(void)state;
	assert_int_equal(name_all(&h, &a, ev, 3), 1);
	assert_true(dname_equal(&h->name, &(struct dname){0}) == false);
	assert_int_equal(memcmp(h->name.b, "\3new", 4), 0);
	assert_true(h->ptr);
	assert_int_equal(h->since_s, 100);
	assert_true(h->expires_at_s == OBS_FOREVER);
	assert_string_equal(h->why, "named by source \"dhcp\" (lease)");
	ev[1].obs.valid_until_s = 500;
	ev[1].source_id = 99;
	name_all(&h, &a, ev, 3);
	assert_int_equal(h->expires_at_s, 500);
	assert_string_equal(h->why, "named by source \"gone\" (lease)");
	assert_int_equal(name_all(&h, &a, ev, 0), 0);
	assert_null(h);
	arena_fini(&a);
}

static void a_name_from_dns_must_be_a_name_of_the_subnets_zones(void **state)
{
	struct arena a = ARENA_INIT;
	struct evidence ev = evidence("pc.lab.example", OBS_DNS, 1);
	struct host *h;

	(void)state;
	name_all(&h, &a, &ev, 1);
	assert_true(h->name.len > 0);
	ev.obs.name = text("..");
	name_all(&h, &a, &ev, 1);
	assert_int_equal(h->name.len, 0);
	assert_string_equal(h->why, "no name: the PTR's target is outside the subnet's zones "
				    "(source \"dhcp\")");
	ev.obs.kind = OBS_EDIT;
	ev.obs.name = text("pc.example.net");
	name_all(&h, &a, &ev, 1);
	assert_int_equal(h->name.len, 0);
	ev.obs.name = text("pc.lab.example");
	name_all(&h, &a, &ev, 1);
	assert_true(h->name.len > 0);
	/* Held by the brake, an edit has no say; a lease has. */
	ev.held = true;
	name_all(&h, &a, &ev, 1);
	assert_int_equal(h->name.len, 0);
	assert_string_equal(h->why, "seen by source \"dhcp\" (edit)");
	ev.obs.kind = OBS_DNS;
	name_all(&h, &a, &ev, 1);
	assert_int_equal(h->name.len, 0);
	ev.obs.kind = OBS_LEASE;
	name_all(&h, &a, &ev, 1);
	assert_true(h->name.len > 0);
	arena_fini(&a);
}

static void at_most_one_name_has_the_ptr_and_no_wildcard(void **state)
{
	struct arena a = ARENA_INIT;
	struct evidence ev[3] = {evidence("*", OBS_MANUAL, 1), evidence("b", OBS_MANUAL, 1),
				 evidence("c", OBS_MANUAL, 1)};
	struct host *h;

	(void)state;
	assert_int_equal(name_all(&h, &a, ev, 3), 3);
	assert_false(h[0].ptr);
	assert_true(h[1].ptr);
	assert_false(h[2].ptr);
	ev[0].obs.ptr = ev[1].obs.ptr = ev[2].obs.ptr = true;
	name_all(&h, &a, ev, 3);
	assert_false(h[0].ptr);
	assert_true(h[1].ptr);
	assert_false(h[2].ptr);
	ev[0].obs.ptr = ev[1].obs.ptr = false;
	name_all(&h, &a, ev, 3);
	assert_false(h[1].ptr);
	assert_true(h[2].ptr);
	assert_int_equal(name_all(&h, &a, ev, 1), 1);
	assert_false(h[0].ptr);
	arena_fini(&a);
}

static void the_best_kind_describes_a_host_without_a_name(void **state)
{
	struct arena a = ARENA_INIT;
	struct evidence ev[3] = {evidence("", OBS_NEIGHBOUR, 1), evidence("", OBS_LEASE, 1),
				 evidence("", OBS_DNS, 1)};
	struct host *h;

	(void)state;
	ev[0].obs.mac = (struct mac){.known = true, .b = {7}};
	assert_int_equal(name_all(&h, &a, ev, 3), 1);
	assert_int_equal(h->kind, OBS_LEASE);
	assert_int_equal(h->name.len, 0);
	assert_true(h->id.mac.known);
	assert_true(ipaddr_cmp(&h->addr, &ev[0].obs.addr) == 0);
	arena_fini(&a);
}

/* ---- two hosts and one name ------------------------------------------------------------------ */

static struct host host(const char *addr, enum obs_kind kind, struct identity id)
{
	struct host h = {.addr = fx_addr(addr), .kind = (uint8_t)kind, .id = id, .why = "w"};

	h.name = h.asked = fx_name("pc.lab.example");
	return h;
}

static void rank_is_the_subnets(void **state)
{
	struct identity none = who("", "", 0);
	struct host in = host("192.0.2.5", OBS_LEASE, none), out = host("203.0.113.1", OBS_MANUAL, none);
	struct host better = host("192.0.2.6", OBS_MANUAL, none);

	(void)state;
	assert_true(naming_beats(&fx_space, &better, &in));
	assert_false(naming_beats(&fx_space, &in, &better));
	assert_false(naming_beats(&fx_space, &in, &in));
	assert_true(naming_beats(&fx_space, &in, &out));
	assert_false(naming_beats(&fx_space, &out, &in));
}

static void a_suffix_follows_the_best_identity_and_cuts_the_label(void **state)
{
	static const uint8_t dhcid[DHCID_LEN] = {0, 1, 1};
	struct host h = host("192.0.2.5", OBS_LEASE, who("c", "d", 7));
	char out[DNAME_TEXT], first[DNAME_TEXT], label[64];
	struct dname n;

	(void)state;
	assert_true(naming_suffix(&n, &h));
	assert_string_equal(dname_print(out, &n), "pc-18ac.lab.example");
	h.id.duid.len = 0;
	naming_suffix(&n, &h);
	assert_string_equal(dname_print(out, &n), "pc-2e7d.lab.example");
	h.id.client_id.len = 0;
	naming_suffix(&n, &h);
	dname_print(first, &n);
	assert_string_not_equal(first, out);
	h.id.mac.known = false;
	h.id.dhcid = (struct bytes){dhcid, DHCID_LEN};
	naming_suffix(&n, &h);
	assert_string_not_equal(dname_print(out, &n), first);
	h.id.dhcid.len = 0;
	naming_suffix(&n, &h);
	assert_string_not_equal(dname_print(first, &n), out);
	memset(label, 'a', 63);
	label[63] = '\0';
	snprintf(out, sizeof(out), "%s.lab.example", label);
	h.asked = fx_name(out);
	assert_true(naming_suffix(&n, &h));
	assert_int_equal(n.b[0], 63);
	label[58] = '\0';
	snprintf(out, sizeof(out), "%s.lab.example", label);
	h.asked = fx_name(out);
	assert_true(naming_suffix(&n, &h));
	assert_int_equal(n.b[0], 63);
	assert_int_equal(n.b[58], 'a');
	assert_int_equal(n.b[59], '-');
}

/* ---- the contest for a name --------------------------------------------------------------------- */

static struct plan_answer settle(struct arena *a, struct host *claims, size_t n, struct host *olds,
				 size_t n_olds)
{
	struct plan_names in = {claims, n, olds, n_olds, NULL, 0};
	struct plan_answer out;

	assert_int_equal(plan_settle_names(&out, a, &fx_space, &in), 0);
	return out;
}

static void a_suffix_is_lost_with_a_change_of_kind_or_client(void **state)
{
	struct arena a = ARENA_INIT;
	struct host old = host("192.0.2.5", OBS_LEASE, who("", "", 1)), claim = old;

	(void)state;
	old.name = fx_name("pc-1234.lab.example");
	old.since_s = 5;
	old.why = "kept";
	settle(&a, &claim, 1, &old, 1);
	assert_true(dname_equal(&claim.name, &old.name));
	assert_string_equal(claim.why, "kept");
	assert_int_equal(claim.since_s, 5);
	claim = host("192.0.2.5", OBS_MANUAL, who("", "", 1));
	settle(&a, &claim, 1, &old, 1);
	assert_true(dname_equal(&claim.name, &claim.asked));
	assert_int_equal(claim.since_s, 5);
	claim = host("192.0.2.5", OBS_LEASE, who("", "", 2));
	claim.since_s = 9;
	settle(&a, &claim, 1, &old, 1);
	assert_true(dname_equal(&claim.name, &claim.asked));
	assert_int_equal(claim.since_s, 9);
	old.name.len = 0;  /* it went without a name, which here means nothing */
	claim = host("192.0.2.5", OBS_LEASE, who("", "", 1));
	settle(&a, &claim, 1, &old, 1);
	assert_true(dname_equal(&claim.name, &claim.asked));
	old.name = fx_name("pc-1234.lab.example");
	old.kind = OBS_DNS;  /* a description holds nothing */
	claim = host("192.0.2.5", OBS_LEASE, who("", "", 1));
	settle(&a, &claim, 1, &old, 1);
	assert_true(dname_equal(&claim.name, &claim.asked));
	arena_fini(&a);
}

static void a_name_too_long_for_a_suffix_is_lost(void **state)
{
	struct arena a = ARENA_INIT;
	char text_[254];
	struct host claims[2] = {host("192.0.2.5", OBS_LEASE, who("", "", 1)),
				 host("192.0.2.6", OBS_LEASE, who("", "", 2))};
	int i;

	(void)state;
	memset(text_, 'a', sizeof(text_));
	for (i = 2; i < 253; i += 64)
		text_[i] = '.';
	text_[253] = '\0';
	claims[0].name = claims[0].asked = claims[1].name = claims[1].asked = fx_name(text_);
	assert_true(claims[0].name.len > 250);
	settle(&a, claims, 2, NULL, 0);
	assert_true(claims[0].name.len > 250);
	assert_int_equal(claims[1].name.len, 0);
	assert_string_equal(claims[1].why,
			    "no name: the asked name is taken and a longer one does not fit");
	arena_fini(&a);
}

/* One asks for the very name that another one gets as a suffix. */
static void a_suffix_beats_who_asks_for_it_later(void **state)
{
	struct arena a = ARENA_INIT;
	struct host claims[3] = {host("192.0.2.5", OBS_LEASE, who("", "", 1)),
				 host("192.0.2.6", OBS_LEASE, who("", "", 2)),
				 host("192.0.2.7", OBS_LEASE, who("", "", 3))};
	struct plan_answer out;
	struct dname suffix, own;

	(void)state;
	assert_true(naming_suffix(&suffix, &claims[1]));
	claims[2].name = claims[2].asked = suffix;
	assert_true(naming_suffix(&own, &claims[2]));
	out = settle(&a, claims, 3, NULL, 0);
	assert_true(dname_equal(&claims[0].name, &claims[0].asked));
	assert_true(dname_equal(&claims[1].name, &suffix));
	assert_true(dname_equal(&claims[2].name, &own));
	assert_int_equal(out.n_load, 2);
	assert_true(dname_equal(&out.load[0], &suffix));
	assert_true(dname_equal(&out.load[1], &own));
	arena_fini(&a);
}

/* Who asks for the suffix of his own other address is one host with it. */
static void a_suffix_is_shared_by_its_host(void **state)
{
	struct arena a = ARENA_INIT;
	struct host claims[3] = {host("192.0.2.5", OBS_LEASE, who("", "", 1)),
				 host("192.0.2.6", OBS_LEASE, who("", "", 2)),
				 host("2001:db8::7", OBS_LEASE, who("", "", 2))};

	(void)state;
	assert_true(naming_suffix(&claims[2].name, &claims[1]));
	claims[2].asked = claims[2].name;
	settle(&a, claims, 3, NULL, 0);
	assert_true(dname_equal(&claims[1].name, &claims[2].asked));
	assert_true(dname_equal(&claims[2].name, &claims[2].asked));
	assert_non_null(strstr(claims[2].why, "one host with 192.0.2.6"));
	arena_fini(&a);
}

static void a_description_has_no_record(void **state)
{
	struct arena a = ARENA_INIT;
	struct host hosts[3] = {host("192.0.2.5", OBS_DNS, who("", "", 1)),
				host("192.0.2.6", OBS_LEASE, who("", "", 2)),
				host("192.0.2.7", OBS_LEASE, who("", "", 2))};
	struct policy_zone plain = fx_zones[0];
	struct belief b = {.owner = fx_name("pc.lab.example")};
	const struct rr *v;

	(void)state;
	hosts[1].since_s = 9;
	hosts[2].since_s = 8;
	hosts[2].why = "older";
	hosts[1].source_id = 4;
	hosts[1].ttl_s = 70;
	hosts[2].ttl_s = 60;
	assert_int_equal(plan_forward(&b, &a, &fx_zones[0], hosts, 3), 0);
	assert_int_equal(rrs_of(&b.want, RR_A, &v), 2);
	assert_int_equal(rrs_of(&b.want, RR_DHCID, &v), 1);
	assert_int_equal(b.want_source, 4);
	assert_int_equal(b.want_kind, OBS_LEASE);
	assert_int_equal(b.want_ttl_s, 60);
	assert_string_equal(b.why, "older");
	plain.dhcid = false;
	plan_forward(&b, &a, &plain, hosts, 3);
	assert_int_equal(rrs_of(&b.want, RR_DHCID, &v), 0);
	hosts[1].id = hosts[2].id = who("", "", 0);
	plan_forward(&b, &a, &fx_zones[0], hosts, 3);
	assert_int_equal(rrs_of(&b.want, RR_DHCID, &v), 0);
	hosts[1].kind = OBS_NEIGHBOUR;
	hosts[1].id = hosts[2].id = who("", "", 1);
	plan_forward(&b, &a, &fx_zones[0], hosts, 3);
	assert_int_equal(rrs_of(&b.want, RR_DHCID, &v), 0);
	plan_forward(&b, &a, &fx_zones[0], hosts, 1);
	assert_int_equal(b.want.n, 0);
	assert_string_equal(b.why, "nothing names it any more");
	assert_int_equal(b.want_ttl_s, 300);
	hosts[1].name.len = 0;
	plan_forward(&b, &a, &fx_zones[0], hosts + 1, 1);
	assert_int_equal(b.want.n, 0);
	arena_fini(&a);
}

/* ---- the policy ------------------------------------------------------------------------------- */

static void a_zone_is_found_by_its_id_with_and_without_index(void **state)
{
	struct arena a = ARENA_INIT;
	struct policy_zone zones[40];
	struct policy_space spaces[2] = {{.name = "a"}, {.zones = zones, .n_zones = 40, .name = "b"}};
	struct policy p = {.spaces = spaces, .n_spaces = 2};
	const struct policy_space *space = NULL;
	char name[32];
	int i, round;

	(void)state;
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "z%d.example", i);
		zones[i] = (struct policy_zone){.id = 1 + 16 * i, .name = fx_name(name),
						.text = "z"};
	}
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 40; i++) {
			assert_ptr_equal(policy_zone_by_id(&p, 1 + 16 * i, &space), &zones[i]);
			assert_ptr_equal(policy_zone_by_id(&p, 1 + 16 * i, NULL), &zones[i]);
			assert_ptr_equal(space, &spaces[1]);
			assert_ptr_equal(policy_zone_of(&spaces[1], &zones[i].name, false), &zones[i]);
		}
		assert_null(policy_zone_by_id(&p, 2, &space));
		assert_null(policy_zone_of(&spaces[1], &zones[1].name, true));
		assert_null(policy_zone_of(&spaces[1], &(struct dname){0}, false));
		if (round == 0)
			assert_int_equal(policy_index(&p, &a), 0);
	}
	assert_int_not_equal(policy_digest(&p), 0);
	arena_fini(&a);
}

static void the_zone_above_is_of_the_same_direction(void **state)
{
	struct policy_zone zones[] = {{.name = fx_name("example")}, {.name = fx_name("deep.lab.example")},
				      {.name = fx_name("lab.example"), .is_reverse = true},
				      {.name = fx_name(".")}};
	struct policy_space s = {.zones = zones, .n_zones = 3};

	(void)state;
	assert_ptr_equal(policy_zone_above(&s, &zones[1]), &zones[0]);
	assert_null(policy_zone_above(&s, &zones[0]));
	assert_null(policy_zone_above(&s, &zones[2]));
	zones[3].name = (struct dname){.len = 1};
	s.n_zones = 4;
	assert_ptr_equal(policy_zone_above(&s, &zones[0]), &zones[3]);
	assert_null(policy_zone_above(&s, &zones[3]));
}

static void a_subnet_that_is_no_prefix_ends_the_search(void **state)
{
	struct arena a = ARENA_INIT;
	struct policy_subnet odd = {.prefix = {.addr = fx_addr("10.0.0.0"), .len = 0}};
	struct policy_space s = {.subnets = &odd, .n_subnets = 1};
	struct policy p = {.spaces = &s, .n_spaces = 1};
	struct ipaddr addr = fx_addr("192.0.2.1");

	(void)state;
	assert_int_equal(policy_index(&p, &a), 0);
	assert_null(policy_subnet_of(&s, &addr));
	arena_fini(&a);
}

static void what_is_written_to_or_speaks_is_not_read(void **state)
{
	struct policy_source s = {.kind = OBS_LEASE};

	(void)state;
	assert_true(policy_source_is_read(&s));
	s.events = true;
	assert_false(policy_source_is_read(&s));
	s = (struct policy_source){.kind = OBS_MANUAL};
	assert_false(policy_source_is_read(&s));
	s.kind = OBS_DNS;
	assert_false(policy_source_is_read(&s));
	s.kind = OBS_NEIGHBOUR;
	assert_true(policy_source_is_read(&s));
	assert_ptr_equal(policy_source_by_name(&fx_space, "arp"), &fx_sources[1]);
	assert_null(policy_source_by_name(&fx_space, "ar"));
}

static void ptr_names_go_there_and_back(void **state)
{
	struct policy_zone zones[2] = {{.name = fx_name("0-31.2.0.192.in-addr.arpa"), .is_reverse = true,
					.classless = true},
				       {.name = fx_name("2.0.192.in-addr.arpa"), .is_reverse = true}};
	struct policy_space s = {.zones = zones, .n_zones = 2};
	struct policy p = {.spaces = &s, .n_spaces = 1};
	struct ipaddr addr = fx_addr("192.0.2.7"), back;
	struct dname out, full = fx_name("7.2.0.192.in-addr.arpa");
	char label[254];
	int i;

	(void)state;
	prefix_parse(&zones[0].covers, "192.0.2.0/27", 12);
	policy_ptr_owner(&out, &zones[0], &addr);
	assert_true(dname_equal(&out, &(struct dname){0}) == false);
	assert_true(policy_ptr_addr(&back, &zones[0], &out));
	assert_int_equal(ipaddr_cmp(&back, &addr), 0);
	assert_true(policy_named_addr(&back, &p, &out));
	assert_int_equal(ipaddr_cmp(&back, &addr), 0);
	out = fx_name("77.0-31.2.0.192.in-addr.arpa");
	assert_false(policy_named_addr(&back, &p, &out));
	out = fx_name("x.0-31.2.0.192.in-addr.arpa");
	assert_false(policy_ptr_addr(&back, &zones[0], &out));
	assert_true(policy_named_addr(&back, &p, &full));
	out = fx_name("8.3.0.192.in-addr.arpa");
	assert_true(policy_named_addr(&back, &p, &out));
	assert_false(policy_ptr_addr(&back, &zones[0], &out));
	/* Outside every subnet: its plain reverse name. */
	policy_ptr_name(&out, &s, &addr);
	assert_true(dname_equal(&out, &full));
	/* A zone with so long a name has no room for an octet. */
	memset(label, 'z', sizeof(label));
	for (i = 63; i < 253; i += 64)
		label[i] = '.';
	label[253] = '\0';
	assert_true(dname_parse(&zones[0].name, label, 253));
	policy_ptr_owner(&out, &zones[0], &addr);
	assert_true(dname_equal(&out, &full));
}

static int setup(void **state)
{
	(void)state;
	fx_setup();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_window_ends_at_its_length_or_when_the_clock_goes_back),
	    cmocka_unit_test(a_closed_gate_waits_a_second_at_least_and_a_minute_at_most),
	    cmocka_unit_test(backoff_doubles_to_five_minutes_with_half_as_jitter),
	    cmocka_unit_test(a_message_is_full_by_bytes_too),
	    cmocka_unit_test(every_state_has_a_name_that_reads_back),
	    cmocka_unit_test(a_row_goes_when_nothing_is_in_it),
	    cmocka_unit_test(cuts_aliases_and_names_set_aside_bear_on_others),
	    cmocka_unit_test(every_rcode_has_a_name),
	    cmocka_unit_test(answers_mean_what_the_table_says),
	    cmocka_unit_test(offers_are_bounded_and_a_refusal_is_kept),
	    cmocka_unit_test(an_offer_reads_back_with_its_time),
	    cmocka_unit_test(a_disowned_name_is_contested_where_it_differs),
	    cmocka_unit_test(nothing_is_sent_in_step_or_without_a_difference),
	    cmocka_unit_test(a_dhcid_compares_only_for_one_name_and_one_type),
	    cmocka_unit_test(a_duid_is_taken_out_of_an_rfc_4361_client_identifier),
	    cmocka_unit_test(a_dhcid_is_known_again_and_does_not_overflow),
	    cmocka_unit_test(dhcids_tell_apart_what_they_were_made_of),
	    cmocka_unit_test(who_is_known_and_who_is_weak),
	    cmocka_unit_test(adopting_keeps_what_is_ours_besides),
	    cmocka_unit_test(what_was_given_to_dns_is_not_wanted),
	    cmocka_unit_test(names_are_refused_with_their_reason),
	    cmocka_unit_test(a_pattern_protects_labels_and_whole_names),
	    cmocka_unit_test(the_longest_label_and_name_are_known),
	    cmocka_unit_test(a_name_must_fit_below_the_zone),
	    cmocka_unit_test(the_newest_word_of_a_kind_counts),
	    cmocka_unit_test(a_name_from_dns_must_be_a_name_of_the_subnets_zones),
	    cmocka_unit_test(at_most_one_name_has_the_ptr_and_no_wildcard),
	    cmocka_unit_test(the_best_kind_describes_a_host_without_a_name),
	    cmocka_unit_test(rank_is_the_subnets),
	    cmocka_unit_test(a_suffix_follows_the_best_identity_and_cuts_the_label),
	    cmocka_unit_test(a_suffix_is_lost_with_a_change_of_kind_or_client),
	    cmocka_unit_test(a_name_too_long_for_a_suffix_is_lost),
	    cmocka_unit_test(a_suffix_beats_who_asks_for_it_later),
	    cmocka_unit_test(a_suffix_is_shared_by_its_host),
	    cmocka_unit_test(a_description_has_no_record),
	    cmocka_unit_test(a_zone_is_found_by_its_id_with_and_without_index),
	    cmocka_unit_test(the_zone_above_is_of_the_same_direction),
	    cmocka_unit_test(a_subnet_that_is_no_prefix_ends_the_search),
	    cmocka_unit_test(what_is_written_to_or_speaks_is_not_read),
	    cmocka_unit_test(ptr_names_go_there_and_back),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
