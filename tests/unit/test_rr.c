/* test_rr.c - value/rr, value/rrtype and value/base64: sets of records and their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/base/hash.h"
#include "bridge/value/base64.h"
#include "bridge/value/rr.h"

static struct rrs parsed(struct arena *a, const char *s)
{
	struct rrs set = {NULL, 0};
	struct err e = {0};

	if (rrs_parse(&set, a, s, strlen(s), &e) < 0)
		fail_msg("\"%s\": %s", s, e.text);
	return set;
}

static void assert_prints(const struct rrs *s, const char *want)
{
	struct buf b = BUF_INIT;

	rrs_print(&b, s);
	assert_string_equal(buf_text(&b), want);
	buf_fini(&b);
}

static void add_text(struct rrs *s, struct arena *a, const char *line)
{
	struct rrs one = parsed(a, line);

	assert_int_equal(rrs_add(s, a, one.v[0].type, one.v[0].rdata, one.v[0].rdlen), 0);
}

/* ---- sets ------------------------------------------------------------------------------- */

static void equal_sets_have_equal_text_whatever_the_order(void **state)
{
	static const char *const lines[] = {
	    "A 192.0.2.1", "A 192.0.2.2", "A 192.0.2.10", "PTR h.lab.example.",
	    "MX 10 mx.example.",
	    "TXT *", "AAAA 2001:db8::1", "SRV 0 5 443 www.example.", "DHCID AAIB", "TYPE700 *",
	};
	enum { N = sizeof(lines) / sizeof(lines[0]) };
	struct arena a = ARENA_INIT;
	struct rrs first = {NULL, 0};
	uint32_t x = 3;
	int round, i;

	(void)state;
	for (i = 0; i < N; i++)
		add_text(&first, &a, lines[i]);
	assert_int_equal(first.n, N);
	assert_prints(&first, "A 192.0.2.1\nA 192.0.2.2\nA 192.0.2.10\nPTR h.lab.example.\n"
			      "MX 10 mx.example.\nTXT *\nAAAA 2001:db8::1\n"
			      "SRV 0 5 443 www.example.\nDHCID AAIB\nTYPE700 *");
	for (round = 0; round < 50; round++) {
		struct rrs s = {NULL, 0};

		for (i = 0; i < N * 5; i++) {
			x = x * 1664525 + 1013904223;
			add_text(&s, &a, lines[(x >> 16) % N]);
		}
		for (i = N; i-- > 0;)
			add_text(&s, &a, lines[i]);
		assert_true(rrs_equal(&s, &first));
		assert_int_equal(s.n, N);
	}
	arena_fini(&a);
}

static void sets_grow_without_touching_earlier_copies_of_rdata(void **state)
{
	struct arena a = ARENA_INIT;
	struct rrs up = {NULL, 0}, down = {NULL, 0};
	uint32_t i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		uint8_t b[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
		uint32_t j = 999 - i;
		uint8_t c[4] = {10, 0, (uint8_t)(j >> 8), (uint8_t)j};

		assert_int_equal(rrs_add(&up, &a, RR_A, b, 4), 0);
		assert_int_equal(rrs_add(&down, &a, RR_A, c, 4), 0);
		memset(b, 0xee, sizeof(b));
	}
	assert_int_equal(up.n, 1000);
	assert_true(rrs_equal(&up, &down));
	for (i = 0; i < 1000; i++)
		assert_int_equal(up.v[i].rdata[2] << 8 | up.v[i].rdata[3], i);
	arena_fini(&a);
}

static void value_that_is_not_kept_is_present_only(void **state)
{
	struct arena a = ARENA_INIT;
	struct rrs s = {NULL, 0};

	(void)state;
	assert_int_equal(rrs_add(&s, &a, RR_TXT, "\3one", 4), 0);
	assert_int_equal(rrs_add(&s, &a, RR_TXT, "\3two", 4), 0);
	assert_int_equal(rrs_add(&s, &a, 4711, "x", 1), 0);
	assert_prints(&s, "TXT *\nTYPE4711 *");
	arena_fini(&a);
}

static void records_of_a_type_lie_together(void **state)
{
	struct arena a = ARENA_INIT;
	struct rrs s = parsed(&a, "A 192.0.2.1\nA 192.0.2.2\nPTR a.\nPTR b.\nTXT *\nAAAA ::2\n"
				  "AAAA ::3\nAAAA ::4\nSRV 0 0 1 x.\nDHCID AAIB");
	struct rrs none = {NULL, 0}, few = parsed(&a, "A 192.0.2.1\nTXT *");
	const struct rr *first;

	(void)state;
	assert_int_equal(rrs_of(&s, RR_A, &first), 2);
	assert_ptr_equal(first, s.v);
	assert_int_equal(rrs_of(&s, RR_AAAA, &first), 3);
	assert_ptr_equal(first, s.v + 5);
	assert_int_equal(rrs_of(&s, RR_DHCID, &first), 1);
	assert_int_equal(rrs_of(&s, RR_NS, &first), 0);
	assert_int_equal(rrs_of(&s, 65535, &first), 0);
	assert_int_equal(rrs_of(&few, RR_TXT, &first), 1);
	assert_int_equal(rrs_of(&none, RR_A, &first), 0);
	assert_true(rrs_has(&s, &s.v[4]));
	assert_false(rrs_has(&few, &s.v[9]));
	assert_false(rrs_has(&none, &s.v[0]));
	arena_fini(&a);
}

static void sets_compare_type_by_type(void **state)
{
	struct arena a = ARENA_INIT;
	struct rrs x = parsed(&a, "A 192.0.2.1\nA 192.0.2.3\nAAAA ::2");
	struct rrs y = parsed(&a, "A 192.0.2.1\nA 192.0.2.2\nA 192.0.2.3\nAAAA ::2");
	struct rrs other = parsed(&a, "A 192.0.2.2\nAAAA ::2");
	struct rrs none = {NULL, 0};

	(void)state;
	assert_false(rrs_equal(&x, &y));
	assert_true(rrs_equal_of(&x, &y, RR_AAAA));
	assert_false(rrs_equal_of(&x, &y, RR_A));
	assert_true(rrs_equal_of(&x, &y, RR_PTR));
	assert_true(rrs_within_of(&x, &y, RR_A));
	assert_false(rrs_within_of(&y, &x, RR_A));
	assert_true(rrs_within_of(&none, &x, RR_A));
	assert_false(rrs_within_of(&x, &none, RR_A));
	assert_true(rrs_equal(&none, &none));
	assert_true(rrs_within(&x, &y));
	assert_false(rrs_within(&y, &x));
	assert_true(rrs_within(&none, &x));
	assert_true(rrs_meets(&y, &x));
	assert_true(rrs_meets(&x, &other));
	assert_false(rrs_meets(&none, &x));
	assert_false(rrs_meets(&x, &none));
	assert_true(rrs_meets_of(&x, &other, RR_AAAA));
	assert_false(rrs_meets_of(&x, &other, RR_A));
	assert_false(rrs_meets_of(&x, &y, RR_PTR));
	arena_fini(&a);
}

static void copies_outlive_their_source(void **state)
{
	struct arena a = ARENA_INIT, b = ARENA_INIT;
	struct rrs s = parsed(&a, "A 192.0.2.1\nCNAME c.example.\nPTR p.\nTXT *\nAAAA ::2\n"
				  "DHCID AAIB");
	struct rrs all = {NULL, 0}, managed = {NULL, 0}, some = {NULL, 0};

	(void)state;
	assert_int_equal(rrs_dup(&all, &b, &s), 0);
	assert_int_equal(rrs_managed(&managed, &b, &s), 0);
	assert_int_equal(rrs_take_of(&some, &b, &s, RR_CNAME), 0);
	assert_int_equal(rrs_take_of(&some, &b, &s, RR_A), 0);
	assert_int_equal(rrs_take_of(&some, &b, &s, RR_NS), 0);
	arena_fini(&a);
	assert_prints(&all, "A 192.0.2.1\nCNAME c.example.\nPTR p.\nTXT *\nAAAA ::2\nDHCID AAIB");
	assert_prints(&managed, "A 192.0.2.1\nPTR p.\nAAAA ::2\nDHCID AAIB");
	assert_prints(&some, "A 192.0.2.1\nCNAME c.example.");
	add_text(&all, &b, "NS ns.example.");
	assert_int_equal(all.n, 7);
	arena_fini(&b);
}

static void helpers_add_what_they_say(void **state)
{
	struct arena a = ARENA_INIT;
	struct rrs s = {NULL, 0};
	struct ipaddr four, six, back;
	struct dname n, target;

	(void)state;
	assert_true(ipaddr_parse(&four, "192.0.2.1", 9));
	assert_true(ipaddr_parse(&six, "2001:db8::1", 11));
	assert_true(dname_parse(&n, "h.lab", 5));
	assert_int_equal(rrs_add_addr(&s, &a, &six), 0);
	assert_int_equal(rrs_add_addr(&s, &a, &four), 0);
	assert_int_equal(rrs_add_name(&s, &a, RR_PTR, &n), 0);
	assert_prints(&s, "A 192.0.2.1\nPTR h.lab.\nAAAA 2001:db8::1");
	assert_true(rr_addr(&back, &s.v[0]));
	assert_memory_equal(&back, &four, sizeof(back));
	assert_true(rr_addr(&back, &s.v[2]));
	assert_memory_equal(&back, &six, sizeof(back));
	assert_false(rr_addr(&back, &s.v[1]));
	assert_true(rr_target(&target, &s.v[1]));
	assert_true(dname_equal(&target, &n));
	assert_false(rr_target(&target, &s.v[0]));
	s = parsed(&a, "MX 1 m.\nSRV 1 2 3 s.");
	assert_true(rr_target(&target, &s.v[0]) && target.b[1] == 'm');
	assert_true(rr_target(&target, &s.v[1]) && target.b[1] == 's');
	assert_int_equal(rrs_add(&s, &a, RR_DHCID, "", 70000), ERR_BUG);
	arena_fini(&a);
}

/* ---- text ------------------------------------------------------------------------------- */

static void canonical_text_comes_back_the_same(void **state)
{
	static const char *const good[] = {
	    "",
	    "A 0.0.0.0",
	    "A *",
	    "A *\nA 192.0.2.1",
	    "NS ns1.example.\nNS ns2.example.",
	    "PTR .",
	    "PTR a\\.b\\032c\\010\\000\\255\\\\.lab.example.",
	    "PTR *._tcp.0/25.example.",
	    "PTR \\#.example.",
	    "MX 0 .\nMX 65535 mx.example.",
	    "SRV 0 65535 80 _h.example.",
	    "DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
	    "AAAA ::\nAAAA 2001:db8::1",
	    "SOA *\nTXT *\nLOC *\nDS *\nRRSIG *\nHTTPS *",
	    "SPF *\nURI *\nCAA *\nTYPE65534 *\nTYPE65535 *",
	    "A \\# 3 c00002",
	    "AAAA \\# 16 00000000000000000000ffffc0000201",
	    "PTR \\# 1 01",
	    "PTR \\# 3 014100", /* "A": not lower case, so not canonical */
	    "MX \\# 2 000a",
	};
	struct arena a = ARENA_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct rrs s = parsed(&a, good[i]);

		assert_prints(&s, good[i]);
	}
	arena_fini(&a);
}

static void other_text_is_refused(void **state)
{
	static const char *const bad[] = {
	    "A",
	    "A ",
	    " A 192.0.2.1",
	    "A  192.0.2.1",
	    "A 192.0.2.1 ",
	    "A 192.0.2.1\n",
	    "\nA 192.0.2.1",
	    "A 192.0.2.1\n\nA 192.0.2.2",
	    "A 192.0.2.1\r\nA 192.0.2.2",
	    "A 192.0.2.2\nA 192.0.2.1",
	    "A 192.0.2.1\nA 192.0.2.1",
	    "AAAA ::1\nA 192.0.2.1",
	    "A ::1",
	    "AAAA 192.0.2.1",
	    "AAAA 2001:DB8::1",
	    "AAAA 2001:db8:0::1",
	    "AAAA ::ffff:192.0.2.1",
	    "a 192.0.2.1",
	    "A **",
	    "A *\nA *",
	    "TYPE1 *",
	    "TYPE1 192.0.2.1",
	    "TYPE0 *",
	    "TYPE65536 *",
	    "TYPE0700 *",
	    "TYPE700 x",
	    "TXT hello",
	    "FOO *",
	    "PTR h.lab.example",
	    "PTR H.lab.example.",
	    "PTR h..example.",
	    "PTR h\\046x.",
	    "PTR \\104.",
	    "PTR h\\",
	    "PTR h x.",
	    "PTR ",
	    "PTR a.\x1b.",
	    "MX 10",
	    "MX mx.example.",
	    "MX 010 mx.example.",
	    "MX 65536 mx.example.",
	    "MX -1 mx.example.",
	    "MX 10  mx.example.",
	    "SRV 0 5 www.example.",
	    "SRV 0 5 443",
	    "DHCID ",
	    "DHCID AAI",
	    "DHCID AAIB=",
	    "DHCID AA==AAAA",
	    "DHCID AAF=BBBB",
	    "DHCID AB==",
	    "DHCID AAB=",
	    "DHCID AA I",
	    "DHCID ====",
	    "DHCID AAI\\",
	    "A \\# 4 c0000201",
	    "A \\# 3 C00002",
	    "A \\# 3 c0000",
	    "A \\# 3 c000021",
	    "A \\# 0 ",
	    "A \\# 3",
	    "A \\#",
	    "A \\# 03 c00002",
	    "PTR \\# 1 00",
	    "TXT \\# 1 00",
	    "DHCID \\# 1 00",
	};
	struct arena a = ARENA_INIT;
	struct rrs s = {NULL, 77};
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e.text[0] = '\0';
		if (rrs_parse(&s, &a, bad[i], strlen(bad[i]), &e) != ERR_PROTO)
			fail_msg("\"%s\" parses", bad[i]);
		assert_string_not_equal(e.text, "");
		assert_int_equal(s.n, 77);
	}
	assert_int_equal(rrs_parse(&s, &a, "A 192.0.2.1\0", 12, NULL), ERR_PROTO);
	arena_fini(&a);
}

/* What a peer may send ends up in the database as text: it must come back, and hold one line. */
static void any_rdata_survives_the_trip_through_text(void **state)
{
	static const uint16_t types[] = {RR_A, RR_NS, RR_CNAME, RR_PTR, RR_MX, RR_TXT, RR_AAAA,
					 RR_SRV, RR_DNAME, RR_DHCID, 1234};
	struct arena a = ARENA_INIT;
	uint32_t x = 5;
	int round;

	(void)state;
	for (round = 0; round < 4000; round++) {
		struct rrs s = {NULL, 0}, back;
		struct buf b = BUF_INIT;
		size_t i, k;

		for (k = 0; k < 3; k++) {
			uint8_t rdata[40];
			size_t len;

			x = x * 1664525 + 1013904223;
			len = x >> 30 == 0 ? 16 : x >> 30 == 1 ? 4 : (x >> 20) % sizeof(rdata);
			for (i = 0; i < len; i++) {
				x = x * 1664525 + 1013904223;
				rdata[i] = (uint8_t)((x >> 29) < 4 ? x >> 27 & 7 : x >> 20);
			}
			if (len > 0 && round % 2 == 0)
				rdata[len - 1] = 0;
			assert_int_equal(rrs_add(&s, &a, types[(x >> 12) % 11], rdata, len), 0);
		}
		rrs_print(&b, &s);
		for (i = 0, k = 1; i < b.len; i++) {
			k += b.p[i] == '\n';
			if (b.p[i] != '\n')
				assert_in_range((unsigned char)b.p[i], 0x20, 0x7e);
		}
		assert_int_equal(k, s.n);
		assert_int_equal(rrs_parse(&back, &a, b.p, b.len, NULL), 0);
		assert_true(rrs_equal(&back, &s));
		buf_fini(&b);
		arena_reset(&a);
	}
	arena_fini(&a);
}

static void largest_rdata_survives_too(void **state)
{
	static uint8_t big[65535];
	static const size_t lens[] = {49148, 49149, 49150, 65535};
	struct arena a = ARENA_INIT;
	size_t i;

	(void)state;
	memset(big, 0xab, sizeof(big));
	for (i = 0; i < 4; i++) {
		struct rrs s = {NULL, 0}, back;
		struct buf b = BUF_INIT;

		assert_int_equal(rrs_add(&s, &a, RR_DHCID, big, lens[i]), 0);
		assert_int_equal(rrs_add(&s, &a, RR_PTR, big, lens[i]), 0);
		rrs_print(&b, &s);
		assert_int_equal(rrs_parse(&back, &a, b.p, b.len, NULL), 0);
		assert_true(rrs_equal(&back, &s));
		buf_fini(&b);
	}
	arena_fini(&a);
}

/* ---- digest, types, base64 -------------------------------------------------------------- */

static void digest_depends_on_the_set_alone(void **state)
{
	const struct hash_key key = {1, 2}, other = {3, 4};
	struct arena a = ARENA_INIT;
	struct rrs s = parsed(&a, "A 192.0.2.1\nA 192.0.2.2\nTXT *"), none = {NULL, 0};
	uint64_t sum = 0;

	(void)state;
	sum += rr_digest(&key, RR_TXT, (const uint8_t *)"\3any", 4);
	sum += rr_digest(&key, RR_A, (const uint8_t *)"\300\0\2\2", 4);
	sum += rr_digest(&key, RR_A, (const uint8_t *)"\300\0\2\1", 4);
	assert_true(rrs_digest(&key, &s) == sum);
	assert_true(rrs_digest(&other, &s) != sum);
	assert_true(rrs_digest(&key, &none) == 0);
	assert_true(rr_digest(&key, RR_TXT, NULL, 0) != rr_digest(&key, RR_SOA, NULL, 0));
	assert_true(rr_digest(&key, RR_PTR, (const uint8_t *)"\1a", 3) !=
		    rr_digest(&key, RR_CNAME, (const uint8_t *)"\1a", 3));
	arena_fini(&a);
}

static void every_type_has_one_name(void **state)
{
	char text[12];
	uint32_t t;

	(void)state;
	for (t = 1; t <= 65535; t++) {
		const struct rrtype *row = rrtype_get((uint16_t)t);

		rrtype_name(text, (uint16_t)t);
		assert_int_equal(rrtype_parse(text, strlen(text)), t);
		if (row == NULL)
			continue;
		assert_int_equal(row->type, t);
		assert_true(strlen(row->name) < sizeof(text));
		assert_int_equal(row->print != NULL, (row->flags & RRTYPE_VALUE) != 0);
		assert_int_equal(row->parse != NULL, (row->flags & RRTYPE_VALUE) != 0);
		assert_false((row->flags & RRTYPE_MANAGED) && !(row->flags & RRTYPE_VALUE));
		assert_false((row->flags & RRTYPE_TARGET) && row->name_at == 255);
	}
	assert_int_equal(rrtype_parse("aaaa", 4), RR_AAAA);
	assert_int_equal(rrtype_parse("type28", 6), RR_AAAA);
	assert_int_equal(rrtype_parse("", 0), 0);
	assert_int_equal(rrtype_parse("AAAAA", 5), 0);
	assert_int_equal(rrtype_parse("TYPE", 4), 0);
	assert_int_equal(rrtype_parse("TYPE-1", 6), 0);
	assert_int_equal(rrtype_parse("TYPE123456", 10), 0);
	assert_int_equal(rrtype_parse("A\0", 2), 0);
	assert_null(rrtype_get(0));
	assert_null(rrtype_get(65533));
}

static void flags_say_who_writes_what(void **state)
{
	(void)state;
	assert_true(rrtype_has(RR_A, RRTYPE_MANAGED) && rrtype_has(RR_AAAA, RRTYPE_MANAGED));
	assert_true(rrtype_has(RR_PTR, RRTYPE_MANAGED) && rrtype_has(RR_DHCID, RRTYPE_MANAGED));
	assert_false(rrtype_has(RR_CNAME, RRTYPE_MANAGED) || rrtype_has(RR_TXT, RRTYPE_MANAGED));
	assert_true(rrtype_has(RR_RRSIG, RRTYPE_SIGNER) && rrtype_has(65534, RRTYPE_SIGNER));
	assert_true(rrtype_has(RR_DNSKEY, RRTYPE_SIGNER) && rrtype_has(59, RRTYPE_SIGNER));
	assert_false(rrtype_has(RR_DS, RRTYPE_SIGNER) || rrtype_has(RR_NS, RRTYPE_SIGNER));
	assert_true(rrtype_has(RR_MX, RRTYPE_TARGET) && rrtype_has(RR_SRV, RRTYPE_TARGET));
	assert_false(rrtype_has(RR_DNAME, RRTYPE_TARGET) || rrtype_has(RR_PTR, RRTYPE_TARGET));
	assert_false(rrtype_has(RR_TXT, RRTYPE_VALUE) || rrtype_has(4711, RRTYPE_VALUE));
}

/* RFC 4648 10 */
static void base64_agrees_with_its_rfc(void **state)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
					       {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
					       {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		buf_reset(&b);
		base64_print(&b, (const uint8_t *)pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(buf_text(&b), pairs[i][1]);
		buf_reset(&b);
		assert_true(base64_parse(&b, pairs[i][1], strlen(pairs[i][1])));
		assert_string_equal(buf_text(&b), pairs[i][0]);
	}
	assert_false(base64_parse(&b, "Zg=", 3));
	assert_false(base64_parse(&b, "Zh==", 4));
	assert_false(base64_parse(&b, "Zm9=", 4));
	assert_false(base64_parse(&b, "Z===", 4));
	assert_false(base64_parse(&b, "Zg==Zg==", 8));
	assert_false(base64_parse(&b, "Zg=A", 4));
	assert_false(base64_parse(&b, "Zm9-", 4));
	assert_false(base64_parse(&b, "Zm9\xff", 4));
	buf_reset(&b);
	assert_false(base64_parse(&b, "Zm9vZm9vZm9", 11));
	assert_false(base64_parse(&b, "Zm9vZm9!", 8));
	assert_string_equal(buf_text(&b), "");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_sets_have_equal_text_whatever_the_order),
	    cmocka_unit_test(sets_grow_without_touching_earlier_copies_of_rdata),
	    cmocka_unit_test(value_that_is_not_kept_is_present_only),
	    cmocka_unit_test(records_of_a_type_lie_together),
	    cmocka_unit_test(sets_compare_type_by_type),
	    cmocka_unit_test(copies_outlive_their_source),
	    cmocka_unit_test(helpers_add_what_they_say),
	    cmocka_unit_test(canonical_text_comes_back_the_same),
	    cmocka_unit_test(other_text_is_refused),
	    cmocka_unit_test(any_rdata_survives_the_trip_through_text),
	    cmocka_unit_test(largest_rdata_survives_too),
	    cmocka_unit_test(digest_depends_on_the_set_alone),
	    cmocka_unit_test(every_type_has_one_name),
	    cmocka_unit_test(flags_say_who_writes_what),
	    cmocka_unit_test(base64_agrees_with_its_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
