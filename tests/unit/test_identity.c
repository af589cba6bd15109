/* test_identity.c - one host or two: each kind of evidence alone, against the others, and in chains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/core/plan.h"
#include "tests/unit/policy_fixture.h"

#define WIRED "00:00:5e:00:53:01"
#define RADIO "00:00:5e:00:53:02"
#define LOCAL "02:00:5e:00:53:01"
#define AGAIN "06:00:5e:00:53:02"
#define PLACE "192.0.2.7"
#define OTHER "192.0.2.8"
#define SIX   "2001:db8::7"

/* What is known of one who asks for the name; texts in hex but for the addresses. */
struct asks {
	const char *addr, *mac, *client_id, *duid, *dhcid;
	enum obs_kind kind;
};

static struct bytes unhex(uint8_t *to, const char *s)
{
	struct bytes b = {to, 0};
	unsigned v;

	for (; s != NULL && *s != '\0'; s += 2) {
		assert_int_equal(sscanf(s, "%2x", &v), 1);
		to[b.len++] = (uint8_t)v;
	}
	return b;
}

struct known {
	struct obs obs;
	struct host host;
	uint8_t client_id[64], duid[64], dhcid[DHCID_LEN];
};

static void make(struct known *k, const struct asks *w)
{
	static const char name[] = "pc.lab.example";

	memset(k, 0, sizeof(*k));
	if (w->mac != NULL)
		assert_true(mac_parse(&k->obs.mac, w->mac, strlen(w->mac)));
	k->obs.name = (struct bytes){(const uint8_t *)name, sizeof(name) - 1};
	k->obs.client_id = unhex(k->client_id, w->client_id);
	k->obs.duid = unhex(k->duid, w->duid);
	if (w->dhcid != NULL) {
		unhex(k->dhcid, w->dhcid);
		k->obs.dhcid = (struct bytes){k->dhcid, DHCID_LEN};
	}
	k->host = (struct host){.addr = fx_addr(w->addr), .name = fx_name(name),
				.asked = fx_name(name), .kind = (uint8_t)w->kind, .ptr = true,
				.why = "named"};
	identity_of(&k->host.id, &k->obs);
}

#define LEASE .kind = OBS_LEASE
#define HTYPE_OF_LOCAL "0102005e005301"
#define HTYPE_OF_AGAIN "0106005e005302"
#define HTYPE_OF_WIRED "0100005e005301"
#define HTYPE_OF_RADIO "0100005e005302"
#define DUID_A "0001000129aabbcc00005e005301"
#define DUID_B "0001000129aabbdd00005e005302"
#define DUID_OF_WIRED "0003000100005e005301"
#define DUID_OF_LOCAL "0003000102005e005301"
#define DUID_OF_AGAIN "0003000106005e005302"
#define IAID "ff00000001"

static const struct {
	struct asks a, b;
	enum naming_kin kin;
	const char *why;
} pairs[] = {
    /* hardware addresses */
    {{PLACE, WIRED, LEASE}, {OTHER, WIRED, LEASE}, KIN_SAME, "same hardware address"},
    {{PLACE, WIRED, LEASE}, {OTHER, RADIO, LEASE}, KIN_OTHER, "another hardware address"},
    {{PLACE, WIRED, LEASE}, {SIX, RADIO, LEASE}, KIN_OTHER, "another hardware address"},
    {{PLACE, LOCAL, LEASE}, {OTHER, LOCAL, LEASE}, KIN_SAME,
     "same locally administered hardware address"},
    {{PLACE, LOCAL, LEASE}, {OTHER, AGAIN, LEASE}, KIN_OTHER,
     "nothing proves that it is the same host"},
    {{PLACE, LOCAL, LEASE}, {SIX, AGAIN, LEASE}, KIN_NAME, "same name in the other family"},
    {{PLACE, LOCAL, LEASE}, {SIX, WIRED, LEASE}, KIN_NAME, "same name in the other family"},
    {{PLACE, WIRED, LEASE}, {SIX, LOCAL, LEASE}, KIN_NAME, "same name in the other family"},
    {{PLACE, NULL, LEASE}, {OTHER, NULL, LEASE}, KIN_OTHER,
     "nothing proves that it is the same host"},
    /* client identifiers: of their own, or the hardware address once more */
    {{PLACE, WIRED, "00aa", LEASE}, {OTHER, RADIO, "00aa", LEASE}, KIN_SAME,
     "same client identifier"},
    {{PLACE, LOCAL, "00aa", LEASE}, {OTHER, AGAIN, "00aa", LEASE}, KIN_SAME,
     "same client identifier"},
    {{PLACE, LOCAL, "00aa", LEASE}, {OTHER, LOCAL, "00bb", LEASE}, KIN_OTHER,
     "another client identifier"},
    {{PLACE, WIRED, "00aa", LEASE}, {OTHER, WIRED, "00bb", LEASE}, KIN_SAME,
     "same hardware address"},
    {{PLACE, LOCAL, HTYPE_OF_LOCAL, LEASE}, {SIX, AGAIN, HTYPE_OF_AGAIN, LEASE}, KIN_NAME,
     "same name in the other family"},
    {{PLACE, NULL, HTYPE_OF_LOCAL, LEASE}, {SIX, NULL, HTYPE_OF_AGAIN, LEASE}, KIN_NAME,
     "same name in the other family"},
    {{PLACE, NULL, HTYPE_OF_WIRED, LEASE}, {OTHER, WIRED, LEASE}, KIN_SAME,
     "same hardware address"},
    {{PLACE, NULL, HTYPE_OF_WIRED, LEASE}, {SIX, NULL, HTYPE_OF_RADIO, LEASE}, KIN_OTHER,
     "another hardware address"},
    {{PLACE, WIRED, HTYPE_OF_WIRED, LEASE}, {SIX, LOCAL, "00aa", LEASE}, KIN_NAME,
     "same name in the other family"},
    /* the hardware address that the radio had before it began to hide */
    {{PLACE, LOCAL, HTYPE_OF_RADIO, LEASE}, {OTHER, AGAIN, HTYPE_OF_RADIO, LEASE}, KIN_SAME,
     "same client identifier"},
    {{PLACE, LOCAL, HTYPE_OF_AGAIN, LEASE}, {SIX, AGAIN, HTYPE_OF_LOCAL, LEASE}, KIN_NAME,
     "same name in the other family"},
    /* Ethernet alone has hardware addresses of six bytes */
    {{PLACE, NULL, "0600005e005301", LEASE}, {OTHER, WIRED, LEASE}, KIN_OTHER,
     "nothing proves that it is the same host"},
    {{PLACE, NULL, "0100005e0053", LEASE}, {OTHER, NULL, "0100005e0053", LEASE}, KIN_SAME,
     "same client identifier"},
    /* DUIDs, also out of RFC 4361 client identifiers */
    {{PLACE, WIRED, NULL, DUID_A, LEASE}, {OTHER, RADIO, NULL, DUID_A, LEASE}, KIN_SAME,
     "same DUID"},
    {{PLACE, LOCAL, IAID DUID_A, LEASE}, {SIX, AGAIN, NULL, DUID_A, LEASE}, KIN_SAME,
     "same DUID"},
    {{PLACE, LOCAL, IAID DUID_A, LEASE}, {OTHER, AGAIN, "ff00000002" DUID_A, LEASE}, KIN_SAME,
     "same DUID"},
    {{PLACE, LOCAL, IAID DUID_A, LEASE}, {SIX, LOCAL, NULL, DUID_B, LEASE}, KIN_OTHER,
     "another DUID"},
    {{PLACE, NULL, NULL, DUID_OF_WIRED, LEASE}, {OTHER, NULL, NULL, DUID_B, LEASE}, KIN_OTHER,
     "another DUID"},
    {{PLACE, LOCAL, NULL, DUID_OF_LOCAL, LEASE}, {SIX, AGAIN, NULL, DUID_OF_AGAIN, LEASE},
     KIN_NAME, "same name in the other family"},
    {{PLACE, NULL, NULL, DUID_OF_LOCAL, LEASE}, {OTHER, NULL, NULL, DUID_OF_LOCAL, LEASE},
     KIN_SAME, "same DUID, though of a locally administered hardware address"},
    {{PLACE, NULL, NULL, DUID_OF_LOCAL, LEASE}, {OTHER, NULL, NULL, DUID_A, LEASE}, KIN_OTHER,
     "nothing proves that it is the same host"},
    {{PLACE, LOCAL, IAID DUID_OF_LOCAL, LEASE}, {SIX, AGAIN, IAID DUID_OF_AGAIN, LEASE},
     KIN_NAME, "same name in the other family"},
    {{PLACE, WIRED, NULL, DUID_A, LEASE}, {OTHER, WIRED, NULL, DUID_B, LEASE}, KIN_SAME,
     "same hardware address"},
    /* DHCIDs speak last, and not where they are digests of what is weak */
    {{PLACE, NULL, .dhcid = "000101aa", LEASE}, {OTHER, NULL, .dhcid = "000101aa", LEASE},
     KIN_SAME, "same DHCID"},
    {{PLACE, NULL, .dhcid = "000101aa", LEASE}, {OTHER, NULL, .dhcid = "000101bb", LEASE},
     KIN_OTHER, "another DHCID"},
    {{PLACE, NULL, .dhcid = "000101aa", LEASE}, {SIX, NULL, .dhcid = "000201bb", LEASE},
     KIN_NAME, "same name in the other family"},
    {{PLACE, NULL, .dhcid = "000101aa", LEASE}, {SIX, NULL, .dhcid = "000102bb", LEASE},
     KIN_NAME, "same name in the other family"},
    {{PLACE, LOCAL, .dhcid = "000001aa", LEASE}, {SIX, AGAIN, .dhcid = "000001bb", LEASE},
     KIN_NAME, "same name in the other family"},
    {{PLACE, LOCAL, .dhcid = "000101aa", LEASE}, {SIX, AGAIN, .dhcid = "000101bb", LEASE},
     KIN_OTHER, "another DHCID"},
    {{PLACE, LOCAL, HTYPE_OF_LOCAL, .dhcid = "000101aa", LEASE},
     {SIX, AGAIN, .dhcid = "000101bb", LEASE}, KIN_NAME, "same name in the other family"},
    {{PLACE, LOCAL, .dhcid = "000101bb", LEASE},
     {SIX, LOCAL, HTYPE_OF_AGAIN, .dhcid = "000101aa", LEASE}, KIN_SAME,
     "same locally administered hardware address"},
    {{PLACE, LOCAL, NULL, DUID_OF_LOCAL, "000201aa", LEASE}, {SIX, NULL, .dhcid = "000201bb", LEASE},
     KIN_NAME, "same name in the other family"},
    /* one byte is an identifier too */
    {{PLACE, LOCAL, "aa", LEASE}, {OTHER, LOCAL, "bb", LEASE}, KIN_OTHER,
     "another client identifier"},
    {{PLACE, LOCAL, NULL, "aa", LEASE}, {OTHER, LOCAL, NULL, "bb", LEASE}, KIN_OTHER,
     "another DUID"},
    {{PLACE, LOCAL, IAID DUID_A, "aa", LEASE}, {OTHER, LOCAL, IAID DUID_B, "aa", LEASE}, KIN_SAME,
     "same DUID"},
    /* persons */
    {{PLACE, WIRED, .kind = OBS_MANUAL}, {OTHER, RADIO, .kind = OBS_MANUAL}, KIN_SAME,
     "a person gave the name to both"},
    {{PLACE, WIRED, .kind = OBS_RESERVATION}, {OTHER, RADIO, .kind = OBS_RESERVATION}, KIN_SAME,
     "a person gave the name to both"},
    {{PLACE, WIRED, .kind = OBS_RESERVATION}, {SIX, RADIO, .kind = OBS_IPAM}, KIN_SAME,
     "a person gave the name to both"},
    {{PLACE, WIRED, .kind = OBS_MANUAL}, {OTHER, RADIO, .kind = OBS_EDIT}, KIN_OTHER,
     "another hardware address"},
    {{PLACE, WIRED, .kind = OBS_RESERVATION}, {OTHER, WIRED, LEASE}, KIN_SAME,
     "same hardware address"},
    {{PLACE, LOCAL, .kind = OBS_RESERVATION}, {SIX, LOCAL, LEASE}, KIN_SAME,
     "same locally administered hardware address"},
    {{PLACE, LOCAL, .kind = OBS_RESERVATION}, {SIX, AGAIN, LEASE}, KIN_OTHER,
     "a person's name, and nothing proves that it is the same host"},
    {{PLACE, WIRED, LEASE}, {PLACE, RADIO, LEASE}, KIN_SAME, "same address"},
};

static void each_evidence_says_what_it_can(void **state)
{
	struct known a, b;
	const char *there, *back;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		make(&a, &pairs[i].a);
		make(&b, &pairs[i].b);
		there = back = "";
		if (naming_kin(&a.host, &b.host, ADDRESSES_ALL, &there) != pairs[i].kin ||
		    naming_kin(&b.host, &a.host, ADDRESSES_ALL, &back) != pairs[i].kin ||
		    strcmp(there, pairs[i].why) != 0 || strcmp(back, pairs[i].why) != 0)
			fail_msg("row %zu: wanted %s, got %s and back %s", i, pairs[i].why, there,
				 back);
	}
}

/* ---- a client that leaves leases behind ---------------------------------------------------- */

struct two {
	struct known a, b;
};

static void two_leases(struct two *t, const char *mac_a, const char *mac_b)
{
	make(&t->a, &(struct asks){PLACE, mac_a, LEASE});
	make(&t->b, &(struct asks){OTHER, mac_b, LEASE});
	t->a.host.since_s = 100;
	t->b.host.since_s = 200;
	t->a.host.expires_at_s = 3700;
	t->b.host.expires_at_s = 3800;
}

static enum naming_kin newest_kin(const struct two *t)
{
	const char *x, *y;
	enum naming_kin k = naming_kin(&t->a.host, &t->b.host, ADDRESSES_NEWEST, &x);

	assert_int_equal(naming_kin(&t->b.host, &t->a.host, ADDRESSES_NEWEST, &y), k);
	assert_string_equal(x, y);
	return k;
}

static void a_lease_that_was_left_behind_joins_where_the_newest_counts(void **state)
{
	struct two t;

	(void)state;
	two_leases(&t, LOCAL, AGAIN);
	assert_int_equal(newest_kin(&t), KIN_NAME);
	/* Both are renewed: two clients. */
	t.a.host.expires_at_s = 3900;
	assert_int_equal(newest_kin(&t), KIN_OTHER);
	t.a.host.expires_at_s = 3800;
	assert_int_equal(newest_kin(&t), KIN_OTHER);
	/* Of one second the lower address is the first. */
	t.a.host.since_s = 200;
	assert_int_equal(newest_kin(&t), KIN_OTHER);
	t.a.host.expires_at_s = 3700;
	assert_int_equal(newest_kin(&t), KIN_NAME);
	/* A hardware address that stays, or any identity on one side. */
	two_leases(&t, LOCAL, WIRED);
	assert_int_equal(newest_kin(&t), KIN_OTHER);
	two_leases(&t, LOCAL, NULL);
	assert_int_equal(newest_kin(&t), KIN_OTHER);
	two_leases(&t, LOCAL, AGAIN);
	t.b.host.kind = OBS_NEIGHBOUR;
	assert_int_equal(newest_kin(&t), KIN_OTHER);
}

static void what_else_is_known_makes_it_no_weak_identity(void **state)
{
	static const struct {
		struct asks who;
		bool weak;
	} v[] = {
	    {{PLACE, LOCAL, LEASE}, true},
	    {{PLACE, LOCAL, HTYPE_OF_LOCAL, LEASE}, true},
	    {{PLACE, NULL, HTYPE_OF_LOCAL, LEASE}, true},
	    {{PLACE, LOCAL, IAID DUID_OF_LOCAL, LEASE}, true},
	    {{PLACE, LOCAL, NULL, DUID_OF_LOCAL, LEASE}, true},
	    {{PLACE, LOCAL, .dhcid = "000001aa", LEASE}, true},
	    {{PLACE, LOCAL, HTYPE_OF_LOCAL, NULL, "000101aa", LEASE}, true},
	    {{PLACE, LOCAL, .dhcid = "000201aa", LEASE}, false},
	    {{PLACE, LOCAL, .dhcid = "000101aa", LEASE}, false},
	    {{PLACE, LOCAL, "00aa", LEASE}, false},
	    {{PLACE, LOCAL, IAID DUID_A, LEASE}, false},
	    {{PLACE, LOCAL, NULL, DUID_A, LEASE}, false},
	    {{PLACE, WIRED, LEASE}, false},
	    {{PLACE, NULL, LEASE}, false},
	};
	struct known k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		make(&k, &v[i].who);
		if (identity_is_weak(&k.host.id) != v[i].weak)
			fail_msg("row %zu", i);
	}
}

static void hardware_addresses_differ_only_where_both_are_known(void **state)
{
	struct two t;

	(void)state;
	two_leases(&t, LOCAL, AGAIN);
	assert_true(identity_macs_differ(&t.a.host.id, &t.b.host.id));
	two_leases(&t, LOCAL, LOCAL);
	assert_false(identity_macs_differ(&t.a.host.id, &t.b.host.id));
	two_leases(&t, LOCAL, NULL);
	assert_false(identity_macs_differ(&t.a.host.id, &t.b.host.id));
	assert_false(identity_macs_differ(&t.b.host.id, &t.a.host.id));
}

/* ---- a name and all who ask for it --------------------------------------------------------- */

enum { MAX = 4 };

struct crowd {
	struct arena a;
	struct known k[MAX];
	struct host claims[MAX];
	struct plan_answer out;
};

/* They come one second after the other, and ask at once. */
static void ask(struct crowd *c, const struct asks *v, size_t n)
{
	struct plan_names in = {.claims = c->claims, .n_claims = n};
	size_t i;

	for (i = 0; i < n; i++) {
		make(&c->k[i], &v[i]);
		c->claims[i] = c->k[i].host;
		c->claims[i].since_s = (int64_t)i;
	}
	assert_int_equal(plan_settle_names(&c->out, &c->a, &fx_space, &in), 0);
}

static bool plain(const struct host *h)
{
	return dname_equal(&h->name, &h->asked);
}

static const struct asks laptop[] = {
    {PLACE, WIRED, "00aa", LEASE}, {SIX, RADIO, NULL, DUID_A, LEASE}, {OTHER, RADIO, "00aa", LEASE}};

static void a_host_is_all_who_are_proven_to_be_of_it(void **state)
{
	struct crowd c = {.a = ARENA_INIT};

	(void)state;
	/* Alone, the radio's DHCPv6 lease has nothing in common with the wire. */
	ask(&c, laptop, 2);
	assert_true(plain(&c.claims[0]));
	assert_false(plain(&c.claims[1]));
	assert_string_equal(c.claims[1].why,
			    "named; the plain name is held by 192.0.2.7 (another hardware address)");
	ask(&c, laptop, 3);
	assert_true(plain(&c.claims[0]) && plain(&c.claims[1]) && plain(&c.claims[2]));
	assert_string_equal(c.claims[0].why, "named");
	assert_string_equal(c.claims[2].why,
			    "named; one host with 192.0.2.7 (same client identifier)");
	assert_string_equal(c.claims[1].why,
			    "named; one host with 192.0.2.8 (same hardware address)");
	arena_fini(&c.a);
}

static void who_is_of_another_host_is_joined_by_no_name(void **state)
{
	/* The DHCPv6 lease has the name of the first, and is the second client's. */
	static const struct asks v[] = {{PLACE, LOCAL, LEASE},
					{SIX, RADIO, NULL, DUID_A, LEASE},
					{OTHER, RADIO, LEASE}};
	struct crowd c = {.a = ARENA_INIT};

	(void)state;
	ask(&c, v, 2);
	assert_true(plain(&c.claims[0]) && plain(&c.claims[1]));
	assert_string_equal(c.claims[1].why,
			    "named; one host with 192.0.2.7 (same name in the other family)");
	ask(&c, v, 3);
	assert_true(plain(&c.claims[0]));
	assert_false(plain(&c.claims[1]));
	assert_false(plain(&c.claims[2]));
	arena_fini(&c.a);
}

static void a_holder_that_is_of_another_host_is_displaced(void **state)
{
	static const struct asks v[] = {{PLACE, LOCAL, LEASE},
					{SIX, RADIO, NULL, DUID_A, LEASE},
					{OTHER, RADIO, LEASE}};
	struct arena a = ARENA_INIT;
	struct plan_answer out;
	struct known k[3];
	struct host holders[2], claim;
	struct plan_names in = {.claims = &claim, .n_claims = 1, .holders = holders, .n_holders = 2};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		make(&k[i], &v[i]);
	holders[0] = k[0].host;
	holders[1] = k[1].host;
	holders[1].since_s = 1;
	claim = k[2].host;
	claim.since_s = 2;
	assert_int_equal(plan_settle_names(&out, &a, &fx_space, &in), 0);
	assert_false(plain(&claim));
	assert_int_equal(out.n_displaced, 1);
	assert_int_equal(ipaddr_cmp(&out.displaced[0], &holders[1].addr), 0);
	arena_fini(&a);
}

static void a_zone_of_the_newest_lets_a_changed_client_keep_its_name(void **state)
{
	static const struct asks v[] = {{PLACE, LOCAL, LEASE}, {OTHER, AGAIN, LEASE}};
	struct arena a = ARENA_INIT;
	struct plan_answer out;
	struct known k[2];
	struct host holder, claim;
	struct plan_names in = {.claims = &claim, .n_claims = 1, .holders = &holder, .n_holders = 1};
	int newest;

	(void)state;
	for (newest = 0; newest < 2; newest++) {
		make(&k[0], &v[0]);
		make(&k[1], &v[1]);
		holder = k[0].host;
		holder.expires_at_s = 100;
		claim = k[1].host;
		claim.since_s = 50;
		claim.expires_at_s = 150;
		fx_zones[0].addresses = newest ? ADDRESSES_NEWEST : ADDRESSES_ALL;
		assert_int_equal(plan_settle_names(&out, &a, &fx_space, &in), 0);
		assert_int_equal(plain(&claim), newest);
	}
	fx_zones[0].addresses = ADDRESSES_ALL;
	assert_string_equal(claim.why, "named; one host with 192.0.2.7 (same name, and nothing known "
				       "but hardware addresses that change)");
	arena_fini(&a);
}

/* ---- which addresses a name shows ---------------------------------------------------------- */

static size_t shown(const struct belief *b, uint16_t type, const char *first)
{
	const struct rr *v;
	size_t n = rrs_of(&b->want, type, &v);
	struct ipaddr a = fx_addr(first);

	assert_memory_equal(v[0].rdata, a.b, v[0].rdlen);
	return n;
}

static void the_newest_lease_of_each_family_is_shown(void **state)
{
	struct belief f = {.zone_id = 1, .owner = fx_name("pc.lab.example"), .seen_known = true,
			   .state = BELIEF_STEP}, r = {.zone_id = 2};
	struct arena a = ARENA_INIT;
	struct known k[3];
	struct host h[4];
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		make(&k[i], &laptop[i]);
		h[i] = k[i].host;
		h[i].since_s = (int64_t)i;
	}
	assert_int_equal(plan_forward(&f, &a, &fx_zones[0], h, 3), 0);
	assert_int_equal(shown(&f, RR_A, PLACE), 2);
	fx_zones[0].addresses = ADDRESSES_NEWEST;
	assert_int_equal(plan_forward(&f, &a, &fx_zones[0], h, 3), 0);
	assert_int_equal(shown(&f, RR_A, OTHER), 1);
	assert_int_equal(shown(&f, RR_AAAA, SIX), 1);
	/* The PTR of the one that is left out goes. */
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], &h[0], &f), 0);
	assert_int_equal(r.want.n, 0);
	assert_string_equal(r.why, "a newer lease of the host has the name");
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], &h[2], &f), 0);
	assert_true(r.want.n > 0);
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[2], &h[1], &f), 0);
	assert_true(r.want.n > 0);
	/* Of one second the higher address. */
	h[0].since_s = h[2].since_s;
	assert_int_equal(plan_forward(&f, &a, &fx_zones[0], h, 3), 0);
	assert_int_equal(shown(&f, RR_A, OTHER), 1);
	/* What a person gave stands beside it, and has its PTR. */
	h[3] = h[0];
	h[3].addr = fx_addr("192.0.2.3");
	h[3].kind = OBS_MANUAL;
	h[3].since_s = 9;
	assert_int_equal(plan_forward(&f, &a, &fx_zones[0], h, 4), 0);
	assert_int_equal(shown(&f, RR_A, "192.0.2.3"), 2);
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], &h[3], &f), 0);
	assert_true(r.want.n > 0);
	fx_zones[0].addresses = ADDRESSES_ALL;
	arena_fini(&a);
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
	    cmocka_unit_test(each_evidence_says_what_it_can),
	    cmocka_unit_test(a_lease_that_was_left_behind_joins_where_the_newest_counts),
	    cmocka_unit_test(what_else_is_known_makes_it_no_weak_identity),
	    cmocka_unit_test(hardware_addresses_differ_only_where_both_are_known),
	    cmocka_unit_test(a_host_is_all_who_are_proven_to_be_of_it),
	    cmocka_unit_test(who_is_of_another_host_is_joined_by_no_name),
	    cmocka_unit_test(a_holder_that_is_of_another_host_is_displaced),
	    cmocka_unit_test(a_zone_of_the_newest_lets_a_changed_client_keep_its_name),
	    cmocka_unit_test(the_newest_lease_of_each_family_is_shown),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
