#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/base/arena.h"
#include "bridge/core/policy.h"

/* Two spaces.  "default" has nested zones, subnets of several lengths and both families; the
 * second has nothing of that. */
struct world {
	struct arena a;
	struct policy_zone zones[6];
	struct policy_subnet subnets[5];
	struct policy_source sources[2];
	struct policy_zone other_zones[1];
	struct policy_space spaces[2];
	struct policy policy;
	const struct policy_zone *first[1];
	const char *protect[2];
};

static void set_zone(struct policy_zone *z, int32_t id, const char *text)
{
	*z = (struct policy_zone){.id = id, .text = text, .view = "", .ttl_s = 300, .dhcid = true};
	assert_true(dname_parse(&z->name, text, strlen(text)));
	z->is_reverse = prefix_from_reverse_zone(&z->covers, &z->name);
}

static void set_subnet(struct world *w, size_t i, const char *text)
{
	struct policy_subnet *s = &w->subnets[i];

	*s = (struct policy_subnet){.id = (int32_t)i + 1, .zones = w->first, .n_zones = 1};
	assert_true(prefix_parse(&s->prefix, text, strlen(text)));
	s->n_rank = 3;
	s->rank[0] = OBS_MANUAL;
	s->rank[1] = OBS_LEASE;
	s->rank[2] = OBS_DNS;
}

static struct world *world_new(void)
{
	static const char *const zones[] = {"example", "lab.example", "10.in-addr.arpa",
					    "1.0.10.in-addr.arpa", "deep.er.lab.example",
					    "8.b.d.0.1.0.0.2.ip6.arpa"};
	static const char *const subnets[] = {"10.0.0.0/8", "10.0.1.128/25", "2001:db8::/32",
					      "192.0.2.0/24", "10.0.1.0/24"};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	for (size_t i = 0; i < 6; i++)
		set_zone(&w->zones[i], (int32_t)i + 1, zones[i]);
	set_zone(&w->other_zones[0], 33, "other.example");
	w->first[0] = &w->zones[1];
	for (size_t i = 0; i < 5; i++)
		set_subnet(w, i, subnets[i]);
	w->sources[0] = (struct policy_source){.id = 5, .name = "dhcp", .type = "kea-leases",
					       .kind = OBS_LEASE};
	w->sources[1] = (struct policy_source){.id = 6, .name = SOURCE_MANUAL,
					       .type = SOURCE_MANUAL};
	w->protect[0] = "printer*";
	w->protect[1] = "vpn";
	w->spaces[0] = (struct policy_space){.id = 1, .name = "default", .zones = w->zones,
					     .n_zones = 6, .subnets = w->subnets, .n_subnets = 5,
					     .sources = w->sources, .n_sources = 2,
					     .protect = w->protect, .n_protect = 2};
	w->spaces[1] = (struct policy_space){.id = 2, .name = "b", .zones = w->other_zones,
					     .n_zones = 1};
	w->policy = (struct policy){w->spaces, 2, 30, 10};
	return w;
}

static void world_free(struct world *w)
{
	arena_fini(&w->a);
	free(w);
}

static const char *subnet_of(const struct world *w, const char *text)
{
	static char out[PREFIX_TEXT];
	struct ipaddr a;
	const struct policy_subnet *s;

	assert_true(ipaddr_parse(&a, text, strlen(text)));
	s = policy_subnet_of(&w->spaces[0], &a);
	return s == NULL ? "none" : prefix_print(out, &s->prefix);
}

static const char *zone_of(const struct world *w, const char *text, bool reverse)
{
	struct dname n;
	const struct policy_zone *z;

	assert_true(dname_parse(&n, text, strlen(text)));
	z = policy_zone_of(&w->spaces[0], &n, reverse);
	return z == NULL ? "none" : z->text;
}

static void check_subnets(const struct world *w)
{
	assert_string_equal(subnet_of(w, "10.0.1.200"), "10.0.1.128/25");
	assert_string_equal(subnet_of(w, "10.0.1.127"), "10.0.1.0/24");
	assert_string_equal(subnet_of(w, "10.0.2.1"), "10.0.0.0/8");
	assert_string_equal(subnet_of(w, "10.255.255.255"), "10.0.0.0/8");
	assert_string_equal(subnet_of(w, "11.0.0.0"), "none");
	assert_string_equal(subnet_of(w, "9.255.255.255"), "none");
	assert_string_equal(subnet_of(w, "192.0.2.255"), "192.0.2.0/24");
	assert_string_equal(subnet_of(w, "192.0.3.0"), "none");
	assert_string_equal(subnet_of(w, "255.255.255.255"), "none");
	assert_string_equal(subnet_of(w, "0.0.0.0"), "none");
	assert_string_equal(subnet_of(w, "2001:db8:ffff::1"), "2001:db8::/32");
	assert_string_equal(subnet_of(w, "2001:db9::"), "none");
}

static void the_longest_prefix_has_the_address(void **state)
{
	struct world *w = world_new();

	(void)state;
	check_subnets(w);
	assert_int_equal(policy_index(&w->policy, &w->a), 0);
	check_subnets(w);
	world_free(w);
}

static void a_default_route_as_subnet_has_every_address_left(void **state)
{
	struct world *w = world_new();

	(void)state;
	set_subnet(w, 3, "0.0.0.0/0");
	assert_int_equal(policy_index(&w->policy, &w->a), 0);
	assert_string_equal(subnet_of(w, "10.0.1.200"), "10.0.1.128/25");
	assert_string_equal(subnet_of(w, "255.255.255.255"), "0.0.0.0/0");
	assert_string_equal(subnet_of(w, "2001:db9::"), "none");
	world_free(w);
}

static void check_zones(const struct world *w)
{
	assert_string_equal(zone_of(w, "host.lab.example", false), "lab.example");
	assert_string_equal(zone_of(w, "LAB.example", false), "lab.example");
	assert_string_equal(zone_of(w, "example", false), "example");
	assert_string_equal(zone_of(w, "er.lab.example", false), "lab.example");
	assert_string_equal(zone_of(w, "a.b.deep.er.lab.example", false), "deep.er.lab.example");
	assert_string_equal(zone_of(w, "notlab.example", false), "example");
	assert_string_equal(zone_of(w, "lab.example.org", false), "none");
	assert_string_equal(zone_of(w, ".", false), "none");
	assert_string_equal(zone_of(w, "host.lab.example", true), "none");
	assert_string_equal(zone_of(w, "7.1.0.10.in-addr.arpa", true), "1.0.10.in-addr.arpa");
	assert_string_equal(zone_of(w, "7.2.0.10.in-addr.arpa", true), "10.in-addr.arpa");
	assert_string_equal(zone_of(w, "7.2.0.10.in-addr.arpa", false), "none");
	assert_string_equal(zone_of(w, "1.1.8.b.d.0.1.0.0.2.ip6.arpa", true),
			    "8.b.d.0.1.0.0.2.ip6.arpa");
}

static void the_longest_zone_has_the_name(void **state)
{
	struct world *w = world_new();

	(void)state;
	check_zones(w);
	assert_int_equal(policy_index(&w->policy, &w->a), 0);
	check_zones(w);
	world_free(w);
}

static const char *reverse_of(const struct world *w, const char *text)
{
	struct ipaddr a;
	const struct policy_zone *z;

	assert_true(ipaddr_parse(&a, text, strlen(text)));
	z = policy_reverse_of(&w->spaces[0], &a);
	return z == NULL ? "none" : z->text;
}

static void a_ptr_stands_in_the_zone_of_its_address_not_of_its_subnet(void **state)
{
	struct world *w = world_new();

	(void)state;
	assert_int_equal(policy_index(&w->policy, &w->a), 0);
	assert_string_equal(reverse_of(w, "10.0.1.9"), "1.0.10.in-addr.arpa");
	assert_string_equal(reverse_of(w, "10.0.2.9"), "10.in-addr.arpa");
	assert_string_equal(reverse_of(w, "192.0.2.9"), "none");
	assert_string_equal(reverse_of(w, "11.0.0.9"), "none");
	assert_string_equal(reverse_of(w, "2001:db8::9"), "8.b.d.0.1.0.0.2.ip6.arpa");
	world_free(w);
}

static void a_zone_is_found_by_an_id_given_after_the_index(void **state)
{
	struct world *w = world_new();
	const struct policy_space *space = NULL;

	(void)state;
	assert_int_equal(policy_index(&w->policy, &w->a), 0);
	for (int32_t round = 0; round < 3; round++) {
		for (int32_t i = 0; i < 6; i++)
			w->zones[i].id = 100 * round + 16 * i + 1;
		for (int32_t i = 0; i < 6; i++)
			assert_ptr_equal(policy_zone_by_id(&w->policy, 100 * round + 16 * i + 1,
							   &space), &w->zones[i]);
		assert_ptr_equal(space, &w->spaces[0]);
	}
	assert_ptr_equal(policy_zone_by_id(&w->policy, 33, &space), &w->other_zones[0]);
	assert_ptr_equal(space, &w->spaces[1]);
	assert_null(policy_zone_by_id(&w->policy, 999, &space));
	assert_null(policy_zone_by_id(&w->policy, -1, NULL));
	world_free(w);
}

static void sources_and_spaces_are_found_by_name_and_id(void **state)
{
	struct world *w = world_new();

	(void)state;
	assert_ptr_equal(policy_source_by_id(&w->spaces[0], 6), &w->sources[1]);
	assert_null(policy_source_by_id(&w->spaces[0], 7));
	assert_ptr_equal(policy_source_by_name(&w->spaces[0], "dhcp"), &w->sources[0]);
	assert_null(policy_source_by_name(&w->spaces[1], "dhcp"));
	assert_ptr_equal(policy_space_by_name(&w->policy, "b"), &w->spaces[1]);
	assert_null(policy_space_by_name(&w->policy, "B"));
	assert_int_equal(policy_n_zones(&w->policy), w->spaces[0].n_zones + w->spaces[1].n_zones);
	world_free(w);
}

static void a_kind_left_out_never_names(void **state)
{
	struct world *w = world_new();

	(void)state;
	assert_int_equal(policy_rank(&w->subnets[0], OBS_MANUAL), 0);
	assert_int_equal(policy_rank(&w->subnets[0], OBS_DNS), 2);
	assert_int_equal(policy_rank(&w->subnets[0], OBS_NEIGHBOUR), -1);
	world_free(w);
}

/* ---- digest ------------------------------------------------------------------------------ */

static void the_digest_sees_what_decides(void **state)
{
	struct world *w = world_new();
	uint64_t was = policy_digest(&w->policy);

	(void)state;
	assert_true(was != 0);
#define CHANGES(lvalue, value)                                                                     \
	do {                                                                                       \
		__typeof__(lvalue) kept = (lvalue);                                                \
		(lvalue) = (value);                                                                \
		if (policy_digest(&w->policy) == was)                                              \
			fail_msg("not seen: %s", #lvalue);                                         \
		(lvalue) = kept;                                                                   \
		assert_true(policy_digest(&w->policy) == was);                                     \
	} while (0)
	CHANGES(w->zones[0].ttl_s, 301);
	CHANGES(w->zones[0].foreign, FOREIGN_TAKE);
	CHANGES(w->zones[0].addresses, ADDRESSES_NEWEST);
	CHANGES(w->zones[0].duplicates, DUPLICATES_FIRST);
	CHANGES(w->zones[0].dhcid, false);
	CHANGES(w->zones[0].view, "inside");
	CHANGES(w->zones[0].text, "example2");
	CHANGES(w->subnets[0].prefix.len, 9);
	CHANGES(w->subnets[0].n_rank, 2);
	CHANGES(w->subnets[0].rank[0], OBS_IPAM);
	CHANGES(w->first[0], &w->zones[0]);
	CHANGES(w->subnets[0].reverse, &w->zones[2]);
	CHANGES(w->sources[0].kind, OBS_IPAM);
	CHANGES(w->sources[0].name, "dhcp2");
	CHANGES(w->sources[0].stale_after_s, 60);
	CHANGES(w->protect[1], "vpn2");
	CHANGES(w->spaces[0].n_protect, 1);
	CHANGES(w->spaces[0].n_zones, 5);
	CHANGES(w->spaces[1].name, "c");
	CHANGES(w->policy.brake_min, 11);
	CHANGES(w->policy.brake_percent, 31);
	world_free(w);
}

static void swap_bytes(void *a, void *b, size_t n)
{
	unsigned char t[2048];

	assert_true(n <= sizeof(t));
	memcpy(t, a, n);
	memcpy(a, b, n);
	memcpy(b, t, n);
}

static void the_digest_does_not_see_order_ids_lines_and_servers(void **state)
{
	struct world *w = world_new();
	uint64_t was = policy_digest(&w->policy);
	static const char *const servers[] = {"ns1"};

	(void)state;
	w->zones[2].id = 99;
	w->zones[2].line = 12;
	w->zones[2].servers = servers;
	w->zones[2].n_servers = 1;
	w->sources[0].id = 77;
	w->sources[0].timeout_s = 12;
	swap_bytes(&w->zones[4], &w->zones[5], sizeof(w->zones[0]));
	swap_bytes(&w->subnets[0], &w->subnets[3], sizeof(w->subnets[0]));
	swap_bytes(&w->sources[0], &w->sources[1], sizeof(w->sources[0]));
	swap_bytes(&w->protect[0], &w->protect[1], sizeof(w->protect[0]));
	assert_true(policy_digest(&w->policy) == was);
	assert_int_equal(policy_index(&w->policy, &w->a), 0);
	assert_true(policy_digest(&w->policy) == was);
	world_free(w);
}

/* Two bridges of different builds must agree: a change here is a change of the format. */
static void the_digest_is_the_same_everywhere(void **state)
{
	struct world *w = world_new();
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "%016llx", (unsigned long long)policy_digest(&w->policy));
	assert_string_equal(text, "3acf6aab11bdcd43");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_longest_prefix_has_the_address),
	    cmocka_unit_test(a_default_route_as_subnet_has_every_address_left),
	    cmocka_unit_test(the_longest_zone_has_the_name),
	    cmocka_unit_test(a_ptr_stands_in_the_zone_of_its_address_not_of_its_subnet),
	    cmocka_unit_test(a_zone_is_found_by_an_id_given_after_the_index),
	    cmocka_unit_test(sources_and_spaces_are_found_by_name_and_id),
	    cmocka_unit_test(a_kind_left_out_never_names),
	    cmocka_unit_test(the_digest_sees_what_decides),
	    cmocka_unit_test(the_digest_does_not_see_order_ids_lines_and_servers),
	    cmocka_unit_test(the_digest_is_the_same_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
