/* Signing and verifying, judged by vectors that neither we nor ldns made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "bridge/core/outcome.h"
#include "bridge/dns/tsig.h"
#include "bridge/dns/wirecheck.h"
#include "tests/unit/tsig_vectors.h"

static void make_key(struct tsig_key *k, const char *alg)
{
	memset(k, 0, sizeof(*k));
	assert_true(dname_parse(&k->name, "ddns.lab", 8));
	k->alg = tsig_alg_find(alg, strlen(alg));
	assert_non_null(k->alg);
	memcpy(k->secret, vector_secret, sizeof(vector_secret));
	k->secret_len = sizeof(vector_secret);
}

struct vector {
	const char *alg;
	const uint8_t *request, *answer;
	size_t request_len, answer_len;
};

#define V(a) {"hmac-" #a, vector_##a##_request, vector_##a##_answer, \
	      sizeof(vector_##a##_request), sizeof(vector_##a##_answer)}
static const struct vector vectors[] = {V(sha1), V(sha224), V(sha256), V(sha384), V(sha512)};

static void sign_update(struct buf *b, const struct tsig_key *k, struct tsig_mac *mac)
{
	*b = (struct buf)BUF_INIT;
	buf_add(b, vector_update, sizeof(vector_update));
	assert_int_equal(tsig_sign(b, k, VECTOR_NOW, mac, NULL), 0);
}

static void signs_byte_for_byte_as_others_do_for_every_algorithm(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		struct tsig_key k;
		struct tsig_mac mac;
		struct buf b;
		make_key(&k, v->alg);
		sign_update(&b, &k, &mac);
		assert_int_equal(b.len, v->request_len);
		assert_memory_equal(b.p, v->request, b.len);
		assert_int_equal(b.len, sizeof(vector_update) + tsig_len(&k));
		buf_fini(&b);
		key_wipe(&k);
	}
}

static void verifies_answers_of_every_algorithm(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		struct tsig_key k;
		struct tsig_mac mac;
		struct tsig_info info;
		struct buf b;
		make_key(&k, v->alg);
		sign_update(&b, &k, &mac);
		for (int64_t t = -300; t <= 300; t += 300)
			assert_int_equal(tsig_verify(v->answer, v->answer_len, &k, &mac,
						     VECTOR_NOW + t, &info), TSIG_OK);
		assert_int_equal(info.signed_at_s, VECTOR_NOW);
		assert_int_equal(tsig_verify(v->answer, v->answer_len, &k, &mac,
					     VECTOR_NOW + 301, &info), TSIG_STALE);
		assert_int_equal(tsig_verify(v->answer, v->answer_len, &k, &mac,
					     VECTOR_NOW - 301, &info), TSIG_STALE);
		mac.b[3] ^= 1; /* another request's */
		assert_int_equal(tsig_verify(v->answer, v->answer_len, &k, &mac, VECTOR_NOW,
					     &info), TSIG_WRONG);
		buf_fini(&b);
		key_wipe(&k);
	}
}

static void every_flipped_bit_of_an_answer_is_noticed(void **state)
{
	struct tsig_key k;
	struct tsig_mac mac;
	struct tsig_info info;
	struct buf b;
	uint8_t m[sizeof(vector_sha256_answer)];

	(void)state;
	make_key(&k, "hmac-sha256");
	sign_update(&b, &k, &mac);
	for (size_t i = 0; i < sizeof(m) * 8; i++) {
		memcpy(m, vector_sha256_answer, sizeof(m));
		m[i / 8] ^= (uint8_t)(1 << i % 8);
		enum tsig_result r = tsig_verify(m, sizeof(m), &k, &mac, VECTOR_NOW, &info);
		/* The id itself is replaced by the original id (RFC 8945 5.3), and the case of
		 * key and algorithm names does not matter. */
		if (i / 8 < 2)
			assert_int_equal(r, TSIG_OK);
		else if (r == TSIG_OK)
			assert_true(i % 8 == 5 && (m[i / 8] & 0xdf) >= 'A' && (m[i / 8] & 0xdf) <= 'Z' &&
				    i / 8 > info.at);
		else
			assert_int_not_equal(r, TSIG_STALE);
	}
	buf_fini(&b);
	key_wipe(&k);
}

static void an_answer_of_another_algorithm_of_the_same_secret_is_wrong(void **state)
{
	struct tsig_key k;
	struct tsig_mac mac;
	struct tsig_info info;
	struct buf b;

	(void)state;
	make_key(&k, "hmac-sha512");
	sign_update(&b, &k, &mac);
	assert_int_equal(tsig_verify(vector_sha256_answer, sizeof(vector_sha256_answer), &k, &mac,
				     VECTOR_NOW, &info), TSIG_WRONG);
	buf_fini(&b);
	key_wipe(&k);
}

static void an_unsigned_answer_is_none(void **state)
{
	struct tsig_key k;
	struct tsig_mac mac = {.len = 32};
	struct tsig_info info;

	(void)state;
	make_key(&k, "hmac-sha256");
	assert_int_equal(tsig_verify(vector_update, sizeof(vector_update), &k, &mac, VECTOR_NOW,
				     &info), TSIG_NONE);
	assert_int_equal(tsig_verify(vector_update, 11, &k, &mac, VECTOR_NOW, &info), TSIG_WRONG);
	key_wipe(&k);
}

static void badtime_is_proven_and_tells_the_servers_clock(void **state)
{
	struct tsig_key k;
	struct tsig_mac mac;
	struct tsig_info info;
	struct buf b;

	(void)state;
	make_key(&k, "hmac-sha256");
	sign_update(&b, &k, &mac);
	assert_int_equal(tsig_verify(vector_badtime, sizeof(vector_badtime), &k, &mac, VECTOR_NOW,
				     &info), TSIG_OK);
	assert_int_equal(info.error, TSIG_BADTIME);
	assert_int_equal(info.server_time_s, VECTOR_NOW + 4000);
	buf_fini(&b);
	key_wipe(&k);
}

static void a_message_that_would_not_fit_is_not_signed(void **state)
{
	struct tsig_key k;
	struct tsig_mac mac;
	struct buf b = BUF_INIT;

	(void)state;
	make_key(&k, "hmac-sha256");
	buf_add(&b, vector_update, sizeof(vector_update));
	while (b.len < 65535 - tsig_len(&k))
		buf_u8(&b, 0);
	assert_int_equal(tsig_sign(&b, &k, VECTOR_NOW, &mac, NULL), 0);
	assert_int_equal(b.len, 65535);
	b.len = 65535 - tsig_len(&k) + 1;
	assert_int_equal(tsig_sign(&b, &k, VECTOR_NOW, &mac, NULL), ERR_BUG);
	b.len = 11;
	assert_int_equal(tsig_sign(&b, &k, VECTOR_NOW, &mac, NULL), ERR_BUG);
	buf_fini(&b);
	key_wipe(&k);
}

/* ---- streams ---- */

struct part {
	const uint8_t *p;
	size_t len;
};
#define P(a) {a, sizeof(a)}

/* 0 when the whole stream is accepted. */
static int stream(const struct part *parts, size_t n, int64_t now_s)
{
	struct tsig_key k;
	struct tsig_mac mac = {.len = 32};
	struct tsig_stream *s;
	int r = 0;

	make_key(&k, "hmac-sha256");
	memcpy(mac.b, vector_axfr_mac, 32);
	assert_int_equal(tsig_stream_new(&s, &k, &mac, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		int one = tsig_stream_next(s, parts[i].p, parts[i].len, now_s, NULL);
		assert_true(one == 0 || one == ERR_DENIED);
		r = one != 0 ? one : r;
	}
	if (tsig_stream_finish(s, NULL) != 0)
		r = ERR_DENIED;
	tsig_stream_free(s);
	key_wipe(&k);
	return r;
}

static void a_signed_stream_holds(void **state)
{
	const struct part p[] = {P(vector_axfr_1), P(vector_axfr_2), P(vector_axfr_3)};

	(void)state;
	assert_int_equal(stream(p, 3, VECTOR_NOW), 0);
	assert_int_equal(stream(p, 3, VECTOR_NOW + 300), 0);
	assert_int_equal(stream(p, 3, VECTOR_NOW + 301), ERR_DENIED);
	assert_int_equal(stream(p, 3, VECTOR_NOW - 301), ERR_DENIED);
}

static void an_unsigned_middle_is_covered_by_the_next_signature(void **state)
{
	struct part p[] = {P(vector_axfr_1), P(vector_axfr_2_unsigned),
			   P(vector_axfr_3_after_unsigned)};
	uint8_t m[sizeof(vector_axfr_2_unsigned)];

	(void)state;
	assert_int_equal(stream(p, 3, VECTOR_NOW), 0);
	memcpy(m, vector_axfr_2_unsigned, sizeof(m));
	p[1].p = m;
	for (size_t i = 0; i < sizeof(m); i++) {
		m[i] ^= 1;
		assert_int_equal(stream(p, 3, VECTOR_NOW), ERR_DENIED);
		m[i] ^= 1;
	}
}

static void an_unsigned_first_or_last_message_spoils_the_stream(void **state)
{
	const struct part first[] = {P(vector_axfr_2_unsigned), P(vector_axfr_1)};
	const struct part last[] = {P(vector_axfr_1), P(vector_axfr_2_unsigned)};

	(void)state;
	assert_int_equal(stream(first, 2, VECTOR_NOW), ERR_DENIED);
	assert_int_equal(stream(last, 2, VECTOR_NOW), ERR_DENIED);
	assert_int_equal(stream(last, 0, VECTOR_NOW), ERR_DENIED);
}

static void ninety_nine_unsigned_in_a_row_are_taken_and_a_hundred_are_not(void **state)
{
	struct tsig_key k;
	struct tsig_mac mac = {.len = 32};
	struct tsig_stream *s;

	(void)state;
	make_key(&k, "hmac-sha256");
	memcpy(mac.b, vector_axfr_mac, 32);
	assert_int_equal(tsig_stream_new(&s, &k, &mac, NULL), 0);
	assert_int_equal(tsig_stream_next(s, vector_axfr_1, sizeof(vector_axfr_1), VECTOR_NOW,
					  NULL), 0);
	for (int i = 0; i < 99; i++)
		assert_int_equal(tsig_stream_next(s, vector_axfr_2_unsigned,
						  sizeof(vector_axfr_2_unsigned), VECTOR_NOW,
						  NULL), 0);
	assert_int_equal(tsig_stream_next(s, vector_axfr_2_unsigned,
					  sizeof(vector_axfr_2_unsigned), VECTOR_NOW, NULL),
			 ERR_DENIED);
	tsig_stream_free(s);
	key_wipe(&k);
}

static void order_repetition_and_gaps_spoil_the_stream(void **state)
{
	const struct part one = P(vector_axfr_1), two = P(vector_axfr_2), three = P(vector_axfr_3);
	const struct part bad[][4] = {
		{two, one, three}, {one, three, two}, {three, one, two}, {one, three, {0}},
		{one, one, two, three}, {one, two, two, three}, {two, three}, {one, two, {0}, three},
	};
	const size_t n[] = {3, 3, 3, 2, 4, 4, 2, 4};

	(void)state;
	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		assert_int_equal(stream(bad[i], n[i], VECTOR_NOW), ERR_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_byte_for_byte_as_others_do_for_every_algorithm),
		cmocka_unit_test(verifies_answers_of_every_algorithm),
		cmocka_unit_test(every_flipped_bit_of_an_answer_is_noticed),
		cmocka_unit_test(an_answer_of_another_algorithm_of_the_same_secret_is_wrong),
		cmocka_unit_test(an_unsigned_answer_is_none),
		cmocka_unit_test(badtime_is_proven_and_tells_the_servers_clock),
		cmocka_unit_test(a_message_that_would_not_fit_is_not_signed),
		cmocka_unit_test(a_signed_stream_holds),
		cmocka_unit_test(an_unsigned_middle_is_covered_by_the_next_signature),
		cmocka_unit_test(an_unsigned_first_or_last_message_spoils_the_stream),
		cmocka_unit_test(ninety_nine_unsigned_in_a_row_are_taken_and_a_hundred_are_not),
		cmocka_unit_test(order_repetition_and_gaps_spoil_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
