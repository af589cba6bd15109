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

/* RFC 2317: parts of 192.0.2.0/24, each with a zone of its own, below the whole one. */
struct net {
	struct arena a;
	struct policy_zone zones[5];
	struct policy_subnet subnet;
	struct policy_space space;
	struct policy policy;
};

static void set_zone(struct policy_zone *z, const char *name, const char *classless)
{
	*z = (struct policy_zone){.text = name, .view = ""};
	assert_true(dname_parse(&z->name, name, strlen(name)));
	z->is_reverse = prefix_from_reverse_zone(&z->covers, &z->name);
	assert_int_equal(z->is_reverse, classless == NULL);
	if (classless != NULL) {
		assert_true(prefix_parse(&z->covers, classless, strlen(classless)));
		z->is_reverse = z->classless = true;
	}
}

static void net_init(struct net *n, bool indexed)
{
	memset(n, 0, sizeof(*n));
	set_zone(&n->zones[0], "128-191.2.0.192.in-addr.arpa", "192.0.2.128/26");
	set_zone(&n->zones[1], "2.0.192.in-addr.arpa", NULL);
	set_zone(&n->zones[2], "0/25.2.0.192.in-addr.arpa", "192.0.2.0/25");
	set_zone(&n->zones[3], "rev.customer.example", "192.0.2.200/30");
	set_zone(&n->zones[4], "0.192.in-addr.arpa", NULL);
	assert_true(prefix_parse(&n->subnet.prefix, "192.0.0.0/16", 12));
	n->space = (struct policy_space){.name = "default", .zones = n->zones, .n_zones = 5,
					 .subnets = &n->subnet, .n_subnets = 1};
	n->policy = (struct policy){.spaces = &n->space, .n_spaces = 1};
	if (indexed)
		assert_int_equal(policy_index(&n->policy, &n->a), 0);
}

static struct ipaddr addr(const char *text)
{
	struct ipaddr a;

	assert_true(ipaddr_parse(&a, text, strlen(text)));
	return a;
}

static void expect(const struct net *n, const char *address, const char *zone, const char *owner)
{
	struct ipaddr a = addr(address), back;
	const struct policy_zone *z = policy_reverse_of(&n->space, &a);
	char text[DNAME_TEXT];
	struct dname o;

	assert_non_null(z);
	assert_string_equal(z->text, zone);
	policy_ptr_owner(&o, z, &a);
	assert_string_equal(dname_print(text, &o), owner);
	assert_true(policy_ptr_addr(&back, z, &o));
	assert_int_equal(ipaddr_cmp(&a, &back), 0);
	memset(&back, 0, sizeof(back));
	assert_true(policy_named_addr(&back, &n->policy, &o));
	assert_int_equal(ipaddr_cmp(&a, &back), 0);
	policy_ptr_name(&o, &n->space, &a);
	assert_string_equal(dname_print(text, &o), owner);
}

static void a_ptr_stands_at_its_last_octet_in_the_zone_of_its_part(void **state)
{
	(void)state;
	for (int indexed = 0; indexed < 2; indexed++) {
		struct net n;

		net_init(&n, indexed == 1);
		expect(&n, "192.0.2.0", n.zones[2].text, "0.0/25.2.0.192.in-addr.arpa");
		expect(&n, "192.0.2.5", n.zones[2].text, "5.0/25.2.0.192.in-addr.arpa");
		expect(&n, "192.0.2.127", n.zones[2].text, "127.0/25.2.0.192.in-addr.arpa");
		expect(&n, "192.0.2.128", n.zones[0].text, "128.128-191.2.0.192.in-addr.arpa");
		expect(&n, "192.0.2.191", n.zones[0].text, "191.128-191.2.0.192.in-addr.arpa");
		expect(&n, "192.0.2.201", n.zones[3].text, "201.rev.customer.example");
		expect(&n, "192.0.2.192", n.zones[1].text, "192.2.0.192.in-addr.arpa");
		expect(&n, "192.0.2.204", n.zones[1].text, "204.2.0.192.in-addr.arpa");
		expect(&n, "192.0.3.5", n.zones[4].text, "5.3.0.192.in-addr.arpa");
		arena_fini(&n.a);
	}
}

/* Every address of the /24 has one place, with and without index, and the way back is the same. */
static void every_address_has_one_place(void **state)
{
	struct net indexed, walked;
	struct ipaddr a = addr("192.0.2.0"), back;
	struct dname o, p;

	(void)state;
	net_init(&indexed, true);
	net_init(&walked, false);
	for (int i = 0; i < 256; i++) {
		a.b[3] = (uint8_t)i;
		policy_ptr_name(&o, &indexed.space, &a);
		policy_ptr_name(&p, &walked.space, &a);
		assert_true(dname_equal(&o, &p));
		assert_true(policy_named_addr(&back, &indexed.policy, &o));
		assert_int_equal(ipaddr_cmp(&a, &back), 0);
	}
	arena_fini(&indexed.a);
}

static void names_that_are_no_octet_of_the_part_are_no_address(void **state)
{
	static const char *const names[] = {
	    "0/25.2.0.192.in-addr.arpa", "128.0/25.2.0.192.in-addr.arpa",
	    "256.0/25.2.0.192.in-addr.arpa", "05.0/25.2.0.192.in-addr.arpa",
	    "x.0/25.2.0.192.in-addr.arpa", "5.5.0/25.2.0.192.in-addr.arpa",
	    "5.2.0.192.in-addr.arpa", "5.128-191.2.0.192.in-addr.arpa", "5.example", "."};
	struct net n;
	struct ipaddr a;
	struct dname o;

	(void)state;
	net_init(&n, true);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(dname_parse(&o, names[i], strlen(names[i])));
		if (policy_ptr_addr(&a, &n.zones[2], &o))
			fail_msg("taken for an address: %s", names[i]);
	}
	arena_fini(&n.a);
}

/* The plain reverse name still names its address, for whoever asks with it. */
static void a_plain_reverse_name_is_understood_too(void **state)
{
	struct ipaddr a, want = addr("192.0.2.5");
	struct net n;
	struct dname o;

	(void)state;
	net_init(&n, true);
	ipaddr_reverse(&o, &want);
	assert_true(policy_named_addr(&a, &n.policy, &o));
	assert_int_equal(ipaddr_cmp(&a, &want), 0);
	arena_fini(&n.a);
}

static void outside_every_subnet_there_is_no_ptr(void **state)
{
	struct net n;
	struct ipaddr a = addr("192.0.2.5");

	(void)state;
	net_init(&n, true);
	n.space.n_subnets = 0;
	assert_null(policy_reverse_of(&n.space, &a));
	arena_fini(&n.a);
}

static void the_digest_sees_which_part_it_is(void **state)
{
	struct net n;
	uint64_t was;

	(void)state;
	net_init(&n, true);
	was = policy_digest(&n.policy);
	n.zones[2].covers.len = 26;
	assert_true(policy_digest(&n.policy) != was);
	arena_fini(&n.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_ptr_stands_at_its_last_octet_in_the_zone_of_its_part),
	    cmocka_unit_test(every_address_has_one_place),
	    cmocka_unit_test(names_that_are_no_octet_of_the_part_are_no_address),
	    cmocka_unit_test(a_plain_reverse_name_is_understood_too),
	    cmocka_unit_test(outside_every_subnet_there_is_no_ptr),
	    cmocka_unit_test(the_digest_sees_which_part_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
