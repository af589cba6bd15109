/* test_kea_leases_decode.c - rows of Kea's lease files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/kea/kea_leases_decode.h"

#define V4_22                                                                                      \
	"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,"     \
	"state,user_context"
#define V6_22                                                                                      \
	"address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,"   \
	"fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source"
#define WEB01 "192.0.2.7,02:00:00:aa:bb:01,01:02:00:00:aa:bb:01,3600,1795250068,7,1,1,web01,0,"

static struct obs_batch batch;
static struct kea_header header;

static int setup(void **state)
{
	(void)state;
	obs_batch_init(&batch);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	obs_batch_fini(&batch);
	return 0;
}

static const char *take_header(const char *text)
{
	const char *why = NULL;

	return kea_header_parse(&header, text, strlen(text), &why) ? NULL : why;
}

/* The observation of a row, or NULL with the reason in batch.bad. */
static const struct obs *row(const char *text)
{
	obs_batch_reset(&batch);
	assert_int_equal(kea_row_decode(&batch, &header, text, strlen(text), 42, ""), 0);
	assert_int_equal(batch.n + batch.n_bad + batch.n_skipped, 1);
	return batch.n == 1 ? &batch.v[0] : NULL;
}

static void refused(const char *text, const char *why)
{
	assert_null(row(text));
	assert_int_equal(batch.n_bad, 1);
	assert_int_equal(batch.bad[0].record, 42);
	assert_non_null(strstr(batch.bad[0].why, why));
}

static void is_bytes(struct bytes b, const void *p, size_t len)
{
	assert_int_equal(b.len, len);
	assert_memory_equal(b.p, p, len);
}

static void is_text(struct bytes b, const char *s)
{
	is_bytes(b, s, strlen(s));
}

static void header_of_every_version_is_understood(void **state)
{
	(void)state;
	assert_null(take_header(V4_22));
	assert_int_equal(header.family, 4);
	assert_int_equal(header.n, 11);
	assert_null(take_header(V4_22 ",pool_id"));
	assert_int_equal(header.n, 12);
	assert_null(take_header(V4_22 ",pool_id,from_the_future,more"));
	assert_int_equal(header.n_max, 14);
	assert_null(take_header("address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,"
				"fqdn_rev,hostname"));
	assert_int_equal(header.at[KEA_STATE], KEA_NO_COLUMN);
	assert_null(take_header(V6_22));
	assert_int_equal(header.family, 6);
	assert_null(take_header(V6_22 ",pool_id"));
}

static void header_of_something_else_is_refused(void **state)
{
	(void)state;
	assert_non_null(take_header(""));
	assert_non_null(take_header("1795250068 02:00:00:aa:bb:01 192.0.2.7 web01 *"));
	assert_non_null(take_header(WEB01));
	assert_non_null(take_header("address,hwaddr,client_id,valid_lifetime,expire,subnet_id,"
				    "fqdn_fwd,fqdn_rev"));
	assert_non_null(take_header("address,hwaddr,client_id,valid_lifetime,expire,subnet_id,"
				    "fqdn_fwd,fqdn_rev,hostname,hostname"));
	assert_non_null(
	    take_header("address,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"
			",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"));
}

static void columns_are_found_by_name(void **state)
{
	const struct obs *o;

	(void)state;
	assert_null(take_header("hostname,state,expire,valid_lifetime,fqdn_rev,fqdn_fwd,subnet_id,"
				"client_id,hwaddr,address"));
	o = row("web01,0,1795250068,3600,1,1,7,,02:00:00:aa:bb:01,192.0.2.7");
	assert_non_null(o);
	is_text(o->name, "web01");
	assert_int_equal(o->addr.b[3], 7);
}

static void lease_is_read_whole(void **state)
{
	static const uint8_t id[] = {1, 2, 0, 0, 0xaa, 0xbb, 1};
	const struct obs *o;

	(void)state;
	take_header(V4_22);
	o = row(WEB01);
	assert_non_null(o);
	assert_int_equal(o->kind, OBS_LEASE);
	assert_false(o->end);
	assert_null(o->end_why);
	assert_int_equal(o->addr.family, 4);
	assert_memory_equal(o->addr.b, "\xc0\x00\x02\x07", 4);
	assert_true(o->mac.known);
	assert_memory_equal(o->mac.b, id + 1, 6);
	is_bytes(o->client_id, id, sizeof(id));
	assert_int_equal(o->duid.len, 0);
	is_text(o->name, "web01");
	assert_int_equal(o->valid_until_s, 1795250068);
	assert_int_equal(o->seen_at_s, 1795250068 - 3600);
	is_text(o->raw, WEB01);
}

static void lease_of_ipv6_has_a_duid(void **state)
{
	static const uint8_t duid[] = {0, 1, 0, 1, 0x29, 0xaa, 0xbb, 0xcc, 2, 0, 0, 0xaa, 0xbb, 1};
	const struct obs *o;

	(void)state;
	take_header(V6_22);
	o = row("2001:db8::1,00:01:00:01:29:aa:bb:cc:02:00:00:aa:bb:01,20,1795246876,9,12,0,5,128,"
		"1,1,six1.lab.example.,02:00:00:aa:bb:01,0,,1,2");
	assert_non_null(o);
	is_bytes(o->duid, duid, sizeof(duid));
	assert_int_equal(o->client_id.len, 0);
	assert_true(o->mac.known);
	is_text(o->name, "six1.lab.example.");
}

static void temporary_address_is_a_lease_and_a_prefix_is_none(void **state)
{
	(void)state;
	take_header(V6_22);
	assert_non_null(row("2001:db8::1,00:01:02:03,20,1795246876,9,12,1,5,128,1,1,h,,0,,,"));
	assert_null(row("2001:db8::1,00:01:02:03,20,1795246876,9,12,2,5,56,1,1,h,,0,,,"));
	assert_int_equal(batch.n_skipped, 1);
	assert_null(row("2001:db8::1,00:01:02:03,20,1795246876,9,12,0,5,64,1,1,h,,0,,,"));
	assert_int_equal(batch.n_skipped, 1);
	refused("2001:db8::1,00:01:02:03,20,1795246876,9,12,3,5,128,1,1,h,,0,,,", "lease type");
	refused("2001:db8::1,00:01:02:03,20,1795246876,9,12,0,5,129,1,1,h,,0,,,", "prefix length");
}

static void lease_that_is_over_says_why(void **state)
{
	static const struct {
		const char *row, *why;
	} cases[] = {
	    {"192.0.2.7,02:00:00:aa:bb:01,,0,1795250068,7,1,1,web01,0,", "released"},
	    {"192.0.2.7,02:00:00:aa:bb:01,,3600,1795250068,7,1,1,web01,3,", "released"},
	    {"192.0.2.7,02:00:00:aa:bb:01,,3600,1795250068,7,0,0,,2,", "reclaimed"},
	    {"192.0.2.7,02:00:00:aa:bb:01,,0,1795250068,7,0,0,,2,", "reclaimed"},
	    {"192.0.2.7,,,86400,1795250068,7,0,0,,1,", "declined"},
	    {"192.0.2.7,,,0,1795250068,7,0,0,,1,", "declined"},
	    {"192.0.2.7,,,0,0,7,0,0,,0,", "released"},
	};

	(void)state;
	take_header(V4_22);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct obs *o = row(cases[i].row);

		assert_non_null(o);
		assert_true(o->end);
		assert_string_equal(o->end_why, cases[i].why);
	}
	assert_false(row("192.0.2.7,02:00:00:aa:bb:01,,3600,1795250068,7,1,1,web01,4,")->end);
}

static void lease_for_ever_does_not_end_by_the_clock(void **state)
{
	const struct obs *o;

	(void)state;
	take_header(V4_22);
	o = row("192.0.2.7,02:00:00:aa:bb:01,,4294967295,6090217363,7,1,1,web01,0,");
	assert_non_null(o);
	assert_true(o->valid_until_s == OBS_FOREVER);
	assert_int_equal(o->seen_at_s, 6090217363 - 4294967295);
	o = row("192.0.2.7,02:00:00:aa:bb:01,,4294967295,1795250068,7,1,1,web01,0,");
	assert_non_null(o);
	assert_true(o->valid_until_s == OBS_FOREVER);
	assert_int_equal(o->seen_at_s, 1795250068);
}

static void name_is_unescaped_and_otherwise_kept(void **state)
{
	static const struct {
		const char *csv, *name;
	} cases[] = {
	    {"comma&#x2camp&#x26x", "comma,amp&x"},
	    {"&#x26#x2c", "&#x2c"}, /* once, not twice */
	    {"&#x2", "&#x2"},
	    {"&#xzz&", "&#xzz&"},
	    {"&#x0a", "\n"},
	    {"sp ace\"quote", "sp ace\"quote"},
	    {"back\\slash;'--", "back\\slash;'--"},
	    {"utf\xc3\xa9\t\x1b[31m", "utf\xc3\xa9\t\x1b[31m"},
	    {"", ""},
	};

	(void)state;
	take_header(V4_22);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		const struct obs *o;

		snprintf(text, sizeof(text), "192.0.2.7,,,3600,1795250068,7,1,1,%s,0,",
			 cases[i].csv);
		o = row(text);
		assert_non_null(o);
		is_text(o->name, cases[i].name);
	}
}

static void name_of_255_bytes_is_the_longest(void **state)
{
	char name[256 * 5 + 1], text[2048];

	(void)state;
	take_header(V4_22);
	for (int i = 0; i < 255; i++)
		memcpy(name + i * 5, "&#x2c", 6);
	snprintf(text, sizeof(text), "192.0.2.7,,,3600,1795250068,7,1,1,%s,0,", name);
	assert_non_null(row(text));
	assert_int_equal(batch.v[0].name.len, 255);
	assert_int_equal(batch.v[0].raw.len, KEA_RAW_MAX);
	memset(name, 'a', 256);
	name[256] = '\0';
	snprintf(text, sizeof(text), "192.0.2.7,,,3600,1795250068,7,1,1,%s,0,", name);
	refused(text, "host name is longer");
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text), "192.0.2.7,,,3600,1795250068,7,1,1,%s,0,", name);
	refused(text, "host name is longer");
}

static void hardware_address_that_is_no_mac_is_just_not_known(void **state)
{
	const struct obs *o;

	(void)state;
	take_header(V4_22);
	o = row("192.0.2.7,20:00:55:04:01:fe:80:00:00:00:00:00:00:00:02:c9:02:00:23:13,,3600,"
		"1795250068,7,1,1,ib,0,");
	assert_non_null(o);
	assert_false(o->mac.known);
	assert_false(row("192.0.2.7,,,3600,1795250068,7,1,1,x,0,")->mac.known);
	assert_false(row("192.0.2.7,00:00:00:00:00:00,,3600,1795250068,7,1,1,x,0,")->mac.known);
	refused("192.0.2.7,02:00:00:aa:bb:0,,3600,1795250068,7,1,1,x,0,", "hardware address");
	refused("192.0.2.7,02-00-00-aa-bb-01,,3600,1795250068,7,1,1,x,0,", "hardware address");
}

static void client_id_with_a_duid_stays_whole(void **state)
{
	const struct obs *o;

	(void)state;
	take_header(V4_22);
	o = row("192.0.2.7,,ff:01:02:03:04:00:01:00:01:29:aa:bb:cc:02:00:00:aa:bb:07,3600,"
		"1795250068,7,1,1,x,0,");
	assert_non_null(o);
	assert_int_equal(o->client_id.len, 19);
	assert_int_equal(o->client_id.p[0], 0xff);
	refused("192.0.2.7,,01:0g,3600,1795250068,7,1,1,x,0,", "client id");
}

static void empty_duid_of_a_declined_lease_is_no_identity(void **state)
{
	(void)state;
	take_header(V6_22);
	assert_int_equal(row("2001:db8::1,00,20,1795246876,9,12,0,5,128,0,0,,,1,,,")->duid.len, 0);
	assert_int_equal(
	    row("2001:db8::1,00:00:00,20,1795246876,9,12,0,5,128,0,0,,,1,,,")->duid.len, 0);
	assert_int_equal(row("2001:db8::1,00:04,20,1795246876,9,12,0,5,128,0,0,,,0,,,")->duid.len,
			 2);
}

static void row_of_a_newer_kea_below_an_older_header_is_taken(void **state)
{
	(void)state;
	take_header(V4_22);
	assert_non_null(row(WEB01 ",0"));
	refused(WEB01 ",0,0", "too many columns");
}

static void row_that_is_broken_is_refused_with_its_reason(void **state)
{
	(void)state;
	take_header(V4_22);
	refused("", "too few");
	refused(",,,,,,,,,,", "not an IPv4");
	refused("192.0.2.7,,,3600,1795250068,7,1,1,nl", "too few");
	refused("x.lab.example,0,", "too few");
	refused("192.0.2.,,,3600,1795250068,7,1,1,x,0,", "not an IPv4");
	refused("2001:db8::1,,,3600,1795250068,7,1,1,x,0,", "not an IPv4");
	refused("192.0.2.7,,,,1795250068,7,1,1,x,0,", "lifetime");
	refused("192.0.2.7,,,-1,1795250068,7,1,1,x,0,", "lifetime");
	refused("192.0.2.7,,,4294967296,1795250068,7,1,1,x,0,", "lifetime");
	refused("192.0.2.7,,,3600,,7,1,1,x,0,", "expiry");
	refused("192.0.2.7,,,3600,3599,7,1,1,x,0,", "expiry");
	refused("192.0.2.7,,,3600,99999999999999999999,7,1,1,x,0,", "expiry");
	refused("192.0.2.7,,,3600,9000000000,7,1,1,x,0,", "expiry");
	refused("192.0.2.7,,,3600,1795250068,,1,1,x,0,", "subnet");
	refused("192.0.2.7,,,3600,1795250068,7,2,1,x,0,", "fqdn");
	refused("192.0.2.7,,,3600,1795250068,7,1,,x,0,", "fqdn");
	refused("192.0.2.7,,,3600,1795250068,7,1,1,x,5,", "state");
	refused("127.0.0.1,,,3600,1795250068,7,1,1,x,0,", "one host");
	refused("224.0.0.1,,,3600,1795250068,7,1,1,x,0,", "one host");
	/* A crash in the middle of a row, and the next row behind it. */
	refused(
	    "192.0.2.7,02:00:00:aa:bb:01,01:02192.0.2.8,02:00:00:aa:bb:02,,3600,1795250068,7,1,1,"
	    "x,0,",
	    "too many");
	refused("192.0.2.7,02192.0.2.8,02:00:00:aa:bb:02,,3600,1795250068,7,1,1,x,0,", "lifetime");
}

static void row_speaks_for_its_address_only_when_it_reaches_its_name(void **state)
{
	static const struct {
		const char *row;
		bool speaks;
	} cases[] = {
	    {WEB01, true},
	    {"192.0.2.7,,,rubbish,,7,1,1,x,0,", true},
	    {"192.0.2.7,,,3600,1795250068,7,1,1,nl", true},
	    {"192.0.2.7,,,3600,1795250068,7,1,1", false},
	    {"192.0.2.7,0,", false}, /* what a client may put behind a newline */
	    {"192.0.2.7", false},
	    {"nonsense,,,3600,1795250068,7,1,1,x,0,", false},
	    {"2001:db8::1,,,3600,1795250068,7,1,1,x,0,", false},
	    {"", false},
	};
	struct ipaddr a;

	(void)state;
	take_header(V4_22);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(kea_row_address(&a, &header, cases[i].row, strlen(cases[i].row)),
				 cases[i].speaks);
}

/* Every row of a real file in its order: the header, then rows, counted. */
static void decode_file(const char *path)
{
	char line[4096];
	FILE *f = fopen(path, "r");
	uint64_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		size_t len = strcspn(line, "\n");

		line[len] = '\0';
		if (n++ == 0)
			assert_null(take_header(line));
		else
			assert_int_equal(kea_row_decode(&batch, &header, line, len, n, ""), 0);
	}
	fclose(f);
}

static void real_files_are_read_without_a_refusal(void **state)
{
	(void)state;
	decode_file("tests/fixtures/kea/leases4.csv");
	assert_int_equal(batch.n, 18);
	decode_file("tests/fixtures/kea/leases4-demo.csv");
	assert_int_equal(batch.n, 18 + 20);
	decode_file("tests/fixtures/kea/leases4-2.4.csv");
	assert_int_equal(batch.n, 18 + 20 + 4);
	assert_int_equal(batch.n_skipped, 0);
	decode_file("tests/fixtures/kea/leases6.csv");
	assert_int_equal(batch.n, 18 + 20 + 4 + 9);
	assert_int_equal(batch.n_skipped, 5);
	decode_file("tests/fixtures/kea/leases6-3.0.csv");
	assert_int_equal(batch.n, 18 + 20 + 4 + 9 + 5);
	assert_int_equal(batch.n_skipped, 6);
	assert_int_equal(batch.n_bad, 0);
}

static void newline_in_a_name_makes_two_refused_rows(void **state)
{
	(void)state;
	decode_file("tests/fixtures/kea/leases4-odd-hostnames.csv");
	assert_int_equal(batch.n_bad, 2);
	assert_int_equal(batch.bad[0].record, 26);
	assert_int_equal(batch.bad[1].record, 27);
	assert_int_equal(batch.n, 18 + 11);
	is_text(batch.v[18].name, "comma,amp&x.lab.example");
	is_text(batch.v[28].name, "&#x2c.lab.example");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(header_of_every_version_is_understood),
	    T(header_of_something_else_is_refused),
	    T(columns_are_found_by_name),
	    T(lease_is_read_whole),
	    T(lease_of_ipv6_has_a_duid),
	    T(temporary_address_is_a_lease_and_a_prefix_is_none),
	    T(lease_that_is_over_says_why),
	    T(lease_for_ever_does_not_end_by_the_clock),
	    T(name_is_unescaped_and_otherwise_kept),
	    T(name_of_255_bytes_is_the_longest),
	    T(hardware_address_that_is_no_mac_is_just_not_known),
	    T(client_id_with_a_duid_stays_whole),
	    T(empty_duid_of_a_declined_lease_is_no_identity),
	    T(row_of_a_newer_kea_below_an_older_header_is_taken),
	    T(row_that_is_broken_is_refused_with_its_reason),
	    T(row_speaks_for_its_address_only_when_it_reaches_its_name),
	    T(real_files_are_read_without_a_refusal),
	    T(newline_in_a_name_makes_two_refused_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
