/* test_known.c - what a transaction knows of its addresses without reading them again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/flow/known.h"

static struct ipaddr addr(uint8_t last)
{
	return (struct ipaddr){.family = 4, .b = {192, 0, 2, last}};
}

static struct bytes text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, (uint16_t)strlen(s)};
}

static struct evidence row(uint8_t last, int32_t source, enum obs_kind kind, const char *name)
{
	return (struct evidence){.source_id = source,
				 .obs = {.addr = addr(last), .kind = kind, .name = text(name)}};
}

struct fixture {
	struct arena a;
	struct ipaddr addrs[3];
	struct evidence ev[4];
	struct known k;
};

static void start(struct fixture *f)
{
	*f = (struct fixture){.addrs = {addr(1), addr(2), addr(3)},
			      .ev = {row(1, 1, OBS_LEASE, "one"), row(1, 2, OBS_MANUAL, "a"),
				     row(1, 2, OBS_MANUAL, "b"), row(3, 1, OBS_LEASE, "three")}};
	known_read(&f->k, f->addrs, 3, f->ev, 4);
}

/* "ADDRESS SOURCE NAME" of each row of the addresses. */
static void expect(struct fixture *f, uint8_t from, size_t n, const char *want)
{
	struct ipaddr v[3];
	struct evidence *ev;
	char got[256] = "", one[64];
	size_t n_ev, i;

	for (i = 0; i < n; i++)
		v[i] = addr((uint8_t)(from + i));
	assert_int_equal(known_of(&f->k, &ev, &n_ev, &f->a, v, n), 0);
	for (i = 0; i < n_ev; i++) {
		snprintf(one, sizeof(one), "%u %d %.*s, ", ev[i].obs.addr.b[3], ev[i].source_id,
			 (int)ev[i].obs.name.len, (const char *)ev[i].obs.name.p);
		strcat(got, one);
	}
	assert_string_equal(got, want);
}

static void what_was_read_is_known(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	expect(&f, 1, 3, "1 1 one, 1 2 a, 1 2 b, 3 1 three, ");
	expect(&f, 2, 2, "3 1 three, ");
	expect(&f, 2, 1, "");
	arena_fini(&f.a);
}

static void an_address_that_was_not_read_is_not_known(void **state)
{
	struct ipaddr v[2] = {addr(3), addr(4)};
	struct evidence *ev;
	struct fixture f;
	size_t n;

	(void)state;
	start(&f);
	assert_int_equal(known_of(&f.k, &ev, &n, &f.a, v, 2), 1);
	assert_int_equal(known_of(&f.k, &ev, &n, &f.a, v, 1), 0);
	f.k.n = 0;
	assert_int_equal(known_of(&f.k, &ev, &n, &f.a, v, 1), 1);
	arena_fini(&f.a);
}

static void written_rows_replace_join_and_go(void **state)
{
	struct evidence put[3] = {row(3, 1, OBS_LEASE, "drei"), row(2, 1, OBS_LEASE, "two"),
				  row(1, 2, OBS_MANUAL, "c")};
	struct evidence del[2] = {row(1, 2, OBS_MANUAL, "b"), row(1, 1, OBS_LEASE, "whatever")};
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(known_write(&f.k, &f.a, put, 3, del, 2), 0);
	expect(&f, 1, 3, "1 2 a, 1 2 c, 2 1 two, 3 1 drei, ");
	assert_int_equal(known_write(&f.k, &f.a, NULL, 0, del, 1), 0);
	expect(&f, 1, 1, "1 2 a, 1 2 c, ");
	arena_fini(&f.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_read_is_known),
	    cmocka_unit_test(an_address_that_was_not_read_is_not_known),
	    cmocka_unit_test(written_rows_replace_join_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
