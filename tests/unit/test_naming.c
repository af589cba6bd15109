/* test_naming.c - the naming rule, the choice among kinds, hosts and collisions, DHCID vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/base/hash.h"
#include "bridge/core/dhcid.h"
#include "bridge/core/plan.h"
#include "tests/unit/policy_fixture.h"

static struct bytes text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, (uint16_t)strlen(s)};
}

static const char *rule(const char *raw, size_t len, enum obs_kind kind)
{
	static char out[DNAME_TEXT];
	struct dname n;
	const char *why;
	struct bytes b = {(const uint8_t *)raw, (uint16_t)len};

	if (naming_rule(&n, &fx_space, &fx_subnets[0], kind, b, &why) != 0)
		return NULL;
	return dname_print(out, &n);
}

#define gives(raw, name) assert_string_equal(rule(raw, strlen(raw), OBS_LEASE), name)
#define refuses(raw) assert_null(rule(raw, sizeof(raw) - 1, OBS_LEASE))

static void names_are_cleaned_by_one_rule(void **state)
{
	(void)state;
	gives("Laptop", "laptop.lab.example");
	gives("laptop.", "laptop.lab.example");
	gives("laptop.lab.example", "laptop.lab.example");
	gives("LAPTOP.LAB.EXAMPLE.", "laptop.lab.example");
	gives("a.b.lab.example", "a.b.lab.example");
	gives("x.y.z", "x.lab.example");
	gives("Jims iPhone", "jims-iphone.lab.example");
	gives("a_b", "a-b.lab.example");
}

static void hostile_names_are_refused(void **state)
{
	char longname[301];

	(void)state;
	refuses("");
	refuses(".");
	refuses("..");
	refuses("a..b");
	refuses("x','') --");
	refuses("$(id)");
	refuses("<script>");
	refuses("\033[31mred");
	refuses("nul\0byte");
	refuses("utf\303\251");
	refuses("-dash");
	refuses("dash-");
	refuses("_");
	refuses("autoconfig");
	refuses("wpad");
	refuses("www");
	refuses("WPAD.lab.example");
	refuses("localhost");
	refuses("ns1");
	refuses("secret-plan");
	refuses("10.0.0.1");
	refuses("*");
	refuses("lab.example");
	memset(longname, 'a', sizeof(longname) - 1);
	longname[300] = '\0';
	assert_null(rule(longname, 300, OBS_LEASE));
	longname[64] = '\0';
	assert_null(rule(longname, 64, OBS_LEASE));
}

static void a_person_may_name_what_clients_may_not(void **state)
{
	(void)state;
	assert_string_equal(rule("ns1", 3, OBS_MANUAL), "ns1.lab.example");
	assert_string_equal(rule("*", 1, OBS_MANUAL), "*.lab.example");
	assert_string_equal(rule("lab.example", 11, OBS_MANUAL), "lab.example");
	assert_null(rule("secret1", 7, OBS_MANUAL));
	assert_null(rule("a*b", 3, OBS_MANUAL));
}

static struct evidence ev(const char *addr, enum obs_kind kind, const char *name, int mac)
{
	struct evidence e = {.source_id = kind == OBS_LEASE ? 1 : kind == OBS_MANUAL ? 3 : 2};

	e.obs.addr = fx_addr(addr);
	e.obs.kind = (uint8_t)kind;
	if (name != NULL)
		e.obs.name = text(name);
	e.obs.mac.known = mac != 0;
	e.obs.mac.b[5] = (uint8_t)mac;
	e.obs.valid_until_s = OBS_FOREVER;
	return e;
}

static struct host *name_them(struct arena *a, struct evidence *e, size_t n, size_t *n_out)
{
	struct host *h;

	assert_int_equal(naming_address(&h, n_out, a, &fx_space, &e[0].obs.addr, e, n, 1000), 0);
	return h;
}

static void the_best_kind_that_gives_a_name_wins(void **state)
{
	struct evidence e[2] = {ev("192.0.2.7", OBS_LEASE, "lease", 1),
				ev("192.0.2.7", OBS_MANUAL, "person", 0)};
	struct arena a = ARENA_INIT;
	struct host *h;
	size_t n;

	(void)state;
	h = name_them(&a, e, 2, &n);
	assert_int_equal(n, 1);
	assert_int_equal(h->kind, OBS_MANUAL);
	/* Whose lease it is, is known all the same. */
	assert_true(h->id.mac.known);
	e[1].obs.name = text("$(id)");
	h = name_them(&a, e, 2, &n);
	assert_int_equal(h->kind, OBS_LEASE);
	e[0].obs.name = text("wpad");
	h = name_them(&a, e, 2, &n);
	assert_int_equal(h->name.len, 0);
	assert_non_null(strstr(h->why, "no name"));
	arena_fini(&a);
}

static void every_manual_name_counts_and_one_has_the_ptr(void **state)
{
	struct evidence e[2] = {ev("192.0.2.7", OBS_MANUAL, "one", 0),
				ev("192.0.2.7", OBS_MANUAL, "two", 0)};
	struct arena a = ARENA_INIT;
	struct host *h;
	size_t n;

	(void)state;
	e[1].obs.ptr = true;
	h = name_them(&a, e, 2, &n);
	assert_int_equal(n, 2);
	assert_false(h[0].ptr);
	assert_true(h[1].ptr);
	arena_fini(&a);
}

static void one_of_several_names_has_the_ptr(void **state)
{
	static const struct {
		const char *name[3];
		bool ptr[3];
		size_t has;
	} v[] = {{{"a", "b", "c"}, {true, true, true}, 0}, {{"a", "b", "c"}, {false, true, true}, 1},
		 {{"a", "b", "c"}, {false, false, false}, 0}, {{"*", "b", "c"}, {true, false, false}, 1}};
	struct arena a = ARENA_INIT;
	struct evidence e[3];
	struct host *h;
	size_t n, i, k;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		for (k = 0; k < 3; k++) {
			e[k] = ev("192.0.2.7", OBS_MANUAL, v[i].name[k], 0);
			e[k].obs.ptr = v[i].ptr[k];
		}
		h = name_them(&a, e, 3, &n);
		assert_int_equal(n, 3);
		for (k = 0; k < 3; k++)
			assert_int_equal(h[k].ptr, k == v[i].has);
	}
	arena_fini(&a);
}

static void a_name_comes_with_what_its_evidence_says(void **state)
{
	struct evidence e = ev("192.0.2.7", OBS_LEASE, "lease", 1);
	struct arena a = ARENA_INIT;
	struct host *h;
	size_t n;

	(void)state;
	e.obs.ttl_s = 77;
	e.obs.valid_until_s = 5000;
	e.obs.client_id = text("client");
	h = name_them(&a, &e, 1, &n);
	assert_int_equal(n, 1);
	assert_int_equal(h->source_id, 1);
	assert_int_equal(h->kind, OBS_LEASE);
	assert_int_equal(h->ttl_s, 77);
	assert_int_equal(h->expires_at_s, 5000);
	assert_int_equal(h->id.mac.b[5], 1);
	assert_true(bytes_equal(h->id.client_id, text("client")));
	arena_fini(&a);
}

/* A person names the address, a lease tells whose it is. */
static void the_lease_behind_a_name_gives_the_identity(void **state)
{
	struct evidence e[2] = {ev("192.0.2.7", OBS_MANUAL, "person", 0),
				ev("192.0.2.7", OBS_LEASE, "lease", 1)};
	struct arena a = ARENA_INIT;
	struct host *h;
	size_t n;

	(void)state;
	e[1].obs.client_id = text("client");
	e[1].obs.duid = text("duid");
	h = name_them(&a, e, 2, &n);
	assert_int_equal(h->source_id, 3);
	assert_int_equal(h->id.mac.b[5], 1);
	assert_true(bytes_equal(h->id.client_id, text("client")));
	assert_true(bytes_equal(h->id.duid, text("duid")));
	arena_fini(&a);
}

/* Whoever was refused a name is the one to be told of; else the best of those who saw it. */
static void without_a_name_the_best_evidence_stands_for_the_address(void **state)
{
	struct evidence e[3] = {ev("192.0.2.7", OBS_NEIGHBOUR, NULL, 1),
				ev("192.0.2.7", OBS_NEIGHBOUR, NULL, 2),
				ev("192.0.2.7", OBS_LEASE, "wpad", 3)};
	struct arena a = ARENA_INIT;
	struct host *h;
	size_t n;

	(void)state;
	e[1].source_id = 4;
	h = name_them(&a, e, 2, &n);
	assert_int_equal(n, 1);
	assert_int_equal(h->name.len, 0);
	assert_int_equal(h->source_id, 2);
	assert_int_equal(ipaddr_cmp(&h->addr, &e[0].obs.addr), 0);
	h = name_them(&a, e, 3, &n);
	assert_int_equal(h->kind, OBS_LEASE);
	assert_non_null(strstr(h->why, "protected"));
	e[0] = ev("192.0.2.7", OBS_MANUAL, NULL, 4);
	assert_int_equal(name_them(&a, e, 3, &n)->kind, OBS_LEASE);
	e[2].obs.name = text("");
	assert_int_equal(name_them(&a, e, 3, &n)->kind, OBS_MANUAL);
	arena_fini(&a);
}

static void a_suffix_fits_into_every_label(void **state)
{
	char label[64], name[DNAME_TEXT];
	struct host h = {.addr = fx_addr("192.0.2.7")};
	struct dname out, plain;
	size_t n;

	(void)state;
	for (n = 1; n <= 63; n++) {
		memset(label, 'a', n);
		label[n] = '\0';
		snprintf(name, sizeof(name), "%s.lab.example", label);
		h.asked = fx_name(name);
		assert_true(naming_suffix(&out, &h));
		assert_int_equal(out.b[0], (n < 58 ? n : 58) + 5);
		assert_memory_equal(out.b + 1, label, n < 58 ? n : 58);
		assert_true(naming_unsuffixed(&plain, &out));
		assert_int_equal(plain.b[0], n < 58 ? n : 58);
		assert_int_equal(dname_equal(&plain, &h.asked), n <= 58);
	}
}

static void an_address_outside_every_subnet_has_no_name(void **state)
{
	struct evidence e = ev("198.51.100.1", OBS_LEASE, "laptop", 1);
	struct arena a = ARENA_INIT;
	struct host *h;
	size_t n;

	(void)state;
	h = name_them(&a, &e, 1, &n);
	assert_int_equal(n, 1);
	assert_int_equal(h->name.len, 0);
	arena_fini(&a);
}

static void names_from_dns_outside_the_zones_are_evidence_only(void **state)
{
	struct evidence e = ev("192.0.2.9", OBS_DNS, "printer.elsewhere.example", 0);
	struct arena a = ARENA_INIT;
	struct host *h;
	size_t n;

	(void)state;
	h = name_them(&a, &e, 1, &n);
	assert_int_equal(h->name.len, 0);
	e.obs.name = text("printer.lab.example");
	h = name_them(&a, &e, 1, &n);
	assert_int_not_equal(h->name.len, 0);
	arena_fini(&a);
}

static struct host host(const char *addr, const char *name, enum obs_kind kind, int mac,
			int64_t since)
{
	struct host h = {.addr = fx_addr(addr), .name = fx_name(name), .asked = fx_name(name),
			 .kind = (uint8_t)kind, .since_s = since, .ptr = true, .why = "named"};

	h.id.mac.known = mac != 0;
	h.id.mac.b[5] = (uint8_t)mac;
	return h;
}

static bool one_host(const struct host *a, const struct host *b)
{
	const char *why;

	return naming_kin(a, b, ADDRESSES_ALL, &why) != KIN_OTHER;
}

static void two_families_are_one_host_unless_identities_differ(void **state)
{
	struct host v4 = host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 1);
	struct host v6 = host("2001:db8::7", "pc.lab.example", OBS_LEASE, 1, 2);
	struct host other = host("192.0.2.8", "pc.lab.example", OBS_LEASE, 0, 2);

	(void)state;
	assert_true(one_host(&v4, &v6));
	v6.id.mac.b[5] = 2;
	assert_false(one_host(&v4, &v6));
	v6.id.mac.known = false;
	assert_true(one_host(&v4, &v6));
	/* In one family an unknown client is a stranger. */
	assert_false(one_host(&v4, &other));
	/* And a lease never joins a person's name without proof. */
	v4.kind = OBS_MANUAL;
	v4.id.mac.known = false;
	assert_false(one_host(&v4, &v6));
}

struct contest {
	struct arena a;
	struct plan_names in;
	struct plan_answer out;
};

static void settle(struct contest *c, struct host *claims, size_t n, struct host *olds,
		   size_t n_olds, struct host *holders, size_t n_holders)
{
	c->in = (struct plan_names){claims, n, olds, n_olds, holders, n_holders};
	assert_int_equal(plan_settle_names(&c->out, &c->a, &fx_space, &c->in), 0);
}

static void the_earlier_holder_keeps_the_name_and_the_later_gets_a_suffix(void **state)
{
	struct host holder = host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 500);
	struct host claim = host("192.0.2.8", "pc.lab.example", OBS_LEASE, 2, 1000);
	struct contest c = {.a = ARENA_INIT};
	char out[DNAME_TEXT];

	(void)state;
	settle(&c, &claim, 1, NULL, 0, &holder, 1);
	dname_print(out, &claim.name);
	assert_int_equal(strncmp(out, "pc-", 3), 0);
	assert_int_equal(strlen(out), strlen("pc-0000.lab.example"));
	assert_int_equal(c.out.n_displaced, 0);
	/* Whether somebody holds the suffixed name has to be looked up. */
	assert_int_equal(c.out.n_load, 1);
	arena_fini(&c.a);
}

static void a_suffixed_name_tells_the_plain_one(void **state)
{
	static const struct {
		const char *name, *plain;
	} v[] = {{"nas-4f7d.lab.example", "nas.lab.example"}, {"nas-4f7g.lab.example", NULL},
		 {"nas-4f7.lab.example", NULL},		       {"-4f7d.lab.example", NULL},
		 {"a-4f7d.lab.example", "a.lab.example"},      {"nas.lab.example", NULL}};
	struct dname name, out, plain;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_true(dname_parse(&name, v[i].name, strlen(v[i].name)));
		assert_int_equal(naming_unsuffixed(&out, &name), v[i].plain != NULL);
		if (v[i].plain == NULL)
			continue;
		assert_true(dname_parse(&plain, v[i].plain, strlen(v[i].plain)));
		assert_true(dname_equal(&out, &plain));
	}
}

static void who_is_gone_holds_nothing(void **state)
{
	struct host old = host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 500);
	struct host claim = host("192.0.2.8", "pc.lab.example", OBS_LEASE, 2, 1000);
	struct contest c = {.a = ARENA_INIT};

	(void)state;
	/* The address of the old row is planned too, and nothing names it any more. */
	settle(&c, &claim, 1, &old, 1, &old, 1);
	assert_true(dname_equal(&claim.name, &claim.asked));
	assert_int_equal(c.out.n_displaced, 0);
	arena_fini(&c.a);
}

static void a_suffix_stays_while_its_evidence_lasts(void **state)
{
	struct host old = host("192.0.2.8", "pc-ab12.lab.example", OBS_LEASE, 2, 700);
	struct host claim = host("192.0.2.8", "pc.lab.example", OBS_LEASE, 2, 1000);
	struct contest c = {.a = ARENA_INIT};

	(void)state;
	old.asked = fx_name("pc.lab.example");
	settle(&c, &claim, 1, &old, 1, NULL, 0);
	assert_true(dname_equal(&claim.name, &old.name));
	assert_int_equal(claim.since_s, 700);
	arena_fini(&c.a);
}

/* One who asked and got no name. */
static struct host waiting(const char *addr, const char *asked, uint8_t who, int64_t since_s)
{
	struct host h = host(addr, asked, OBS_LEASE, who, since_s);

	h.name.len = 0;
	return h;
}

static void with_first_the_later_gets_no_name(void **state)
{
	struct host holder = host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 500);
	struct host claim = host("192.0.2.8", "pc.lab.example", OBS_LEASE, 2, 1000);
	struct host old = host("192.0.2.8", "pc-ab12.lab.example", OBS_LEASE, 2, 700);
	struct contest c = {.a = ARENA_INIT};

	(void)state;
	old.asked = fx_name("pc.lab.example");
	fx_zones[0].duplicates = DUPLICATES_FIRST;
	/* Not even the suffix that it had when the policy was another one. */
	settle(&c, &claim, 1, &old, 1, &holder, 1);
	assert_int_equal(claim.name.len, 0);
	assert_true(dname_equal(&claim.asked, &old.asked));
	assert_non_null(strstr(claim.why, "192.0.2.7"));
	assert_int_equal(c.out.n_load, 0);
	fx_zones[0].duplicates = DUPLICATES_SUFFIX;
	arena_fini(&c.a);
}

static void with_first_who_waits_longest_is_next(void **state)
{
	struct host claims[] = {host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 1000),
				host("192.0.2.8", "pc.lab.example", OBS_LEASE, 2, 1000)};
	struct host olds[] = {waiting("192.0.2.7", "pc.lab.example", 1, 700),
			      waiting("192.0.2.8", "pc.lab.example", 2, 600)};
	struct contest c = {.a = ARENA_INIT};

	(void)state;
	fx_zones[0].duplicates = DUPLICATES_FIRST;
	settle(&c, claims, 2, olds, 2, NULL, 0);
	assert_int_equal(claims[0].name.len, 0);
	assert_true(dname_equal(&claims[1].name, &claims[1].asked));
	assert_int_equal(claims[1].since_s, 600);
	fx_zones[0].duplicates = DUPLICATES_SUFFIX;
	arena_fini(&c.a);
}

static void with_refuse_none_of_several_gets_a_free_name(void **state)
{
	struct host claims[] = {host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 1000),
				host("192.0.2.8", "pc.lab.example", OBS_LEASE, 2, 1001),
				host("192.0.2.9", "nas.lab.example", OBS_LEASE, 3, 1001)};
	struct host old = waiting("192.0.2.7", "pc.lab.example", 1, 700);
	struct contest c = {.a = ARENA_INIT};

	(void)state;
	fx_zones[0].duplicates = DUPLICATES_REFUSE;
	settle(&c, claims, 3, &old, 1, NULL, 0);
	assert_int_equal(claims[0].name.len, 0);
	assert_int_equal(claims[1].name.len, 0);
	assert_true(dname_equal(&claims[2].name, &claims[2].asked));
	assert_non_null(strstr(claims[1].why, "192.0.2.7 and 192.0.2.8"));
	/* Nor of three. */
	claims[0].name = claims[1].name = claims[2].name = claims[2].asked = claims[0].asked;
	settle(&c, claims, 3, NULL, 0, NULL, 0);
	assert_int_equal(claims[0].name.len + claims[1].name.len + claims[2].name.len, 0);
	/* Alone it gets it. */
	claims[0].name = claims[0].asked;
	settle(&c, claims, 1, &old, 1, NULL, 0);
	assert_true(dname_equal(&claims[0].name, &claims[0].asked));
	fx_zones[0].duplicates = DUPLICATES_SUFFIX;
	arena_fini(&c.a);
}

static void with_refuse_who_has_it_and_who_ranks_higher_get_it(void **state)
{
	struct host holder = host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 500);
	struct host claims[] = {host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 1000),
				host("192.0.2.8", "pc.lab.example", OBS_LEASE, 2, 1000)};
	struct contest c = {.a = ARENA_INIT};

	(void)state;
	fx_zones[0].duplicates = DUPLICATES_REFUSE;
	settle(&c, claims, 2, &holder, 1, NULL, 0);
	assert_true(dname_equal(&claims[0].name, &claims[0].asked));
	assert_int_equal(claims[1].name.len, 0);
	claims[1] = host("192.0.2.8", "pc.lab.example", OBS_LEASE, 2, 1000);
	settle(&c, claims + 1, 1, NULL, 0, &holder, 1);
	assert_int_equal(claims[1].name.len, 0);
	assert_int_equal(c.out.n_displaced, 0);
	/* Another rank is no duplicate. */
	claims[0] = host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 1000);
	claims[1] = host("192.0.2.8", "pc.lab.example", OBS_MANUAL, 2, 1000);
	settle(&c, claims, 2, NULL, 0, NULL, 0);
	assert_true(dname_equal(&claims[1].name, &claims[1].asked));
	assert_int_equal(claims[0].name.len, 0);
	fx_zones[0].duplicates = DUPLICATES_SUFFIX;
	arena_fini(&c.a);
}

static void a_persons_name_displaces_a_lease(void **state)
{
	struct host holder = host("192.0.2.7", "web.lab.example", OBS_LEASE, 1, 500);
	struct host claim = host("192.0.2.8", "web.lab.example", OBS_MANUAL, 0, 1000);
	struct contest c = {.a = ARENA_INIT};

	(void)state;
	settle(&c, &claim, 1, NULL, 0, &holder, 1);
	assert_true(dname_equal(&claim.name, &claim.asked));
	assert_int_equal(c.out.n_displaced, 1);
	assert_int_equal(ipaddr_cmp(&c.out.displaced[0], &holder.addr), 0);
	arena_fini(&c.a);
}

static void a_lease_does_not_displace_a_person(void **state)
{
	struct host holder = host("192.0.2.7", "web.lab.example", OBS_MANUAL, 0, 900);
	struct host claim = host("192.0.2.8", "web.lab.example", OBS_LEASE, 1, 100);
	struct contest c = {.a = ARENA_INIT};

	(void)state;
	settle(&c, &claim, 1, NULL, 0, &holder, 1);
	assert_int_equal(c.out.n_displaced, 0);
	assert_false(dname_equal(&claim.name, &claim.asked));
	arena_fini(&c.a);
}

static void names_read_from_dns_claim_nothing(void **state)
{
	struct host holder = host("192.0.2.7", "web.lab.example", OBS_DNS, 0, 1);
	struct host claim = host("192.0.2.8", "web.lab.example", OBS_LEASE, 1, 1000);
	struct contest c = {.a = ARENA_INIT};

	(void)state;
	settle(&c, &claim, 1, NULL, 0, &holder, 1);
	assert_true(dname_equal(&claim.name, &claim.asked));
	assert_int_equal(c.out.n_displaced, 0);
	arena_fini(&c.a);
}

static void forward_holds_both_families_and_the_first_clients_dhcid(void **state)
{
	struct host h[2] = {host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 1),
			    host("2001:db8::7", "pc.lab.example", OBS_LEASE, 1, 2)};
	struct belief b = {.zone_id = 1, .owner = fx_name("pc.lab.example")};
	struct arena a = ARENA_INIT;
	uint8_t made[DHCID_LEN];
	const struct rr *v;

	(void)state;
	assert_int_equal(plan_forward(&b, &a, &fx_zones[0], h, 2), 0);
	assert_int_equal(rrs_of(&b.want, RR_A, &v), 1);
	assert_int_equal(rrs_of(&b.want, RR_AAAA, &v), 1);
	assert_int_equal(rrs_of(&b.want, RR_DHCID, &v), 1);
	assert_true(dhcid_make(made, &h[0].id, false, &b.owner));
	assert_memory_equal(v->rdata, made, DHCID_LEN);
	assert_int_equal(b.want_kind, OBS_LEASE);
	h[1].kind = OBS_MANUAL;
	h[1].source_id = 9;
	assert_int_equal(plan_forward(&b, &a, &fx_zones[0], h, 2), 0);
	assert_int_equal(rrs_of(&b.want, RR_DHCID, &v), 0);
	assert_int_equal(b.want_kind, OBS_MANUAL);
	assert_int_equal(b.want_source, 9);
	arena_fini(&a);
}

/* What stood there before is of no account. */
static struct belief poisoned(int32_t zone_id)
{
	return (struct belief){.zone_id = zone_id, .owner = fx_name("pc.lab.example"), .want_kind = 0,
			       .want_source = 77, .want_ttl_s = 77, .why = "before",
			       .seen_known = true};
}

static void forward_tells_who_wants_it_and_for_how_long(void **state)
{
	struct host h[3] = {host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 2),
			    host("2001:db8::7", "pc.lab.example", OBS_MANUAL, 1, 2),
			    host("192.0.2.8", "pc.lab.example", OBS_MANUAL, 1, 3)};
	struct belief b = poisoned(1);
	struct arena a = ARENA_INIT;
	size_t i;

	(void)state;
	assert_int_equal(plan_forward(&b, &a, &fx_zones[0], NULL, 0), 0);
	assert_int_equal(b.want.n, 0);
	assert_int_equal(b.want_kind, OBS_KINDS - 1);
	assert_int_equal(b.want_source, 0);
	assert_int_equal(b.want_ttl_s, 300);
	assert_string_equal(b.why, "nothing names it any more");
	for (i = 0; i < 3; i++)
		h[i].source_id = (int32_t)i + 1;
	h[0].why = "the first";
	h[1].ttl_s = 90;
	h[2].ttl_s = 60;
	assert_int_equal(plan_forward(&b, &a, &fx_zones[0], h, 3), 0);
	assert_int_equal(b.want_kind, OBS_MANUAL);
	assert_int_equal(b.want_source, 2);
	assert_int_equal(b.want_ttl_s, 60);
	assert_string_equal(b.why, "the first");
	arena_fini(&a);
}

/* Of a v6 client the DUID counts, never the identifier that a v4 client gives. */
static void the_family_of_the_first_decides_what_its_dhcid_is_of(void **state)
{
	static const char *const addrs[] = {"192.0.2.7", "2001:db8::7"};
	struct arena a = ARENA_INIT;
	uint8_t made[DHCID_LEN], other[DHCID_LEN];
	const struct rr *v;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct host h = host(addrs[i], "pc.lab.example", OBS_LEASE, 1, 1);
		struct belief b = poisoned(1);

		h.id.client_id = text("client");
		assert_int_equal(plan_forward(&b, &a, &fx_zones[0], &h, 1), 0);
		assert_int_equal(rrs_of(&b.want, RR_DHCID, &v), 1);
		assert_true(dhcid_make(made, &h.id, i == 1, &b.owner));
		assert_true(dhcid_make(other, &h.id, i == 0, &b.owner));
		assert_memory_equal(v->rdata, made, DHCID_LEN);
		assert_memory_not_equal(v->rdata, other, DHCID_LEN);
	}
	arena_fini(&a);
}

static void reverse_tells_who_wants_it_and_why_it_waits(void **state)
{
	struct host h = host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 1);
	struct belief f = poisoned(1), r = poisoned(2);
	struct arena a = ARENA_INIT;

	(void)state;
	h.source_id = 3;
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], NULL, NULL), 0);
	assert_int_equal(r.want_kind, OBS_KINDS - 1);
	assert_int_equal(r.want_source, 0);
	assert_int_equal(r.want_ttl_s, 300);
	assert_string_equal(r.why, "nothing names it any more");
	f.state = BELIEF_CONFLICT;
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], &h, &f), 0);
	assert_int_equal(r.want_kind, OBS_LEASE);
	assert_int_equal(r.want_source, 3);
	assert_string_equal(r.why, "its forward name is not ours, or not yet");
	/* The forward name shows another address of the host. */
	f.state = BELIEF_STEP;
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], &h, &f), 0);
	assert_int_equal(r.want.n, 0);
	assert_string_equal(r.why, "a newer lease of the host has the name");
	assert_int_equal(plan_forward(&f, &a, &fx_zones[0], &h, 1), 0);
	h.ttl_s = 60;
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], &h, &f), 0);
	assert_int_equal(r.want_ttl_s, 60);
	assert_string_equal(r.why, "named");
	arena_fini(&a);
}

static void a_ptr_falls_with_its_forward_name(void **state)
{
	struct host h = host("192.0.2.7", "pc.lab.example", OBS_LEASE, 1, 1);
	struct belief f = {.zone_id = 1, .owner = fx_name("pc.lab.example"), .seen_known = true};
	struct belief r = {.zone_id = 2};
	struct arena a = ARENA_INIT;
	const struct rr *v;

	(void)state;
	assert_int_equal(plan_forward(&f, &a, &fx_zones[0], &h, 1), 0);
	f.state = BELIEF_DUE;
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], &h, &f), 0);
	assert_int_equal(rrs_of(&r.want, RR_PTR, &v), 1);
	assert_int_equal(rrs_of(&r.want, RR_DHCID, &v), 1);
	f.state = BELIEF_CONFLICT;
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], &h, &f), 0);
	assert_int_equal(r.want.n, 0);
	/* Never looked at and not yet ours: the PTR waits. */
	f.state = BELIEF_DUE;
	f.seen_known = false;
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], &h, &f), 0);
	assert_int_equal(r.want.n, 0);
	arena_fini(&a);
}

/* ---- DHCID ------------------------------------------------------------------------------ */

static struct bytes hex(struct arena *a, const char *s)
{
	size_t n = strlen(s) / 2, i;
	uint8_t *p = arena_alloc(a, n + 1);
	unsigned v;

	for (i = 0; i < n; i++) {
		sscanf(s + 2 * i, "%2x", &v);
		p[i] = (uint8_t)v;
	}
	return (struct bytes){p, (uint16_t)n};
}

static void expect_dhcid(const char *name, struct identity id, bool v6, struct bytes rdata)
{
	struct dname n = fx_name(name);
	uint8_t made[DHCID_LEN];

	memset(made, 0xaa, sizeof(made));
	assert_true(dhcid_make(made, &id, v6, &n));
	assert_int_equal(rdata.len, DHCID_LEN);
	assert_memory_equal(made, rdata.p, DHCID_LEN);
}

static void rows_go_by_name_then_age_then_address(void **state)
{
	static const struct {
		const char *name, *addr;
		int64_t since_s;
	} order[] = {{"z.lab.example", "192.0.2.9", 5}, {"a.z.lab.example", "192.0.2.9", 1},
		     {"a.z.lab.example", "192.0.2.8", 2}, {"a.z.lab.example", "192.0.2.9", 2}};
	struct host h[4];
	size_t i, j;

	(void)state;
	for (i = 0; i < 4; i++)
		h[i] = (struct host){.name = fx_name(order[i].name), .addr = fx_addr(order[i].addr),
				     .since_s = order[i].since_s};
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 4; j++) {
			int d = host_by_name(&h[i], &h[j]);

			assert_int_equal((d > 0) - (d < 0), (i > j) - (i < j));
		}
	}
}

static void dhcid_vectors_of_rfc_4701_hold(void **state)
{
	struct arena a = ARENA_INIT;
	struct identity id = {.duid = hex(&a, "00010006412df166010203040506")};

	(void)state;
	expect_dhcid("chi6.example.com", id, true,
		 hex(&a, "000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40"));
	id = (struct identity){.client_id = hex(&a, "010708090a0b0c")};
	expect_dhcid("chi.example.com", id, false,
		 hex(&a, "0001013920fe5d1dceb3fd0ba3379756a70d73b17009f41d58bddbfcd6a2503956d8da"));
	id = (struct identity){.mac = {true, {1, 2, 3, 4, 5, 6}}};
	expect_dhcid("client.example.com", id, false,
		 hex(&a, "000001c4b9a5b249651343158dde7bcc77169841f7a4243a572b5c283fffedeb3f75e6"));
	arena_fini(&a);
}

static void dhcid_is_what_kea_sends(void **state)
{
	struct arena a = ARENA_INIT;
	struct identity id = {.client_id = hex(&a, "01020000aabb01"),
			      .mac = {true, {2, 0, 0, 0xaa, 0xbb, 1}}};
	struct obs o = {.client_id = hex(&a, "ff010203040001000129aabbcc020000aabb07")};

	(void)state;
	expect_dhcid("web01.lab.example", id, false,
		 hex(&a, "000101758F14CB6B55A30F10639911DD9158BA481680EA81A13CF094B0EFEC67BDFEA7"));
	id = (struct identity){.mac = {true, {2, 0, 0, 0xaa, 0xbb, 2}}};
	expect_dhcid("pc2.lab.example", id, false,
		 hex(&a, "00000107FA190D01010AEDC7C0DE4ED30C4F3D643D4935733280E143715ED70C50D54A"));
	identity_of(&id, &o);
	expect_dhcid("duidhost.lab.example", id, false,
		 hex(&a, "000201152020658E1BBB4128AF3C693DB7D992CDBE492110E3E1D585D4E16AC85B9BD4"));
	id = (struct identity){.duid = hex(&a, "0001000129aabbcc020000aabb01"),
			       .mac = {true, {2, 0, 0, 0xaa, 0xbb, 1}}};
	expect_dhcid("six1.lab.example", id, true,
		 hex(&a, "000201B817C79D527CAF5E9C58888FDD9A2D54CAD17BF0B6179D72E37AADB26964A5C1"));
	arena_fini(&a);
}

/* ---- a DHCID that the source gave --------------------------------------------------------- */

/* As a name change request says it: type is that of the identifier, who stands for its digest. */
static struct evidence request(struct arena *a, const char *addr, const char *name, uint8_t type,
			       uint8_t who)
{
	struct evidence e = ev(addr, OBS_LEASE, name, 0);
	uint8_t dhcid[DHCID_LEN] = {0, type, 1, who};

	e.obs.dhcid = (struct bytes){arena_dup(a, dhcid, sizeof(dhcid)), sizeof(dhcid)};
	return e;
}

static struct host asks(struct arena *a, const char *addr, const char *name, uint8_t type,
			uint8_t who)
{
	struct evidence e = request(a, addr, name, type, who);
	size_t n;

	return *name_them(a, &e, 1, &n);
}

static void given_dhcids_tell_clients_apart(void **state)
{
	struct arena a = ARENA_INIT;
	struct host pc = asks(&a, "192.0.2.7", "pc.lab.example.", 1, 1), other;
	const char *by;

	(void)state;
	other = asks(&a, "192.0.2.8", "PC.lab.example", 1, 1);
	assert_true(one_host(&pc, &other));
	other = asks(&a, "192.0.2.8", "pc.lab.example.", 1, 2);
	assert_int_equal(identity_compare(&pc.id, &other.id, &by), 0);
	assert_false(one_host(&pc, &other));
	/* Of another name they say nothing. */
	other = asks(&a, "192.0.2.8", "web.lab.example.", 1, 2);
	assert_int_equal(identity_compare(&pc.id, &other.id, &by), -1);
	other = asks(&a, "192.0.2.8", "web.lab.example.", 1, 1);
	assert_int_equal(identity_compare(&pc.id, &other.id, &by), -1);
	/* One client has identifiers of two types in two families. */
	other = asks(&a, "2001:db8::7", "pc.lab.example.", 2, 2);
	assert_true(one_host(&pc, &other));
	pc = asks(&a, "192.0.2.7", "pc.lab.example.", 2, 1);
	assert_false(one_host(&pc, &other));
	/* What is known for any name goes first. */
	pc.id.mac = other.id.mac = (struct mac){true, {4}};
	assert_true(one_host(&pc, &other));
	arena_fini(&a);
}

static void a_given_dhcid_is_kept_for_the_name_it_is_of(void **state)
{
	struct arena a = ARENA_INIT;
	struct evidence e[2] = {request(&a, "192.0.2.7", "pc.lab.example.", 1, 1),
				ev("192.0.2.7", OBS_MANUAL, "pc", 0)};
	struct host *h;
	size_t n;

	(void)state;
	assert_int_equal(asks(&a, "192.0.2.7", "pc.lab.example.", 1, 1).id.dhcid.len, DHCID_LEN);
	/* Another zone, another spelling, no name. */
	assert_int_equal(asks(&a, "192.0.2.7", "pc.home.example.", 1, 1).id.dhcid.len, 0);
	assert_int_equal(asks(&a, "192.0.2.7", "p_c.lab.example.", 1, 1).id.dhcid.len, 0);
	assert_int_equal(asks(&a, "192.0.2.7", "wpad.lab.example.", 1, 1).id.dhcid.len, 0);
	assert_int_equal(asks(&a, "192.0.2.7", "wpad.lab.example.", 1, 1).id.dhcid_name.len, 0);
	/* It tells whose lease stands behind a person's name, when that is the name it is of. */
	h = name_them(&a, e, 2, &n);
	assert_int_equal(h->kind, OBS_MANUAL);
	assert_int_equal(h->id.dhcid.len, DHCID_LEN);
	e[1].obs.name = text("printer");
	assert_int_equal(name_them(&a, e, 2, &n)->id.dhcid.len, 0);
	/* A neighbour's address makes the client known, and takes nothing away. */
	e[1] = ev("192.0.2.7", OBS_NEIGHBOUR, NULL, 1);
	h = name_them(&a, e, 2, &n);
	assert_true(h->id.mac.known);
	assert_int_equal(h->id.dhcid.len, DHCID_LEN);
	arena_fini(&a);
}

static void a_given_dhcid_goes_to_dns_as_it_is(void **state)
{
	struct arena a = ARENA_INIT;
	struct host h = asks(&a, "192.0.2.7", "pc.lab.example.", 1, 1);
	struct belief f = {.zone_id = 1, .owner = fx_name("pc.lab.example"), .seen_known = true,
			   .state = BELIEF_DUE}, r = {.zone_id = 2};
	const struct rr *v;

	(void)state;
	h.id.mac = (struct mac){true, {2}};
	assert_int_equal(plan_forward(&f, &a, &fx_zones[0], &h, 1), 0);
	assert_int_equal(rrs_of(&f.want, RR_DHCID, &v), 1);
	assert_int_equal(v->rdlen, DHCID_LEN);
	assert_memory_equal(v->rdata, h.id.dhcid.p, DHCID_LEN);
	assert_true(dhcid_is(v, &h.id, false, &f.owner));
	assert_int_equal(plan_reverse(&r, &a, &fx_zones[1], &h, &f), 0);
	assert_int_equal(rrs_of(&r.want, RR_DHCID, &v), 1);
	assert_memory_equal(v->rdata, h.id.dhcid.p, DHCID_LEN);
	arena_fini(&a);
}

static void the_later_client_gets_a_suffix_and_no_dhcid(void **state)
{
	struct contest c = {.a = ARENA_INIT};
	struct host holder = asks(&c.a, "192.0.2.7", "pc.lab.example.", 1, 1);
	struct host claim = asks(&c.a, "192.0.2.8", "pc.lab.example.", 1, 2);
	struct host moved = asks(&c.a, "192.0.2.9", "pc.lab.example.", 1, 2);
	struct belief f = {.zone_id = 1};
	struct dname suffixed;
	const struct rr *v;

	(void)state;
	settle(&c, &claim, 1, NULL, 0, &holder, 1);
	assert_false(dname_equal(&claim.name, &claim.asked));
	f.owner = claim.name;
	assert_int_equal(plan_forward(&f, &c.a, &fx_zones[0], &claim, 1), 0);
	assert_int_equal(rrs_of(&f.want, RR_A, &v), 1);
	assert_int_equal(rrs_of(&f.want, RR_DHCID, &v), 0);
	/* The suffix is the client's, not the address's. */
	assert_true(naming_suffix(&suffixed, &moved));
	assert_true(dname_equal(&suffixed, &claim.name));
	/* And it is the client's own again when the address has another one. */
	moved = asks(&c.a, "192.0.2.8", "pc.lab.example.", 1, 3);
	settle(&c, &moved, 1, &claim, 1, &holder, 1);
	assert_false(dname_equal(&moved.name, &claim.name));
	arena_fini(&c.a);
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
	    cmocka_unit_test(names_are_cleaned_by_one_rule),
	    cmocka_unit_test(hostile_names_are_refused),
	    cmocka_unit_test(a_person_may_name_what_clients_may_not),
	    cmocka_unit_test(the_best_kind_that_gives_a_name_wins),
	    cmocka_unit_test(every_manual_name_counts_and_one_has_the_ptr),
	    cmocka_unit_test(one_of_several_names_has_the_ptr),
	    cmocka_unit_test(a_name_comes_with_what_its_evidence_says),
	    cmocka_unit_test(the_lease_behind_a_name_gives_the_identity),
	    cmocka_unit_test(without_a_name_the_best_evidence_stands_for_the_address),
	    cmocka_unit_test(a_suffix_fits_into_every_label),
	    cmocka_unit_test(an_address_outside_every_subnet_has_no_name),
	    cmocka_unit_test(names_from_dns_outside_the_zones_are_evidence_only),
	    cmocka_unit_test(two_families_are_one_host_unless_identities_differ),
	    cmocka_unit_test(the_earlier_holder_keeps_the_name_and_the_later_gets_a_suffix),
	    cmocka_unit_test(a_suffixed_name_tells_the_plain_one),
	    cmocka_unit_test(who_is_gone_holds_nothing),
	    cmocka_unit_test(a_suffix_stays_while_its_evidence_lasts),
	    cmocka_unit_test(with_first_the_later_gets_no_name),
	    cmocka_unit_test(with_first_who_waits_longest_is_next),
	    cmocka_unit_test(with_refuse_none_of_several_gets_a_free_name),
	    cmocka_unit_test(with_refuse_who_has_it_and_who_ranks_higher_get_it),
	    cmocka_unit_test(a_persons_name_displaces_a_lease),
	    cmocka_unit_test(a_lease_does_not_displace_a_person),
	    cmocka_unit_test(names_read_from_dns_claim_nothing),
	    cmocka_unit_test(forward_holds_both_families_and_the_first_clients_dhcid),
	    cmocka_unit_test(forward_tells_who_wants_it_and_for_how_long),
	    cmocka_unit_test(the_family_of_the_first_decides_what_its_dhcid_is_of),
	    cmocka_unit_test(reverse_tells_who_wants_it_and_why_it_waits),
	    cmocka_unit_test(a_ptr_falls_with_its_forward_name),
	    cmocka_unit_test(rows_go_by_name_then_age_then_address),
	    cmocka_unit_test(dhcid_vectors_of_rfc_4701_hold),
	    cmocka_unit_test(dhcid_is_what_kea_sends),
	    cmocka_unit_test(given_dhcids_tell_clients_apart),
	    cmocka_unit_test(a_given_dhcid_is_kept_for_the_name_it_is_of),
	    cmocka_unit_test(a_given_dhcid_goes_to_dns_as_it_is),
	    cmocka_unit_test(the_later_client_gets_a_suffix_and_no_dhcid),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
