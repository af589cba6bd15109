/* Incremental transfers: the state machine, and what many words about a record come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "bridge/base/clock.h"
#include "bridge/dns/transfer.h"
#include "bridge/dns/write.h"
#include "bridge/flow/delta.h"
#include "bridge/value/rrtype.h"
#include "tests/unit/loopserver.h"

/* ---- messages ---- */

struct msg {
	uint8_t b[4096];
	size_t n;
};

static void start(struct msg *m)
{
	memset(m->b, 0, 12);
	loop_p16(m->b, 77);
	m->b[2] = 0x80;
	m->n = 12;
}

static void add(struct msg *m, const char *owner, uint16_t type, const void *rdata, size_t len)
{
	m->n += loop_name(m->b + m->n, owner);
	m->n += loop_p16(m->b + m->n, type);
	m->n += loop_p16(m->b + m->n, 1);
	m->n += loop_p16(m->b + m->n, 0);
	m->n += loop_p16(m->b + m->n, 300);
	m->n += loop_p16(m->b + m->n, (unsigned)len);
	memcpy(m->b + m->n, rdata, len);
	m->n += len;
	m->b[7]++;
}

static void add_soa(struct msg *m, uint8_t serial)
{
	uint8_t r[64] = {0};
	size_t n = loop_name(r, "ns.lab.example");

	n += loop_name(r + n, "root.lab.example");
	r[n + 3] = serial;
	add(m, "lab.example", RR_SOA, r, n + 20);
}

static void add_a(struct msg *m, const char *owner, uint8_t last)
{
	const uint8_t a[4] = {192, 0, 2, last};

	add(m, owner, RR_A, a, 4);
}

static struct dname name(const char *s)
{
	struct dname n;

	assert_true(dname_parse(&n, s, strlen(s)));
	return n;
}

struct words {
	char text[512];
	size_t n;
};

static int sink(void *arg, bool added, const struct dname *owner, uint16_t type,
		const uint8_t *rdata, size_t rdlen, struct err *e)
{
	struct words *w = arg;
	char o[DNAME_TEXT];

	(void)e;
	w->n += (size_t)snprintf(w->text + w->n, sizeof(w->text) - w->n, "%c%s %u %u\n",
				 added ? '+' : '-', dname_print(o, owner), type,
				 rdlen > 0 ? rdata[rdlen - 1] : 0);
	return 0;
}

static int feed(struct ixfr *x, const struct msg *m, struct words *w)
{
	struct wire_msg wire;
	const char *why;

	if (!wirecheck(&wire, m->b, m->n, &why))
		fail_msg("test message is malformed: %s", why);
	return ixfr_feed(x, &wire, sink, w, NULL);
}

/* One SOA for each number, an address for each 0; fed as one message, asked since serial 5. */
static int feed_chain(const int *v, size_t n, struct words *w)
{
	const struct dname z = name("lab.example");
	struct ixfr x;
	struct msg m;

	memset(w, 0, sizeof(*w));
	ixfr_init(&x, &z, 77, 5);
	start(&m);
	for (size_t i = 0; i < n; i++) {
		if (v[i] != 0)
			add_soa(&m, (uint8_t)v[i]);
		else
			add_a(&m, "Host.lab.example", (uint8_t)i);
	}
	return feed(&x, &m, w);
}

#define CHAIN(w, ...) feed_chain((const int[]){__VA_ARGS__}, sizeof((int[]){__VA_ARGS__}) / sizeof(int), w)

/* ---- the state machine ---- */

static void steps_are_told_in_their_order(void **state)
{
	struct words w;

	(void)state;
	assert_int_equal(CHAIN(&w, 9, 5, 0, 7, 0, 0, 7, 0, 9, 9), 1);
	assert_string_equal(w.text, "-host.lab.example 1 2\n+host.lab.example 1 4\n"
				    "+host.lab.example 1 5\n-host.lab.example 1 7\n");
	assert_int_equal(CHAIN(&w, 6, 5, 6, 6), 1); /* the SOA alone has changed */
	assert_string_equal(w.text, "");
	assert_int_equal(CHAIN(&w, 6, 5, 0, 6), 0); /* more is to come */
	assert_int_equal(CHAIN(&w, 6), 0);          /* as PowerDNS begins */
}

static void what_is_no_chain_asks_for_the_whole_zone(void **state)
{
	struct words w;

	(void)state;
	assert_int_equal(CHAIN(&w, 9, 0, 0, 9), TRANSFER_WHOLE);       /* the zone itself */
	assert_int_equal(CHAIN(&w, 5), TRANSFER_WHOLE);                /* nothing newer */
	assert_int_equal(CHAIN(&w, 4), TRANSFER_WHOLE);
	assert_int_equal(CHAIN(&w, 9, 6, 0, 9, 9), TRANSFER_WHOLE);    /* from elsewhere */
	assert_int_equal(CHAIN(&w, 9, 5, 0, 7, 0, 8, 0, 9, 9), TRANSFER_WHOLE); /* a gap */
	assert_int_equal(CHAIN(&w, 9, 5, 0, 4, 0, 4), TRANSFER_WHOLE); /* backwards */
	assert_int_equal(CHAIN(&w, 9, 5, 0, 10, 0, 9), TRANSFER_WHOLE); /* beyond the end */
	assert_int_equal(CHAIN(&w, 9, 5, 0, 7, 0, 9), TRANSFER_WHOLE); /* ends before it does */
	assert_int_equal(CHAIN(&w, 9, 5, 9, 9, 0), ERR_PROTO);         /* something behind it */
}

static void steps_may_be_cut_anywhere_into_messages(void **state)
{
	const struct dname z = name("lab.example");
	struct words w = {{0}, 0};
	struct ixfr x;
	struct msg m;

	(void)state;
	ixfr_init(&x, &z, 77, 5);
	for (int i = 0; i < 6; i++) {
		start(&m);
		if (i == 2 || i == 4)
			add_a(&m, "a.lab.example", (uint8_t)i);
		else
			add_soa(&m, i == 1 ? 5 : 9);
		assert_int_equal(feed(&x, &m, &w), i == 5);
	}
	assert_string_equal(w.text, "-a.lab.example 1 2\n+a.lab.example 1 4\n");
	assert_int_equal(x.serial, 9);
	assert_int_equal(feed(&x, &m, &w), ERR_PROTO);
	ixfr_init(&x, &z, 77, 5);
	start(&m);
	add_soa(&m, 9);
	add_soa(&m, 5);
	add_a(&m, "host.other.test", 1);
	assert_int_equal(feed(&x, &m, &w), ERR_PROTO);
}

/* The zone's SOA, and then nothing, on a connection that stays open. */
static void serve_lone_soa(int fd, void *arg)
{
	static uint8_t req[65535];
	struct msg m;

	(void)arg;
	if (loop_recv(fd, req) == 0)
		return;
	start(&m);
	memcpy(m.b, req, 2);
	add_soa(&m, 6);
	loop_send(fd, m.b, m.n);
	loop_recv(fd, req);
}

static int no_change(void *arg, bool added, const struct dname *owner, uint16_t type,
		     const uint8_t *rdata, size_t rdlen, struct err *e)
{
	(void)arg;
	(void)added;
	(void)owner;
	(void)type;
	(void)rdata;
	(void)rdlen;
	return err_set(e, ERR_BUG, "nothing was to come");
}

static void silence_behind_a_lone_soa_is_not_waited_for_long(void **state)
{
	const struct transfer_limits lim = {60000, 1 << 20, 1000};
	struct dname zone = name("lab.example");
	int64_t began_ms = clock_mono_ms();
	struct loopserver l;
	struct err e = {0};
	uint32_t serial;

	(void)state;
	loop_start(&l, serve_lone_soa, NULL);
	struct server s = loop_server(&l, NULL);
	s.timeout_ms = 100;
	assert_int_equal(transfer_ixfr(&s, &zone, 5, &lim, no_change, NULL, &serial, &e),
			 TRANSFER_WHOLE);
	assert_true(clock_mono_ms() - began_ms < 10000);
	loop_stop(&l);
}

static void the_request_names_the_serial(void **state)
{
	const struct dname z = name("lab.example");
	struct buf b = BUF_INIT;
	struct wire_msg m;
	struct wire_iter it;
	struct wire_rr rr;
	const char *why;

	(void)state;
	assert_int_equal(write_ixfr(&b, 77, &z, 0x01020304, NULL), 0);
	assert_true(wirecheck(&m, (const uint8_t *)b.p, b.len, &why));
	wire_iter_init(&it, &m);
	assert_true(wire_iter_next(&it, &rr)); /* the question */
	assert_true(wire_iter_next(&it, &rr));
	assert_int_equal(rr.section, 2);
	assert_int_equal(rr.type, RR_SOA);
	assert_true(dname_equal(&rr.owner, &z));
	assert_memory_equal(b.p + rr.rdata_at, "\0\0\1\2\3\4", 6);
	buf_fini(&b);
}

/* ---- what it comes to ---- */

static const struct hash_key key = {1, 2};

static int take(struct delta *d, bool added, const char *owner, uint16_t type, uint8_t last)
{
	const struct dname o = name(owner);
	const uint8_t a[4] = {192, 0, 2, last};

	return delta_take(d, added, &o, type, a, 4, NULL);
}

static struct rrs set_of(struct arena *a, uint16_t type, uint8_t last)
{
	const uint8_t b[4] = {192, 0, 2, last};
	struct rrs s = {NULL, 0};

	if (type != 0)
		assert_int_equal(rrs_add(&s, a, type, b, last == 0 ? 0 : 4), 0);
	return s;
}

/* The owner "a" against this one record that is kept; type 0: nothing is. */
static int apply(struct delta *d, uint16_t type, uint8_t last, bool written, struct rrs *out,
		 struct arena *a)
{
	const struct dname o = name("a.lab.example");
	struct rrs had = set_of(a, type, last);

	return delta_apply(out, a, d, map_get(&d->owners, o.b, o.len), &had, written);
}

static void the_last_word_about_a_record_counts(void **state)
{
	struct arena a = ARENA_INIT;
	struct delta d;
	struct rrs out;

	(void)state;
	delta_init(&d, &key);
	assert_int_equal(take(&d, false, "a.lab.example", RR_A, 1), 0);
	assert_int_equal(take(&d, true, "a.lab.example", RR_A, 2), 0);
	assert_int_equal(take(&d, false, "a.lab.example", RR_A, 2), 0);
	assert_int_equal(take(&d, true, "a.lab.example", RR_A, 3), 0);
	assert_int_equal(take(&d, true, "b.lab.example", RR_A, 4), 0);
	assert_int_equal(take(&d, true, "a.lab.example", RR_RRSIG, 4), 0);
	assert_int_equal(apply(&d, RR_A, 1, false, &out, &a), 0);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.v[0].rdata[3], 3);
	/* What nobody mentions stays. */
	assert_int_equal(apply(&d, RR_A, 9, true, &out, &a), 0);
	assert_int_equal(out.n, 2);
	delta_fini(&d);
	arena_fini(&a);
}

static void contradictions_are_of_no_use(void **state)
{
	struct arena a = ARENA_INIT;
	struct delta d;
	struct rrs out;

	(void)state;
	delta_init(&d, &key);
	assert_int_equal(take(&d, true, "a.lab.example", RR_A, 1), 0);
	assert_int_equal(take(&d, true, "a.lab.example", RR_A, 1), NET_WHOLE);
	/* It came, but was there: as we wrote it ourselves, or not at all. */
	assert_int_equal(apply(&d, RR_A, 1, true, &out, &a), 0);
	assert_int_equal(apply(&d, RR_A, 1, false, &out, &a), NET_WHOLE);
	delta_fini(&d);
	delta_init(&d, &key);
	assert_int_equal(take(&d, false, "a.lab.example", RR_A, 1), 0);
	assert_int_equal(take(&d, false, "a.lab.example", RR_A, 1), NET_WHOLE);
	assert_int_equal(apply(&d, RR_A, 2, false, &out, &a), NET_WHOLE);
	assert_int_equal(apply(&d, RR_A, 2, true, &out, &a), 0);
	assert_int_equal(apply(&d, 0, 0, false, &out, &a), 0); /* removed by us, and forgotten */
	assert_int_equal(out.n, 0);
	delta_fini(&d);
	/* What we never write ourselves is known for sure. */
	delta_init(&d, &key);
	assert_int_equal(take(&d, false, "a.lab.example", RR_NS, 1), 0);
	assert_int_equal(apply(&d, 0, 0, true, &out, &a), NET_WHOLE);
	assert_int_equal(apply(&d, RR_NS, 1, true, &out, &a), 0);
	delta_fini(&d);
	arena_fini(&a);
}

static void of_records_that_are_only_there_others_may_be_left(void **state)
{
	struct arena a = ARENA_INIT;
	struct delta d;
	struct rrs out;

	(void)state;
	delta_init(&d, &key);
	assert_int_equal(take(&d, true, "a.lab.example", RR_TXT, 1), 0);
	assert_int_equal(take(&d, true, "a.lab.example", RR_TXT, 2), 0);
	assert_int_equal(apply(&d, RR_TXT, 0, false, &out, &a), 0);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.v[0].rdlen, 0);
	assert_int_equal(take(&d, false, "a.lab.example", RR_TXT, 2), 0);
	assert_int_equal(apply(&d, RR_TXT, 0, false, &out, &a), NET_WHOLE);
	delta_fini(&d);
	arena_fini(&a);
}

static void too_much_is_left_to_a_whole_transfer(void **state)
{
	struct delta d;
	char owner[32];
	int r = 0;
	unsigned i;

	(void)state;
	delta_init(&d, &key);
	for (i = 0; r == 0; i++) {
		snprintf(owner, sizeof(owner), "h%u.lab.example", i);
		r = take(&d, true, owner, RR_A, 1);
	}
	assert_int_equal(r, NET_WHOLE);
	assert_int_equal(i, DELTA_MAX + 1);
	delta_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_told_in_their_order),
		cmocka_unit_test(what_is_no_chain_asks_for_the_whole_zone),
		cmocka_unit_test(steps_may_be_cut_anywhere_into_messages),
		cmocka_unit_test(silence_behind_a_lone_soa_is_not_waited_for_long),
		cmocka_unit_test(the_request_names_the_serial),
		cmocka_unit_test(the_last_word_about_a_record_counts),
		cmocka_unit_test(contradictions_are_of_no_use),
		cmocka_unit_test(of_records_that_are_only_there_others_may_be_left),
		cmocka_unit_test(too_much_is_left_to_a_whole_transfer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
