/* The connection itself: pipelining, loss, silence, windows, deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "bridge/base/clock.h"
#include "bridge/dns/transfer.h"
#include "bridge/dns/write.h"
#include "bridge/value/rrtype.h"
#include "tests/unit/loopserver.h"

static struct tsig_key key;

static int make_key(void **state)
{
	(void)state;
	loop_key(&key);
	return 0;
}

static int wipe_key(void **state)
{
	(void)state;
	key_wipe(&key);
	return 0;
}

/* An UPDATE of about size bytes: one TXT addition. */
static int send_sized(struct exchange *x, uint64_t tag, uint16_t size)
{
	static uint8_t filler[65535];
	struct change_rr rr = {.type = 16, .class_ = RR_CLASS_IN, .rdlen = size, .rdata = filler};
	struct change c = {.upd = &rr, .n_upd = size > 0};
	const struct change *one = &c;
	struct dname zone;
	struct buf b = BUF_INIT;
	int r;

	assert_true(dname_parse(&zone, "lab.example", 11));
	c.owner = zone;
	assert_int_equal(write_update(&b, 0, &zone, &one, 1, NULL), 0);
	r = exchange_send(x, &b, tag, NULL);
	buf_fini(&b);
	return r;
}

static int collect(struct exchange *x, uint64_t *tag, struct answer *a)
{
	return exchange_collect(&x, 1, clock_mono_ms() + 5000, tag, a, NULL, NULL);
}

static struct exchange *open_to(const struct server *s)
{
	struct exchange *x;

	assert_int_equal(exchange_new(&x, s, NULL), 0);
	return x;
}

struct counts {
	int batch;             /* requests read before the first answer */
	int limit;             /* requests of a connection, then close; 0: no limit */
	int answer;            /* how many of them are answered before the close */
	atomic_int messages;
	atomic_bool go;
};

/* Reads a batch, then answers it last first. */
static void serve_backwards(int fd, void *arg)
{
	static uint8_t req[64][512];
	size_t len[64];
	struct counts *c = arg;

	for (;;) {
		for (int i = 0; i < c->batch; i++) {
			uint8_t big[65535];
			len[i] = loop_recv(fd, big);
			if (len[i] == 0)
				return;
			assert(len[i] <= sizeof(req[i]));
			memcpy(req[i], big, len[i]);
			atomic_fetch_add(&c->messages, 1);
		}
		for (int i = c->batch - 1; i >= 0; i--)
			loop_answer(fd, req[i], len[i], (unsigned)i % 11);
	}
}

static void a_pipeline_answered_backwards_finds_its_tags(void **state)
{
	struct counts c = {.batch = 16};
	struct loopserver l;
	bool seen[16] = {false};
	uint64_t tag;
	struct answer a;

	(void)state;
	loop_start(&l, serve_backwards, &c);
	struct server s = loop_server(&l, &key);
	struct exchange *x = open_to(&s);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(send_sized(x, 100 + i, 0), 0);
	assert_int_equal(exchange_in_flight(x), 16);
	assert_int_equal(send_sized(x, 7, 0), ERR_BUSY);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(collect(x, &tag, &a), 1);
		assert_in_range(tag, 100, 115);
		assert_false(seen[tag - 100]);
		seen[tag - 100] = true;
		assert_int_equal(a.end, ANSWER_REPLY);
		assert_true(a.verified);
		assert_int_equal(a.rcode, (tag - 100) % 11);
	}
	assert_int_equal(exchange_in_flight(x), 0);
	assert_int_equal(collect(x, &tag, &a), 0); /* at once: nothing is under way */
	assert_int_equal(l.connections, 1);
	exchange_free(x);
	loop_stop(&l);
}

/* Reads nothing until told, then answers everything. */
static void serve_late(int fd, void *arg)
{
	static uint8_t req[65535];
	struct counts *c = arg;
	size_t len;

	while (!atomic_load(&c->go))
		loop_sleep_ms(1);
	while ((len = loop_recv(fd, req)) > 0) {
		atomic_fetch_add(&c->messages, 1);
		loop_answer(fd, req, len, 0);
	}
}

static void large_messages_are_written_piece_by_piece(void **state)
{
	struct counts c = {0};
	struct loopserver l;
	uint64_t tag;
	struct answer a;

	(void)state;
	loop_listen(&l, 4096);
	l.serve = serve_late;
	l.arg = &c;
	assert_int_equal(pthread_create(&l.thread, NULL, loop_run, &l), 0);
	struct server s = loop_server(&l, &key);
	s.window = 90;
	s.timeout_ms = 5000;
	struct exchange *x = open_to(&s);
	for (unsigned i = 0; i < 90; i++)
		assert_int_equal(send_sized(x, i, 60000), 0);
	assert_int_equal(exchange_collect(&x, 1, clock_mono_ms() + 50, &tag, &a, NULL, NULL), 0);
	atomic_store(&c.go, true);
	for (unsigned i = 0; i < 90; i++) {
		assert_int_equal(collect(x, &tag, &a), 1);
		assert_int_equal(tag, i); /* in the order they were sent */
		assert_true(a.end == ANSWER_REPLY && a.verified);
	}
	assert_int_equal(c.messages, 90);
	exchange_free(x);
	loop_stop(&l);
}

static void what_was_never_written_whole_ends_as_unsent(void **state)
{
	struct counts c = {0};
	struct loopserver l;
	uint64_t tag;
	struct answer a;
	unsigned unsent = 0, unknown = 0;

	(void)state;
	loop_listen(&l, 4096);
	l.serve = serve_late;
	l.arg = &c;
	assert_int_equal(pthread_create(&l.thread, NULL, loop_run, &l), 0);
	struct server s = loop_server(&l, &key);
	s.window = 90;
	s.timeout_ms = 100;
	struct exchange *x = open_to(&s);
	for (unsigned i = 0; i < 90; i++)
		assert_int_equal(send_sized(x, i, 60000), 0);
	while (collect(x, &tag, &a) == 1) {
		unsent += a.end == ANSWER_UNSENT;
		unknown += a.end == ANSWER_TIMEOUT || a.end == ANSWER_LOST;
	}
	assert_int_equal(unsent + unknown, 90);
	atomic_store(&c.go, true); /* the server reads what got through */
	exchange_free(x);
	loop_stop(&l);
	assert_true((unsigned)c.messages <= unknown); /* "unsent" was the truth */
}

static void a_connection_that_is_not_made_in_time_means_unsent(void **state)
{
	struct loopserver l;
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fill[4];
	uint64_t tag;
	struct answer a;

	(void)state;
	loop_listen(&l, 0);
	assert_int_equal(listen(l.listen_fd, 0), 0);
	sa.sin_port = htons(l.port);
	for (int i = 0; i < 4; i++) { /* nobody accepts: the queue is full, SYNs are dropped */
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fill[i], (struct sockaddr *)&sa, sizeof(sa));
	}
	struct server s = loop_server(&l, &key);
	s.timeout_ms = 80;
	struct exchange *x = open_to(&s);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(send_sized(x, i, 0), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(collect(x, &tag, &a), 1);
		assert_int_equal(a.end, ANSWER_UNSENT);
		assert_string_equal(a.detail, "the connection was not made in time");
	}
	exchange_free(x);
	for (int i = 0; i < 4; i++)
		close(fill[i]);
	close(l.listen_fd);
}

/* Takes limit messages, answers the first few, closes. */
static void serve_and_close(int fd, void *arg)
{
	static uint8_t req[65535];
	struct counts *c = arg;
	size_t len;

	for (int i = 0; i < c->limit && (len = loop_recv(fd, req)) > 0; i++) {
		atomic_fetch_add(&c->messages, 1);
		if (i < c->answer)
			loop_answer(fd, req, len, 0);
	}
}

static void a_lost_connection_loses_what_was_written_and_the_next_send_dials_again(void **state)
{
	struct counts c = {.limit = 5, .answer = 2};
	struct loopserver l;
	uint64_t tag;
	struct answer a;
	int replies = 0, lost = 0;

	(void)state;
	loop_start(&l, serve_and_close, &c);
	struct server s = loop_server(&l, &key);
	struct exchange *x = open_to(&s);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(send_sized(x, i, 0), 0);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(collect(x, &tag, &a), 1);
		replies += a.end == ANSWER_REPLY && a.verified;
		lost += a.end == ANSWER_LOST && a.detail != NULL;
	}
	assert_int_equal(replies, 2);
	assert_int_equal(lost, 3);
	assert_int_equal(c.messages, 5); /* nothing was sent twice */
	assert_int_equal(send_sized(x, 9, 0), 0);
	assert_int_equal(collect(x, &tag, &a), 1);
	assert_true(tag == 9 && a.end == ANSWER_REPLY && a.verified);
	assert_int_equal(l.connections, 2);
	exchange_free(x);
	loop_stop(&l);
}

static void a_connection_closed_while_idle_costs_no_message(void **state)
{
	struct counts c = {.limit = 1, .answer = 1};
	struct loopserver l;
	uint64_t tag;
	struct answer a;

	(void)state;
	loop_start(&l, serve_and_close, &c);
	struct server s = loop_server(&l, &key);
	struct exchange *x = open_to(&s);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(send_sized(x, 1, 0), 0);
		assert_int_equal(collect(x, &tag, &a), 1);
		assert_true(a.end == ANSWER_REPLY && a.verified);
		loop_sleep_ms(5); /* its FIN arrives */
	}
	assert_int_equal(l.connections, 20);
	exchange_free(x);
	loop_stop(&l);
}

static void a_refused_connection_means_unsent(void **state)
{
	struct loopserver l;
	uint64_t tag;
	struct answer a;
	struct err e = {0};
	struct buf b = BUF_INIT, reply = BUF_INIT;
	struct dname zone;

	(void)state;
	loop_listen(&l, 0);
	close(l.listen_fd);
	struct server s = loop_server(&l, &key);
	struct exchange *x = open_to(&s);
	assert_int_equal(send_sized(x, 3, 0), 0);
	assert_int_equal(send_sized(x, 4, 0), 0);
	for (uint64_t i = 3; i < 5; i++) {
		assert_int_equal(collect(x, &tag, &a), 1);
		assert_int_equal(tag, i);
		assert_int_equal(a.end, ANSWER_UNSENT);
		assert_string_equal(a.detail, "Connection refused");
	}
	exchange_free(x);
	assert_true(dname_parse(&zone, "lab.example", 11));
	assert_int_equal(write_query(&b, 0, &zone, RR_SOA, NULL), 0);
	assert_int_equal(exchange_once(&s, &b, &reply, &e), ERR_SYS);
	assert_non_null(strstr(e.text, "server \"ns1\" (127.0.0.1 port "));
	assert_non_null(strstr(e.text, "Connection refused"));
	assert_true(e.hint[0] != '\0');
	buf_fini(&b);
	buf_fini(&reply);
}

/* Takes everything, says nothing on the first connection, answers on later ones. */
static void serve_mute(int fd, void *arg)
{
	static uint8_t req[65535];
	struct counts *c = arg;
	bool first = atomic_load(&c->messages) == 0;
	size_t len;

	while ((len = loop_recv(fd, req)) > 0) {
		atomic_fetch_add(&c->messages, 1);
		if (!first)
			loop_answer(fd, req, len, 0);
	}
}

static void a_silent_connection_is_given_up_after_its_deadline(void **state)
{
	struct counts c = {0};
	struct loopserver l;
	uint64_t tag;
	struct answer a;

	(void)state;
	loop_start(&l, serve_mute, &c);
	struct server s = loop_server(&l, &key);
	s.timeout_ms = 60;
	struct exchange *x = open_to(&s);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(send_sized(x, i, 0), 0);
	int64_t start = clock_mono_ms();
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(collect(x, &tag, &a), 1);
		assert_int_equal(a.end, ANSWER_TIMEOUT);
	}
	assert_in_range(clock_mono_ms() - start, 50, 400);
	exchange_free(x);
	x = open_to(&s);
	assert_int_equal(send_sized(x, 5, 0), 0);
	assert_int_equal(collect(x, &tag, &a), 1);
	assert_true(a.end == ANSWER_REPLY);
	exchange_free(x);
	loop_stop(&l);
}

static void after_silence_the_same_exchange_dials_again(void **state)
{
	struct counts c = {0};
	struct loopserver l;
	uint64_t tag;
	struct answer a;

	(void)state;
	loop_start(&l, serve_mute, &c);
	struct server s = loop_server(&l, &key);
	s.timeout_ms = 60;
	struct exchange *x = open_to(&s);
	assert_int_equal(send_sized(x, 1, 0), 0);
	assert_int_equal(collect(x, &tag, &a), 1);
	assert_int_equal(a.end, ANSWER_TIMEOUT);
	assert_int_equal(send_sized(x, 2, 0), 0);
	assert_int_equal(collect(x, &tag, &a), 1);
	assert_true(tag == 2 && a.end == ANSWER_REPLY && a.verified);
	assert_int_equal(l.connections, 2);
	assert_int_equal(c.messages, 2);
	exchange_free(x);
	loop_stop(&l);
}

static void a_dead_server_delays_no_other(void **state)
{
	struct counts mute = {0}, live = {.batch = 1};
	struct loopserver l[2];
	struct server s[2];
	struct exchange *x[2];
	uint64_t tag;
	struct answer a;

	(void)state;
	loop_start(&l[0], serve_mute, &mute);
	loop_start(&l[1], serve_backwards, &live);
	for (int i = 0; i < 2; i++) {
		s[i] = loop_server(&l[i], &key);
		s[i].timeout_ms = 300;
		x[i] = open_to(&s[i]);
	}
	assert_int_equal(send_sized(x[0], 99, 0), 0);
	int64_t start = clock_mono_ms();
	for (uint64_t i = 0; i < 50; i++) {
		assert_int_equal(send_sized(x[1], i, 0), 0);
		assert_int_equal(exchange_collect(x, 2, clock_mono_ms() + 5000, &tag, &a, NULL,
						  NULL), 1);
		assert_int_equal(tag, i);
	}
	assert_true(clock_mono_ms() - start < 300);
	assert_int_equal(exchange_collect(x, 2, clock_mono_ms() + 5000, &tag, &a, NULL, NULL), 1);
	assert_true(tag == 99 && a.end == ANSWER_TIMEOUT);
	for (int i = 0; i < 2; i++) {
		exchange_free(x[i]);
		loop_stop(&l[i]);
	}
}

static void serve_unsigned(int fd, void *arg)
{
	static uint8_t req[65535], out[2048];
	size_t len;

	while ((len = loop_recv(fd, req)) > 0) {
		struct reply r;
		loop_honest(&r, req, len, *(unsigned *)arg);
		r.sign = false;
		loop_send(fd, out, reply_build(out, &r));
	}
}

static void without_a_key_an_unsigned_answer_serves_unverified(void **state)
{
	struct loopserver l;
	struct buf b = BUF_INIT, reply = BUF_INIT;
	struct dname zone;
	struct err e;
	uint64_t tag;
	struct answer a;
	unsigned rcode = 0;

	(void)state;
	loop_start(&l, serve_unsigned, &rcode);
	struct server s = loop_server(&l, NULL);
	struct exchange *x = open_to(&s);
	assert_int_equal(send_sized(x, 1, 0), 0);
	assert_int_equal(collect(x, &tag, &a), 1);
	assert_true(a.end == ANSWER_REPLY && !a.verified && a.rcode == 0);
	exchange_free(x);
	assert_true(dname_parse(&zone, "lab.example", 11));
	assert_int_equal(write_query(&b, 0, &zone, RR_SOA, NULL), 0);
	assert_int_equal(exchange_once(&s, &b, &reply, &e), 0);
	assert_int_equal(reply.len, b.len);
	rcode = RCODE_REFUSED;
	assert_int_equal(exchange_once(&s, &b, &reply, &e), ERR_DENIED);
	assert_non_null(strstr(e.text, "REFUSED"));
	rcode = RCODE_SERVFAIL;
	assert_int_equal(exchange_once(&s, &b, &reply, &e), ERR_PROTO);
	s.key = &key; /* the same answers prove nothing now */
	rcode = RCODE_NOTAUTH;
	assert_int_equal(exchange_once(&s, &b, &reply, &e), ERR_DENIED);
	assert_non_null(strstr(e.text, "NOTAUTH, unsigned"));
	assert_int_equal(b.len, 12 + 13 + 4); /* the signature is off again */
	assert_int_equal(b.p[11], 0);
	buf_fini(&b);
	buf_fini(&reply);
	loop_stop(&l);
}

static void serve_soa(int fd, void *arg)
{
	static uint8_t req[65535], out[2048];
	static const uint8_t soa[] = {0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 24, 0xc0, 12, 0xc0, 12,
				      0, 0, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
	size_t len;

	while ((len = loop_recv(fd, req)) > 0) {
		struct reply r;
		loop_honest(&r, req, len, 0);
		r.sign = false;
		size_t n = reply_build(out, &r);
		if (*(bool *)arg) {
			memcpy(out + n, soa, sizeof(soa));
			n += sizeof(soa);
			out[7] = 1;
		}
		n = reply_sign(out, n, &r, NULL, 0, false);
		loop_send(fd, out, n);
	}
}

static void the_serial_comes_from_the_zones_own_signed_soa(void **state)
{
	struct loopserver l;
	struct dname zone;
	struct err e = {0};
	uint32_t serial = 0;
	bool has = true;

	(void)state;
	loop_start(&l, serve_soa, &has);
	struct server s = loop_server(&l, &key);
	assert_true(dname_parse(&zone, "lab.example", 11));
	assert_int_equal(transfer_soa(&s, &zone, &serial, &e), 0);
	assert_int_equal(serial, 0x1234);
	has = false;
	assert_int_equal(transfer_soa(&s, &zone, &serial, &e), ERR_DENIED);
	assert_non_null(strstr(e.text, "has no zone \"lab.example\""));
	loop_stop(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipeline_answered_backwards_finds_its_tags),
		cmocka_unit_test(large_messages_are_written_piece_by_piece),
		cmocka_unit_test(what_was_never_written_whole_ends_as_unsent),
		cmocka_unit_test(a_connection_that_is_not_made_in_time_means_unsent),
		cmocka_unit_test(a_lost_connection_loses_what_was_written_and_the_next_send_dials_again),
		cmocka_unit_test(a_connection_closed_while_idle_costs_no_message),
		cmocka_unit_test(a_refused_connection_means_unsent),
		cmocka_unit_test(a_silent_connection_is_given_up_after_its_deadline),
		cmocka_unit_test(after_silence_the_same_exchange_dials_again),
		cmocka_unit_test(a_dead_server_delays_no_other),
		cmocka_unit_test(without_a_key_an_unsigned_answer_serves_unverified),
		cmocka_unit_test(the_serial_comes_from_the_zones_own_signed_soa),
	};

	return cmocka_run_group_tests(tests, make_key, wipe_key);
}
