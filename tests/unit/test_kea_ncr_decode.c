/* test_kea_ncr_decode.c - datagrams of NameChangeRequests, as Kea 2.2 to 3.1 send them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/kea/kea_ncr_decode.h"

#define AT_S 1795246555
#define CHANGES "\"forward-change\":true,\"reverse-change\":true,"
#define DIGEST "758F14CB6B55A30F10639911DD9158BA481680EA81A13CF094B0EFEC67BDFEA7"
#define DHCID  "\"dhcid\":\"000101" DIGEST "\","
#define WEB01 "\"fqdn\":\"web01.lab.example.\",\"ip-address\":\"192.0.2.7\","
#define ADD(members) "{\"change-type\":0," CHANGES members "}"
#define NAMED(fqdn)  ADD("\"fqdn\":\"" fqdn "\",\"ip-address\":\"192.0.2.7\"")

static struct obs_batch batch;

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

static const struct obs *datagram(const void *p, size_t len)
{
	obs_batch_reset(&batch);
	assert_int_equal(kea_ncr_decode(&batch, p, len, 42, AT_S), 0);
	assert_int_equal(batch.n + batch.n_bad, 1);
	assert_int_equal(batch.n_skipped, 0);
	return batch.n == 1 ? &batch.v[0] : NULL;
}

/* The text behind the length that is right for it. */
static const struct obs *text_of(const char *text, size_t len)
{
	uint8_t b[8192];

	assert_true(len + 2 <= sizeof(b));
	b[0] = (uint8_t)(len >> 8);
	b[1] = (uint8_t)len;
	memcpy(b + 2, text, len);
	return datagram(b, len + 2);
}

static const struct obs *ncr(const char *text)
{
	return text_of(text, strlen(text));
}

static void why_is(const char *why)
{
	assert_int_equal(batch.n, 0);
	assert_int_equal(batch.bad[0].record, 42);
	if (strstr(batch.bad[0].why, why) == NULL)
		fail_msg("refused with \"%s\"", batch.bad[0].why);
}

static void refused(const char *text, const char *why)
{
	assert_null(ncr(text));
	why_is(why);
}

static void name_is(const struct obs *o, const char *name, size_t len)
{
	assert_non_null(o);
	assert_int_equal(o->name.len, len);
	assert_memory_equal(o->name.p, name, len);
}

#define NAME_IS(o, name) name_is(o, name, sizeof(name) - 1)

/* ---- what Kea sends ---------------------------------------------------------------------- */

static void add_is_a_lease_that_stands(void **state)
{
	const char *text = ADD(WEB01 DHCID "\"lease-expires-on\":\"20261121075428\","
				     "\"lease-length\":1200,\"use-conflict-resolution\":true");
	const struct obs *o = ncr(text);

	(void)state;
	NAME_IS(o, "web01.lab.example.");
	assert_int_equal(o->kind, OBS_LEASE);
	assert_int_equal(o->addr.family, 4);
	assert_memory_equal(o->addr.b, "\xc0\x00\x02\x07", 4);
	assert_false(o->end);
	assert_null(o->end_why);
	assert_true(o->valid_until_s == OBS_FOREVER);
	assert_int_equal(o->seen_at_s, AT_S);
	assert_int_equal(o->ttl_s, 0);
	assert_false(o->mac.known);
	assert_int_equal(o->client_id.len + o->duid.len, 0);
	assert_int_equal(o->dhcid.len, DHCID_LEN);
	assert_memory_equal(o->dhcid.p, "\0\1\1\x75\x8f\x14\xcb", 7);
	assert_int_equal(o->dhcid.p[DHCID_LEN - 1], 0xa7);
	assert_int_equal(o->raw.len, strlen(text));
	assert_memory_equal(o->raw.p, text, strlen(text));
}

static void remove_is_an_end_that_names_what_goes(void **state)
{
	const struct obs *o = ncr("{\"change-type\":1," CHANGES WEB01 DHCID
				  "\"lease-expires-on\":\"20261121075428\",\"lease-length\":600,"
				  "\"use-conflict-resolution\":true}");

	(void)state;
	NAME_IS(o, "web01.lab.example.");
	assert_true(o->end);
	assert_string_equal(o->end_why, "removed by the DHCP server");
	assert_int_equal(o->seen_at_s, AT_S);
}

static void every_version_says_the_same(void **state)
{
	static const char *const tail[] = {
	    "\"lease-expires-on\":\"20261121075428\",\"lease-length\":1200,"
	    "\"use-conflict-resolution\":true", /* to 2.4 */
	    "\"lease-expires-on\":\"20261121075428\",\"lease-length\":1200,"
	    "\"use-conflict-resolution\":false",
	    "\"lease-expires-on\":\"19700101000000\",\"lease-length\":1200,"
	    "\"use-conflict-resolution\":true", /* DHCPv6 */
	    "\"lease-expires-on\":\"20261121075428\",\"lease-length\":1200,"
	    "\"conflict-resolution-mode\":\"check-with-dhcid\"", /* from 2.6 */
	    "\"lease-length\":1200,\"conflict-resolution-mode\":\"no-check-with-dhcid\"", /* 3.1.6 */
	    "\"lease-length\":1200,\"conflict-resolution-mode\":\"check-exists-with-dhcid\"",
	    "\"lease-length\":1200,\"conflict-resolution-mode\":\"no-check-without-dhcid\"",
	    "\"lease-length\":1200,\"conflict-resolution-mode\":\"of-a-later-version\"",
	    "\"lease-length\":1200",
	    "\"lease-length\":4294967295,\"from-the-future\":{\"a\":[1,null,2.5]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tail) / sizeof(tail[0]); i++) {
		char text[512];
		const struct obs *o;

		snprintf(text, sizeof(text), "{\"change-type\":0," CHANGES WEB01 DHCID "%s}",
			 tail[i]);
		o = ncr(text);
		NAME_IS(o, "web01.lab.example.");
		assert_true(o->valid_until_s == OBS_FOREVER && o->ttl_s == 0);
	}
}

static void blanks_and_another_order_do_not_matter(void **state)
{
	(void)state;
	NAME_IS(ncr(" { \"ip-address\" : \"2001:db8::7\" , \"fqdn\": \"six.lab.example.\",\n"
		    "\"reverse-change\": true, \"forward-change\": true, \"change-type\": 0 }\n"),
		"six.lab.example.");
	assert_int_equal(batch.v[0].addr.family, 6);
}

static void one_direction_is_enough(void **state)
{
	(void)state;
	assert_non_null(ncr("{\"change-type\":0,\"forward-change\":false,\"reverse-change\":true,"
			    WEB01 "\"lease-length\":600}"));
	assert_non_null(ncr("{\"change-type\":1,\"forward-change\":true,\"reverse-change\":false,"
			    WEB01 "\"lease-length\":600}"));
}

/* ---- names ------------------------------------------------------------------------------- */

static void escapes_of_a_master_file_are_undone(void **state)
{
	(void)state;
	NAME_IS(ncr(NAMED("sp\\032ace\\\"quote.lab.example.")), "sp ace\"quote.lab.example.");
	NAME_IS(ncr(NAMED("semi\\;x\\@\\$\\(\\).")), "semi;x@$().");
	NAME_IS(ncr(NAMED("utf\\195\\169.")), "utf\xc3\xa9.");
	NAME_IS(ncr(NAMED("half\\195.")), "half\xc3.");
	NAME_IS(ncr(NAMED("nul\\000x.")), "nul\0x.");
	NAME_IS(ncr(NAMED("top\\255")), "top\xff");
	NAME_IS(ncr(NAMED("back\\\\slash.")), "back\\slash.");
	NAME_IS(ncr(NAMED("back\\\\\\\"both.")), "back\\\"both.");
}

static void backslash_is_never_jsons(void **state)
{
	(void)state;
	NAME_IS(ncr(NAMED("\\u0041\\n\\t\\/.")), "u0041nt/.");
	NAME_IS(ncr(NAMED("\\ud800.")), "ud800.");
}

static void dot_of_a_label_divides_nothing(void **state)
{
	(void)state;
	NAME_IS(ncr(NAMED("www\\.lab.example.")), "www\\.lab.example.");
	NAME_IS(ncr(NAMED("www\\046lab.example.")), "www\\.lab.example.");
}

static void other_characters_are_kept(void **state)
{
	(void)state;
	NAME_IS(ncr(NAMED("comma,amp&x_y.lab.example.")), "comma,amp&x_y.lab.example.");
	NAME_IS(ncr(NAMED("&#x2c.lab.example.")), "&#x2c.lab.example.");
	NAME_IS(ncr(NAMED("r\xc3\xa9seau.lab.example.")), "r\xc3\xa9seau.lab.example.");
	NAME_IS(ncr(NAMED("without-dot")), "without-dot");
	NAME_IS(ncr(NAMED(".")), ".");
}

static void broken_escapes_are_refused(void **state)
{
	(void)state;
	refused(NAMED("x\\256."), "escape");
	refused(NAMED("x\\03"), "escape");
	refused(NAMED("x\\0a0."), "escape");
	refused(NAMED("x\\9"), "escape");
}

static void name_has_at_most_255_bytes(void **state)
{
	char text[2048], name[1200] = "";
	const struct obs *o;

	(void)state;
	for (int i = 0; i < 255; i++)
		memcpy(name + 4 * i, "\\195", 5);
	snprintf(text, sizeof(text), NAMED("%s"), name);
	o = ncr(text);
	assert_non_null(o);
	assert_int_equal(o->name.len, 255);
	assert_int_equal(o->raw.len, 512);
	snprintf(text, sizeof(text), NAMED("%sx"), name);
	refused(text, "longer than 255");
}

/* ---- what is refused --------------------------------------------------------------------- */

static void length_must_be_that_of_the_datagram(void **state)
{
	(void)state;
	assert_null(datagram("", 0));
	why_is("too short");
	assert_null(datagram("\0", 1));
	why_is("too short");
	assert_null(datagram("\0\0", 2));
	why_is("not a JSON object");
	assert_null(datagram("\0\3{}", 4));
	why_is("length");
	assert_null(datagram("\0\1{}", 4));
	why_is("length");
	assert_null(datagram("\1\2{}", 4));
	why_is("length");
}

static void datagram_has_a_greatest_size(void **state)
{
	char text[KEA_NCR_MAX] = NAMED("web01.");

	(void)state;
	memset(text + strlen(text), ' ', sizeof(text) - strlen(text));
	assert_non_null(text_of(text, KEA_NCR_MAX - 2));
	assert_null(text_of(text, KEA_NCR_MAX - 1));
	why_is("too long");
}

static void text_must_be_one_json_object(void **state)
{
	(void)state;
	refused("[]", "JSON object");
	refused("0", "JSON object");
	refused("null", "JSON object");
	refused("{", "JSON object");
	refused("\\", "JSON object");
	refused("{\"\\", "JSON object");
	refused("{\"fqdn\":\"a\\\"}", "JSON object");
	refused("{}{}", "JSON object");
	refused("\xff\xfe{}", "JSON object");
	refused("{\"change-type\":0,\"change-type\":1}", "JSON object");
	refused("\r\nGET / HTTP/1.1\r\n", "JSON object");
}

static void change_must_be_a_known_one(void **state)
{
	(void)state;
	refused("{" CHANGES WEB01 "\"lease-length\":600}", "change-type");
	refused("{\"change-type\":2," CHANGES WEB01 "\"lease-length\":600}", "change-type");
	refused("{\"change-type\":-1," CHANGES WEB01 "\"lease-length\":600}", "change-type");
	refused("{\"change-type\":\"0\"," CHANGES WEB01 "\"lease-length\":600}", "change-type");
	refused("{\"change-type\":0.0," CHANGES WEB01 "\"lease-length\":600}", "change-type");
	refused("{\"change-type\":4294967296," CHANGES WEB01 "\"lease-length\":600}",
		"change-type");
	refused("{\"change-type\":0,\"forward-change\":false,\"reverse-change\":false," WEB01
		"\"lease-length\":600}", "neither forward-change nor reverse-change");
	refused("{\"change-type\":0,\"forward-change\":true," WEB01 "\"lease-length\":600}",
		"neither true nor false");
	refused("{\"change-type\":0,\"forward-change\":1,\"reverse-change\":true," WEB01
		"\"lease-length\":600}", "neither true nor false");
}

static void address_must_be_that_of_a_host(void **state)
{
	(void)state;
	refused(ADD("\"fqdn\":\"web01.\""), "ip-address is not");
	refused(ADD("\"fqdn\":\"web01.\",\"ip-address\":\"\""), "ip-address is not");
	refused(ADD("\"fqdn\":\"web01.\",\"ip-address\":\"192.0.2\""), "ip-address is not");
	refused(ADD("\"fqdn\":\"web01.\",\"ip-address\":3221225991"), "ip-address is not");
	refused(ADD("\"fqdn\":\"web01.\",\"ip-address\":\"127.0.0.1\""), "one host");
	refused(ADD("\"fqdn\":\"web01.\",\"ip-address\":\"ff02::1\""), "one host");
	refused(ADD("\"fqdn\":\"web01.\",\"ip-address\":\"0.0.0.0\""), "one host");
}

static void name_must_be_there(void **state)
{
	(void)state;
	refused(ADD("\"ip-address\":\"192.0.2.7\""), "no fqdn");
	refused(NAMED(""), "no fqdn");
	refused(ADD("\"fqdn\":null,\"ip-address\":\"192.0.2.7\""), "no fqdn");
	refused(ADD("\"fqdn\":[\"web01.\"],\"ip-address\":\"192.0.2.7\""), "no fqdn");
}

static const struct obs *with_dhcid(const char *value)
{
	char text[512];

	snprintf(text, sizeof(text), ADD(WEB01 "\"dhcid\":%s"), value);
	return ncr(text);
}

static void refused_dhcid(const char *value)
{
	assert_null(with_dhcid(value));
	why_is("DHCID");
}

static void dhcid_must_be_the_data_of_one(void **state)
{
	(void)state;
	assert_int_equal(ncr(NAMED("web01."))->dhcid.len, 0);
	assert_memory_equal(with_dhcid("\"000201" DIGEST "\"")->dhcid.p, "\0\2\1\x75", 4);
	assert_memory_equal(with_dhcid("\"000001758f14cb6b55a30f10639911dd9158ba481680ea81a13cf094b"
				       "0efec67bdfea7\"")->dhcid.p, "\0\0\1\x75\x8f", 5);
	refused_dhcid("\"000301" DIGEST "\"");
	refused_dhcid("\"010101" DIGEST "\"");
	refused_dhcid("\"000102" DIGEST "\"");
	refused_dhcid("\"0001G1" DIGEST "\"");
	refused_dhcid("\"0001 1" DIGEST "\"");
	refused_dhcid("\"00010" DIGEST "\"");
	refused_dhcid("\"00010100" DIGEST "\"");
	refused_dhcid("\"\"");
	refused_dhcid("null");
	refused_dhcid("101");
}

static void no_cut_of_a_datagram_is_believed(void **state)
{
	const char *text = ADD(WEB01 DHCID "\"lease-length\":1200");

	(void)state;
	for (size_t len = 0; len < strlen(text); len++)
		assert_null(text_of(text, len));
	assert_non_null(ncr(text));
}

/* ---- captured from Kea 2.2.0 ------------------------------------------------------------- */

static const struct {
	char change;
	const char *addr, *name;
} captured[] = {
    {'-', "10.77.0.100", "web01.lab.example."},
    {'+', "10.77.0.100", "web02.lab.example."},
    {'-', "10.77.0.100", "web02.lab.example."},
    {'+', "10.77.0.101", "pc2.lab.example."},
    {'-', "10.77.0.101", "pc2.lab.example."},
    {'+', "10.77.0.101", "pc2.lab.example."},
    {'-', "10.77.0.101", "pc2.lab.example."},
    {'+', "10.77.0.103", "badhost12x.lab.example."},
    {'+', "10.77.0.104", "exp5.lab.example."},
    {'+', "10.77.0.106", "duidhost.lab.example."},
    {'-', "10.77.0.104", "exp5.lab.example."},
    {'+', "10.77.0.100", "comma,amp&x.lab.example."},
    {'+', "10.77.0.101", "sp ace\"quote.lab.example."},
    {'+', "10.77.0.102", "backslash.lab.example."},
    {'+', "10.77.0.104", "semi;x.lab.example."},
    {'+', "10.77.0.107", "under_score.lab.example."},
    {'+', "10.77.0.108", "utf\xc3\xa9.lab.example."},
    {'+', "10.77.0.109", "nl\nx.lab.example."},
    {'+', "10.77.0.110", "tab\tx.lab.example."},
    {'+', "10.77.0.111", "dot.in.name."},
    {'+', "10.77.0.112", "upper-case.lab.example."},
    {'+', "10.77.0.113", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
			 "lab.example."},
    {'+', "10.77.0.114", "&#x2c.lab.example."},
    {'+', "10.77.0.117", "onrenew.lab.example."},
    {'-', "10.77.0.117", "onrenew.lab.example."},
    {'+', "10.77.0.117", "onrenew.lab.example."},
    {'+', "10.77.0.118", "lfc0.lab.example."},
    {'+', "10.77.0.119", "lfc1.lab.example."},
    {'+', "10.77.0.120", "lfc2.lab.example."},
    {'+', "fd77::101", "six1.lab.example."},
    {'+', "fd77::101", "six1.lab.example."},
    {'+', "fd77::101", "six1.lab.example."},
    {'+', "fd77::101", "six1.lab.example."},
    {'-', "fd77::101", "six1.lab.example."},
    {'+', "fd77::103", "six1.lab.example."},
    {'-', "fd77::103", "six1.lab.example."},
};

static void captured_requests_are_understood(void **state)
{
	FILE *f = fopen("tests/fixtures/kea/ncr.txt", "r");
	char line[1024], addr[IPADDR_TEXT];
	size_t i = 0;

	(void)state;
	assert_non_null(f);
	for (; fgets(line, sizeof(line), f) != NULL; i++) {
		const struct obs *o = text_of(line, strcspn(line, "\n"));

		assert_true(i < sizeof(captured) / sizeof(captured[0]));
		name_is(o, captured[i].name, strlen(captured[i].name));
		assert_string_equal(ipaddr_print(addr, &o->addr), captured[i].addr);
		assert_int_equal(o->end, captured[i].change == '-');
		assert_int_equal(o->dhcid.len, DHCID_LEN);
	}
	fclose(f);
	assert_int_equal(i, sizeof(captured) / sizeof(captured[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(add_is_a_lease_that_stands),
	    cmocka_unit_test(remove_is_an_end_that_names_what_goes),
	    cmocka_unit_test(every_version_says_the_same),
	    cmocka_unit_test(blanks_and_another_order_do_not_matter),
	    cmocka_unit_test(one_direction_is_enough),
	    cmocka_unit_test(escapes_of_a_master_file_are_undone),
	    cmocka_unit_test(backslash_is_never_jsons),
	    cmocka_unit_test(dot_of_a_label_divides_nothing),
	    cmocka_unit_test(other_characters_are_kept),
	    cmocka_unit_test(broken_escapes_are_refused),
	    cmocka_unit_test(name_has_at_most_255_bytes),
	    cmocka_unit_test(length_must_be_that_of_the_datagram),
	    cmocka_unit_test(datagram_has_a_greatest_size),
	    cmocka_unit_test(text_must_be_one_json_object),
	    cmocka_unit_test(change_must_be_a_known_one),
	    cmocka_unit_test(address_must_be_that_of_a_host),
	    cmocka_unit_test(name_must_be_there),
	    cmocka_unit_test(dhcid_must_be_the_data_of_one),
	    cmocka_unit_test(no_cut_of_a_datagram_is_believed),
	    cmocka_unit_test(captured_requests_are_understood),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
