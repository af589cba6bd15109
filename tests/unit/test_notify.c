/* NOTIFY: what is taken, what is answered how, and signatures judged by OpenSSL's one-call HMAC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bridge/core/outcome.h"
#include "bridge/dns/notify.h"
#include "bridge/dns/wirecheck.h"
#include "bridge/value/rrtype.h"
#include "tests/unit/loopserver.h"

enum { NOW = 1700000000, OPCODE_NOTIFY = 4 << 11, AA = 0x0400 };

static struct tsig_key key;
static const struct tsig_key *const keys[] = {&key};

/* A NOTIFY of lab.example, to be spoilt; signed as a request is: nothing stands before it. */
static struct reply message(bool sign)
{
	struct reply r = {.id = 0x1234, .original_id = 0x1234, .flags = OPCODE_NOTIFY | AA,
			  .questions = 1, .sign = sign, .key = "ddns.lab", .alg = "hmac-sha256",
			  .md = EVP_sha256(), .secret_len = 24, .time_s = NOW, .fudge_s = 300,
			  .mac_len = 32, .tsig_class = 255};

	memcpy(r.secret, "secretsecretsecretsecret", 24);
	r.question_len = loop_name(r.question, "lab.example");
	r.question_len += loop_p16(r.question + r.question_len, RR_SOA);
	r.question_len += loop_p16(r.question + r.question_len, RR_CLASS_IN);
	return r;
}

static struct notify read_it(struct reply *r)
{
	uint8_t msg[1000];
	struct notify n;

	assert_true(notify_read(&n, msg, reply_build(msg, r), keys, 1, NOW));
	return n;
}

static void expect(struct reply r, unsigned rcode)
{
	struct notify n = read_it(&r);

	assert_int_equal(n.rcode, rcode);
	assert_true((n.why == NULL) == (rcode == RCODE_NOERROR));
	assert_int_equal(n.id, 0x1234);
	if (rcode != RCODE_NOERROR)
		assert_null(n.key);
}

static void names_its_zone_signed_or_not(void **state)
{
	struct dname zone;
	struct notify n;

	(void)state;
	assert_true(dname_parse(&zone, "lab.example", 11));
	for (int sign = 0; sign < 2; sign++) {
		struct reply r = message(sign == 1);

		n = read_it(&r);
		assert_int_equal(n.rcode, RCODE_NOERROR);
		assert_true(dname_equal(&n.zone, &zone));
		assert_ptr_equal(n.key, sign ? &key : NULL);
	}
}

static void what_is_no_notify_is_said_to_be_none(void **state)
{
	struct reply r = message(false);

	(void)state;
	r.flags = 0;                                /* a query */
	expect(r, RCODE_NOTIMP);
	r = message(false);
	r.flags |= 0x0200;                          /* truncated */
	expect(r, RCODE_FORMERR);
	r = message(false);
	r.questions = 0;
	expect(r, RCODE_FORMERR);
	r = message(false);
	r.questions = 2;
	expect(r, RCODE_FORMERR);
	r = message(false);
	r.question[r.question_len - 3] = RR_A;      /* not about an SOA */
	expect(r, RCODE_FORMERR);
	r = message(false);
	r.question[r.question_len - 1] = 3;         /* class CH */
	expect(r, RCODE_FORMERR);
	r = message(false);
	r.question[0] = 200;                        /* no name */
	expect(r, RCODE_FORMERR);
}

static void a_signature_must_be_of_a_key_of_ours_and_of_now(void **state)
{
	struct reply r = message(true);

	(void)state;
	r.secret[0] ^= 1;
	expect(r, RCODE_NOTAUTH);
	r = message(true);
	r.key = "other.lab";
	expect(r, RCODE_NOTAUTH);
	r = message(true);
	r.time_s = NOW - 301;
	expect(r, RCODE_NOTAUTH);
	r = message(true);
	r.time_s = NOW + 301;
	expect(r, RCODE_NOTAUTH);
	r = message(true);
	r.mac_len = 16;
	expect(r, RCODE_NOTAUTH);
	r = message(true);
	r.prior = r.secret;                         /* as an answer would be */
	r.prior_len = 20;
	expect(r, RCODE_NOTAUTH);
}

static void answers_and_scraps_get_no_answer(void **state)
{
	struct reply r = message(false);
	uint8_t msg[1000];
	struct notify n;
	size_t len;

	(void)state;
	len = reply_build(msg, &r);
	for (size_t i = 0; i < 12; i++)
		assert_false(notify_read(&n, msg, i, keys, 1, NOW));
	msg[2] |= 0x80;
	assert_false(notify_read(&n, msg, len, keys, 1, NOW));
}

/* As the other side would sign the same answer. */
static void an_answer_is_signed_as_the_message_was(void **state)
{
	(void)state;
	for (int sign = 0; sign < 2; sign++) {
		struct reply r = message(sign == 1);
		struct notify n = read_it(&r);
		struct reply answer = message(sign == 1);
		struct buf b = BUF_INIT;
		uint8_t want[1000];
		size_t len;

		answer.flags = 0x8000 | OPCODE_NOTIFY | AA | RCODE_NOTAUTH;
		answer.prior = r.mac;
		answer.prior_len = 32;
		len = reply_build(want, &answer);
		assert_int_equal(notify_answer(&b, &n, RCODE_NOTAUTH, NOW, NULL), 0);
		assert_int_equal(b.len, len);
		assert_memory_equal(b.p, want, len);
		buf_fini(&b);
	}
}

static void what_named_no_zone_is_answered_without_one(void **state)
{
	struct reply r = message(false);
	struct buf b = BUF_INIT;
	struct wire_msg m;
	struct notify n;
	const char *why;

	(void)state;
	r.questions = 0;
	n = read_it(&r);
	assert_int_equal(notify_answer(&b, &n, n.rcode, NOW, NULL), 0);
	assert_true(wirecheck(&m, (const uint8_t *)b.p, b.len, &why));
	assert_int_equal(m.qd, 0);
	assert_int_equal(wire_rcode(&m), RCODE_FORMERR);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_its_zone_signed_or_not),
		cmocka_unit_test(what_is_no_notify_is_said_to_be_none),
		cmocka_unit_test(a_signature_must_be_of_a_key_of_ours_and_of_now),
		cmocka_unit_test(answers_and_scraps_get_no_answer),
		cmocka_unit_test(an_answer_is_signed_as_the_message_was),
		cmocka_unit_test(what_named_no_zone_is_answered_without_one),
	};

	loop_key(&key);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	key_wipe(&key);
	return failed;
}
