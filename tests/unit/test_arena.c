/* test_arena.c - base/arena and base/own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "bridge/base/arena.h"
#include "bridge/base/own.h"

static void memory_is_aligned_and_zero(void **state)
{
	struct arena a = ARENA_INIT;
	size_t size;

	(void)state;
	for (size = 0; size < 3000; size += 7) {
		unsigned char *p = arena_alloc(&a, size);
		size_t i;

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	arena_fini(&a);
}

static void memory_is_zero_again_after_reset(void **state)
{
	struct arena a = ARENA_INIT;
	int round;

	(void)state;
	for (round = 0; round < 3; round++) {
		unsigned char *p = arena_alloc(&a, 2000);
		size_t i;

		for (i = 0; i < 2000; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xaa, 2000);
		assert_true(a.used >= 2000);
		arena_reset(&a);
		assert_int_equal(a.used, 0);
	}
	arena_fini(&a);
}

/* Pieces of many sizes, each filled with its own number, must not overlap. */
static void pieces_do_not_overlap(void **state)
{
	enum { N = 2000 };
	static unsigned char *p[N];
	static size_t len[N];
	struct arena a = ARENA_INIT;
	uint32_t x = 1;
	size_t i, j;

	(void)state;
	for (i = 0; i < N; i++) {
		x = x * 1664525 + 1013904223;
		len[i] = (x >> 16) % (i % 100 == 0 ? 100000 : 300);
		p[i] = i % 3 == 0 ? arena_alloc(&a, len[i]) : arena_array(&a, len[i], 1);
		assert_non_null(p[i]);
		memset(p[i], (int)(i % 251), len[i]);
	}
	for (i = 0; i < N; i++) {
		for (j = 0; j < len[i]; j++)
			assert_int_equal(p[i][j], i % 251);
	}
	arena_fini(&a);
	assert_int_equal(a.used, 0);
}

static void copies_are_terminated_and_aligned_for_their_type(void **state)
{
	struct arena a = ARENA_INIT;
	uint64_t v[3] = {1, 2, 3};
	long double w = 1;
	const uint64_t *p;
	char *s;

	(void)state;
	s = arena_dup(&a, "abc\0def", 7);
	assert_memory_equal(s, "abc\0def", 8);
	p = arena_dup(&a, v, sizeof(v));
	assert_int_equal((uintptr_t)p % sizeof(v[0]), 0);
	assert_memory_equal(p, v, sizeof(v));
	assert_string_equal(arena_strdup(&a, "x"), "x");
	assert_int_equal((uintptr_t)arena_dup(&a, &w, sizeof(w)) % _Alignof(long double), 0);
	s = arena_dup(&a, NULL, 0);
	assert_string_equal(s, "");
	arena_fini(&a);
}

static void printed_text_may_be_longer_than_the_first_guess(void **state)
{
	struct arena a = ARENA_INIT;
	char word[1000];
	size_t n;

	(void)state;
	for (n = 250; n < 262; n++) {
		memset(word, 'w', n);
		word[n] = '\0';
		assert_string_equal(arena_printf(&a, "%s", word), word);
	}
	memset(word, 'w', 999);
	word[999] = '\0';
	assert_string_equal(arena_printf(&a, "%s", word), word);
	arena_fini(&a);
}

static void impossible_sizes_answer_null(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	assert_null(arena_array(&a, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 8));
	assert_null(arena_dup(&a, "x", SIZE_MAX));
	assert_non_null(arena_alloc(&a, 8));
	arena_fini(&a);
	arena_fini(&a);
	arena_reset(&a);
}

static void taken_value_is_not_freed_by_its_scope(void **state)
{
	char *kept;

	(void)state;
	{
		AUTO(own_freep) char *s = strdup("mine");
		AUTO(own_freep) char *gone = strdup("leak checkers look here");
		AUTO(own_freep) char *none = NULL;

		kept = own_take(&s);
		assert_null(s);
		(void)gone;
		(void)none;
	}
	assert_string_equal(kept, "mine");
	free(kept);
}

static void file_is_closed_at_the_end_of_its_scope(void **state)
{
	int number;

	(void)state;
	{
		AUTO(own_closep) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		AUTO(own_closep) int none = -1;

		(void)none;
		number = fd;
		assert_true(fd >= 0);
	}
	assert_int_equal(fcntl(number, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_is_aligned_and_zero),
	    cmocka_unit_test(memory_is_zero_again_after_reset),
	    cmocka_unit_test(pieces_do_not_overlap),
	    cmocka_unit_test(copies_are_terminated_and_aligned_for_their_type),
	    cmocka_unit_test(printed_text_may_be_longer_than_the_first_guess),
	    cmocka_unit_test(impossible_sizes_answer_null),
	    cmocka_unit_test(taken_value_is_not_freed_by_its_scope),
	    cmocka_unit_test(file_is_closed_at_the_end_of_its_scope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
