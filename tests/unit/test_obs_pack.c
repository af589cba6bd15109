/* test_obs_pack.c - what is packed comes back, and nothing else is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/value/obs_pack.h"

static const struct obs full = {
    .addr = {4, {192, 0, 2, 7}},
    .kind = OBS_LEASE,
    .end = true,
    .end_why = "released",
    .end_named = true,
    .name = {(const uint8_t *)"web\0\xff.lab", 9},
    .mac = {true, {2, 0, 0, 0, 0, 7}},
    .client_id = {(const uint8_t *)"\1\2", 2},
    .duid = {(const uint8_t *)"\0\1", 2},
    .dhcid = {(const uint8_t *)"\0\1\1", 3},
    .valid_until_s = OBS_FOREVER,
    .seen_at_s = 1700000000,
    .ttl_s = 300,
    .ptr = true,
    .raw = {(const uint8_t *)"{}", 2},
};

static void an_observation_comes_back_whole(void **state)
{
	struct buf b = BUF_INIT;
	struct obs_batch batch;
	const struct obs *o;

	(void)state;
	obs_batch_init(&batch);
	obs_pack(&b, &full);
	assert_int_equal(obs_unpack(&batch, b.p, b.len), 0);
	assert_int_equal(batch.n, 1);
	o = &batch.v[0];
	assert_int_equal(ipaddr_cmp(&o->addr, &full.addr), 0);
	assert_false(obs_facts_differ(o, &full));
	assert_true(o->end && o->end_named && o->ptr);
	assert_string_equal(o->end_why, "released");
	assert_true(bytes_equal(o->name, full.name));
	assert_true(bytes_equal(o->raw, full.raw));
	assert_int_equal(o->seen_at_s, full.seen_at_s);
	obs_batch_fini(&batch);
	buf_fini(&b);
}

static void nothing_shorter_or_longer_is_taken(void **state)
{
	struct buf b = BUF_INIT;
	struct obs_batch batch;
	size_t n;

	(void)state;
	obs_batch_init(&batch);
	obs_pack(&b, &full);
	for (n = 0; n < b.len; n++)
		assert_int_equal(obs_unpack(&batch, b.p, n), 1);
	buf_chr(&b, 'x');
	assert_int_equal(obs_unpack(&batch, b.p, b.len), 1);
	assert_int_equal(batch.n, 0);
	obs_batch_fini(&batch);
	buf_fini(&b);
}

static void another_version_or_kind_is_refused(void **state)
{
	struct buf b = BUF_INIT;
	struct obs_batch batch;
	int i;

	(void)state;
	obs_batch_init(&batch);
	obs_pack(&b, &full);
	/* version, kind, and the four that are yes or no */
	for (i = 0; i < 6; i++) {
		char kept = b.p[i];

		b.p[i] = 99;
		assert_int_equal(obs_unpack(&batch, b.p, b.len), 1);
		b.p[i] = kept;
	}
	assert_int_equal(batch.n, 0);
	obs_batch_fini(&batch);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_observation_comes_back_whole),
	    cmocka_unit_test(nothing_shorter_or_longer_is_taken),
	    cmocka_unit_test(another_version_or_kind_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
