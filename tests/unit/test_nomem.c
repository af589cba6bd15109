/* test_nomem.c - every decision of core with the first, second, third ... allocation failing.
 *
 * The program is linked so that all that libpure allocates comes by here (test_nomem.flags).  Each
 * decision is made again and again, each time with one allocation more that works: it must say
 * ERR_NOMEM until it gets all it asks for, and then the same as ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/core/decide.h"
#include "bridge/core/plan.h"
#include "bridge/core/push_state.h"
#include "bridge/core/restored.h"
#include "tests/unit/policy_fixture.h"

/* ---- the allocations that work ------------------------------------------------------------- */

static long left = -1;   /* so many more; -1: all */
static bool failed;

static bool gives(void)
{
	failed = failed || left == 0;
	if (left > 0)
		left--;
	else if (left == 0)
		return false;
	return true;
}

void *__real_arena_alloc(struct arena *a, size_t size);
void *__wrap_arena_alloc(struct arena *a, size_t size);
void *__real_arena_array(struct arena *a, size_t n, size_t size);
void *__wrap_arena_array(struct arena *a, size_t n, size_t size);
void *__real_arena_dup(struct arena *a, const void *p, size_t len);
void *__wrap_arena_dup(struct arena *a, const void *p, size_t len);
char *__wrap_arena_printf(struct arena *a, const char *fmt, ...);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_arena_alloc(struct arena *a, size_t size)
{
	return gives() ? __real_arena_alloc(a, size) : NULL;
}

void *__wrap_arena_array(struct arena *a, size_t n, size_t size)
{
	return gives() ? __real_arena_array(a, n, size) : NULL;
}

void *__wrap_arena_dup(struct arena *a, const void *p, size_t len)
{
	return gives() ? __real_arena_dup(a, p, len) : NULL;
}

char *__wrap_arena_printf(struct arena *a, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return gives() ? __real_arena_dup(a, text, strlen(text)) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return gives() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return gives() ? __real_realloc(p, size) : NULL;
}

/* asked: ERR_NOMEM until nothing fails any more; memory and input are new each time.  spare: so
 * many allocations it can do without (a text that a better one replaces). */
static void runs_out_but(int (*asked)(struct arena *a, const void *with), const void *with,
			 int spare)
{
	long works;
	int r;

	for (works = 0, failed = true; failed; works++) {
		struct arena a = ARENA_INIT;

		failed = false;
		left = works;
		r = asked(&a, with);
		left = -1;
		if (r == 0 && failed)
			spare--;
		else
			assert_int_equal(r, failed ? ERR_NOMEM : 0);
		arena_fini(&a);
	}
	assert_int_equal(spare, 0);
	assert_true(works > 1);
}

static void runs_out(int (*asked)(struct arena *a, const void *with), const void *with)
{
	runs_out_but(asked, with, 0);
}

/* Within it: what is needed for the question costs nothing. */
static long free_of_charge(void)
{
	long was = left;

	left = -1;
	return was;
}

/* ---- verdicts --------------------------------------------------------------------------------- */

struct owner_text {
	const char *want, *published, *offered, *seen;
	bool take;
	uint32_t reverts;
};

static const struct owner_text owners[] = {
    {"A 192.0.2.5", "", NULL, "", false, 0},
    {"A 192.0.2.5", "A 192.0.2.4", NULL, "A 192.0.2.4", false, 0},
    {"A 192.0.2.5\nA 192.0.2.6", "A 192.0.2.4\nA 192.0.2.6", "A 192.0.2.5",
     "A 192.0.2.4\nA 192.0.2.7\nA 192.0.2.8", false, 0},
    {"A 192.0.2.5\nDHCID AAEB", "A 192.0.2.4\nDHCID AAEB", "A 192.0.2.5\nDHCID AAEB",
     "A 192.0.2.4\nA 192.0.2.7\nTXT *\nDHCID AAEB", false, 0},
    {"A 192.0.2.5\nAAAA 2001:db8::5", "AAAA 2001:db8::4", NULL,
     "A 192.0.2.9\nAAAA 2001:db8::4", false, 0},
    {"A 192.0.2.5\nDHCID AAEB", "", NULL, "A 192.0.2.9\nDHCID AAEC", true, 0},
    {"A 192.0.2.5\nAAAA 2001:db8::5", "A 192.0.2.5\nAAAA 2001:db8::4\nAAAA 2001:db8::5", NULL,
     "AAAA 2001:db8::4\nAAAA 2001:db8::5", false, 2},
    {"PTR pc.lab.example.", "PTR tv.lab.example.", NULL, "PTR nas.lab.example.", false, 0},
    {"PTR pc.lab.example.\nDHCID AAEB", "PTR tv.lab.example.\nDHCID AAEC", NULL,
     "PTR tv.lab.example.\nDHCID AAEC", false, 0},
};

enum { OWNERS = sizeof(owners) / sizeof(owners[0]) };

static void parse(struct rrs *out, struct arena *a, const char *s)
{
	assert_int_equal(rrs_parse(out, a, s, strlen(s), NULL), 0);
}

static void make_owner(struct belief *b, struct arena *a, const struct owner_text *t)
{
	long was = free_of_charge();

	memset(b, 0, sizeof(*b));
	b->owner = fx_name("pc.lab.example");
	parse(&b->want, a, t->want);
	parse(&b->published, a, t->published);
	if (t->offered != NULL)
		parse(&b->offered[b->n_offered++], a, t->offered);
	parse(&b->seen, a, t->seen);
	b->seen_known = true;
	b->want_kind = OBS_LEASE;
	b->want_ttl_s = b->sent_ttl_s = 300;
	b->reverts = t->reverts;
	b->state = BELIEF_DUE;
	b->why = "";
	left = was;
}

static int judge(struct arena *a, const void *with)
{
	const struct owner_text *t = with;
	struct belief b;
	struct verdict v;
	struct change c;
	int r;

	make_owner(&b, a, t);
	r = verdict_owner(&v, a, &b, t->take ? FOREIGN_TAKE : FOREIGN_KEEP, true);
	r = r < 0 ? r : verdict_change(&c, a, &b, &v);
	return r > 0 ? 0 : r;
}

static void a_verdict_without_memory_is_none(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < OWNERS; i++)
		runs_out(judge, &owners[i]);
}

static int live_through(struct arena *a, const void *with)
{
	const struct owner_text *t = with;
	struct belief b;
	struct verdict v;
	long was;
	int r;

	make_owner(&b, a, t);
	r = push_keep_implied(&b, a, t->take ? FOREIGN_TAKE : FOREIGN_KEEP, 100);
	was = free_of_charge();
	assert_int_equal(verdict_owner(&v, a, &b, t->take ? FOREIGN_TAKE : FOREIGN_KEEP, true), 0);
	left = was;
	r = r < 0 ? r : push_offer(&b, a, &v, 100);
	return r < 0 ? r : push_done(&b, a, &v, true, 101);
}

static int keep_implied(struct arena *a, const void *with)
{
	struct belief b;

	make_owner(&b, a, with);
	return push_keep_implied(&b, a, FOREIGN_KEEP, 100);
}

static int offer(struct arena *a, const void *with)
{
	const struct owner_text *t = with;
	struct verdict v = {.row = 0};
	struct belief b;

	make_owner(&b, a, t);
	v.ours = b.want;
	return push_offer(&b, a, &v, 100);
}

static void a_change_without_memory_is_not_kept(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < OWNERS; i++) {
		runs_out(live_through, &owners[i]);
		if (owners[i].offered != NULL)
			continue;
		runs_out(keep_implied, &owners[i]);
		runs_out(offer, &owners[i]);
	}
}

static int adopt(struct arena *a, const void *with)
{
	static const struct owner_text text = {"A 192.0.2.5\nA 192.0.2.6",
					       "AAAA 2001:db8::4\nAAAA 2001:db8::6", NULL,
					       "A 192.0.2.5\nA 192.0.2.6", false, 0};
	struct belief b;
	const char *why;

	(void)with;
	make_owner(&b, a, &text);
	b.state = BELIEF_AGREED;
	return decide(&b, a, DECIDE_ADOPT, false, &why);
}

static const struct owner_text doubted = {"A 192.0.2.5\nDHCID AAEB",
					  "AAAA 2001:db8::4\nAAAA 2001:db8::6",
					  "A 192.0.2.5\nDHCID AAEB",
					  "A 192.0.2.9\nDHCID AAEB", false, 0};

static int wait(struct arena *a, const void *with)
{
	struct belief b;
	struct verdict v = {.state = BELIEF_CONFLICT};
	bool waits;

	(void)with;
	make_owner(&b, a, &doubted);
	return push_waits(&waits, a, &b, &v, FOREIGN_KEEP, true);
}

static int see(struct arena *a, const void *with)
{
	struct belief b;
	struct rrs seen;

	(void)with;
	make_owner(&b, a, &doubted);
	seen = b.seen;
	b.seen = (struct rrs){NULL, 0};
	return belief_see(&b, a, &seen);
}

static int roll_back(struct arena *a, const void *with)
{
	struct belief b;

	make_owner(&b, a, with);
	return belief_roll_back(&b, a, &b.seen);
}

static int spare(struct arena *a, const void *with)
{
	struct belief b;

	make_owner(&b, a, with);
	return belief_spare(&b, a, &b.seen);
}

static void a_decision_without_memory_is_none(void **state)
{
	static const struct owner_text kept = {"", "A 192.0.2.5\nA 192.0.2.6", NULL, "", false, 0};

	(void)state;
	runs_out(adopt, NULL);
	runs_out(spare, &kept);
	runs_out(wait, NULL);
	runs_out(see, NULL);
	runs_out(roll_back, &owners[3]);
}

/* ---- names -------------------------------------------------------------------------------------- */

static struct host a_host(const char *addr, const char *name, enum obs_kind kind, uint8_t mac)
{
	struct host h = {.addr = fx_addr(addr), .kind = (uint8_t)kind, .since_s = mac, .why = "w",
			 .ptr = true};

	h.name = h.asked = fx_name(name);
	h.id.mac = (struct mac){.known = true, .b = {mac}};
	return h;
}

static int settle(struct arena *a, const void *with)
{
	struct host claims[] = {a_host("192.0.2.5", "pc.lab.example", OBS_LEASE, 1),
				a_host("192.0.2.6", "pc.lab.example", OBS_LEASE, 2),
				a_host("192.0.2.7", "tv.lab.example", OBS_MANUAL, 3),
				a_host("192.0.2.8", "pc.lab.example", OBS_LEASE, 4)};
	struct host holders[] = {a_host("192.0.2.9", "tv.lab.example", OBS_LEASE, 5)};
	struct host olds[] = {a_host("192.0.2.3", "nas.lab.example", OBS_LEASE, 6),
			      a_host("192.0.2.6", "pc.lab.example", OBS_LEASE, 2)};
	struct plan_names in = {claims, 4, olds, 2, holders, 1};
	struct plan_answer out;
	int r = plan_settle_names(&out, a, &fx_space, &in);

	(void)with;
	if (r == 0) {
		assert_int_equal(out.n_displaced, 1);
		assert_int_equal(out.n_load, 2);
		assert_non_null(strstr(claims[1].why, "held by 192.0.2.5"));
	}
	return r;
}

/* Where losing or asking both leaves one without a name. */
static int settle_duplicates(struct arena *a, const void *with)
{
	struct host claims[] = {a_host("192.0.2.5", "pc.lab.example", OBS_LEASE, 1),
				a_host("192.0.2.6", "pc.lab.example", OBS_LEASE, 2)};
	struct plan_names in = {claims, 2, NULL, 0, NULL, 0};
	struct plan_answer out;
	int r;

	fx_zones[0].duplicates = *(const enum duplicates_policy *)with;
	r = plan_settle_names(&out, a, &fx_space, &in);
	fx_zones[0].duplicates = DUPLICATES_SUFFIX;
	if (r == 0)
		assert_int_equal(claims[1].name.len, 0);
	return r;
}

/* The suffix of the one that loses is a name that another one has. */
static int settle_suffix(struct arena *a, const void *with)
{
	struct host claims[] = {a_host("192.0.2.5", "pc.lab.example", OBS_LEASE, 1),
				a_host("192.0.2.6", "pc.lab.example", OBS_LEASE, 2),
				a_host("192.0.2.7", "pc.lab.example", OBS_MANUAL, 3)};
	struct plan_names in = {claims, 3, NULL, 0, NULL, 0};
	struct plan_answer out;
	int r;

	(void)with;
	assert_true(naming_suffix(&claims[0].name, &claims[1]));
	claims[0].asked = claims[0].name;
	claims[0].kind = OBS_MANUAL;
	r = plan_settle_names(&out, a, &fx_space, &in);
	if (r == 0) {
		assert_int_equal(claims[1].name.len, 0);
		assert_non_null(strstr(claims[1].why, "taken by 192.0.2.7"));
		assert_non_null(strstr(claims[1].why, "so is its own suffix"));
	}
	return r;
}

/* One host with three addresses, of which two families share a name. */
static int settle_joined(struct arena *a, const void *with)
{
	struct host claims[] = {a_host("192.0.2.5", "pc.lab.example", OBS_LEASE, 4),
				a_host("2001:db8::5", "pc.lab.example", OBS_LEASE, 4),
				a_host("192.0.2.6", "pc.lab.example", OBS_LEASE, 4),
				a_host("192.0.2.7", "pc.lab.example", OBS_LEASE, 8),
				a_host("2001:db8::7", "pc.lab.example", OBS_LEASE, 8)};
	struct plan_names in = {claims, 5, NULL, 0, NULL, 0};
	struct plan_answer out;

	(void)with;
	return plan_settle_names(&out, a, &fx_space, &in);
}

static int plan(struct arena *a, const void *with)
{
	struct host hosts[] = {a_host("192.0.2.5", "pc.lab.example", OBS_LEASE, 1),
			       a_host("2001:db8::5", "pc.lab.example", OBS_LEASE, 1)};
	struct belief fwd = {.owner = hosts[0].name}, rev = {.owner = fx_name("5.2.0.192.in-addr.arpa")};
	int r = plan_forward(&fwd, a, &fx_zones[0], hosts, 2);

	(void)with;
	if (r < 0)
		return r;
	fwd.seen_known = true;
	return plan_reverse(&rev, a, &fx_zones[1], &hosts[0], &fwd);
}

static struct bytes text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, (uint16_t)strlen(s)};
}

static int name_one(struct arena *a, const void *with)
{
	const enum obs_kind *kind = with;
	const char *names[] = {"pc", "tv", *kind == OBS_MANUAL ? "nas" : "a;b"};
	struct ipaddr addr = fx_addr(*kind == OBS_DNS ? "203.0.113.1" : "192.0.2.5");
	struct evidence ev[3];
	struct host *out;
	size_t i, n;

	memset(ev, 0, sizeof(ev));
	for (i = 0; i < 3; i++) {
		ev[i].obs = (struct obs){.addr = addr, .kind = (uint8_t)*kind, .name = text(names[i]),
					 .seen_at_s = (int64_t)i + 1, .valid_until_s = OBS_FOREVER};
		ev[i].source_id = 1;
	}
	return naming_address(&out, &n, a, &fx_space, &addr, ev, 3, 100);
}

static void names_without_memory_are_not_settled(void **state)
{
	static const enum duplicates_policy first = DUPLICATES_FIRST, refuse = DUPLICATES_REFUSE;
	static const enum obs_kind kinds[] = {OBS_MANUAL, OBS_LEASE, OBS_DNS};

	(void)state;
	runs_out(settle, NULL);
	runs_out(settle_duplicates, &first);
	runs_out(settle_duplicates, &refuse);
	runs_out(settle_suffix, NULL);
	runs_out(settle_joined, NULL);
	runs_out(plan, NULL);
	runs_out(name_one, &kinds[0]);
	runs_out(name_one, &kinds[1]);
	runs_out_but(name_one, &kinds[2], 1);
}

/* ---- the journal, the policy ------------------------------------------------------------------- */

static int restore(struct arena *a, const void *with)
{
	const struct past_line line = {.event = "done", .before = "A 192.0.2.1\nA 192.0.2.2",
				       .after = "A 192.0.2.2"};
	struct rrs had = {NULL, 0}, seen = {NULL, 0}, out;
	long was = free_of_charge();

	(void)with;
	parse(&seen, a, "A 192.0.2.1\nA 192.0.2.2");
	left = was;
	return restored_ours(&out, a, &had, &seen, &line, 1);
}

static int index_policy(struct arena *a, const void *with)
{
	int r = policy_index(&fx_policy, a);

	(void)with;
	if (r == 0)
		assert_ptr_equal(policy_zone_of(&fx_space, &fx_zones[0].name, false), &fx_zones[0]);
	fx_space.index = NULL;
	return r;
}

static int digest_policy(struct arena *a, const void *with)
{
	(void)a;
	(void)with;
	return policy_digest(&fx_policy) != 0 ? 0 : ERR_NOMEM;
}

static void a_policy_without_memory_is_none(void **state)
{
	(void)state;
	runs_out(restore, NULL);
	runs_out(index_policy, NULL);
	runs_out(digest_policy, NULL);
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
	    cmocka_unit_test(a_verdict_without_memory_is_none),
	    cmocka_unit_test(a_change_without_memory_is_not_kept),
	    cmocka_unit_test(a_decision_without_memory_is_none),
	    cmocka_unit_test(names_without_memory_are_not_settled),
	    cmocka_unit_test(a_policy_without_memory_is_none),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
