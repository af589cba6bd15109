/* test_ipaddr.c - value/ipaddr: addresses, prefixes, reverse names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/value/ipaddr.h"

static struct ipaddr ip(const char *s)
{
	struct ipaddr a;

	if (!ipaddr_parse(&a, s, strlen(s)))
		fail_msg("\"%s\" does not parse", s);
	return a;
}

static struct prefix net(const char *s)
{
	struct prefix p;

	if (!prefix_parse(&p, s, strlen(s)))
		fail_msg("\"%s\" does not parse", s);
	return p;
}

static struct dname name(const char *s)
{
	struct dname n;

	assert_true(dname_parse(&n, s, strlen(s)));
	return n;
}

static void addresses_print_in_one_spelling(void **state)
{
	static const char *const pairs[][2] = {
	    {"192.0.2.7", "192.0.2.7"},
	    {"0.0.0.0", "0.0.0.0"},
	    {"255.255.255.255", "255.255.255.255"},
	    {"10.20.100.9", "10.20.100.9"},
	    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
	    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
	    {"::", "::"},
	    {"::1", "::1"},
	    {"2001:0db8::0001:0", "2001:db8::1:0"},
	    {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	char text[IPADDR_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct ipaddr a = ip(pairs[i][0]);

		assert_string_equal(ipaddr_print(text, &a), pairs[i][1]);
		assert_int_equal(ipaddr_len(&a), a.family == 4 ? 4 : 16);
	}
}

static void malformed_addresses_are_refused(void **state)
{
	static const char *const bad[] = {
	    "",            " ",          "1",           "1.2.3",      "1.2.3.4.5",  "01.2.3.4",
	    "1.2.3.04",    "256.1.1.1",  "1.2.3.4 ",    " 1.2.3.4",   "1.2.3.",     ".1.2.3",
	    "1..2.3",      "+1.2.3.4",   "0x1.2.3.4",   "1.2.3.-4",   "1.2.3.4/24", "1.2.3.0000",
	    "99999999999.1.1.1",         "1.2.3.4a",    ":",          ":::",        "1::2::3",
	    "fe80::1%eth0", "::ffff:192.0.2.1",         "::FFFF:c000:0201",         "0::ffff:0:1",
	    "12345::",     "g::",        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",      "::1 ",
	    "[::1]",       "::01.2.3.4", "2001:db8::/32",
	    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	struct ipaddr a = ip("192.0.2.1"), before = a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ipaddr_parse(&a, bad[i], strlen(bad[i])))
			fail_msg("\"%s\" parses", bad[i]);
	}
	assert_false(ipaddr_parse(&a, "1.2.3.4\0", 8));
	assert_false(ipaddr_parse(&a, "::1\0", 4));
	assert_memory_equal(&a, &before, sizeof(a));
}

/* The text is not NUL-terminated: what follows must not be read. */
static void parsing_stops_at_the_length(void **state)
{
	struct ipaddr a;

	(void)state;
	assert_true(ipaddr_parse(&a, "1.2.3.45", 7));
	assert_int_equal(a.b[3], 4);
	assert_true(ipaddr_parse(&a, "2001:db8::12", 11));
	assert_int_equal(a.b[15], 1);
}

static void order_is_ipv4_first_then_bytes(void **state)
{
	struct ipaddr a = ip("9.0.0.0"), b = ip("10.0.0.0"), c = ip("::"), d = ip("2001:db8::");

	(void)state;
	assert_true(ipaddr_cmp(&a, &b) < 0);
	assert_true(ipaddr_cmp(&b, &c) < 0);
	assert_true(ipaddr_cmp(&d, &c) > 0);
	assert_int_equal(ipaddr_cmp(&d, &d), 0);
}

static void only_unicast_addresses_are_hosts(void **state)
{
	static const char *const host[] = {"192.0.2.1", "10.0.0.0", "169.253.1.1",
					   "223.255.255.255",
					   "2001:db8::1", "fd00::1", "fec0::1", "::2"};
	static const char *const other[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1",
					    "169.254.0.1", "224.0.0.1", "239.255.255.255",
					    "255.255.255.255", "::", "::1", "ff02::1", "fe80::1",
					    "febf::1"};
	struct ipaddr a, none = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(host) / sizeof(host[0]); i++) {
		a = ip(host[i]);
		if (!ipaddr_is_host(&a))
			fail_msg("%s is refused", host[i]);
	}
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		a = ip(other[i]);
		if (ipaddr_is_host(&a))
			fail_msg("%s is taken", other[i]);
	}
	assert_false(ipaddr_is_host(&none));
}

static void reverse_names_go_there_and_back(void **state)
{
	static const char *const pairs[][2] = {
	    {"192.0.2.17", "17.2.0.192.in-addr.arpa"},
	    {"0.0.0.0", "0.0.0.0.in-addr.arpa"},
	    {"255.255.255.255", "255.255.255.255.in-addr.arpa"},
	    {"2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
				   "8.b.d.0.1.0.0.2.ip6.arpa"},
	};
	char text[DNAME_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct ipaddr a = ip(pairs[i][0]), back;
		struct dname n;

		ipaddr_reverse(&n, &a);
		assert_string_equal(dname_print(text, &n), pairs[i][1]);
		assert_true(ipaddr_from_reverse(&back, &n));
		assert_memory_equal(&back, &a, sizeof(a));
	}
}

static void other_reverse_names_stand_for_no_address(void **state)
{
	static const char *const bad[] = {
	    ".",
	    "in-addr.arpa",
	    "2.0.192.in-addr.arpa",
	    "5.4.3.2.1.in-addr.arpa",
	    "01.2.0.192.in-addr.arpa",
	    "256.2.0.192.in-addr.arpa",
	    "1234.2.0.192.in-addr.arpa",
	    "x.2.0.192.in-addr.arpa",
	    "*.2.0.192.in-addr.arpa",
	    "1\\.2.3.0.192.in-addr.arpa",
	    "0/25.2.0.192.in-addr.arpa",
	    "1.2.0.192.in-addr.arpa.example",
	    "1.2.0.192.xin-addr.arpa",
	    "ip6.arpa",
	    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.ip6.arpa",
	    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.0.ip6.arpa",
	    "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	    "10.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	    "1.00.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	    /* IPv4-mapped */
	    "1.0.2.0.0.0.0.c.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
	};
	struct ipaddr a = ip("192.0.2.1"), before = a;
	struct dname none = {.len = 0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dname n = name(bad[i]);

		if (ipaddr_from_reverse(&a, &n))
			fail_msg("%s is taken", bad[i]);
	}
	assert_false(ipaddr_from_reverse(&a, &none));
	assert_memory_equal(&a, &before, sizeof(a));
}

static void reverse_zones_cover_prefixes(void **state)
{
	static const char *const pairs[][2] = {
	    {"2.0.192.in-addr.arpa", "192.0.2.0/24"},
	    {"10.in-addr.arpa", "10.0.0.0/8"},
	    {"in-addr.arpa", "0.0.0.0/0"},
	    {"7.2.0.192.in-addr.arpa", "192.0.2.7/32"},
	    {"8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::/32"},
	    {"1.8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8:1000::/36"},
	    {"ip6.arpa", "::/0"},
	};
	char text[PREFIX_TEXT];
	struct prefix p;
	struct dname n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		n = name(pairs[i][0]);
		assert_true(prefix_from_reverse_zone(&p, &n));
		assert_string_equal(prefix_print(text, &p), pairs[i][1]);
	}
	n = name("lab.example");
	assert_false(prefix_from_reverse_zone(&p, &n));
	n = name("0/25.2.0.192.in-addr.arpa");
	assert_false(prefix_from_reverse_zone(&p, &n));
	n = name("arpa");
	assert_false(prefix_from_reverse_zone(&p, &n));
}

static void prefixes_have_no_host_bits(void **state)
{
	static const char *const good[] = {"192.0.2.0/24", "0.0.0.0/0", "192.0.2.7/32",
					   "192.0.2.128/25", "2001:db8::/32", "::/0",
					   "2001:db8::1/128", "2001:db8:8000::/33"};
	static const char *const bad[] = {"192.0.2.1/24", "192.0.2.0", "192.0.2.0/", "/24",
					  "192.0.2.0/33", "192.0.2.0/024", "192.0.2.0/-1",
					  "192.0.2.0/24 ", "192.0.2.0/2a", "192.0.2.0/24/24",
					  "192.0.2.64/25", "2001:db8::/129", "2001:db8::/1280",
					  "2001:db8::1/127", "2001:db8:8000::/32", ""};
	char text[PREFIX_TEXT];
	struct prefix p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		p = net(good[i]);
		assert_string_equal(prefix_print(text, &p), good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (prefix_parse(&p, bad[i], strlen(bad[i])))
			fail_msg("\"%s\" parses", bad[i]);
	}
}

static void prefixes_contain_and_overlap_within_a_family(void **state)
{
	struct prefix p = net("192.0.2.128/25"), q = net("192.0.0.0/16"), all4 = net("0.0.0.0/0");
	struct prefix all6 = net("::/0"), r = net("2001:db8:1000::/36");
	struct ipaddr in = ip("192.0.2.128"), out = ip("192.0.2.127");
	struct ipaddr six = ip("2001:db8:1fff::1");
	struct ipaddr beyond = ip("2001:db8:2000::");

	(void)state;
	assert_true(prefix_contains(&p, &in));
	assert_false(prefix_contains(&p, &out));
	assert_true(prefix_contains(&all4, &out));
	assert_false(prefix_contains(&all6, &out));
	assert_false(prefix_contains(&all4, &six));
	assert_true(prefix_contains(&r, &six));
	assert_false(prefix_contains(&r, &beyond));
	assert_true(prefix_overlaps(&p, &q));
	assert_true(prefix_overlaps(&q, &p));
	assert_true(prefix_overlaps(&p, &p));
	assert_false(prefix_overlaps(&all4, &all6));
	assert_true(prefix_overlaps(&all6, &r));
	q = net("192.0.2.0/25");
	assert_false(prefix_overlaps(&p, &q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_print_in_one_spelling),
	    cmocka_unit_test(malformed_addresses_are_refused),
	    cmocka_unit_test(parsing_stops_at_the_length),
	    cmocka_unit_test(order_is_ipv4_first_then_bytes),
	    cmocka_unit_test(only_unicast_addresses_are_hosts),
	    cmocka_unit_test(reverse_names_go_there_and_back),
	    cmocka_unit_test(other_reverse_names_stand_for_no_address),
	    cmocka_unit_test(reverse_zones_cover_prefixes),
	    cmocka_unit_test(prefixes_have_no_host_bits),
	    cmocka_unit_test(prefixes_contain_and_overlap_within_a_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
