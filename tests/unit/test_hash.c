/* test_hash.c - base/hash: SipHash-2-4 and the map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/base/err.h"
#include "bridge/base/hash.h"

/* The vectors of the reference implementation: key 00..0f, input 00, 01, 02, ... */
static void siphash_agrees_with_the_reference(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} want[] = {
	    {0, 0x726fdb47dd0e0e31ULL}, {1, 0x74f839c593dc67fdULL},  {7, 0xab0200f58b01d137ULL},
	    {8, 0x93f5f5799a932462ULL}, {15, 0xa129ca6149be45e5ULL}, {16, 0x3f2acc7f57c29bdbULL},
	    {63, 0x958a324ceb064572ULL},
	};
	const struct hash_key key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
	uint8_t in[64], shifted[65];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = shifted[i + 1] = (uint8_t)i;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(hash_bytes(&key, in, want[i].len) == want[i].hash);
		assert_true(hash_bytes(&key, shifted + 1, want[i].len) == want[i].hash);
	}
}

static void another_key_gives_another_hash(void **state)
{
	const struct hash_key a = {1, 2}, b = {1, 3}, c = {2, 2};

	(void)state;
	assert_true(hash_bytes(&a, "x", 1) != hash_bytes(&b, "x", 1));
	assert_true(hash_bytes(&a, "x", 1) != hash_bytes(&c, "x", 1));
	assert_true(hash_bytes(&a, "\0", 1) != hash_bytes(&a, "\0\0", 2));
}

static void empty_map_has_nothing(void **state)
{
	struct map m = MAP_INIT;
	size_t i = 0;

	(void)state;
	assert_null(map_get(&m, "x", 1));
	assert_null(map_del(&m, "x", 1));
	assert_null(map_next(&m, &i));
	map_fini(&m);
}

static void put_replaces_the_value_of_an_equal_key(void **state)
{
	struct map m = MAP_INIT;
	char k1[] = "key", k2[] = "key";
	int a, b, c;

	(void)state;
	assert_int_equal(map_put(&m, k1, 3, &a), 0);
	assert_int_equal(map_put(&m, k2, 3, &b), 0);
	assert_int_equal(m.n, 1);
	k1[0] = 'X'; /* the map must look at the key that was given last */
	assert_ptr_equal(map_get(&m, "key", 3), &b);
	assert_null(map_get(&m, "ke", 2));
	assert_int_equal(map_put(&m, NULL, 0, &c), 0);
	assert_ptr_equal(map_get(&m, "", 0), &c);
	assert_ptr_equal(map_del(&m, "key", 3), &b);
	assert_null(map_get(&m, "key", 3));
	assert_int_equal(m.n, 1);
	map_fini(&m);
}

/* Random puts and deletions beside a plain array that knows the truth. */
static void map_agrees_with_an_array_under_random_changes(void **state)
{
	enum { N = 700 };
	static uint32_t keys[N];
	static uint32_t *truth[N];
	struct map m = MAP_INIT;
	uint32_t x = 7;
	size_t i, n = 0, step, seen;

	(void)state;
	for (i = 0; i < N; i++)
		keys[i] = (uint32_t)i * 16;
	for (step = 0; step < 20000; step++) {
		x = x * 1664525 + 1013904223;
		i = (x >> 8) % N;
		if ((x >> 4) % 5 < (step / 4000 % 2 ? 3 : 2)) {
			assert_ptr_equal(map_del(&m, &keys[i], 4), truth[i]);
			n -= truth[i] != NULL;
			truth[i] = NULL;
		} else {
			assert_int_equal(map_put(&m, &keys[i], 4, &keys[i]), 0);
			n += truth[i] == NULL;
			truth[i] = &keys[i];
		}
		assert_int_equal(m.n, n);
		i = (x >> 12) % N;
		assert_ptr_equal(map_get(&m, &keys[i], 4), truth[i]);
	}
	for (i = 0; i < N; i++)
		assert_ptr_equal(map_get(&m, &keys[i], 4), truth[i]);
	for (i = 0, seen = 0; map_next(&m, &i) != NULL; seen++)
		;
	assert_int_equal(seen, n);
	map_fini(&m);
	assert_null(map_get(&m, &keys[0], 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(siphash_agrees_with_the_reference),
	    cmocka_unit_test(another_key_gives_another_hash),
	    cmocka_unit_test(empty_map_has_nothing),
	    cmocka_unit_test(put_replaces_the_value_of_an_equal_key),
	    cmocka_unit_test(map_agrees_with_an_array_under_random_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
