/* Forged answers over a real connection: none is believed, and the true one that follows is.
 *
 * The forgers know everything but the secret; where a variant uses the secret, it stands for a
 * fault of the protocol (an old answer, another algorithm), not for a thief.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/base/clock.h"
#include "bridge/dns/write.h"
#include "bridge/value/rrtype.h"
#include "tests/unit/loopserver.h"

enum { TRUE_RCODE = RCODE_YXRRSET }; /* tells the true answer from any forged NOERROR */

static uint8_t other_mac[32];
static uint8_t kept[2048];   /* the true answer to the first request, for replays */
static size_t kept_len;

static void wrong_id(struct reply *r) { r->id++; r->original_id = r->id; }
static void wrong_id_true_original(struct reply *r) { r->id++; }
static void qr_clear(struct reply *r) { r->flags &= 0x7fff; }
static void opcode_query(struct reply *r) { r->flags &= 0x87ff; }
static void opcode_notify(struct reply *r) { r->flags = 0xa000; }
static void opcode_status(struct reply *r) { r->flags = (r->flags & 0x87ff) | 2 << 11; }
static void truncated(struct reply *r) { r->flags |= 0x0200; }
static void other_zone(struct reply *r) { r->question[1] ^= 1; }
static void longer_zone(struct reply *r)
{
	memmove(r->question + 2, r->question, r->question_len);
	r->question[0] = 1;
	r->question[1] = 'x';
	r->question_len += 2;
}
static void other_qtype(struct reply *r) { r->question[r->question_len - 3] ^= 1; }
static void other_qclass(struct reply *r) { r->question[r->question_len - 1] = 3; }
static void two_questions(struct reply *r) { r->questions = 2; }
static void unsigned_noerror(struct reply *r) { r->sign = false; }
static void unsigned_yxdomain(struct reply *r) { r->sign = false; r->flags |= RCODE_YXDOMAIN; }
static void unsigned_nxrrset(struct reply *r) { r->sign = false; r->flags |= RCODE_NXRRSET; }
static void unsigned_notzone(struct reply *r) { r->sign = false; r->flags |= RCODE_NOTZONE; }
static void unsigned_rcode_15(struct reply *r) { r->sign = false; r->flags |= 15; }
static void mac_0(struct reply *r) { r->mac_len = 0; }
static void mac_1(struct reply *r) { r->mac_len = 1; }
static void mac_10(struct reply *r) { r->mac_len = 10; }
static void mac_16(struct reply *r) { r->mac_len = 16; }
static void mac_31(struct reply *r) { r->mac_len = 31; }
static void mac_33(struct reply *r) { r->mac_len = 33; }
static void mac_64(struct reply *r) { r->mac_len = 64; }
static void other_key(struct reply *r) { r->key = "ddnt.lab"; }
static void key_below(struct reply *r) { r->key = "x.ddns.lab"; }
static void key_root(struct reply *r) { r->key = ""; }
static void other_secret(struct reply *r) { r->secret[0] ^= 1; }
static void empty_secret(struct reply *r) { r->secret_len = 0; }
static void sha512(struct reply *r) { r->alg = "hmac-sha512"; r->md = EVP_sha512(); r->mac_len = 64; }
static void sha1(struct reply *r) { r->alg = "hmac-sha1"; r->md = EVP_sha1(); r->mac_len = 20; }
static void md5(struct reply *r)
{
	r->alg = "hmac-md5.sig-alg.reg.int";
	r->md = EVP_md5();
	r->mac_len = 16;
}
static void alg_unknown(struct reply *r) { r->alg = "foo"; }
static void alg_root(struct reply *r) { r->alg = ""; }
static void alg_renamed(struct reply *r) { r->alg = "hmac-sha512"; }
static void time_behind(struct reply *r) { r->time_s -= 302; }
static void time_ahead(struct reply *r) { r->time_s += 302; }
static void time_behind_wide_fudge(struct reply *r) { r->time_s -= 302; r->fudge_s = 65535; }
static void time_a_year_ago(struct reply *r) { r->time_s -= 365 * 86400; }
static void time_zero(struct reply *r) { r->time_s = 0; }
static void time_far(struct reply *r) { r->time_s = 0xffffffffffff; }
static void badsig_in_noerror(struct reply *r) { r->error = TSIG_BADSIG; r->mac_len = 0; }
static void badtime_unsigned(struct reply *r)
{
	r->flags |= RCODE_NOTAUTH;
	r->error = TSIG_BADTIME;
	r->mac_len = 0;
}
static void badkey_with_junk_mac(struct reply *r)
{
	r->flags |= RCODE_NOTAUTH;
	r->error = TSIG_BADKEY;
	r->secret[0] ^= 1;
}
static void refused_with_junk_mac(struct reply *r) { r->flags |= RCODE_REFUSED; r->secret[0] ^= 1; }
static void refused_stale(struct reply *r) { r->flags |= RCODE_REFUSED; r->time_s -= 302; }
static void no_request_mac(struct reply *r) { r->prior = NULL; }
static void other_request_mac(struct reply *r) { r->prior = other_mac; }
static void tsig_class_in(struct reply *r) { r->tsig_class = 1; }
static void tsig_ttl(struct reply *r) { r->tsig_ttl = 1; }

struct forgery {
	const char *name;
	void (*spoil)(struct reply *r);          /* before it is built and signed */
	size_t (*after)(uint8_t *m, size_t n);   /* after; NULL: nothing */
};

static size_t flip_rcode(uint8_t *m, size_t n) { m[3] ^= 2; return n; }
static size_t flip_mac(uint8_t *m, size_t n) { m[n - 20] ^= 1; return n; }
static size_t flip_time(uint8_t *m, size_t n) { m[n - 6 - 32 - 5] ^= 1; return n; }
static size_t flip_original_id(uint8_t *m, size_t n) { m[n - 6] ^= 1; return n; }
static size_t set_error(uint8_t *m, size_t n) { m[n - 3] = 1; return n; }
static size_t trailing(uint8_t *m, size_t n) { m[n] = 0; return n + 1; }
static size_t cut_one(uint8_t *m, size_t n) { (void)m; return n - 1; }
static size_t other_len_lies(uint8_t *m, size_t n) { m[n - 1] = 1; return n; }
static size_t counts_lie(uint8_t *m, size_t n) { m[6] = m[7] = 0xff; return n; }
static size_t arcount_lies(uint8_t *m, size_t n) { m[11] = 0; return n; }
static size_t question_loops(uint8_t *m, size_t n) { m[12] = 0xc0; m[13] = 12; return n; }
static size_t junk(uint8_t *m, size_t n) { memset(m + 2, 0xa5, 30); return n > 32 ? 32 : n; }
static size_t nothing(uint8_t *m, size_t n) { (void)m; (void)n; return 0; }
static size_t header_less_one(uint8_t *m, size_t n) { (void)m; (void)n; return 11; }
static size_t header_only(uint8_t *m, size_t n) { (void)n; memset(m + 4, 0, 8); return 12; }

static size_t tsig_start(const uint8_t *m)
{
	size_t at = 12;

	while (m[at] != 0)
		at += m[at] + 1u;
	return at + 5;
}

static size_t second_tsig(uint8_t *m, size_t n)
{
	size_t at = tsig_start(m);

	memcpy(m + n, m + at, n - at);
	m[11]++;
	return n + n - at;
}

static const uint8_t an_a[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 66};

static size_t record_after_tsig(uint8_t *m, size_t n)
{
	memcpy(m + n, an_a, sizeof(an_a));
	m[11]++;
	return n + sizeof(an_a);
}

static size_t record_before_tsig(uint8_t *m, size_t n)
{
	size_t at = tsig_start(m);

	memmove(m + at + sizeof(an_a), m + at, n - at);
	memcpy(m + at, an_a, sizeof(an_a));
	m[7]++;
	return n + sizeof(an_a);
}

static size_t tsig_as_answer(uint8_t *m, size_t n) { m[7] = 1; m[11] = 0; return n; }
static size_t tsig_as_authority(uint8_t *m, size_t n) { m[9] = 1; m[11] = 0; return n; }

static size_t largest_junk(uint8_t *m, size_t n)
{
	memset(m + n, 0xff, 65535 - n);
	return 65535;
}

/* The true answer to the request before, under this request's id. */
static size_t replay(uint8_t *m, size_t n)
{
	if (kept_len == 0)
		return n;
	memcpy(m + 2, kept + 2, kept_len - 2);
	return kept_len;
}

#define F(f) {#f, f, NULL}
#define A(f) {#f, NULL, f}
static const struct forgery forgeries[] = {
	F(wrong_id), F(wrong_id_true_original), F(qr_clear), F(opcode_query), F(opcode_notify),
	F(opcode_status), F(truncated), F(other_zone), F(longer_zone), F(other_qtype),
	F(other_qclass), F(two_questions), F(unsigned_noerror), F(unsigned_yxdomain),
	F(unsigned_nxrrset), F(unsigned_notzone), F(unsigned_rcode_15), F(mac_0), F(mac_1),
	F(mac_10), F(mac_16), F(mac_31), F(mac_33), F(mac_64), F(other_key), F(key_below),
	F(key_root), F(other_secret), F(empty_secret), F(sha512), F(sha1), F(md5), F(alg_unknown),
	F(alg_root), F(alg_renamed), F(time_behind), F(time_ahead), F(time_behind_wide_fudge),
	F(time_a_year_ago), F(time_zero), F(time_far), F(badsig_in_noerror), F(badtime_unsigned),
	F(badkey_with_junk_mac), F(refused_with_junk_mac), F(refused_stale), F(no_request_mac),
	F(other_request_mac), F(tsig_class_in), F(tsig_ttl), A(flip_rcode), A(flip_mac),
	A(flip_time), A(flip_original_id), A(set_error), A(trailing), A(cut_one),
	A(other_len_lies), A(counts_lie), A(arcount_lies), A(question_loops), A(junk), A(nothing),
	A(header_less_one), A(header_only), A(second_tsig), A(record_after_tsig),
	A(record_before_tsig), A(tsig_as_answer), A(tsig_as_authority), A(largest_junk),
	A(replay),
};
enum { N_FORGERIES = sizeof(forgeries) / sizeof(forgeries[0]) };

struct script {
	const struct forgery *f;
	bool truth;          /* the true answer follows */
};

static void serve_forged(int fd, void *arg)
{
	static uint8_t req[65535], out[66000];
	const struct script *s = arg;
	size_t len;

	while ((len = loop_recv(fd, req)) > 0) {
		struct reply r;
		loop_honest(&r, req, len, RCODE_NOERROR);
		if (s->f->spoil != NULL)
			s->f->spoil(&r);
		size_t n = reply_build(out, &r);
		if (s->f->after != NULL)
			n = s->f->after(out, n);
		loop_send(fd, out, n);
		if (!s->truth)
			continue;
		loop_honest(&r, req, len, TRUE_RCODE);
		n = reply_build(out, &r);
		memcpy(kept, out, n);
		kept_len = n;
		loop_send(fd, out, n);
	}
}

static void send_update(struct exchange *x, uint64_t tag)
{
	struct dname zone;
	struct buf b = BUF_INIT;

	assert_true(dname_parse(&zone, "lab.example", 11));
	assert_int_equal(write_update(&b, 0, &zone, NULL, 0, NULL), 0);
	assert_int_equal(exchange_send(x, &b, tag, NULL), 0);
	buf_fini(&b);
}

static int collect(struct exchange *x, struct answer *a)
{
	uint64_t tag;

	return exchange_collect(&x, 1, clock_mono_ms() + 5000, &tag, a, NULL, NULL);
}

static void no_forgery_is_believed_and_the_truth_behind_it_is(void **state)
{
	struct tsig_key key;
	struct loopserver l;
	struct script s = {NULL, true};

	(void)state;
	loop_key(&key);
	loop_start(&l, serve_forged, &s);
	struct server srv = loop_server(&l, &key);
	for (size_t i = 0; i < N_FORGERIES; i++) {
		struct exchange *x;
		struct answer a;
		s.f = &forgeries[i];
		assert_int_equal(exchange_new(&x, &srv, NULL), 0);
		for (int k = 0; k < 2; k++) { /* twice, so that a replay has something to replay */
			send_update(x, 0);
			assert_int_equal(collect(x, &a), 1);
			if (a.end != ANSWER_REPLY || !a.verified || a.rcode != TRUE_RCODE)
				fail_msg("%s: end %d verified %d rcode %u", s.f->name, a.end,
					 a.verified, a.rcode);
		}
		exchange_free(x);
	}
	loop_stop(&l);
	key_wipe(&key);
}

static void a_forgery_alone_leaves_the_outcome_unknown(void **state)
{
	struct tsig_key key;
	struct loopserver l;
	struct script s = {NULL, false};

	(void)state;
	loop_key(&key);
	loop_start(&l, serve_forged, &s);
	struct server srv = loop_server(&l, &key);
	srv.timeout_ms = 40;
	for (size_t i = 0; i < N_FORGERIES; i++) {
		struct exchange *x;
		struct answer a;
		s.f = &forgeries[i];
		assert_int_equal(exchange_new(&x, &srv, NULL), 0);
		send_update(x, 0);
		assert_int_equal(collect(x, &a), 1);
		if (a.end != ANSWER_TIMEOUT || a.verified)
			fail_msg("%s: end %d verified %d rcode %u", s.f->name, a.end, a.verified,
				 a.rcode);
		exchange_free(x);
	}
	loop_stop(&l);
	key_wipe(&key);
}

/* ---- refusals that servers can not sign ---- */

struct refusal_script {
	unsigned rcode;
	uint16_t error;      /* 0: no TSIG at all */
	int then;            /* 0 nothing, 1 the truth, 2 close */
};

static void serve_refusal(int fd, void *arg)
{
	static uint8_t req[65535], out[2048];
	const struct refusal_script *s = arg;
	struct reply r;
	size_t len = loop_recv(fd, req);

	if (len == 0)
		return;
	loop_honest(&r, req, len, s->rcode);
	r.sign = s->error != 0;
	r.error = s->error;
	r.mac_len = 0;
	loop_send(fd, out, reply_build(out, &r));
	if (s->then == 2)
		return;
	if (s->then == 1) {
		loop_sleep_ms(30);
		loop_answer(fd, req, len, TRUE_RCODE);
	}
	loop_recv(fd, req);
}

static const struct refusal_script refusals[] = {
	{RCODE_NOTAUTH, TSIG_BADSIG, 0}, {RCODE_NOTAUTH, TSIG_BADKEY, 0}, {RCODE_NOTAUTH, 0, 0},
	{RCODE_REFUSED, 0, 0}, {RCODE_FORMERR, 0, 0}, {RCODE_SERVFAIL, 0, 0}, {RCODE_NOTIMP, 0, 0},
};

static void an_unsigned_refusal_is_reported_but_never_as_verified(void **state)
{
	struct tsig_key key;
	struct loopserver l;
	struct refusal_script s;

	(void)state;
	loop_key(&key);
	loop_start(&l, serve_refusal, &s);
	struct server srv = loop_server(&l, &key);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		for (int then = 0; then < 3; then++) {
			struct exchange *x;
			struct answer a;
			s = refusals[i];
			s.then = then;
			assert_int_equal(exchange_new(&x, &srv, NULL), 0);
			int64_t start = clock_mono_ms();
			send_update(x, 0);
			assert_int_equal(collect(x, &a), 1);
			assert_true(clock_mono_ms() - start < 1000);
			assert_int_equal(a.end, ANSWER_REPLY);
			assert_int_equal(a.verified, then == 1);
			assert_int_equal(a.rcode, then == 1 ? TRUE_RCODE : s.rcode);
			assert_int_equal(a.tsig_error, then == 1 ? 0 : s.error);
			exchange_free(x);
		}
	}
	loop_stop(&l);
	key_wipe(&key);
}

static void serve_badtime(int fd, void *arg)
{
	static uint8_t req[65535], out[2048];
	struct reply r;
	size_t len = loop_recv(fd, req);
	int64_t there = time(NULL) + 4000;
	uint8_t other[6];

	(void)arg;
	if (len == 0)
		return;
	for (int i = 0; i < 6; i++)
		other[i] = (uint8_t)((uint64_t)there >> (40 - 8 * i));
	loop_honest(&r, req, len, RCODE_NOTAUTH);
	r.error = TSIG_BADTIME;
	r.other = other;
	r.other_len = 6;
	loop_send(fd, out, reply_build(out, &r));
	loop_recv(fd, req);
}

static void a_signed_badtime_is_verified_and_tells_the_difference(void **state)
{
	struct tsig_key key;
	struct loopserver l;
	struct exchange *x;
	struct answer a;

	(void)state;
	loop_key(&key);
	loop_start(&l, serve_badtime, NULL);
	struct server srv = loop_server(&l, &key);
	assert_int_equal(exchange_new(&x, &srv, NULL), 0);
	send_update(x, 0);
	assert_int_equal(collect(x, &a), 1);
	assert_true(a.end == ANSWER_REPLY && a.verified);
	assert_int_equal(a.rcode, RCODE_NOTAUTH);
	assert_int_equal(a.tsig_error, TSIG_BADTIME);
	assert_in_range(a.clock_diff_s, 3998, 4002);
	exchange_free(x);
	loop_stop(&l);
	key_wipe(&key);
}

/* One byte at a time, a forged answer first. */
static void serve_dribble(int fd, void *arg)
{
	static uint8_t req[65535], out[2048];
	size_t len = loop_recv(fd, req);

	(void)arg;
	for (int truth = 0; truth < 2 && len > 0; truth++) {
		struct reply r;
		loop_honest(&r, req, len, truth ? TRUE_RCODE : RCODE_NOERROR);
		if (!truth)
			r.secret[5] ^= 4;
		size_t n = reply_build(out + 2, &r);
		loop_p16(out, (unsigned)n);
		for (size_t i = 0; i < n + 2; i++) {
			loop_write(fd, out + i, 1);
			if (i % 16 == 0)
				loop_sleep_ms(1);
		}
	}
	loop_recv(fd, req);
}

static void a_dribbled_answer_is_put_together(void **state)
{
	struct tsig_key key;
	struct loopserver l;
	struct exchange *x;
	struct answer a;

	(void)state;
	loop_key(&key);
	loop_start(&l, serve_dribble, NULL);
	struct server srv = loop_server(&l, &key);
	assert_int_equal(exchange_new(&x, &srv, NULL), 0);
	send_update(x, 0);
	assert_int_equal(collect(x, &a), 1);
	assert_true(a.end == ANSWER_REPLY && a.verified && a.rcode == TRUE_RCODE);
	exchange_free(x);
	loop_stop(&l);
	key_wipe(&key);
}

/* A length of 65,535 and then a byte now and then: the deadline is total. */
static void serve_endless(int fd, void *arg)
{
	static uint8_t req[65535];
	const uint8_t big[2] = {0xff, 0xff};

	(void)arg;
	if (loop_recv(fd, req) == 0)
		return;
	loop_write(fd, big, 2);
	for (int i = 0; i < 200 && loop_write(fd, big, 1); i++)
		loop_sleep_ms(5);
}

static void a_dribble_can_not_stretch_the_deadline(void **state)
{
	struct tsig_key key;
	struct loopserver l;
	struct exchange *x;
	struct answer a;

	(void)state;
	loop_key(&key);
	loop_start(&l, serve_endless, NULL);
	struct server srv = loop_server(&l, &key);
	srv.timeout_ms = 100;
	assert_int_equal(exchange_new(&x, &srv, NULL), 0);
	int64_t start = clock_mono_ms();
	send_update(x, 0);
	assert_int_equal(collect(x, &a), 1);
	assert_int_equal(a.end, ANSWER_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, 100, 400);
	exchange_free(x);
	loop_stop(&l);
	key_wipe(&key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_forgery_is_believed_and_the_truth_behind_it_is),
		cmocka_unit_test(a_forgery_alone_leaves_the_outcome_unknown),
		cmocka_unit_test(an_unsigned_refusal_is_reported_but_never_as_verified),
		cmocka_unit_test(a_signed_badtime_is_verified_and_tells_the_difference),
		cmocka_unit_test(a_dribbled_answer_is_put_together),
		cmocka_unit_test(a_dribble_can_not_stretch_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
