/* Transfers: the state machine, the signed stream around it, and the socket around both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "bridge/base/clock.h"
#include "bridge/dns/transfer.h"
#include "bridge/value/rrtype.h"
#include "tests/unit/loopserver.h"
#include "tests/unit/tsig_vectors.h"

/* ---- messages ---- */

struct msg {
	uint8_t b[65535];
	size_t n;
};

static void start(struct msg *m, uint16_t id, bool question)
{
	m->n = 0;
	m->n += loop_p16(m->b, id);
	m->n += loop_p16(m->b + 2, 0x8000); /* no AA, as Knot */
	memset(m->b + 4, 0, 8);
	m->n = 12;
	if (question) {
		m->b[5] = 1;
		m->n += loop_name(m->b + m->n, "lab.example");
		m->n += loop_p16(m->b + m->n, RR_AXFR);
		m->n += loop_p16(m->b + m->n, 1);
	}
}

static void add(struct msg *m, const char *owner, uint16_t type, const void *rdata, size_t len)
{
	m->n += loop_name(m->b + m->n, owner);
	m->n += loop_p16(m->b + m->n, type);
	m->n += loop_p16(m->b + m->n, 1);
	m->n += loop_p16(m->b + m->n, 0);
	m->n += loop_p16(m->b + m->n, 300);
	m->n += loop_p16(m->b + m->n, (unsigned)len);
	if (len > 0)
		memcpy(m->b + m->n, rdata, len);
	m->n += len;
	loop_p16(m->b + 6, (unsigned)(m->b[6] << 8 | m->b[7]) + 1);
}

static void add_soa(struct msg *m, uint8_t serial)
{
	uint8_t r[64] = {0};
	size_t n = loop_name(r, "Ns.lab.example");

	n += loop_name(r + n, "root.lab.example");
	r[n + 3] = serial;
	add(m, "lab.example", RR_SOA, r, n + 20);
}

static void add_a(struct msg *m, const char *owner, uint8_t last)
{
	const uint8_t a[4] = {192, 0, 2, last};

	add(m, owner, RR_A, a, 4);
}

/* ---- what the sink saw, as text ---- */

struct seen {
	char text[4096];
	size_t n, records;
	int answer;
};

static int sink(void *arg, const struct dname *owner, uint16_t type, uint32_t ttl_s,
		const uint8_t *rdata, size_t rdlen, struct err *e)
{
	struct seen *s = arg;
	char name[DNAME_TEXT];

	(void)e;
	s->records++;
	if (s->n < sizeof(s->text) - 300) {
		s->n += (size_t)snprintf(s->text + s->n, 200, "%s %u %u ", dname_print(name, owner),
					 ttl_s, type);
		for (size_t i = 0; i < rdlen && i < 40; i++)
			s->n += (size_t)snprintf(s->text + s->n, 8, "%02x", rdata[i]);
		s->text[s->n++] = '\n';
		s->text[s->n] = '\0';
	}
	return s->answer;
}

static struct dname zone_of(const char *s)
{
	struct dname z;

	assert_true(dname_parse(&z, s, strlen(s)));
	return z;
}

static int feed(struct axfr *x, const struct msg *m, struct seen *s, struct err *e)
{
	struct wire_msg w;
	const char *why;

	if (!wirecheck(&w, m->b, m->n, &why))
		fail_msg("test message is malformed: %s", why);
	return axfr_feed(x, &w, sink, s, e);
}

static void begin(struct axfr *x, struct seen *s)
{
	const struct dname z = zone_of("lab.example");

	axfr_init(x, &z, 77);
	memset(s, 0, sizeof(*s));
}

/* ---- the state machine ---- */

static void a_zone_in_one_message_is_taken_and_its_soas_are_kept_back(void **state)
{
	static struct msg m;
	struct axfr x;
	struct seen s;
	uint8_t ptr[40];

	(void)state;
	begin(&x, &s);
	start(&m, 77, true);
	add_soa(&m, 9);
	add_a(&m, "Host1.LAB.example", 7);
	add(&m, "lab.example", RR_NS, ptr, loop_name(ptr, "NS.lab.example"));
	add(&m, "t.lab.example", RR_TXT, "\2hi", 3);
	add(&m, "u.lab.example", 65534, "x", 1);
	add_soa(&m, 9);
	assert_int_equal(feed(&x, &m, &s, NULL), 1);
	assert_int_equal(x.serial, 9);
	assert_int_equal(x.records, 4);
	assert_string_equal(s.text, "host1.lab.example 300 1 c0000207\n"
				    "lab.example 300 2 026e73036c6162076578616d706c6500\n"
				    "t.lab.example 300 16 \n"
				    "u.lab.example 300 65534 \n");
}

static void a_lone_first_soa_as_powerdns_sends_it_begins_the_zone(void **state)
{
	static struct msg m;
	struct axfr x;
	struct seen s;

	(void)state;
	begin(&x, &s);
	start(&m, 77, true);
	add_soa(&m, 9);
	assert_int_equal(feed(&x, &m, &s, NULL), 0);
	start(&m, 77, true); /* the question again, as Knot and PowerDNS do */
	add_a(&m, "a.lab.example", 1);
	assert_int_equal(feed(&x, &m, &s, NULL), 0);
	start(&m, 77, false);
	add_soa(&m, 9);
	assert_int_equal(feed(&x, &m, &s, NULL), 1);
	assert_int_equal(s.records, 1);
	assert_int_equal(feed(&x, &m, &s, NULL), ERR_PROTO); /* nothing may follow */
}

/* A first message is good; then the one in m must be refused. */
static void refuse_second(const struct msg *m, int code, const char *words)
{
	static struct msg first;
	struct axfr x;
	struct seen s;
	struct err e = {0};

	begin(&x, &s);
	start(&first, 77, true);
	add_soa(&first, 9);
	assert_int_equal(feed(&x, &first, &s, NULL), 0);
	assert_int_equal(feed(&x, m, &s, &e), code);
	if (strstr(e.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, words);
	assert_int_equal(feed(&x, &first, &s, NULL), ERR_PROTO); /* refused for good */
}

static void what_is_not_the_zone_is_refused(void **state)
{
	static struct msg m;

	(void)state;
	start(&m, 77, false);
	add_a(&m, "host.other.test", 1);
	refuse_second(&m, ERR_PROTO, "\"host.other.test\" is not in the zone");
	start(&m, 77, false);
	add_a(&m, "xlab.example", 1);
	refuse_second(&m, ERR_PROTO, "not in the zone");
	start(&m, 77, false);
	add_soa(&m, 10);
	refuse_second(&m, ERR_PROTO, "closing SOA (serial 10) differs from the first (serial 9)");
	start(&m, 77, false);
	add_soa(&m, 9);
	add_a(&m, "a.lab.example", 1);
	refuse_second(&m, ERR_PROTO, "follows the closing SOA");
	start(&m, 78, false);
	add_a(&m, "a.lab.example", 1);
	refuse_second(&m, ERR_PROTO, "another id");
	start(&m, 77, true);
	m.b[13] = 'x';
	refuse_second(&m, ERR_PROTO, "another question");
	start(&m, 77, false);
	m.b[2] = 0;
	refuse_second(&m, ERR_PROTO, "no answer");
	start(&m, 77, false);
	m.b[2] |= 2;
	refuse_second(&m, ERR_PROTO, "truncated");
	start(&m, 77, false);
	m.b[3] = RCODE_SERVFAIL;
	refuse_second(&m, ERR_DENIED, "SERVFAIL");
	start(&m, 77, false);
	add_a(&m, "a.lab.example", 1);
	m.b[m.n - 11] = 3; /* class CH */
	refuse_second(&m, ERR_PROTO, "class IN");
	start(&m, 77, false);
	add(&m, "a.lab.example", RR_A, NULL, 0);
	refuse_second(&m, ERR_PROTO, "malformed");
}

static void a_first_message_must_begin_with_the_zones_soa(void **state)
{
	static struct msg m;
	struct axfr x;
	struct seen s;

	(void)state;
	begin(&x, &s);
	start(&m, 77, true);
	add_a(&m, "a.lab.example", 1);
	assert_int_equal(feed(&x, &m, &s, NULL), ERR_PROTO);
	begin(&x, &s);
	start(&m, 77, true);
	assert_int_equal(feed(&x, &m, &s, NULL), ERR_PROTO);
	begin(&x, &s);
	start(&m, 77, true);
	add(&m, "sub.lab.example", RR_SOA, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
	assert_int_equal(feed(&x, &m, &s, NULL), ERR_PROTO);
	assert_int_equal(s.records, 0);
}

static void a_sink_that_fails_ends_the_transfer(void **state)
{
	static struct msg m;
	struct axfr x;
	struct seen s;

	(void)state;
	begin(&x, &s);
	s.answer = ERR_SYS;
	start(&m, 77, true);
	add_soa(&m, 9);
	add_a(&m, "a.lab.example", 1);
	add_soa(&m, 9);
	assert_int_equal(feed(&x, &m, &s, NULL), ERR_SYS);
	assert_int_equal(feed(&x, &m, &s, NULL), ERR_PROTO);
}

/* ---- signed streams, as transfer.c joins the two ---- */

struct part {
	const uint8_t *p;
	size_t len;
};

/* 0: taken whole.  Otherwise refused somewhere. */
static int take(const struct part *parts, size_t n, struct seen *s)
{
	const struct dname z = zone_of("lab.example");
	struct tsig_key k = {.alg = tsig_alg_find("hmac-sha256", 11), .secret_len = 32};
	struct tsig_mac mac = {.len = 32};
	struct tsig_stream *t;
	struct axfr x;
	int r = 0;

	k.name = zone_of("ddns.lab");
	memcpy(k.secret, vector_secret, 32);
	memcpy(mac.b, vector_axfr_mac, 32);
	memset(s, 0, sizeof(*s));
	axfr_init(&x, &z, VECTOR_AXFR_ID);
	assert_int_equal(tsig_stream_new(&t, &k, &mac, NULL), 0);
	for (size_t i = 0; i < n && r == 0; i++) {
		struct wire_msg w;
		const char *why;
		if (!wirecheck(&w, parts[i].p, parts[i].len, &why))
			r = ERR_PROTO;
		if (r == 0)
			r = tsig_stream_next(t, parts[i].p, parts[i].len, VECTOR_NOW, NULL);
		if (r == 0)
			r = axfr_feed(&x, &w, sink, s, NULL);
	}
	if (r == 1)
		r = tsig_stream_finish(t, NULL);
	else if (r == 0)
		r = ERR_PROTO; /* cut */
	tsig_stream_free(t);
	key_wipe(&k);
	return r;
}

#define P(a) {a, sizeof(a)}
static const struct part good[] = {P(vector_axfr_1), P(vector_axfr_2), P(vector_axfr_3)};

static void a_signed_transfer_is_taken_with_names_lower_case_and_whole(void **state)
{
	struct seen s;

	(void)state;
	assert_int_equal(take(good, 3, &s), 0);
	assert_string_equal(s.text,
		"lab.example 300 2 026e73036c6162076578616d706c6500\n"
		"host1.lab.example 300 1 c0000207\n"
		"alias.lab.example 300 5 05686f737431036c6162076578616d706c6500\n"
		"host2.lab.example 300 16 \n");
}

static void no_byte_of_a_signed_transfer_can_be_changed(void **state)
{
	static uint8_t copy[4096];
	struct seen s;
	size_t accepted = 0, tried = 0;

	(void)state;
	for (size_t m = 0; m < 3; m++) {
		for (size_t i = 0; i < good[m].len; i++) {
			for (int bit = 0; bit < 8; bit++) {
				struct part p[3] = {good[0], good[1], good[2]};
				memcpy(copy, good[m].p, good[m].len);
				copy[i] ^= (uint8_t)(1 << bit);
				p[m].p = copy;
				tried++;
				if (take(p, 3, &s) != 0)
					continue;
				/* The case of letters in the TSIG record's own names is no
				 * part of the digest (RFC 8945 4.3.3): the same transfer. */
				const uint8_t *t = memmem(good[m].p, good[m].len, "\4ddns\3lab\0\0\xfa", 12);
				assert_non_null(t);
				if (bit != 5 || i < (size_t)(t - good[m].p))
					accepted++;
			}
		}
	}
	assert_true(tried > 3000);
	assert_int_equal(accepted, 0);
}

static void cut_reordered_and_repeated_transfers_are_refused(void **state)
{
	const struct part un = P(vector_axfr_2_unsigned), gap = P(vector_axfr_3_after_unsigned);
	const struct part bad[][4] = {
		{good[0]}, {good[0], good[1]}, {good[1], good[2]}, {good[0], good[2]},
		{good[2], good[1], good[0]}, {good[1], good[0], good[2]},
		{good[0], good[2], good[1]}, {good[0], good[0], good[1], good[2]},
		{good[0], good[1], good[1], good[2]}, {good[0], un, good[2]}, {good[0], gap},
		{good[0], good[1], gap}, {good[0], un}, {un, good[1], good[2]},
	};
	const size_t n[] = {1, 2, 2, 2, 3, 3, 3, 4, 4, 3, 2, 3, 2, 3};
	const struct part middle[] = {good[0], un, gap};
	struct seen s;

	(void)state;
	assert_int_equal(take(bad[0], 0, &s), ERR_PROTO);
	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		if (take(bad[i], n[i], &s) == 0)
			fail_msg("stream %zu was accepted", i);
	assert_int_equal(take(middle, 3, &s), 0); /* unsigned middle, covered by the next */
}

/* ---- over a socket ---- */

enum cheat {
	HONEST, MIDDLES_UNSIGNED, LAST_UNSIGNED, ALL_UNSIGNED, SERIAL_CHANGES, CLOSES_EARLY,
	NEVER_ENDS, DRIBBLES, REFUSES_UNSIGNED, REFUSES_SIGNED, BADKEY, BADTIME, STALLS,
	JUNK_BETWEEN, OTHER_ID, CHEATS,
};

struct stage {
	enum cheat cheat;
	unsigned messages;     /* of the zone, the last with the closing SOA */
	unsigned records;      /* in each */
	unsigned close_after;
};

static void serve_refusal(int fd, const struct stage *st, const uint8_t *req, size_t len)
{
	static uint8_t out[2048];
	uint8_t other[6];
	int64_t there = time(NULL) - 1000;
	struct reply r;

	loop_honest(&r, req, len, st->cheat == BADTIME || st->cheat == BADKEY ? RCODE_NOTAUTH :
							RCODE_REFUSED);
	r.sign = st->cheat != REFUSES_UNSIGNED;
	if (st->cheat == BADKEY) {
		r.error = TSIG_BADKEY;
		r.mac_len = 0;
	}
	if (st->cheat == BADTIME) {
		for (int i = 0; i < 6; i++)
			other[i] = (uint8_t)((uint64_t)there >> (40 - 8 * i));
		r.error = TSIG_BADTIME;
		r.other = other;
		r.other_len = 6;
	}
	loop_send(fd, out, reply_build(out, &r));
}

static bool send_message(int fd, const struct stage *st, const struct msg *m)
{
	if (st->cheat != DRIBBLES)
		return loop_send(fd, m->b, m->n);
	uint8_t n[2] = {(uint8_t)(m->n >> 8), (uint8_t)m->n};
	loop_write(fd, n, 2);
	for (size_t i = 0; i < m->n; i++) {
		if (!loop_write(fd, m->b + i, 1))
			return false;
		loop_sleep_ms(2);
	}
	return true;
}

static void serve_zone(int fd, void *arg)
{
	static uint8_t req[65535], gap[131072], mac[32];
	static struct msg m;
	const struct stage *st = arg;
	size_t len = loop_recv(fd, req), gap_len = 0;
	struct reply r;

	if (len == 0)
		return;
	if (st->cheat >= REFUSES_UNSIGNED && st->cheat <= BADTIME) {
		serve_refusal(fd, st, req, len);
		return;
	}
	loop_honest(&r, req, len, 0);
	for (unsigned i = 0; i < st->messages; i++) {
		bool last = i + 1 == st->messages;
		if (st->cheat == CLOSES_EARLY && i == st->close_after)
			return;
		start(&m, r.id, i == 0);
		if (i == 0)
			add_soa(&m, 9);
		for (unsigned k = 0; k < st->records; k++) {
			char name[64];
			snprintf(name, sizeof(name), "h%u-%u.lab.example", i, k);
			add_a(&m, name, (uint8_t)k);
		}
		if (last && st->cheat != NEVER_ENDS)
			add_soa(&m, st->cheat == SERIAL_CHANGES ? 10 : 9);
		bool sign = st->cheat != ALL_UNSIGNED && !(st->cheat == LAST_UNSIGNED && last) &&
			    !(st->cheat == MIDDLES_UNSIGNED && i > 0 && !last);
		if (sign) {
			m.n = reply_sign(m.b, m.n, &r, gap, gap_len, i > 0);
			memcpy(mac, r.mac, 32);
			r.prior = mac;
			gap_len = 0;
		} else if (gap_len + m.n <= sizeof(gap)) {
			memcpy(gap + gap_len, m.b, m.n);
			gap_len += m.n;
		}
		if (st->cheat == OTHER_ID && i == 1)
			m.b[0] ^= 1; /* the original id in the TSIG still holds */
		if (st->cheat == JUNK_BETWEEN && i == 1)
			loop_send(fd, "\1\2\3", 3);
		if (!send_message(fd, st, &m))
			return;
		if (st->cheat == NEVER_ENDS && last)
			i = 0;
	}
	loop_recv(fd, req); /* until the client closes */
}

static const struct transfer_limits roomy = {3000, 1 << 26, 1000000};

/* The code; words must be in the sentence. */
static void expect(struct stage st, const struct transfer_limits *lim, bool keyed, int code,
		   size_t records, const char *words)
{
	const struct dname z = zone_of("lab.example");
	struct tsig_key key;
	struct loopserver l;
	static struct seen s;
	struct err e = {0};
	uint32_t serial = 0;
	int64_t began = clock_mono_ms();

	memset(&s, 0, sizeof(s));
	loop_key(&key);
	loop_start(&l, serve_zone, &st);
	struct server srv = loop_server(&l, keyed ? &key : NULL);
	int r = transfer_axfr(&srv, &z, lim, sink, &s, &serial, &e);
	if (r != code || strstr(e.text, words) == NULL)
		fail_msg("cheat %d: code %d, \"%s\"", st.cheat, r, e.text);
	if (r == 0) {
		assert_int_equal(serial, 9);
		assert_int_equal(s.records, records);
	} else {
		assert_non_null(strstr(e.text, "transfer of \"lab.example\""));
		const char *who = strstr(e.text, "server \"ns1\"");
		assert_non_null(who);
		assert_null(strstr(who + 1, "server \"ns1\""));
	}
	assert_true(clock_mono_ms() - began < lim->timeout_ms + 500);
	loop_stop(&l);
	key_wipe(&key);
}

static void transfers_come_over_a_socket_signed_or_with_unsigned_middles(void **state)
{
	(void)state;
	expect((struct stage){HONEST, 1, 5, 0}, &roomy, true, 0, 5, "");
	expect((struct stage){HONEST, 40, 200, 0}, &roomy, true, 0, 8000, "");
	expect((struct stage){MIDDLES_UNSIGNED, 90, 2, 0}, &roomy, true, 0, 180, "");
	expect((struct stage){ALL_UNSIGNED, 3, 5, 0}, &roomy, false, 0, 15, "");
}

static void cheating_servers_are_refused_with_a_sentence(void **state)
{
	(void)state;
	expect((struct stage){LAST_UNSIGNED, 3, 5, 0}, &roomy, true, ERR_DENIED, 0,
	       "the last message is not signed");
	expect((struct stage){ALL_UNSIGNED, 3, 5, 0}, &roomy, true, ERR_DENIED, 0,
	       "the first message is not signed");
	expect((struct stage){MIDDLES_UNSIGNED, 110, 1, 0}, &roomy, true, ERR_DENIED, 0,
	       "more than 99");
	expect((struct stage){SERIAL_CHANGES, 3, 5, 0}, &roomy, true, ERR_PROTO, 0,
	       "closing SOA");
	for (unsigned i = 0; i < 5; i++)
		expect((struct stage){CLOSES_EARLY, 5, 5, i}, &roomy, true, ERR_PROTO, 0,
		       "closed the connection");
	expect((struct stage){JUNK_BETWEEN, 3, 5, 0}, &roomy, true, ERR_PROTO, 0, "malformed");
	expect((struct stage){OTHER_ID, 3, 5, 0}, &roomy, true, ERR_PROTO, 0, "another id");
}

static void refusals_say_what_the_server_said(void **state)
{
	(void)state;
	expect((struct stage){REFUSES_UNSIGNED, 0, 0, 0}, &roomy, true, TRANSFER_REFUSED, 0,
	       "REFUSED, unsigned");
	expect((struct stage){REFUSES_SIGNED, 0, 0, 0}, &roomy, true, TRANSFER_REFUSED, 0,
	       "answered REFUSED");
	expect((struct stage){BADKEY, 0, 0, 0}, &roomy, true, TRANSFER_REFUSED, 0,
	       "NOTAUTH with BADKEY, unsigned");
	expect((struct stage){BADTIME, 0, 0, 0}, &roomy, true, ERR_DENIED, 0,
	       "NOTAUTH with BADTIME");
}

static void deadline_bytes_and_records_are_capped(void **state)
{
	const struct transfer_limits quick = {150, 1 << 26, 1000000};
	const struct transfer_limits few_bytes = {3000, 100000, 1000000};
	const struct transfer_limits few_records = {3000, 1 << 26, 999};

	(void)state;
	expect((struct stage){DRIBBLES, 3, 50, 0}, &quick, true, ERR_BUSY, 0, "not done in 150 ms");
	expect((struct stage){NEVER_ENDS, 2, 100, 0}, &few_bytes, true, ERR_PROTO, 0,
	       "more than 100000 bytes");
	expect((struct stage){NEVER_ENDS, 2, 100, 0}, &few_records, true, ERR_PROTO, 0,
	       "more than 999 records");
	expect((struct stage){NEVER_ENDS, 2, 2, 0}, &quick, true, ERR_BUSY, 0, "not done in");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_in_one_message_is_taken_and_its_soas_are_kept_back),
		cmocka_unit_test(a_lone_first_soa_as_powerdns_sends_it_begins_the_zone),
		cmocka_unit_test(what_is_not_the_zone_is_refused),
		cmocka_unit_test(a_first_message_must_begin_with_the_zones_soa),
		cmocka_unit_test(a_sink_that_fails_ends_the_transfer),
		cmocka_unit_test(a_signed_transfer_is_taken_with_names_lower_case_and_whole),
		cmocka_unit_test(no_byte_of_a_signed_transfer_can_be_changed),
		cmocka_unit_test(cut_reordered_and_repeated_transfers_are_refused),
		cmocka_unit_test(transfers_come_over_a_socket_signed_or_with_unsigned_middles),
		cmocka_unit_test(cheating_servers_are_refused_with_a_sentence),
		cmocka_unit_test(refusals_say_what_the_server_said),
		cmocka_unit_test(deadline_bytes_and_records_are_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
