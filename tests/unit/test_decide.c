/* test_decide.c - runs tests/cases/decide.cases against core/decide; small facts of beliefs beside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/base/err.h"
#include "bridge/core/decide.h"
#include "bridge/core/push_state.h"

static const char *const answers[] = {"done", "nothing", "impossible"};

struct expect {
	char name[128];
	struct arena a;
	struct belief b;
	enum decide_verb verb;
	bool edited;
	char answer[16];
	enum belief_decision decided;
	unsigned reverts, offers;
	bool has_reverts, has_offers;
	struct rrs keep;
	int line;
};

static void add_record(struct expect *x, struct rrs *s, const char *text)
{
	static const char d1[] = "DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=";
	struct err e = {0};
	struct rrs one;

	text = strcmp(text, "DHCID D1") == 0 ? d1 : text;
	if (rrs_parse(&one, &x->a, text, strlen(text), &e) < 0 || one.n != 1)
		fail_msg("line %d: %s", x->line, e.text);
	rrs_add(s, &x->a, one.v[0].type, one.v[0].rdata, one.v[0].rdlen);
}

static void run(struct expect *x)
{
	struct belief was = x->b;
	const char *why = "";
	int r;

	if (x->name[0] == '\0')
		return;
	r = decide(&x->b, &x->a, x->verb, x->edited, &why);
	if (r < 0 || strcmp(answers[r], x->answer) != 0)
		fail_msg("%s: %s (%s)", x->name, r < 0 ? "failed" : answers[r], why);
	if (x->b.decided != x->decided)
		fail_msg("%s: decided is %u", x->name, x->b.decided);
	if (!rrs_equal(&x->b.published, r == DECIDE_DONE ? &x->keep : &was.published))
		fail_msg("%s: something else is ours", x->name);
	if (r == DECIDE_DONE && !rrs_equal(&x->b.published, &x->keep))
		fail_msg("%s: something else is kept", x->name);
	if (x->has_reverts && x->b.reverts != x->reverts)
		fail_msg("%s: %u reverts", x->name, x->b.reverts);
	if (x->has_offers && x->b.n_offered != x->offers)
		fail_msg("%s: %u offers", x->name, x->b.n_offered);
	/* What counts a fight begins anew; what was offered or sent is forgotten with what it was. */
	if (r == DECIDE_DONE)
		assert_int_equal(x->b.removed_at_s + x->b.reverts, 0);
	if (r == DECIDE_DONE && (x->verb == DECIDE_TAKE_DNS || x->verb == DECIDE_DISOWN))
		assert_int_equal(x->b.sent_ttl_s, 0);
	assert_true(rrs_equal(&x->b.want, &was.want) && rrs_equal(&x->b.seen, &was.seen));
	assert_int_equal(r == DECIDE_DONE, *why == '\0');
}

static void start(struct expect *x, const char *name)
{
	int line = x->line;

	arena_fini(&x->a);
	memset(x, 0, sizeof(*x));
	x->line = line;
	x->b.seen_known = true;
	x->b.want_kind = OBS_LEASE;
	x->b.removed_at_s = 1;
	x->b.sent_ttl_s = 300;
	x->b.why = "";
	snprintf(x->name, sizeof(x->name), "%s", name);
}

static const char *after(const char *line, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(line, word, n) != 0 || (line[n] != ' ' && line[n] != '\0'))
		return NULL;
	return line[n] == ' ' ? line + n + 1 : line + n;
}

static void take_verb(struct expect *x, const char *name)
{
	static const enum decide_verb all[] = {DECIDE_TAKE_DNS, DECIDE_TAKE_IPAM, DECIDE_ADOPT,
					       DECIDE_DISOWN};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(decide_name(all[i]), name) == 0) {
			x->verb = all[i];
			return;
		}
	}
	fail_msg("line %d: no verb %s", x->line, name);
}

static enum belief_decision decision(const struct expect *x, const char *name)
{
	enum belief_decision d = DECIDED_NOTHING;

	if (!belief_decision_parse(&d, name, strlen(name)))
		fail_msg("line %d: no decision %s", x->line, name);
	return d;
}

static void take_number(struct expect *x, const char *l)
{
	const char *r;

	if ((r = after(l, "reverts")) != NULL) {
		/* Before the verb of the owner, after it of the outcome. */
		x->has_reverts = x->b.reverts != 0;
		*(x->has_reverts ? &x->reverts : &x->b.reverts) = (unsigned)strtoul(r, NULL, 10);
	} else if ((r = after(l, "offers")) != NULL) {
		x->has_offers = true;
		x->offers = (unsigned)strtoul(r, NULL, 10);
	} else if (after(l, "unseen") != NULL) {
		x->b.seen_known = false;
	} else if (after(l, "apex") != NULL) {
		x->b.apex = true;
	} else if (after(l, "edited") != NULL) {
		x->edited = true;
	} else {
		fail_msg("line %d: \"%s\" is no line of a case", x->line, l);
	}
}

static void take_line(struct expect *x, const char *l)
{
	enum belief_state st = BELIEF_STEP;
	const char *r;

	if ((r = after(l, "case")) != NULL) {
		run(x);
		start(x, r);
	} else if ((r = after(l, "want")) != NULL) {
		add_record(x, &x->b.want, r);
	} else if ((r = after(l, "published")) != NULL) {
		add_record(x, &x->b.published, r);
	} else if ((r = after(l, "offered")) != NULL) {
		add_record(x, &x->b.offered[x->b.n_offered++], r);
	} else if ((r = after(l, "seen")) != NULL) {
		add_record(x, &x->b.seen, r);
	} else if ((r = after(l, "keep")) != NULL) {
		add_record(x, &x->keep, r);
	} else if ((r = after(l, "state")) != NULL) {
		assert_true(belief_state_parse(&st, r, strlen(r)));
		x->b.state = (uint8_t)st;
	} else if ((r = after(l, "verb")) != NULL) {
		take_verb(x, r);
	} else if ((r = after(l, "answer")) != NULL) {
		snprintf(x->answer, sizeof(x->answer), "%s", r);
	} else if ((r = after(l, "was")) != NULL) {
		x->b.decided = (uint8_t)decision(x, r);
	} else if ((r = after(l, "decided")) != NULL) {
		x->decided = decision(x, r);
	} else {
		take_number(x, l);
	}
}

static void decisions_are_those_of_the_case_file(void **state)
{
	static struct expect x;
	char line[256];
	FILE *f = fopen("tests/cases/decide.cases", "r");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		x.line++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0' && line[0] != '#')
			take_line(&x, line);
	}
	run(&x);
	arena_fini(&x.a);
	fclose(f);
}

/* ---- beliefs ------------------------------------------------------------------------------ */

static struct rrs set(struct arena *a, const char *text)
{
	struct err e = {0};
	struct rrs s = {NULL, 0};

	if (*text != '\0')
		assert_int_equal(rrs_parse(&s, a, text, strlen(text), &e), 0);
	return s;
}

static void leave_to_write_over_ends_with_what_was_seen(void **state)
{
	struct arena a = ARENA_INIT;
	struct rrs one = set(&a, "A 192.0.2.7"), two = set(&a, "A 192.0.2.8");
	struct belief b = {.decided = DECIDED_IPAM, .seen = one, .seen_known = true};

	(void)state;
	belief_see(&b, &a, &one);
	assert_int_equal(b.decided, DECIDED_IPAM);
	belief_see(&b, &a, &two);
	assert_int_equal(b.decided, DECIDED_NOTHING);
	assert_true(rrs_equal(&b.seen, &two));
	b = (struct belief){.decided = DECIDED_IPAM};
	belief_see(&b, &a, &b.seen);
	assert_int_equal(b.decided, DECIDED_NOTHING);
	assert_true(b.seen_known);
	b = (struct belief){.decided = DECIDED_DISOWNED};
	belief_see(&b, &a, &two);
	assert_int_equal(b.decided, DECIDED_DISOWNED);
	arena_fini(&a);
}

#define DHCID "DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="

static const char dhcid[] = DHCID;

static const char *beside(struct arena *a, const char *address)
{
	char text[128];

	snprintf(text, sizeof(text), "%s\n%s", address, dhcid);
	return arena_strdup(a, text);
}

static void a_dhcid_beside_an_edit_of_an_offer_is_kept_as_ours(void **state)
{
	static const char ours[] = "A 192.0.2.7\n" DHCID;
	static const struct {
		const char *had, *seen;   /* beside the DHCID, before and now; NULL: not known */
		const char *offered;      /* NULL: nothing */
		bool kept;
	} cases[] = {
		{"A 192.0.2.9", "A 192.0.2.8", ours, true},
		{"", "A 192.0.2.8", ours, true},
		{NULL, "A 192.0.2.8", ours, true},
		/* Nothing came, or what we sent; or nothing was sent, or no DHCID. */
		{"A 192.0.2.8", "A 192.0.2.8", ours, false},
		{"A 192.0.2.8", "", ours, false},
		{"A 192.0.2.8", "A 192.0.2.8\nTXT *", ours, false},
		{"", "A 192.0.2.7", ours, false},
		{"", "A 192.0.2.8", NULL, false},
		{"", "A 192.0.2.8", "A 192.0.2.7", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = ARENA_INIT;
		const char *had = cases[i].had, *seen = cases[i].seen;
		struct rrs now = set(&a, seen[0] == '\0' ? dhcid : beside(&a, seen));
		struct belief b = {.published = set(&a, "AAAA 2001:db8::1"),
				   .n_offered = cases[i].offered != NULL,
				   .seen_known = had != NULL};

		if (b.n_offered > 0)
			b.offered[0] = set(&a, cases[i].offered);
		if (had != NULL && had[0] != '\0')
			b.seen = set(&a, beside(&a, had));
		assert_int_equal(belief_see(&b, &a, &now), 0);
		assert_int_equal(b.published.n, cases[i].kept ? 2 : 1);
		assert_int_equal(b.published.v[0].type, RR_AAAA);
		/* Once is enough. */
		b.seen_known = had != NULL;
		assert_int_equal(belief_see(&b, &a, &now), 0);
		assert_int_equal(b.published.n, cases[i].kept ? 2 : 1);
		arena_fini(&a);
	}
}

static void a_restored_zone_leaves_of_ours_what_it_shows(void **state)
{
	struct arena a = ARENA_INIT;
	struct rrs recalled = set(&a, "A 192.0.2.6\nA 192.0.2.9");
	struct belief b = {.published = set(&a, "A 192.0.2.7\nA 192.0.2.8"),
			   .seen = set(&a, "A 192.0.2.8\nA 192.0.2.9\nTXT *"), .seen_known = true};
	struct rrs ours = set(&a, "A 192.0.2.8\nA 192.0.2.9");

	(void)state;
	assert_int_equal(belief_roll_back(&b, &a, &recalled), 0);
	assert_true(rrs_equal(&b.published, &ours));
	arena_fini(&a);
}

static void leave_to_write_over_ends_with_the_proof(void **state)
{
	struct arena a = ARENA_INIT;
	struct belief b = {.decided = DECIDED_IPAM, .seen_known = true};
	struct verdict v = {.row = 9};

	(void)state;
	assert_int_equal(push_done(&b, &a, &v, true, 1), 0);
	assert_int_equal(b.decided, DECIDED_NOTHING);
	b.decided = DECIDED_DNS;
	assert_int_equal(push_done(&b, &a, &v, true, 1), 0);
	assert_int_equal(b.decided, DECIDED_DNS);
	arena_fini(&a);
}

static void a_decided_owner_is_not_empty(void **state)
{
	struct belief b = {.decided = DECIDED_DNS};

	(void)state;
	assert_false(belief_is_empty(&b));
	b.decided = DECIDED_NOTHING;
	assert_true(belief_is_empty(&b));
}

static void spared(const char *want, const char *had, const char *published, const char *left)
{
	struct arena a = ARENA_INIT;
	struct rrs was = set(&a, had), is = set(&a, left);
	struct belief b = {.want = set(&a, want), .published = set(&a, published)};

	assert_int_equal(belief_spare(&b, &a, &was), 0);
	assert_true(rrs_equal(&b.published, &is));
	arena_fini(&a);
}

static void what_is_no_longer_wanted_is_spared_unless_replaced(void **state)
{
	(void)state;
	spared("", "A 192.0.2.7", "A 192.0.2.7", "");
	spared("A 192.0.2.8", "A 192.0.2.7\nA 192.0.2.8", "A 192.0.2.7\nA 192.0.2.8", "A 192.0.2.8");
	/* Replaced: the old value gives place to the new one. */
	spared("A 192.0.2.8", "A 192.0.2.7", "A 192.0.2.7", "A 192.0.2.7");
	/* Not wanted before either: its removal was no matter of this decision. */
	spared("", "", "A 192.0.2.7", "A 192.0.2.7");
	/* A value of another type replaces nothing. */
	spared("AAAA 2001:db8::7", "A 192.0.2.7", "A 192.0.2.7", "");
}

static void decisions_have_names(void **state)
{
	enum belief_decision d;

	(void)state;
	assert_null(belief_decision_name(DECIDED_NOTHING));
	assert_null(belief_decision_name(BELIEF_DECISIONS));
	assert_string_equal(belief_decision_name(DECIDED_IPAM), "ipam");
	assert_true(belief_decision_parse(&d, "disowned", 8));
	assert_int_equal(d, DECIDED_DISOWNED);
	assert_false(belief_decision_parse(&d, "dn", 2));
	assert_false(belief_decision_parse(&d, "dnx", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decisions_are_those_of_the_case_file),
	    cmocka_unit_test(leave_to_write_over_ends_with_what_was_seen),
	    cmocka_unit_test(a_dhcid_beside_an_edit_of_an_offer_is_kept_as_ours),
		cmocka_unit_test(a_restored_zone_leaves_of_ours_what_it_shows),
		cmocka_unit_test(leave_to_write_over_ends_with_the_proof),
	    cmocka_unit_test(a_decided_owner_is_not_empty),
	    cmocka_unit_test(what_is_no_longer_wanted_is_spared_unless_replaced),
	    cmocka_unit_test(decisions_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
