/* What stands at owners, asked in queries: what counts, what shows a cut, what is no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bridge/base/clock.h"
#include "bridge/dns/lookup.h"
#include "tests/unit/loopserver.h"

static struct dname name(const char *s)
{
	struct dname n;

	assert_true(dname_parse(&n, s, strlen(s)));
	return n;
}

/* ---- a server that knows lab.example ------------------------------------------------------- */

static size_t put_rr(uint8_t *p, const char *owner, unsigned type, const void *rdata, size_t rdlen)
{
	size_t n = loop_name(p, owner);

	n += loop_p16(p + n, type);
	n += loop_p16(p + n, 1);
	memset(p + n, 0, 4);
	n += 4;
	n += loop_p16(p + n, (unsigned)rdlen);
	memcpy(p + n, rdata, rdlen);
	return n + rdlen;
}

static size_t put_named(uint8_t *p, const char *owner, unsigned type, const char *target)
{
	uint8_t rdata[256];

	return put_rr(p, owner, type, rdata, loop_name(rdata, target));
}

static size_t put_soa(uint8_t *p, const char *owner)
{
	static const uint8_t soa[22] = {0};

	return put_rr(p, owner, RR_SOA, soa, sizeof(soa));
}

struct says {
	unsigned rcode, answers, authority;
	size_t len;
	uint8_t rrs[1000];
};

static void say(struct says *s, const struct dname *owner, unsigned type)
{
	static const uint8_t addr[4] = {192, 0, 2, 1};
	char text[DNAME_TEXT];

	memset(s, 0, sizeof(*s));
	dname_print(text, owner);
	if (strcmp(text, "host.lab.example") == 0 && (type == RR_A || type == RR_ANY)) {
		s->len = put_rr(s->rrs, "HOST.lab.example", RR_A, addr, 4);
		s->answers = 1;
	} else if (strcmp(text, "a.sub.lab.example") == 0) {
		s->len = put_named(s->rrs, "sub.lab.example", RR_NS, "ns.example.net");
		s->authority = 1;
	} else if (strcmp(text, "sub.lab.example") == 0) {
		s->len = put_named(s->rrs, "sub.lab.example", RR_NS, "ns.example.net");
		s->authority = 1;
	} else if (strcmp(text, "a.child.lab.example") == 0) {
		s->len = put_soa(s->rrs, "child.lab.example");
		s->authority = 1;
		s->rcode = RCODE_NXDOMAIN;
	} else if (strcmp(text, "a.dn.lab.example") == 0) {
		s->len = put_named(s->rrs, "dn.lab.example", RR_DNAME, "example.net");
		s->len += put_named(s->rrs + s->len, "a.dn.lab.example", RR_CNAME, "a.example.net");
		s->answers = 2;
	} else {
		s->len = put_soa(s->rrs, "lab.example");
		s->authority = 1;
	}
	if (strcmp(text, "bad.lab.example") == 0 && type == RR_MX)
		s->rcode = RCODE_SERVFAIL;
	if (strcmp(text, "host.lab.example") == 0 && type == RR_ANY)
		s->rcode = RCODE_REFUSED;
}

struct patience {
	int in_all, of_one;   /* questions that are answered before connections end */
};

/* arg: NULL: as many as come. */
static void serve(int fd, void *arg)
{
	static uint8_t req[65535];
	struct patience *p = arg;
	int here = 0;
	size_t len;

	while ((len = loop_recv(fd, req)) > 0 &&
	       (p == NULL || (p->in_all-- > 0 && here++ < p->of_one))) {
		uint8_t out[2048];
		struct dname owner;
		struct says s;
		struct reply r;
		size_t at = 12 + dname_from_wire(&owner, req + 12, len - 12), n;

		say(&s, &owner, (unsigned)(req[at] << 8 | req[at + 1]));
		loop_honest(&r, req, len, s.rcode);
		r.sign = false;
		n = reply_build(out, &r);
		loop_p16(out + 6, s.answers);
		loop_p16(out + 8, s.authority);
		memcpy(out + n, s.rrs, s.len);
		loop_send(fd, out, n + s.len);
	}
	/* What was answered must arrive: no reset. */
	shutdown(fd, SHUT_WR);
	while (loop_recv(fd, req) > 0)
		;
}

/* ---- asking ------------------------------------------------------------------------------- */

static struct dname names[8];
static struct lookup looks[8];
static struct arena arena;

static int ask(const char *const *owners, size_t n, bool reverse, struct patience *left,
	       struct err *e)
{
	struct dname zone = name("lab.example");
	struct loopserver l;
	struct exchange *x;
	int r;

	for (size_t i = 0; i < n; i++) {
		names[i] = name(owners[i]);
		looks[i].owner = &names[i];
	}
	loop_start(&l, serve, left);
	struct server s = loop_server(&l, NULL);
	struct lookup_zone z = {&s, &zone, reverse};
	assert_int_equal(exchange_new(&x, &s, NULL), 0);
	r = lookup_owners(x, &z, looks, n, clock_mono_ms() + 10000, &arena, e);
	exchange_free(x);
	loop_stop(&l);
	return r;
}

static void what_stands_there_is_told_owner_by_owner(void **state)
{
	static const char *const owners[] = {"host.lab.example", "none.lab.example", "sub.lab.example"};
	const struct rr *v;
	struct err e = {0};

	(void)state;
	assert_int_equal(ask(owners, 3, false, NULL, &e), 0);
	for (int i = 0; i < 3; i++) {
		assert_true(looks[i].got);   /* a refused ANY is no harm */
		assert_int_equal(looks[i].cut.len, 0);
	}
	assert_int_equal(looks[0].seen.n, 1);
	assert_int_equal(rrs_of(&looks[0].seen, RR_A, &v), 1);
	assert_int_equal(looks[1].seen.n, 0);
	/* The NS of a delegation at the very name. */
	assert_int_equal(rrs_of(&looks[2].seen, RR_NS, &v), 1);
	arena_fini(&arena);
}

static void cuts_above_are_told(void **state)
{
	static const char *const owners[] = {"a.sub.lab.example", "a.child.lab.example",
					     "a.dn.lab.example"};
	static const char *const cuts[] = {"sub.lab.example", "child.lab.example", "dn.lab.example"};
	struct err e = {0};

	(void)state;
	for (int reverse = 0; reverse < 2; reverse++) {
		assert_int_equal(ask(owners, 3, reverse == 1, NULL, &e), 0);
		for (int i = 0; i < 3; i++) {
			struct dname cut = name(cuts[i]);

			assert_true(looks[i].got);
			assert_true(dname_equal(&looks[i].cut, &cut));
		}
		assert_int_equal(looks[0].seen.n, 0);
	}
	arena_fini(&arena);
}

static void one_without_an_answer_leaves_the_others(void **state)
{
	static const char *const owners[] = {"bad.lab.example", "host.lab.example"};
	struct err e = {0};

	(void)state;
	assert_int_equal(ask(owners, 2, false, NULL, &e), 0);
	assert_false(looks[0].got);
	assert_true(looks[1].got);
	assert_non_null(strstr(e.text, "answered SERVFAIL"));
	arena_fini(&arena);
}

static void what_came_before_the_end_of_the_connection_holds(void **state)
{
	static const char *const owners[] = {"host.lab.example", "none.lab.example"};
	struct err e = {0};
	struct patience left = {12, 1000};   /* of ten questions each */

	(void)state;
	assert_int_equal(ask(owners, 2, false, &left, &e), ERR_BUSY);
	assert_true(looks[0].got);
	assert_false(looks[1].got);
	arena_fini(&arena);
}

static void a_server_that_ends_its_connections_is_asked_on(void **state)
{
	static const char *const owners[] = {"host.lab.example", "none.lab.example", "sub.lab.example",
					     "a.sub.lab.example", "a.dn.lab.example"};
	struct patience few = {1000, 20};
	struct err e = {0};

	(void)state;
	if (ask(owners, 5, false, &few, &e) != 0)
		fail_msg("%s", e.text);
	for (int i = 0; i < 5; i++)
		assert_true(looks[i].got);
	assert_int_equal(looks[0].seen.n, 1);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stands_there_is_told_owner_by_owner),
		cmocka_unit_test(cuts_above_are_told),
		cmocka_unit_test(one_without_an_answer_leaves_the_others),
		cmocka_unit_test(what_came_before_the_end_of_the_connection_holds),
		cmocka_unit_test(a_server_that_ends_its_connections_is_asked_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
