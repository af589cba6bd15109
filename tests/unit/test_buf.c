/* test_buf.c - base/buf and base/vec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/base/buf.h"
#include "bridge/base/vec.h"

static void empty_buffer_reads_as_empty_text(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_text(&b), "");
	buf_add(&b, NULL, 0);
	assert_false(b.bad);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_text(&b), "");
	buf_fini(&b);
	assert_string_equal(buf_text(&b), "");
}

static void text_stays_terminated_while_it_grows(void **state)
{
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		buf_chr(&b, (char)('a' + i % 26));
		assert_int_equal(b.p[b.len], 0);
	}
	buf_str(&b, "end");
	assert_int_equal(b.len, 5003);
	assert_int_equal(strlen(b.p), 5003);
	assert_string_equal(b.p + 5000, "end");
	buf_fini(&b);
}

static void printf_fits_exactly_and_beyond(void **state)
{
	struct buf b = BUF_INIT;
	char word[300];
	size_t n, all = 0;

	(void)state;
	for (n = 0; n < sizeof(word); n++) {
		memset(word, 'x', n);
		word[n] = '\0';
		buf_printf(&b, "%s|", word);
		all += n + 1;
		assert_int_equal(b.len, all);
		assert_int_equal(b.p[all - 1], '|');
		assert_int_equal(b.p[all], 0);
	}
	assert_false(b.bad);
	for (n = 0; n < sizeof(word); n++) {
		memset(word, 'x', n);
		word[n] = '\0';
		buf_fini(&b); /* so that some n is the room of a fresh buffer */
		buf_printf(&b, "%s", word);
		assert_string_equal(buf_text(&b), word);
	}
	buf_fini(&b);
}

static void numbers_are_big_endian(void **state)
{
	static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct buf b = BUF_INIT;

	(void)state;
	buf_u8(&b, 1);
	buf_u16(&b, 0x0203);
	buf_u32(&b, 0x04050607);
	buf_u64(&b, 0x08090a0b0c0d0e0fULL);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.p, want, sizeof(want));
	buf_fini(&b);
}

static void too_much_is_bad_and_stays_bad_until_reset(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_str(&b, "abc");
	assert_null(buf_reserve(&b, SIZE_MAX - 2));
	assert_true(b.bad);
	buf_str(&b, "def");
	assert_int_equal(b.len, 3);
	buf_reset(&b);
	assert_false(b.bad);
	buf_str(&b, "ok");
	assert_string_equal(buf_text(&b), "ok");
	buf_fini(&b);
}

static void reserve_gives_room_and_keeps_len(void **state)
{
	struct buf b = BUF_INIT;
	char *p = buf_reserve(&b, 1000);

	(void)state;
	assert_non_null(p);
	assert_int_equal(b.len, 0);
	memset(p, 'y', 1000);
	b.len += 1000;
	buf_chr(&b, '!');
	assert_int_equal(b.p[999], 'y');
	assert_int_equal(b.p[1000], '!');
	buf_fini(&b);
}

static void escaped_text_is_printable_whatever_comes(void **state)
{
	struct buf b = BUF_INIT;
	uint8_t all[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	buf_escaped(&b, all, sizeof(all));
	for (i = 0; i < b.len; i++)
		assert_in_range((unsigned char)b.p[i], 0x20, 0x7e);
	buf_reset(&b);
	buf_escaped(&b, "a\x1b[2J\\\n\xff z", 10);
	assert_string_equal(buf_text(&b), "a\\x1b[2J\\\\\\x0a\\xff z");
	buf_reset(&b);
	buf_escaped(&b, "", 0);
	assert_string_equal(buf_text(&b), "");
	buf_fini(&b);
}

static void vector_grows_and_keeps_its_elements(void **state)
{
	VEC(uint64_t) v = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_int_equal(vec_push(&v, i * i), 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(v.v[i], i * i);
	assert_int_equal(vec_reserve(&v, 5000), 0);
	assert_true(v.cap >= 6000);
	assert_int_equal(v.n, 1000);
	vec_fini(&v);
	assert_null(v.v);
	assert_int_equal(v.n + v.cap, 0);
}

static void vector_refuses_what_can_not_be_counted(void **state)
{
	VEC(uint64_t) v = {0};

	(void)state;
	assert_int_equal(vec_push(&v, 7), 0);
	assert_true(vec_reserve(&v, SIZE_MAX) < 0);
	assert_true(vec_reserve(&v, SIZE_MAX / 4) < 0);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.v[0], 7);
	vec_fini(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_buffer_reads_as_empty_text),
	    cmocka_unit_test(text_stays_terminated_while_it_grows),
	    cmocka_unit_test(printf_fits_exactly_and_beyond),
	    cmocka_unit_test(numbers_are_big_endian),
	    cmocka_unit_test(too_much_is_bad_and_stays_bad_until_reset),
	    cmocka_unit_test(reserve_gives_room_and_keeps_len),
	    cmocka_unit_test(escaped_text_is_printable_whatever_comes),
	    cmocka_unit_test(vector_grows_and_keeps_its_elements),
	    cmocka_unit_test(vector_refuses_what_can_not_be_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
