/* What we write, ldns must read as we meant it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/dns/wirecheck.h"
#include "bridge/dns/write.h"
#include "bridge/value/rrtype.h"

static struct dname name_of(const char *s)
{
	struct dname n;

	assert_true(dname_parse(&n, s, strlen(s)));
	return n;
}

/* An ldns record must be the change's. */
static void same(const ldns_rr *l, const struct dname *owner, const struct change_rr *c,
		 uint32_t ttl_s)
{
	const ldns_rdf *o = ldns_rr_owner(l);
	uint8_t rdata[65535];
	size_t n = 0;

	assert_int_equal(ldns_rdf_size(o), owner->len);
	assert_memory_equal(ldns_rdf_data(o), owner->b, owner->len);
	assert_int_equal(ldns_rr_get_type(l), c->type);
	assert_int_equal(ldns_rr_get_class(l), c->class_);
	assert_int_equal(ldns_rr_ttl(l), ttl_s);
	for (size_t i = 0; i < ldns_rr_rd_count(l); i++) {
		const ldns_rdf *f = ldns_rr_rdf(l, i);
		memcpy(rdata + n, ldns_rdf_data(f), ldns_rdf_size(f));
		n += ldns_rdf_size(f);
	}
	assert_int_equal(n, c->rdlen);
	if (n > 0)
		assert_memory_equal(rdata, c->rdata, n);
}

/* Parses with ldns and compares everything; pre: how many prerequisites must have been kept. */
static void compare(const struct buf *b, uint16_t id, const struct dname *zone,
		    const struct change *const *c, size_t n, size_t pre)
{
	ldns_pkt *p;
	struct wire_msg m;
	const char *why;
	size_t at = 0;

	assert_true(wirecheck(&m, (const uint8_t *)b->p, b->len, &why));
	assert_int_equal(ldns_wire2pkt(&p, (const uint8_t *)b->p, b->len), LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt_id(p), id);
	assert_int_equal(ldns_pkt_get_opcode(p), LDNS_PACKET_UPDATE);
	assert_false(ldns_pkt_rd(p) || ldns_pkt_qr(p));
	assert_int_equal(ldns_pkt_qdcount(p), 1);
	const ldns_rr *q = ldns_rr_list_rr(ldns_pkt_question(p), 0);
	assert_int_equal(ldns_rr_get_type(q), LDNS_RR_TYPE_SOA);
	assert_memory_equal(ldns_rdf_data(ldns_rr_owner(q)), zone->b, zone->len);
	assert_int_equal(ldns_pkt_ancount(p), pre);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c[i]->n_upd; k++, at++)
			same(ldns_rr_list_rr(ldns_pkt_authority(p), at), &c[i]->owner,
			     &c[i]->upd[k],
			     c[i]->upd[k].class_ == RR_CLASS_IN ? c[i]->upd[k].ttl_s : 0);
	assert_int_equal(ldns_pkt_nscount(p), at);
	assert_int_equal(ldns_pkt_arcount(p), 0);
	at = 0;
	for (size_t i = 0; i < n && pre > 0; i++)
		for (size_t k = 0; k < c[i]->n_pre && at < pre; k++, at++)
			same(ldns_rr_list_rr(ldns_pkt_answer(p), at), &c[i]->owner, &c[i]->pre[k], 0);
	ldns_pkt_free(p);
}

static const uint8_t a1[] = {192, 0, 2, 7}, a2[] = {192, 0, 2, 8};
static const uint8_t aaaa[16] = {0x20, 1, 0xd, 0xb8, [15] = 7};
static const uint8_t ptr[] = "\5host1\3lab\7example";

static void an_update_reads_in_ldns_as_it_was_meant(void **state)
{
	struct change_rr pre1[] = {{255, RR_CLASS_NONE, 0, 0, NULL}};
	struct change_rr upd1[] = {{RR_A, RR_CLASS_IN, 300, 4, a1}, {RR_AAAA, RR_CLASS_IN, 60, 16, aaaa},
				   {RR_DHCID, RR_CLASS_IN, 300, 5, (const uint8_t *)"\0\1\1ab"}};
	struct change_rr pre2[] = {{RR_A, RR_CLASS_IN, 0, 4, a1}, {RR_CNAME, RR_CLASS_NONE, 0, 0, NULL}};
	struct change_rr upd2[] = {{RR_A, RR_CLASS_NONE, 0, 4, a1}, {RR_A, RR_CLASS_ANY, 0, 0, NULL},
				   {RR_A, RR_CLASS_IN, 1, 4, a2}};
	struct change_rr upd3[] = {{RR_PTR, RR_CLASS_IN, 300, sizeof(ptr), ptr}};
	struct change c1 = {name_of("host1.lab.example"), pre1, 1, upd1, 3};
	struct change c2 = {name_of("a.b.c.lab.example"), pre2, 2, upd2, 3};
	struct change c3 = {name_of("lab.example"), NULL, 0, upd3, 1};
	const struct change *all[] = {&c1, &c2, &c3};
	const struct dname zone = name_of("lab.example");
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(write_update(&b, 0xbeef, &zone, all, 3, NULL), 0);
	compare(&b, 0xbeef, &zone, all, 3, 3);
	/* host1 once in full, three times as a pointer. */
	assert_int_equal(b.len, 12 + 13 + 4 + (6 + 2 + 10) + (2 + 10) * 3 + 4 + 16 + 5 +
				(6 + 2 + 10 + 4) + (2 + 10) * 4 + 4 + 4 + (2 + 10) + sizeof(ptr));
	buf_fini(&b);
}

static void an_update_of_nothing_is_a_zone_section(void **state)
{
	const struct dname zone = name_of("lab.example");
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(write_update(&b, 1, &zone, NULL, 0, NULL), 0);
	compare(&b, 1, &zone, NULL, 0, 0);
	buf_fini(&b);
}

static void equal_prerequisites_are_written_once(void **state)
{
	struct change_rr pre[] = {{RR_A, RR_CLASS_IN, 0, 4, a1}, {RR_A, RR_CLASS_IN, 0, 4, a2},
				  {RR_A, RR_CLASS_IN, 0, 4, a1}, {255, RR_CLASS_ANY, 0, 0, NULL}};
	struct change_rr upd[] = {{RR_A, RR_CLASS_IN, 300, 4, a1}, {RR_A, RR_CLASS_IN, 300, 4, a1}};
	struct change c1 = {name_of("h.lab.example"), pre, 4, upd, 2};
	struct change c2 = {name_of("i.lab.example"), pre, 2, NULL, 0};
	struct change c3 = {name_of("h.lab.example"), pre + 1, 3, upd, 1};
	const struct change *all[] = {&c1, &c2, &c3};
	const struct dname zone = name_of("lab.example");
	struct buf b = BUF_INIT;
	struct wire_msg m;
	const char *why;

	(void)state;
	assert_int_equal(write_update(&b, 1, &zone, all, 3, NULL), 0);
	assert_true(wirecheck(&m, (const uint8_t *)b.p, b.len, &why));
	assert_int_equal(m.an, 3 + 2); /* h: a1 a2 any; i: a1 a2 */
	assert_int_equal(m.ns, 3);     /* updates stay as they are */
	buf_fini(&b);
}

/* Deterministic, so that a failure is found again. */
static uint32_t next(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static void random_owner(struct dname *out, uint32_t *s, const struct dname *zone)
{
	*out = *zone;
	for (uint32_t k = next(s) % 4; k > 0; k--) {
		uint8_t label[63];
		struct dname longer;
		size_t n = 1 + next(s) % (next(s) % 8 == 0 ? 63 : 6);
		for (size_t i = 0; i < n; i++)
			label[i] = (uint8_t)("abcdefgh-0*_\x80\xff. "[next(s) % 16]);
		if (dname_prepend(&longer, label, n, out))
			*out = longer;
	}
}

static void random_rr(struct change_rr *r, uint32_t *s, bool update)
{
	static const uint8_t bytes[300] = {1, 2, 3};
	const uint16_t types[] = {RR_A, RR_AAAA, RR_PTR, RR_DHCID};
	const uint16_t lens[] = {4, 16, sizeof(ptr), 35};
	uint32_t t = next(s) % 4;

	*r = (struct change_rr){types[t], RR_CLASS_IN, update ? next(s) % 86400 : 0, lens[t], bytes};
	if (t == 2)
		r->rdata = ptr;
	if (next(s) % 3 == 0)
		*r = (struct change_rr){types[t], next(s) % 2 ? RR_CLASS_ANY : RR_CLASS_NONE, 0, 0, NULL};
}

static void random_updates_read_the_same_in_ldns(void **state)
{
	const struct dname zone = name_of("lab.example");
	struct buf b = BUF_INIT;
	uint32_t s = 1;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct change c[40];
		struct change_rr pre[40], upd[40][3];
		const struct change *all[40];
		size_t n = 1 + next(&s) % 40;
		for (size_t i = 0; i < n; i++) {
			random_owner(&c[i].owner, &s, &zone);
			/* distinct owners: prerequisites compare one to one */
			uint8_t label[3] = {'n', (uint8_t)('a' + i / 26), (uint8_t)('a' + i % 26)};
			struct dname longer;
			if (dname_prepend(&longer, label, 3, &c[i].owner))
				c[i].owner = longer;
			c[i].pre = &pre[i];
			c[i].n_pre = 1;
			random_rr(&pre[i], &s, false);
			c[i].upd = upd[i];
			c[i].n_upd = next(&s) % 4;
			for (size_t k = 0; k < c[i].n_upd; k++)
				random_rr(&upd[i][k], &s, true);
			all[i] = &c[i];
		}
		assert_int_equal(write_update(&b, (uint16_t)round, &zone, all, n, NULL), 0);
		compare(&b, (uint16_t)round, &zone, all, n, n);
	}
	buf_fini(&b);
}

static void owners_beyond_a_pointers_reach_are_written_in_full(void **state)
{
	const struct dname zone = name_of("lab.example");
	static struct change c[1500];
	static const struct change *all[1500];
	struct change_rr pre = {255, RR_CLASS_NONE, 0, 0, NULL};
	struct change_rr upd = {RR_A, RR_CLASS_IN, 300, 4, a1};
	struct buf b = BUF_INIT;

	(void)state;
	for (unsigned i = 0; i < 1500; i++) {
		char name[40];
		snprintf(name, sizeof(name), "h%u.lab.example", i);
		c[i] = (struct change){name_of(name), &pre, 1, &upd, 1};
		all[i] = &c[i];
	}
	assert_int_equal(write_update(&b, 3, &zone, all, 1500, NULL), 0);
	assert_true(b.len > 0x4000);
	compare(&b, 3, &zone, all, 1500, 1500);
	buf_fini(&b);
}

static void what_does_not_fit_or_belong_is_refused(void **state)
{
	static uint8_t big[64000];
	const struct dname zone = name_of("lab.example");
	struct change_rr upd = {RR_TXT, RR_CLASS_IN, 300, 64000, big};
	struct change c = {name_of("h.lab.example"), NULL, 0, &upd, 1};
	struct change d = {name_of("h2.lab.example"), NULL, 0, &upd, 1};
	const struct change *all[] = {&c, &d};
	struct buf b = BUF_INIT;
	struct err e;

	(void)state;
	assert_int_equal(write_update(&b, 1, &zone, all, 1, &e), 0);
	assert_int_equal(write_update(&b, 1, &zone, all, 2, &e), ERR_BUG);
	c.owner = name_of("h.other.example");
	upd.rdlen = 4;
	assert_int_equal(write_update(&b, 1, &zone, all, 1, &e), ERR_BUG);
	assert_string_equal(e.text, "\"h.other.example\" is not in zone \"lab.example\"");
	c.owner = name_of("xlab.example");
	assert_int_equal(write_update(&b, 1, &zone, all, 1, &e), ERR_BUG);
	buf_fini(&b);
}

static void a_query_has_no_flags_and_one_question(void **state)
{
	const struct dname zone = name_of("lab.example");
	struct buf b = BUF_INIT;
	ldns_pkt *p;

	(void)state;
	assert_int_equal(write_query(&b, 0x102, &zone, RR_AXFR, NULL), 0);
	assert_memory_equal(b.p, "\1\2\0\0\0\1\0\0\0\0\0\0\3lab\7example\0\0\xfc\0\1", b.len);
	assert_int_equal(b.len, 12 + 13 + 4);
	assert_int_equal(ldns_wire2pkt(&p, (const uint8_t *)b.p, b.len), LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt_qdcount(p), 1);
	ldns_pkt_free(p);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_reads_in_ldns_as_it_was_meant),
		cmocka_unit_test(an_update_of_nothing_is_a_zone_section),
		cmocka_unit_test(equal_prerequisites_are_written_once),
		cmocka_unit_test(random_updates_read_the_same_in_ldns),
		cmocka_unit_test(owners_beyond_a_pointers_reach_are_written_in_full),
		cmocka_unit_test(what_does_not_fit_or_belong_is_refused),
		cmocka_unit_test(a_query_has_no_flags_and_one_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
