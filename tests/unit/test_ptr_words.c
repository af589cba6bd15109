/* test_ptr_words.c - what a PTR that is not as we left it says of its address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/flow/decide.h"
#include "bridge/flow/ptr_evidence.h"
#include "tests/unit/flow_fixture.h"
#include "tests/unit/policy_fixture.h"

enum { ZONE_REVERSE = 2, SOURCE_MANUAL_ID = 3 };

static const struct ipaddr addr = {4, {192, 0, 2, 7}}, other = {4, {192, 0, 2, 8}};

/* The address is named by a person, and its PTR is ours. */
static int open_fix(void **state)
{
	static struct fix f;
	struct obs o = {.addr = addr, .kind = OBS_MANUAL, .valid_until_s = OBS_FOREVER, .ptr = true,
			.name = {(const uint8_t *)"web", 3}};

	fx_setup();
	fx_zones[ZONE_REVERSE - 1].foreign = FOREIGN_KEEP;
	*state = &f;
	return open_known(&f, &fx_policy) < 0 ||
	       flow_observe(&f.flow, &fx_space, &fx_sources[SOURCE_MANUAL_ID - 1], &o, 1, NULL) < 0
		       ? -1 : flow_push(&f.flow, NULL);
}

/* Is there a word of DNS about the address, after the next look? */
static bool is_edited(struct fix *f)
{
	struct arena a = ARENA_INIT;
	struct evidence *ev;
	bool yes = false;
	size_t n = 0;

	model_advance(f->model, 10);
	assert_int_equal(flow_pull(&f->flow, NULL, NULL), 0);
	f->store.evidence_get(f->m, &ev, &n, 1, &addr, 1, &a, NULL);
	for (size_t i = 0; i < n; i++)
		yes = yes || ev[i].obs.kind == OBS_EDIT;
	arena_fini(&a);
	return yes;
}

/* As kea-dhcp-ddns writes it: whatever is there is replaced. */
static void updater_writes(struct fix *f, const char *name)
{
	static const uint8_t dhcid[35] = {0, 1, 1, 9};
	struct dname target = fx_name(name);
	struct change_rr upd[] = {{RR_PTR, RR_CLASS_ANY, 0, 0, NULL},
				  {RR_DHCID, RR_CLASS_ANY, 0, 0, NULL},
				  {RR_PTR, RR_CLASS_IN, 600, target.len, target.b},
				  {RR_DHCID, RR_CLASS_IN, 600, sizeof(dhcid), dhcid}};
	struct change c = {.upd = upd, .n_upd = 4};
	bool took;

	ipaddr_reverse(&c.owner, &addr);
	assert_int_equal(model_updater(f->model, ZONE_REVERSE, &c, &took), RCODE_NOERROR);
	assert_true(took);
}

static void person_writes(struct fix *f, const char *name)
{
	struct dname target = fx_name(name), owner;

	ipaddr_reverse(&owner, &addr);
	assert_true(model_person_del(f->model, ZONE_REVERSE, &owner, RR_PTR, NULL, 0));
	assert_true(model_person_add(f->model, ZONE_REVERSE, &owner, RR_PTR, 600, target.b,
				     target.len));
}

static void another_target_is_a_persons_edit(void **state)
{
	person_writes(*state, "mail.lab.example");
	assert_true(is_edited(*state));
}

static void another_target_with_a_dhcid_of_its_own_is_an_updaters(void **state)
{
	updater_writes(*state, "pc.lab.example");
	assert_false(is_edited(*state));
}

static void a_person_who_leaves_the_updaters_dhcid_has_edited(void **state)
{
	updater_writes(*state, "pc.lab.example");
	assert_false(is_edited(*state));
	person_writes(*state, "mail.lab.example");
	assert_true(is_edited(*state));
}

static int refuses(void *ctx, const struct policy_zone *zone, transfer_sink sink, void *arg,
		   uint32_t *serial, struct err *e)
{
	(void)ctx;
	(void)zone;
	(void)sink;
	(void)arg;
	(void)serial;
	err_set(e, ERR_PROTO, "the server answered REFUSED");
	return NET_REFUSED;
}

/* Words that were heard and are over do not begin again because the owner is asked about now. */
static void what_stands_unchanged_says_nothing_again(void **state)
{
	struct fix *f = *state;
	struct dname unrelated = fx_name("9.2.0.192.in-addr.arpa");
	struct arena a = ARENA_INIT;
	struct evidence *ev;
	size_t n;

	person_writes(f, "mail.lab.example");
	assert_true(is_edited(f));
	f->store.evidence_get(f->m, &ev, &n, 1, &addr, 1, &a, NULL);
	for (size_t i = 0; i < n; i++)
		if (ev[i].obs.kind == OBS_EDIT)
			assert_int_equal(f->store.evidence_del(f->m, &ev[i], 1, NULL), 0);
	f->net.transfer = refuses;
	f->flow.full_every_s = 0;
	model_person_add(f->model, ZONE_REVERSE, &unrelated, RR_TXT, 600, "\1x", 2);
	assert_false(is_edited(f));
	arena_fini(&a);
}

/* How much DNS says of an address, as kept. */
static size_t words_of(struct fix *f, const struct ipaddr *a)
{
	struct arena arena = ARENA_INIT;
	struct evidence *ev;
	size_t n = 0, k = 0;

	f->store.evidence_get(f->m, &ev, &n, 1, a, 1, &arena, NULL);
	for (size_t i = 0; i < n; i++)
		k += ev[i].obs.kind == OBS_DNS || ev[i].obs.kind == OBS_EDIT;
	arena_fini(&arena);
	return k;
}

/* The other address has a PTR that was never ours; a person names it in IPAM. */
static struct dname two_words(struct fix *f, const char *in_dns, const char *in_ipam)
{
	struct dname target = fx_name(in_dns), owner;
	struct obs o = {.addr = other, .kind = OBS_MANUAL, .valid_until_s = OBS_FOREVER, .ptr = true,
			.name = {(const uint8_t *)in_ipam, (uint16_t)strlen(in_ipam)}};

	ipaddr_reverse(&owner, &other);
	model_person_add(f->model, ZONE_REVERSE, &owner, RR_PTR, 600, target.b, target.len);
	model_advance(f->model, 10);
	assert_int_equal(flow_pull(&f->flow, NULL, NULL), 0);
	assert_int_equal(words_of(f, &other), 1);
	assert_int_equal(flow_observe(&f->flow, &fx_space, &fx_sources[SOURCE_MANUAL_ID - 1], &o, 1,
				      NULL), 0);
	return owner;
}

static void what_is_written_over_says_nothing_more(void **state)
{
	struct fix *f = *state;

	fx_zones[ZONE_REVERSE - 1].foreign = FOREIGN_TAKE;
	two_words(f, "old.lab.example", "new");
	assert_int_equal(flow_push(&f->flow, NULL), 0);
	assert_int_equal(words_of(f, &other), 0);
}

static void what_is_adopted_says_nothing_more(void **state)
{
	struct fix *f = *state;
	struct zone_key k = {ZONE_REVERSE, two_words(f, "new.lab.example", "new")};
	struct arena a = ARENA_INIT;
	struct decision d = {0};

	assert_int_equal(flow_push(&f->flow, NULL), 0);
	assert_int_equal(words_of(f, &other), 1);
	assert_int_equal(flow_decide(&f->flow, &fx_space, DECIDE_ADOPT, &k, 1, &d, false, &a, NULL), 0);
	assert_int_equal(flow_decide(&f->flow, &fx_space, DECIDE_ADOPT, &k, 1, &d, true, &a, NULL), 0);
	assert_int_equal(d.outcome, DECIDE_DONE);
	assert_int_equal(words_of(f, &other), 0);
	arena_fini(&a);
}

/* A zone was restored: what DNS showed until now, whether that was ours, and what it shows now: it is
 * ours, or another updater's. */
struct shown {
	struct planner p;
	const struct ipaddr *addr;
	const char *was, *is;
	bool was_ours, is_updaters;
};

static void add_ptr(struct rrs *s, struct arena *a, const char *target)
{
	struct dname t = fx_name(target);

	assert_int_equal(rrs_add_name(s, a, RR_PTR, &t), 0);
}

static int hear_shown(void *arg, struct err *e)
{
	struct shown *s = arg;
	struct belief was = {.zone_id = ZONE_REVERSE, .seen_known = true}, is;
	struct ptr_words w;

	ipaddr_reverse(&was.owner, s->addr);
	is = was;
	add_ptr(&was.seen, &s->p.arena, s->was);
	if (s->was_ours)
		was.published = was.seen;
	add_ptr(&is.seen, &s->p.arena, s->is);
	if (s->is_updaters)
		assert_int_equal(rrs_add(&is.seen, &s->p.arena, RR_DHCID, "\0\1\1\t", 4), 0);
	else
		is.published = is.seen;
	assert_int_equal(ptr_words_open(&w, &s->p, &fx_zones[ZONE_REVERSE - 1], s->addr, 1, e), 0);
	assert_int_equal(ptr_word(&w, &was, &is, true, e), 0);
	assert_int_equal(ptr_words_keep(&w, e), 0);
	ptr_words_fini(&w);
	return 0;
}

/* How much DNS says of the address then. */
static size_t left_by(struct fix *f, struct shown s)
{
	assert_int_equal(planner_transaction(&s.p, &f->flow, &fx_space, hear_shown, &s, NULL), 0);
	return words_of(f, s.addr);
}

static void an_old_zone_ends_only_an_edit_that_rested_on_dns(void **state)
{
	static const char *const edit = "mail.lab.example", *const ours = "web.lab.example";
	struct fix *f = *state;

	person_writes(f, edit);
	assert_true(is_edited(f));
	assert_int_equal(left_by(f, (struct shown){.addr = &addr, .was = edit, .is = edit}), 1);
	/* Adopted, and gone for the time being; replaced by a person's name in IPAM. */
	assert_int_equal(left_by(f, (struct shown){.addr = &addr, .was = edit, .was_ours = true,
						   .is = ours}), 1);
	assert_int_equal(left_by(f, (struct shown){.addr = &addr, .was = ours, .was_ours = true,
						   .is = ours}), 1);
	assert_int_equal(left_by(f, (struct shown){.addr = &addr, .was = edit, .is = ours}), 0);
}

/* Else our own record would keep the name that it got from another's. */
static void what_an_old_zone_shows_as_ours_names_nothing(void **state)
{
	static const char *const theirs = "old.lab.example";
	struct fix *f = *state;

	two_words(f, theirs, "new");
	assert_int_equal(left_by(f, (struct shown){.addr = &other, .was = theirs, .is = theirs}), 0);
}

static void an_updaters_ptr_in_an_old_zone_tells_of_a_lease(void **state)
{
	static const char *const theirs = "old.lab.example";
	struct fix *f = *state;

	two_words(f, theirs, "new");
	assert_int_equal(left_by(f, (struct shown){.addr = &other, .was = theirs, .is = theirs,
						   .is_updaters = true}), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, open_fix, close_fix)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(another_target_is_a_persons_edit),
		T(another_target_with_a_dhcid_of_its_own_is_an_updaters),
		T(a_person_who_leaves_the_updaters_dhcid_has_edited),
		T(what_stands_unchanged_says_nothing_again),
		T(what_is_written_over_says_nothing_more),
		T(what_is_adopted_says_nothing_more),
		T(an_old_zone_ends_only_an_edit_that_rested_on_dns),
		T(what_an_old_zone_shows_as_ours_names_nothing),
		T(an_updaters_ptr_in_an_old_zone_tells_of_a_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
