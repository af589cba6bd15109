/* test_neighbour_decode.c - neighbour tables: printed, as JSON, as netlink messages; and the
 * adapter around them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/neighbour/neighbour.h"
#include "adapters/neighbour/neighbour_decode.h"
#include "adapters/neighbour/neighbour_netlink_decode.h"
#include "bridge/base/clock.h"

#define FIXTURES "tests/fixtures/neighbour/"

static struct obs_batch batch;
static struct err e;
static struct neighbour_rules rules;

static int setup(void **state)
{
	(void)state;
	obs_batch_init(&batch);
	memset(&e, 0, sizeof(e));
	memset(&rules, 0, sizeof(rules));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	obs_batch_fini(&batch);
	return 0;
}

static int decode(enum neighbour_format format, const char *text)
{
	obs_batch_reset(&batch);
	return neighbour_decode(&batch, format, text, strlen(text), &rules, &e);
}

static char *slurp(const char *name)
{
	static char text[8192];
	char path[256];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), FIXTURES "%s", name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

/* "ADDRESS MAC, ..." of the batch. */
static void shows(const char *want)
{
	char got[2048] = "";

	for (size_t i = 0; i < batch.n; i++) {
		char addr[IPADDR_TEXT], mac[MAC_TEXT];
		size_t at = strlen(got);

		assert_int_equal(batch.v[i].kind, OBS_NEIGHBOUR);
		assert_true(batch.v[i].valid_until_s == OBS_FOREVER);
		assert_true(batch.v[i].raw.len > 0);
		assert_int_equal(batch.v[i].name.len, 0);
		snprintf(got + at, sizeof(got) - at, "%s%s %s", at > 0 ? ", " : "",
			 ipaddr_print(addr, &batch.v[i].addr), mac_print(mac, &batch.v[i].mac));
	}
	assert_string_equal(got, want);
}

static void file_shows(const char *name, enum neighbour_format format, const char *want)
{
	assert_int_equal(decode(format, slurp(name)), 0);
	shows(want);
	assert_int_equal(batch.n_bad, 0);
	assert_int_equal(decode(NEIGHBOUR_AUTO, slurp(name)), 0);
	shows(want);
	assert_int_equal(batch.n_bad, 0);
}

/* ---- text -------------------------------------------------------------------------------- */

static void proc_table_gives_resolved_entries(void **state)
{
	(void)state;
	file_shows("proc.txt", NEIGHBOUR_PROC,
		   "10.77.0.60 02:00:00:00:00:60, 10.77.0.100 02:00:00:aa:bb:01");
	assert_int_equal(batch.n_skipped, 1);
	file_shows("proc-incomplete.txt", NEIGHBOUR_PROC,
		   "10.77.0.50 02:00:00:aa:bb:01, 10.77.0.100 02:00:00:aa:bb:01");
	assert_int_equal(batch.n_skipped, 2);
}

static void iproute_lines_and_json_agree(void **state)
{
	static const char want[] = "10.77.0.60 02:00:00:00:00:60, 10.77.0.100 02:00:00:aa:bb:01";

	(void)state;
	file_shows("ip-neigh.txt", NEIGHBOUR_IPROUTE, want);
	file_shows("ip-j-neigh.txt", NEIGHBOUR_IPROUTE, want);
	file_shows("ip-s-j-neigh.txt", NEIGHBOUR_IPROUTE, want);
	file_shows("ip-j-neigh-incomplete.txt", NEIGHBOUR_IPROUTE,
		   "10.77.0.50 02:00:00:aa:bb:01, 10.77.0.100 02:00:00:aa:bb:01, "
		   "fd77::50 02:00:00:aa:bb:01");
	file_shows("ip-6-j-neigh-all.txt", NEIGHBOUR_IPROUTE, "");
	file_shows("ip-j-neigh-proxy.txt", NEIGHBOUR_IPROUTE, "");
}

static void arp_of_every_system_is_read(void **state)
{
	(void)state;
	file_shows("arp-an-freebsd.txt", NEIGHBOUR_BSD,
		   "192.0.2.7 02:00:00:aa:bb:01, 192.0.2.1 02:00:00:aa:bb:ff, "
		   "192.0.2.11 02:00:00:aa:bb:0b");
	file_shows("arp-an-macos.txt", NEIGHBOUR_BSD, "192.0.2.1 02:00:00:aa:0b:01");
	file_shows("arp-an-net-tools.txt", NEIGHBOUR_BSD,
		   "10.77.0.100 02:00:00:aa:bb:01, 10.77.0.60 02:00:00:00:00:60");
	file_shows("arp-an-openbsd.txt", NEIGHBOUR_BSD,
		   "192.0.2.1 02:00:00:aa:bb:01, 192.0.2.7 02:00:00:aa:bb:07");
	assert_int_equal(decode(NEIGHBOUR_AUTO, slurp("arp-libxo.txt")), 0);
	shows("192.0.2.7 02:00:00:aa:bb:01, 192.0.2.1 02:00:00:aa:bb:ff");
}

static void ndp_is_read(void **state)
{
	(void)state;
	file_shows("ndp-an.txt", NEIGHBOUR_BSD,
		   "2001:db8::1 02:00:00:aa:bb:ff, 2001:db8::7 02:00:00:aa:bb:01, "
		   "2001:db8:1111:2222:3333:4444:5555:6666 02:00:00:aa:bb:02, "
		   "2001:db8::b 02:00:00:aa:bb:0b");
}

static void only_wanted_interfaces_are_read(void **state)
{
	static const char *const names[] = {"vlan7", "lo0"};

	(void)state;
	rules.interfaces = names;
	rules.n_interfaces = 2;
	assert_int_equal(decode(NEIGHBOUR_BSD, slurp("ndp-an.txt")), 0);
	shows("2001:db8::b 02:00:00:aa:bb:0b");
	assert_int_equal(decode(NEIGHBOUR_BSD, slurp("arp-an-freebsd.txt")), 0);
	shows("192.0.2.11 02:00:00:aa:bb:0b");
	assert_int_equal(decode(NEIGHBOUR_PROC, slurp("proc.txt")), 0);
	shows("");
	assert_int_equal(decode(NEIGHBOUR_IPROUTE, slurp("ip-j-neigh.txt")), 0);
	shows("");
	assert_int_equal(decode(NEIGHBOUR_IPROUTE, slurp("ip-neigh.txt")), 0);
	shows("");
}

static void ages_become_times_when_the_text_has_them(void **state)
{
	(void)state;
	rules.now_s = 1795250000;
	rules.seen_s = 17;
	assert_int_equal(decode(NEIGHBOUR_IPROUTE, slurp("ip-s-j-neigh.txt")), 0);
	assert_int_equal(batch.v[0].seen_at_s, 17); /* permanent */
	assert_int_equal(batch.v[1].seen_at_s, 1795250000 - 1936);
	assert_int_equal(decode(NEIGHBOUR_PROC, slurp("proc.txt")), 0);
	assert_int_equal(batch.v[0].seen_at_s, 17);
}

static void entries_that_are_no_hosts_are_skipped(void **state)
{
	(void)state;
	assert_int_equal(decode(NEIGHBOUR_IPROUTE,
				"192.0.2.7 dev eth0 lladdr 02:00:00:aa:bb:01 NOARP\n"
				"192.0.2.8 dev eth0 lladdr 02:00:00:aa:bb:01 FAILED\n"
				"192.0.2.9 dev eth0 FAILED\n"
				"192.0.2.10 dev eth0 lladdr 00:00:00:00:00:00 REACHABLE\n"
				"192.0.2.11 dev eth0 lladdr 03:bf:c0:00:02:0b STALE\n"
				"169.254.3.4 dev eth0 lladdr 02:00:00:aa:bb:01 STALE\n"
				"fe80::1 dev eth0 lladdr 02:00:00:aa:bb:01 router STALE\n"
				"2001:db8::1 dev eth0 lladdr 02:00:00:aa:bb:01 router STALE\n"),
			 0);
	shows("2001:db8::1 02:00:00:aa:bb:01");
	assert_int_equal(batch.n_skipped, 7);
	assert_int_equal(batch.n_bad, 0);
}

static void empty_text_is_an_empty_table(void **state)
{
	(void)state;
	for (int f = NEIGHBOUR_AUTO; f <= NEIGHBOUR_BSD; f++) {
		assert_int_equal(decode((enum neighbour_format)f, ""), 0);
		assert_int_equal(decode((enum neighbour_format)f, "\n \t\r\n"), 0);
		assert_int_equal(batch.n + batch.n_bad + batch.n_skipped, 0);
	}
	assert_int_equal(decode(NEIGHBOUR_IPROUTE, "[ ]\n"), 0);
	assert_int_equal(decode(NEIGHBOUR_PROC, "IP address       HW type     Flags       "
						"HW address            Mask     Device\n"),
			 0);
	assert_int_equal(batch.n + batch.n_bad + batch.n_skipped, 0);
}

static void text_of_something_else_is_an_error(void **state)
{
	static const char *const texts[] = {
	    "ssh: connect to host fw port 22: No route to host\n",
	    "<html><body>Login</body></html>\n",
	    "? (192.0.2.7)\n",
	    "\x00\x01\x02",
	    "[1,2,3]",
	    "{\"error\":\"denied\"}",
	    "[{\"dst\":\"10.77.0.60\",\"dev\":\"vsrv\",\"lladdr\":\"02:00:00",
	    "[\n",
	    "{",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int r = decode(NEIGHBOUR_AUTO, texts[i]);

		assert_int_equal(r, texts[i][0] == '\0' ? 0 : ERR_PROTO);
		assert_int_equal(batch.n, 0);
	}
	/* A table, but in another format than the configuration says. */
	assert_int_equal(decode(NEIGHBOUR_PROC, slurp("ndp-an.txt")), ERR_PROTO);
	assert_int_equal(decode(NEIGHBOUR_BSD, slurp("proc.txt")), ERR_PROTO);
	assert_int_equal(decode(NEIGHBOUR_BSD, slurp("ip-j-neigh.txt")), ERR_PROTO);
}

static void bad_lines_are_refused_by_number(void **state)
{
	(void)state;
	assert_int_equal(decode(NEIGHBOUR_BSD,
				"? (192.0.2.7) at 02:00:00:aa:bb:01 on em0 permanent [ethernet]\n"
				"arp: warning\n"
				"\n"
				"? (192.0.2.8) at 02:00:zz:aa:bb:01 on em0 permanent [ethernet]\n"
				"? (192.0.2.) at 02:00:00:aa:bb:01 on em0 permanent [ethernet]\n"),
			 0);
	shows("192.0.2.7 02:00:00:aa:bb:01");
	assert_int_equal(batch.n_bad, 3);
	assert_int_equal(batch.bad[0].record, 2);
	assert_int_equal(batch.bad[1].record, 4);
	assert_string_equal(batch.bad[1].why, "the hardware address is not one");
	assert_int_equal(batch.bad[2].record, 5);
	assert_int_equal(decode(NEIGHBOUR_AUTO,
				"[{\"dst\":\"192.0.2.7\",\"dev\":\"e\",\"lladdr\":"
				"\"02:00:00:aa:bb:01\",\"state\":[\"STALE\"]},{\"dst\":5},7]"),
			 0);
	shows("192.0.2.7 02:00:00:aa:bb:01");
	assert_int_equal(batch.n_bad, 2);
	assert_int_equal(batch.bad[0].record, 2);
}

static void address_twice_gives_the_later_or_lower_one(void **state)
{
	(void)state;
	assert_int_equal(decode(NEIGHBOUR_IPROUTE,
				"192.0.2.9 dev a lladdr 02:00:00:00:00:09 STALE\n"
				"192.0.2.7 dev a lladdr 02:00:00:00:00:02 STALE\n"
				"192.0.2.7 dev b lladdr 02:00:00:00:00:01 STALE\n"
				"192.0.2.7 dev c lladdr 02:00:00:00:00:03 STALE\n"),
			 0);
	neighbour_unique(&batch);
	shows("192.0.2.7 02:00:00:00:00:01, 192.0.2.9 02:00:00:00:00:09");
	assert_int_equal(batch.n_skipped, 2);
	batch.v[0].seen_at_s = 5;
	batch.v[1].addr = batch.v[0].addr;
	batch.v[1].seen_at_s = 6;
	neighbour_unique(&batch);
	shows("192.0.2.7 02:00:00:00:00:09");
}

static void format_names_are_known(void **state)
{
	enum neighbour_format f = NEIGHBOUR_AUTO;

	(void)state;
	assert_true(neighbour_format_parse(&f, "bsd"));
	assert_int_equal(f, NEIGHBOUR_BSD);
	assert_false(neighbour_format_parse(&f, "linux"));
	assert_int_equal(f, NEIGHBOUR_BSD);
}

/* ---- netlink ----------------------------------------------------------------------------- */

static uint8_t dump[4096];
static size_t dump_len;
static struct netlink_rules nr;

static void dump_start(void)
{
	dump_len = 0;
	nr = (struct netlink_rules){.rules = &rules, .seq = 77, .ticks_per_s = 100};
	rules.now_s = 1795250000;
	obs_batch_reset(&batch);
}

static struct nlmsghdr *put(uint16_t type, const void *body, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)(dump + dump_len);

	memset(h, 0, sizeof(*h));
	h->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_MULTI;
	h->nlmsg_seq = 77;
	memcpy(dump + dump_len + NLMSG_HDRLEN, body, len);
	dump_len += NLMSG_ALIGN(h->nlmsg_len);
	return h;
}

static size_t put_attr(uint8_t *at, uint16_t type, const void *p, size_t len)
{
	struct rtattr a = {.rta_len = (unsigned short)(sizeof(a) + len), .rta_type = type};

	memcpy(at, &a, sizeof(a));
	memcpy(at + sizeof(a), p, len);
	return RTA_ALIGN(a.rta_len);
}

static void put_neigh(const char *addr, uint16_t state, uint8_t flags, uint8_t type,
		      const char *mac, uint32_t confirmed)
{
	struct nda_cacheinfo ci = {.ndm_confirmed = confirmed};
	uint8_t body[256] = {0};
	struct ndmsg nd = {
	    .ndm_ifindex = 2, .ndm_state = state, .ndm_flags = flags, .ndm_type = type};
	struct ipaddr a = {0};
	struct mac m = {0};
	size_t n = sizeof(nd);

	assert_true(ipaddr_parse(&a, addr, strlen(addr)));
	nd.ndm_family = a.family == 4 ? AF_INET : AF_INET6;
	memcpy(body, &nd, sizeof(nd));
	n += put_attr(body + n, NDA_DST, a.b, ipaddr_len(&a));
	if (mac != NULL) {
		assert_true(mac_parse(&m, mac, strlen(mac)));
		n += put_attr(body + n, NDA_LLADDR, m.b, 6);
	}
	n += put_attr(body + n, NDA_CACHEINFO, &ci, sizeof(ci));
	put(RTM_NEWNEIGH, body, n);
}

static int decode_dump(void)
{
	return neighbour_netlink_decode(&batch, dump, dump_len, &nr, &e);
}

/* The dump of a real kernel, entry by entry. */
static void netlink_dump_gives_usable_entries(void **state)
{
	(void)state;
	dump_start();
	put_neigh("10.77.0.51", NUD_INCOMPLETE, 0, 1, NULL, 6030);
	put_neigh("10.77.0.61", NUD_NOARP, 0, 1, "02:00:00:00:00:61", 4813);
	put_neigh("10.77.0.50", NUD_REACHABLE, 0, 1, "02:00:00:aa:bb:01", 30);
	put_neigh("10.77.0.100", NUD_STALE, 0, 1, "02:00:00:aa:bb:01", 198366);
	put_neigh("10.77.0.60", NUD_PERMANENT, 0, 1, "02:00:00:00:00:60", 1);
	put_neigh("ff02::16", NUD_NOARP, 0, 5, "33:33:00:00:00:16", 210944);
	put_neigh("fe80::2", NUD_STALE, 0, 1, "02:00:00:aa:bb:01", 146719);
	put_neigh("fd77::50", NUD_REACHABLE, NTF_ROUTER, 1, "02:00:00:aa:bb:01", 30);
	put_neigh("10.77.0.70", NUD_PERMANENT, NTF_PROXY, 1, "02:00:00:aa:bb:01", 30);
	put_neigh("10.77.0.71", NUD_REACHABLE, 0, 1, "00:00:00:00:00:00", 30);
	assert_int_equal(decode_dump(), NETLINK_MORE);
	shows("10.77.0.50 02:00:00:aa:bb:01, 10.77.0.100 02:00:00:aa:bb:01, "
	      "10.77.0.60 02:00:00:00:00:60, fd77::50 02:00:00:aa:bb:01");
	assert_int_equal(batch.n_skipped, 6);
	assert_int_equal(batch.v[1].seen_at_s, 1795250000 - 1983);
	assert_int_equal(batch.v[2].seen_at_s, 0);
	assert_int_equal(batch.v[1].raw.len,
			 strlen("10.77.0.100 dev 2 lladdr 02:00:00:aa:bb:01 STALE"));
	assert_memory_equal(batch.v[1].raw.p, "10.77.0.100 dev 2 lladdr 02:00:00:aa:bb:01 STALE",
			    batch.v[1].raw.len);
}

static void netlink_dump_ends_only_with_done(void **state)
{
	int32_t zero = 0;

	(void)state;
	dump_start();
	put_neigh("10.77.0.50", NUD_REACHABLE, 0, 1, "02:00:00:aa:bb:01", 30);
	assert_int_equal(decode_dump(), NETLINK_MORE);
	put(NLMSG_DONE, &zero, sizeof(zero));
	obs_batch_reset(&batch);
	assert_int_equal(decode_dump(), NETLINK_DONE);
	assert_int_equal(batch.n, 1);
}

static void netlink_dump_that_was_disturbed_is_asked_again(void **state)
{
	int32_t zero = 0;

	(void)state;
	dump_start();
	put_neigh("10.77.0.50", NUD_REACHABLE, 0, 1, "02:00:00:aa:bb:01", 30);
	put(NLMSG_DONE, &zero, sizeof(zero))->nlmsg_flags |= NLM_F_DUMP_INTR;
	assert_int_equal(decode_dump(), NETLINK_AGAIN);
	dump_start();
	put(NLMSG_OVERRUN, &zero, sizeof(zero));
	assert_int_equal(decode_dump(), NETLINK_AGAIN);
}

static void netlink_answers_to_others_are_passed_over(void **state)
{
	int32_t error = -EPERM;

	(void)state;
	dump_start();
	put_neigh("10.77.0.50", NUD_REACHABLE, 0, 1, "02:00:00:aa:bb:01", 30);
	((struct nlmsghdr *)(void *)dump)->nlmsg_seq = 78;
	put(NLMSG_ERROR, &error, sizeof(error))->nlmsg_seq = 0;
	assert_int_equal(decode_dump(), NETLINK_MORE);
	assert_int_equal(batch.n, 0);
}

static void netlink_errors_are_errors(void **state)
{
	int32_t error = -EPERM;

	(void)state;
	dump_start();
	put(NLMSG_ERROR, &error, sizeof(error));
	assert_int_equal(decode_dump(), ERR_SYS);
	assert_non_null(strstr(e.text, "Operation not permitted"));
	dump_start();
	put(NLMSG_ERROR, &error, 2);
	assert_int_equal(decode_dump(), ERR_PROTO);
	dump_start();
	put(RTM_NEWNEIGH, &error, 4);
	assert_int_equal(decode_dump(), ERR_PROTO);
	dump_start();
	put(NLMSG_DONE, &error, 4)->nlmsg_len = 4000;
	assert_int_equal(decode_dump(), ERR_PROTO);
	dump_start();
	put(NLMSG_DONE, &error, 4)->nlmsg_len = 3;
	assert_int_equal(decode_dump(), ERR_PROTO);
	dump_start();
	put_neigh("10.77.0.50", NUD_REACHABLE, 0, 1, "02:00:00:aa:bb:01", 30);
	dump[NLMSG_HDRLEN + 12] = 200; /* an attribute longer than the message */
	assert_int_equal(decode_dump(), ERR_PROTO);
}

static const char *name_two(void *ctx, uint32_t index)
{
	(void)ctx;
	return index == 2 ? "eth7" : NULL;
}

static void netlink_entries_of_other_interfaces_are_skipped(void **state)
{
	static const char *const names[] = {"eth7"};

	(void)state;
	dump_start();
	put_neigh("10.77.0.50", NUD_REACHABLE, 0, 1, "02:00:00:aa:bb:01", 30);
	nr.ifname = name_two;
	rules.interfaces = names;
	rules.n_interfaces = 1;
	assert_int_equal(decode_dump(), NETLINK_MORE);
	assert_int_equal(batch.n, 1);
	nr.ifname = NULL;
	assert_int_equal(decode_dump(), NETLINK_MORE);
	assert_int_equal(batch.n, 1);
	assert_int_equal(batch.n_skipped, 1);
}

/* ---- the adapter ------------------------------------------------------------------------- */

static struct adapter *adapter;

static int open_with(const struct setting *v, size_t n)
{
	struct settings set = {.v = v, .n = n};

	adapter = NULL;
	return neighbour_ops.open(&adapter, &set, NULL, &e);
}

static int read_adapter(void)
{
	obs_batch_reset(&batch);
	return neighbour_ops.read(adapter, &batch, clock_mono_ms() + 20000, &e);
}

static int read_file(const char *name, const char *format)
{
	struct setting v[] = {
	    {.name = "file", .type = SETTING_STR, .str = name},
	    {.name = "format", .type = SETTING_STR, .str = format},
	};
	int r;

	assert_int_equal(open_with(v, format != NULL ? 2 : 1), 0);
	r = read_adapter();
	assert_null(neighbour_ops.cursor(adapter));
	neighbour_ops.close(adapter);
	return r;
}

static int read_command(const char *const *argv, size_t n)
{
	struct setting v = {.name = "command", .type = SETTING_LIST, .list = argv, .n = n};
	int r;

	assert_int_equal(open_with(&v, 1), 0);
	r = read_adapter();
	neighbour_ops.close(adapter);
	return r;
}

#define COMMAND(...)                                                                               \
	read_command((const char *const[]){__VA_ARGS__},                                           \
		     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void adapter_reads_files_in_any_format(void **state)
{
	(void)state;
	assert_int_equal(read_file(FIXTURES "proc.txt", NULL), ADAPTER_COMPLETE);
	shows("10.77.0.60 02:00:00:00:00:60, 10.77.0.100 02:00:00:aa:bb:01");
	assert_int_equal(batch.n_skipped, 1);
	assert_true(batch.v[0].seen_at_s > 1000000); /* when the file was written */
	assert_int_equal(read_file(FIXTURES "arp-an-macos.txt", "bsd"), ADAPTER_COMPLETE);
	assert_int_equal(read_file(FIXTURES "ip-j-neigh.txt", "iproute"), ADAPTER_COMPLETE);
	assert_int_equal(read_file(FIXTURES "no-such-file", NULL), ERR_SYS);
	assert_int_equal(read_file("tests/fixtures/kea/leases4.csv", NULL), ERR_PROTO);
	assert_non_null(strstr(e.text, "is not a neighbour table"));
	assert_int_equal(read_file("/dev/null", NULL), ADAPTER_COMPLETE);
}

static void adapter_reads_commands_and_a_failure_is_no_empty_table(void **state)
{
	(void)state;
	assert_int_equal(COMMAND("cat", FIXTURES "ndp-an.txt"), ADAPTER_COMPLETE);
	assert_int_equal(batch.n, 4);
	assert_int_equal(COMMAND("true"), ADAPTER_COMPLETE);
	assert_int_equal(batch.n, 0);
	assert_int_equal(COMMAND("false"), ERR_SYS);
	assert_int_equal(COMMAND("/bin/sh", "-c", "cat " FIXTURES "ndp-an.txt; exit 1"), ERR_SYS);
	assert_int_equal(batch.n, 0);
	assert_int_equal(COMMAND("echo", "Permission denied"), ERR_PROTO);
}

static void adapter_reports_refused_lines_once(void **state)
{
	(void)state;
	assert_int_equal(COMMAND("/bin/sh", "-c",
				 "for i in 1 2 3 4 5 6 7; do echo junk; done; cat " FIXTURES
				 "proc.txt"),
			 ADAPTER_COMPLETE);
	assert_int_equal(batch.n, 2);
	assert_int_equal(batch.n_bad, 7);
	assert_int_equal(batch.bad[4].record, 5);
}

static void adapter_gives_a_large_table_in_portions(void **state)
{
	static const char *const argv[] = {
	    "awk", "BEGIN{for(i=0;i<9000;i++)printf \"10.0.%d.%d dev e lladdr "
		   "02:00:00:00:00:01 STALE\\n\",i/250,i%250+1}"};
	struct setting v = {.name = "command", .type = SETTING_LIST, .list = argv, .n = 2};
	size_t n = 0;
	int r, calls = 0;

	(void)state;
	assert_int_equal(open_with(&v, 1), 0);
	do {
		r = read_adapter();
		calls++;
		n += batch.n;
		assert_true(batch.n <= 4000);
	} while (r == ADAPTER_MORE);
	assert_int_equal(r, ADAPTER_COMPLETE);
	assert_int_equal(calls, 3);
	assert_int_equal(n, 9000);
	neighbour_ops.close(adapter);
}

static void adapter_reads_the_kernel_by_default(void **state)
{
	static const char *const lo[] = {"lo"}, *const none[] = {"no-such-if0"};
	struct setting v = {.name = "interface", .type = SETTING_LIST, .list = lo, .n = 1};

	(void)state;
	assert_int_equal(open_with(NULL, 0), 0);
	assert_int_equal(read_adapter(), ADAPTER_COMPLETE);
	assert_int_equal(read_adapter(), ADAPTER_COMPLETE);
	for (size_t i = 0; i < batch.n; i++)
		assert_true(batch.v[i].mac.known);
	neighbour_ops.close(adapter);
	assert_int_equal(open_with(&v, 1), 0);
	assert_int_equal(read_adapter(), ADAPTER_COMPLETE);
	assert_int_equal(batch.n, 0);
	neighbour_ops.close(adapter);
	v.list = none;
	assert_int_equal(open_with(&v, 1), 0);
	assert_int_equal(read_adapter(), ERR_SYS);
	neighbour_ops.close(adapter);
}

static void adapter_reads_standard_input_as_a_delta(void **state)
{
	int keep = dup(STDIN_FILENO), fd = open(FIXTURES "proc.txt", O_RDONLY);

	(void)state;
	assert_true(keep >= 0 && fd >= 0);
	dup2(fd, STDIN_FILENO);
	close(fd);
	assert_int_equal(read_file("-", NULL), ADAPTER_DELTA);
	dup2(keep, STDIN_FILENO);
	close(keep);
	assert_int_equal(batch.n, 2);
}

static void settings_that_contradict_are_refused(void **state)
{
	static const char *const argv[] = {"arp", "-an"};
	struct setting file = {.name = "file", .type = SETTING_STR, .str = "/x"};
	struct setting command = {.name = "command", .type = SETTING_LIST, .list = argv, .n = 2};
	struct setting format = {.name = "format", .type = SETTING_STR, .str = "kernel"};
	struct setting v[2] = {file, command};

	(void)state;
	assert_int_equal(open_with(v, 2), ERR_CONF);
	v[1] = format;
	assert_int_equal(open_with(v, 2), ERR_CONF);
	v[0] = format;
	v[0].str = "linux";
	assert_int_equal(open_with(v, 1), ERR_CONF);
	assert_non_null(strstr(e.hint, "iproute"));
	v[0].str = "bsd";
	assert_int_equal(open_with(v, 1), ERR_CONF);
	v[0].str = "proc";
	assert_int_equal(open_with(v, 1), 0);
	neighbour_ops.close(adapter);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(proc_table_gives_resolved_entries),
	    T(iproute_lines_and_json_agree),
	    T(arp_of_every_system_is_read),
	    T(ndp_is_read),
	    T(only_wanted_interfaces_are_read),
	    T(ages_become_times_when_the_text_has_them),
	    T(entries_that_are_no_hosts_are_skipped),
	    T(empty_text_is_an_empty_table),
	    T(text_of_something_else_is_an_error),
	    T(bad_lines_are_refused_by_number),
	    T(address_twice_gives_the_later_or_lower_one),
	    T(format_names_are_known),
	    T(netlink_dump_gives_usable_entries),
	    T(netlink_dump_ends_only_with_done),
	    T(netlink_dump_that_was_disturbed_is_asked_again),
	    T(netlink_answers_to_others_are_passed_over),
	    T(netlink_errors_are_errors),
	    T(netlink_entries_of_other_interfaces_are_skipped),
	    T(adapter_reads_files_in_any_format),
	    T(adapter_reads_commands_and_a_failure_is_no_empty_table),
	    T(adapter_reports_refused_lines_once),
	    T(adapter_gives_a_large_table_in_portions),
	    T(adapter_reads_the_kernel_by_default),
	    T(adapter_reads_standard_input_as_a_delta),
	    T(settings_that_contradict_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
