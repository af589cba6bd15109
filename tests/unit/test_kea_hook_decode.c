/* test_kea_hook_decode.c - what Kea's run_script hook was seen to tell, and what it might. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/kea/kea_hook_decode.h"

enum { ENV_MAX = 128 };

/* "NAME=value" lines, as Kea sets them. */
struct env {
	char *v[ENV_MAX];
	size_t n;
};

static struct obs_batch batch;
static struct buf record;

static int setup(void **state)
{
	(void)state;
	obs_batch_init(&batch);
	record = (struct buf)BUF_INIT;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	obs_batch_fini(&batch);
	buf_fini(&record);
	return 0;
}

static const char *get(void *ctx, const char *name)
{
	const struct env *env = ctx;
	size_t len = strlen(name);

	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], name, len) == 0 && env->v[i][len] == '=')
			return env->v[i] + len + 1;
	}
	return NULL;
}

static void tell(const char *event, struct env *env)
{
	obs_batch_reset(&batch);
	buf_reset(&record);
	kea_hook_encode(&record, event, get, env);
	assert_false(record.bad);
	assert_true(record.len <= KEA_HOOK_RECORD_MAX);
	assert_int_equal(kea_hook_decode(&batch, record.p, record.len, 7), 0);
}

/* A lease4_ event with these variables, in place of or beside the usual ones. */
static void tell4(const char *event, const char *const *more)
{
	static const char *const usual[] = {
	    "LEASE4_ADDRESS=192.0.2.7",     "LEASE4_CLTT=1000",
	    "LEASE4_HOSTNAME=web",          "LEASE4_HWADDR=02:00:00:aa:bb:01",
	    "LEASE4_STATE=default",         "LEASE4_VALID_LIFETIME=60",
	    "LEASE4_CLIENT_ID=01:02:ff",    "QUERY4_TYPE=DHCPREQUEST",
	};
	struct env env = {.n = 0};

	/* The first that has the name counts. */
	for (; *more != NULL; more++)
		env.v[env.n++] = (char *)(uintptr_t)*more;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		env.v[env.n++] = (char *)(uintptr_t)usual[i];
	tell(event, &env);
}

#define TELL4(event, ...) tell4(event, (const char *const[]){__VA_ARGS__, NULL})

static void refused(const char *why)
{
	assert_int_equal(batch.n, 0);
	assert_int_equal(batch.n_bad, 1);
	assert_int_equal(batch.bad[0].record, 7);
	assert_string_equal(batch.bad[0].why, why);
}

/* ---- captures ---------------------------------------------------------------------------- */

static void print_obs(struct buf *out)
{
	for (size_t i = 0; i < batch.n; i++) {
		const struct obs *o = &batch.v[i];
		char addr[IPADDR_TEXT], mac[MAC_TEXT];

		buf_printf(out, " %s ", ipaddr_print(addr, &o->addr));
		buf_escaped(out, o->name.p, o->name.len);
		buf_printf(out, " %s %u+%u +%lld%s%s", mac_print(mac, &o->mac), o->client_id.len,
			   o->duid.len, (long long)(o->valid_until_s - o->seen_at_s),
			   o->end ? " " : "", o->end ? o->end_why : "");
		assert_true(o->seen_at_s > 1795246500 && o->seen_at_s < 1795247000);
		assert_int_equal(o->kind, OBS_LEASE);
	}
	if (batch.n_skipped > 0)
		buf_printf(out, " skipped %d", (int)batch.n_skipped);
	assert_int_equal(batch.n_bad, 0);
	buf_chr(out, '\n');
}

static void end_event(struct buf *out, const char *event, struct env *env)
{
	if (event[0] != '\0') {
		tell(event, env);
		buf_str(out, event);
		print_obs(out);
	}
	while (env->n > 0)
		free(env->v[--env->n]);
}

/* All events of a capture, one line each. */
static void decode_capture(struct buf *out, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024], event[64] = "";
	struct env env = {.n = 0};

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '=' || line[0] == '#') {
			end_event(out, event, &env);
			if (sscanf(line, "=== %*s argv=[%63[^]]", event) != 1)
				event[0] = '\0';
			continue;
		}
		assert_true(env.n < ENV_MAX);
		env.v[env.n++] = strdup(line);
	}
	end_event(out, event, &env);
	fclose(f);
}

/* What another program made of the capture. */
static void compare(const char *capture, const char *expected)
{
	struct buf out = BUF_INIT, want = BUF_INIT;
	FILE *f = fopen(expected, "r");
	char piece[512];

	assert_non_null(f);
	while (fgets(piece, sizeof(piece), f) != NULL)
		buf_str(&want, piece);
	fclose(f);
	decode_capture(&out, capture);
	assert_string_equal(buf_text(&out), buf_text(&want));
	buf_fini(&out);
	buf_fini(&want);
}

static void all_that_kea_2_2_told_is_understood(void **state)
{
	(void)state;
	compare("tests/fixtures/kea/hook-v4-env.txt", "tests/fixtures/kea/hook-v4-want.txt");
	compare("tests/fixtures/kea/hook-v6-env.txt", "tests/fixtures/kea/hook-v6-want.txt");
}

/* ---- one lease --------------------------------------------------------------------------- */

static void a_renewal_says_who_has_the_address_until_when(void **state)
{
	const struct obs *o;
	char mac[MAC_TEXT];

	(void)state;
	TELL4("lease4_renew", NULL);
	o = &batch.v[0];
	assert_int_equal(batch.n, 1);
	assert_false(o->end);
	assert_int_equal(o->seen_at_s, 1000);
	assert_int_equal(o->valid_until_s, 1060);
	assert_memory_equal(o->name.p, "web", 3);
	assert_string_equal(mac_print(mac, &o->mac), "02:00:00:aa:bb:01");
	assert_int_equal(o->client_id.len, 3);
	assert_memory_equal(o->client_id.p, "\x01\x02\xff", 3);
	assert_int_equal(o->duid.len, 0);
	assert_string_equal((const char *)o->raw.p,
			    "lease4_renew ADDRESS=192.0.2.7 CLTT=1000 HOSTNAME=web "
			    "HWADDR=02:00:00:aa:bb:01 STATE=default VALID_LIFETIME=60 "
			    "CLIENT_ID=01:02:ff");
}

static void the_end_has_the_words_of_how_it_came(void **state)
{
	static const struct {
		const char *event, *variable, *why;
	} cases[] = {
	    {"lease4_release", NULL, "released"},
	    {"lease4_decline", NULL, "declined"},
	    {"lease4_expire", NULL, "reclaimed"},
	    {"lease4_recover", "LEASE4_STATE=declined", "reclaimed"},
	    {"lease4_renew", "LEASE4_STATE=declined", "declined"},
	    {"lease4_renew", "LEASE4_STATE=expired-reclaimed", "reclaimed"},
	    {"lease4_renew", "LEASE4_STATE=released", "released"},
	    {"lease4_renew", "LEASE4_VALID_LIFETIME=0", "released"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TELL4(cases[i].event, cases[i].variable);
		assert_int_equal(batch.n, 1);
		assert_true(batch.v[0].end);
		assert_string_equal(batch.v[0].end_why, cases[i].why);
	}
}

static void a_lease_for_ever_has_no_end(void **state)
{
	(void)state;
	TELL4("lease4_renew", "LEASE4_VALID_LIFETIME=4294967295");
	assert_true(batch.v[0].valid_until_s == OBS_FOREVER);
}

static void an_offer_says_nothing(void **state)
{
	(void)state;
	TELL4("lease4_renew", "QUERY4_TYPE=DHCPDISCOVER");
	assert_int_equal(batch.n, 0);
	assert_int_equal(batch.n_skipped, 1);
	assert_int_equal(batch.n_bad, 0);
}

static void client_text_arrives_byte_for_byte(void **state)
{
	(void)state;
	TELL4("lease4_renew", "LEASE4_HOSTNAME=a\n=b $(x) '\xc3\xa9.");
	assert_int_equal(batch.v[0].name.len, 14);
	assert_memory_equal(batch.v[0].name.p, "a\n=b $(x) '\xc3\xa9.", 14);
}

static void hardware_that_is_not_ethernet_is_no_fault(void **state)
{
	(void)state;
	TELL4("lease4_renew", "LEASE4_HWADDR=00:01:02:03:04:05:06:07");
	assert_int_equal(batch.n, 1);
	assert_false(batch.v[0].mac.known);
	TELL4("lease4_renew", "LEASE4_HWADDR=");
	assert_int_equal(batch.n, 1);
	assert_false(batch.v[0].mac.known);
}

static void what_cannot_be_true_is_refused_with_its_reason(void **state)
{
	static const char *const cases[][2] = {
	    {"LEASE4_ADDRESS=", "the address is not an IPv4 address"},
	    {"LEASE4_ADDRESS=2001:db8::1", "the address is not an IPv4 address"},
	    {"LEASE4_ADDRESS=127.0.0.1", "the address cannot be that of one host"},
	    {"LEASE4_CLTT=-1", "the time of the client's last word is not plausible"},
	    {"LEASE4_CLTT=99999999999", "the time of the client's last word is not plausible"},
	    {"LEASE4_CLTT=", "the time of the client's last word is not plausible"},
	    {"LEASE4_VALID_LIFETIME=4294967296", "the valid lifetime is no number of 32 bits"},
	    {"LEASE4_STATE=asleep", "the lease is in a state that is not known"},
	    {"LEASE4_STATE=", "the lease is in a state that is not known"},
	    {"LEASE4_HWADDR=02:0", "the hardware address is not one"},
	    {"LEASE4_HWADDR=02-00-00-aa-bb-01", "the hardware address is not one"},
	    {"LEASE4_CLIENT_ID=0x", "the client id is not one"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TELL4("lease4_renew", cases[i][0]);
		refused(cases[i][1]);
	}
}

static void a_value_that_is_too_long_is_cut_and_refused(void **state)
{
	char name[4000] = "LEASE4_HOSTNAME=", id[4000] = "LEASE4_CLIENT_ID=";

	(void)state;
	memset(name + strlen(name), 'a', 255);
	TELL4("lease4_renew", name);
	assert_int_equal(batch.v[0].name.len, 255);
	name[strlen(name)] = 'a';
	TELL4("lease4_renew", name);
	refused("the host name is longer than 255 bytes");
	memset(name + strlen(name), 'a', 3000);
	TELL4("lease4_renew", name);
	refused("the host name is longer than 255 bytes");
	assert_true(record.len < 1500);
	while (strlen(id) < 3000)
		strcat(id, "00:");
	TELL4("lease4_renew", id);
	refused("the client id is not one");
}

/* ---- lists ------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3))) add(struct env *env, const char *fmt, ...)
{
	va_list ap;

	assert_true(env->n < ENV_MAX);
	va_start(ap, fmt);
	assert_true(vasprintf(&env->v[env->n++], fmt, ap) > 0);
	va_end(ap);
}

/* leases6_committed with n leases, which says that it has so many. */
static void tell_list6(unsigned n, unsigned says)
{
	struct env env = {.n = 0};

	add(&env, "LEASES6_SIZE=%u", says);
	add(&env, "DELETED_LEASES6_SIZE=0");
	for (unsigned i = 0; i < n; i++) {
		char addr[IPADDR_TEXT];

		snprintf(addr, sizeof(addr), "2001:db8::%x", i + 1);
		add(&env, "LEASES6_AT%u_ADDRESS=%s", i, addr);
		add(&env, "LEASES6_AT%u_CLTT=1000", i);
		add(&env, "LEASES6_AT%u_STATE=default", i);
		add(&env, "LEASES6_AT%u_VALID_LIFETIME=60", i);
	}
	tell("leases6_committed", &env);
	while (env.n > 0)
		free(env.v[--env.n]);
}

static void each_lease_of_a_list_is_taken(void **state)
{
	(void)state;
	tell_list6(3, 3);
	assert_int_equal(batch.n, 3);
	assert_int_equal(batch.v[2].addr.b[15], 3);
	tell_list6(0, 0);
	assert_int_equal(batch.n + batch.n_bad + batch.n_skipped, 0);
}

static void leases_that_are_missing_are_counted(void **state)
{
	(void)state;
	tell_list6(2, 3);
	assert_int_equal(batch.n, 2);
	assert_int_equal(batch.n_bad, 1);
	assert_string_equal(batch.bad[0].why, "a lease is missing");
	tell_list6(1, 4000000);
	assert_int_equal(batch.n, 1);
	assert_int_equal(batch.n_bad, KEA_HOOK_LEASES_MAX);
	assert_string_equal(batch.bad[4].why, "a lease is missing");
}

static void the_ends_of_a_committed_packet_are_releases(void **state)
{
	struct env env = {.n = 0};

	(void)state;
	add(&env, "LEASES4_SIZE=0");
	add(&env, "DELETED_LEASES4_SIZE=1");
	add(&env, "DELETED_LEASES4_AT0_ADDRESS=192.0.2.9");
	add(&env, "DELETED_LEASES4_AT0_CLTT=1000");
	add(&env, "DELETED_LEASES4_AT0_STATE=default");
	add(&env, "DELETED_LEASES4_AT0_VALID_LIFETIME=60");
	tell("leases4_committed", &env);
	assert_int_equal(batch.n, 1);
	assert_string_equal(batch.v[0].end_why, "released");
	free(env.v[--env.n]);
	env.v[env.n++] = strdup("DELETED_LEASES4_AT0_VALID_LIFETIME=x");
	tell("leases4_committed", &env);
	refused("the valid lifetime is no number of 32 bits");
	while (env.n > 0)
		free(env.v[--env.n]);
	tell("leases4_committed", &env);
	assert_int_equal(batch.n_bad, 2);
	assert_string_equal(batch.bad[0].why, "it does not say how many leases it has");
}

/* Registered by the client itself (RFC 9686), Kea 3.0. */
static void a_registered_address_is_a_lease(void **state)
{
	static const char *const set[] = {
	    "NEW_LEASE6_ADDRESS=2001:db8::7", "NEW_LEASE6_CLTT=1000",
	    "NEW_LEASE6_HOSTNAME=six.",       "NEW_LEASE6_STATE=registered",
	    "NEW_LEASE6_DUID=00:03:00:01",    "NEW_LEASE6_VALID_LIFETIME=60",
	    "NEW_LEASE6_TYPE=IA_NA",          "NEW_LEASE6_PREFIX_LEN=128",
	    "OLD_LEASE6_ADDRESS=2001:db8::7",
	};
	struct env env = {.n = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		env.v[env.n++] = (char *)(uintptr_t)set[i];
	tell("addr6_register", &env);
	assert_int_equal(batch.n, 1);
	assert_false(batch.v[0].end);
	assert_int_equal(batch.v[0].duid.len, 4);
	env.v[4] = (char *)(uintptr_t)"NEW_LEASE6_DUID=00:00:00";
	tell("addr6_register", &env);
	assert_int_equal(batch.v[0].duid.len, 0);
}

/* ---- records ----------------------------------------------------------------------------- */

static void only_the_callouts_of_leases_are_known(void **state)
{
	(void)state;
	assert_true(kea_hook_known("leases4_committed"));
	assert_true(kea_hook_known("addr6_register"));
	assert_false(kea_hook_known("lease4_"));
	assert_false(kea_hook_known(""));
	assert_false(kea_hook_known("lease4_renewx"));
}

static void a_record_cut_anywhere_is_refused_or_lacks_what_was_cut(void **state)
{
	char *copy;
	size_t n;

	(void)state;
	TELL4("lease4_renew", NULL);
	n = record.len;
	for (size_t cut = 0; cut < n; cut++) {
		/* A copy of its own, so that a sanitizer sees a byte too much. */
		copy = malloc(cut + 1);
		memcpy(copy, record.p, cut);
		obs_batch_reset(&batch);
		assert_int_equal(kea_hook_decode(&batch, copy, cut, 1), 0);
		assert_int_equal(batch.n + batch.n_bad, 1);
		free(copy);
	}
}

static void other_peoples_datagrams_are_refused(void **state)
{
	(void)state;
	assert_int_equal(kea_hook_decode(&batch, "kh2\0", 4, 7), 0);
	refused("it is no record of kea-hook");
	obs_batch_reset(&batch);
	assert_int_equal(kea_hook_decode(&batch, "kh1\3abc", 7, 7), 0);
	refused("its event is not known");
	obs_batch_reset(&batch);
	TELL4("lease4_renew", NULL);
	obs_batch_reset(&batch);
	for (int i = 0; i < 2000; i++)
		buf_add(&record, "\1x\0\0", 4);
	assert_int_equal(kea_hook_decode(&batch, record.p, record.len, 7), 0);
	refused("it has too many variables");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(all_that_kea_2_2_told_is_understood, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_renewal_says_who_has_the_address_until_when, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(the_end_has_the_words_of_how_it_came, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_lease_for_ever_has_no_end, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_offer_says_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(client_text_arrives_byte_for_byte, setup, teardown),
	    cmocka_unit_test_setup_teardown(hardware_that_is_not_ethernet_is_no_fault, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(what_cannot_be_true_is_refused_with_its_reason, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_value_that_is_too_long_is_cut_and_refused, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(each_lease_of_a_list_is_taken, setup, teardown),
	    cmocka_unit_test_setup_teardown(leases_that_are_missing_are_counted, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_ends_of_a_committed_packet_are_releases, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_registered_address_is_a_lease, setup, teardown),
	    cmocka_unit_test_setup_teardown(only_the_callouts_of_leases_are_known, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_record_cut_anywhere_is_refused_or_lacks_what_was_cut, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(other_peoples_datagrams_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
