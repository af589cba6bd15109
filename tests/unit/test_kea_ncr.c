/* test_kea_ncr.c - the socket of the NameChangeRequests: who may send, what a burst does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "adapters/kea/kea_ncr.h"
#include "bridge/base/clock.h"

enum { LONG_MS = 20000, BURST = 5000 };

static struct adapter *adapter;
static struct obs_batch batch;
static struct err e;
static int sender = -1;
static uint16_t port;
static char listen_at[64];
static struct setting set_v[4];
static struct settings set;

/* ---- settings ---------------------------------------------------------------------------- */

static void set_str(const char *name, const char *value)
{
	set_v[set.n++] = (struct setting){.name = name, .type = SETTING_STR, .str = value};
}

static void set_size(const char *name, int64_t bytes)
{
	set_v[set.n++] = (struct setting){.name = name, .type = SETTING_SIZE, .num = bytes};
}

static void set_allow(const char *const *list, size_t n)
{
	set_v[set.n++] = (struct setting){.name = "allow", .type = SETTING_LIST, .list = list,
					  .n = n};
}

/* A port that nobody had a moment ago. */
static uint16_t free_port(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	close(fd);
	return ntohs(sa.sin_port);
}

static int setup(void **state)
{
	(void)state;
	obs_batch_init(&batch);
	memset(&e, 0, sizeof(e));
	set = (struct settings){.v = set_v};
	port = free_port();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kea_ncr_ops.close(adapter);
	adapter = NULL;
	if (sender >= 0)
		close(sender);
	sender = -1;
	obs_batch_fini(&batch);
	return 0;
}

static int open_at(const char *host)
{
	snprintf(listen_at, sizeof(listen_at), "%s:%u", host, port);
	set_str("listen", listen_at);
	return kea_ncr_ops.open(&adapter, &set, NULL, &e);
}

static void listening(void)
{
	if (open_at("127.0.0.1") != 0)
		fail_msg("%s", e.text);
}

static int read_for(int64_t ms)
{
	obs_batch_reset(&batch);
	return kea_ncr_ops.read(adapter, &batch, clock_mono_ms() + ms, &e);
}

/* ---- sending ----------------------------------------------------------------------------- */

static void connect_to(const char *from)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)}, me = to;

	me.sin_port = 0;
	inet_pton(AF_INET, from, &me.sin_addr);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	if (sender >= 0)
		close(sender);
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(sender, (struct sockaddr *)&me, sizeof(me)), 0);
	assert_int_equal(connect(sender, (struct sockaddr *)&to, sizeof(to)), 0);
}

static void connect_v6(void)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port),
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	sender = socket(AF_INET6, SOCK_DGRAM, 0);
	assert_int_equal(connect(sender, (struct sockaddr *)&to, sizeof(to)), 0);
}

/* As long as Kea's own. */
static void send_ncr(unsigned n, bool remove)
{
	char b[512] = "";
	int len = snprintf(b + 2, sizeof(b) - 2,
			   "{\"change-type\":%d,\"forward-change\":true,\"reverse-change\":true,"
			   "\"fqdn\":\"host%u.lab.example.\",\"ip-address\":\"10.%u.%u.%u\","
			   "\"dhcid\":\"000101758F14CB6B55A30F10639911DD9158BA481680EA81A13CF094B0"
			   "EFEC67BDFEA7\",\"lease-expires-on\":\"20261121075554\","
			   "\"lease-length\":1200,\"use-conflict-resolution\":true}",
			   remove, n, n >> 16, n >> 8 & 255, n & 255);

	b[0] = (char)(len >> 8);
	b[1] = (char)len;
	assert_int_equal(send(sender, b, (size_t)len + 2, 0), len + 2);
}

static void name_is(size_t i, const char *want)
{
	assert_true(i < batch.n);
	assert_int_equal(batch.v[i].name.len, strlen(want));
	assert_memory_equal(batch.v[i].name.p, want, strlen(want));
}

/* ---- reading ----------------------------------------------------------------------------- */

static void requests_come_in_the_order_they_were_sent(void **state)
{
	int64_t before_s = clock_wall_s();

	(void)state;
	listening();
	connect_to("127.0.0.1");
	send_ncr(1, false);
	send_ncr(1, true);
	send_ncr(2, false);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(batch.n, 3);
	assert_int_equal(batch.n_bad, 0);
	name_is(0, "host1.lab.example.");
	assert_true(!batch.v[0].end && batch.v[1].end && !batch.v[2].end);
	name_is(2, "host2.lab.example.");
	assert_true(batch.v[0].seen_at_s >= before_s && batch.v[0].seen_at_s <= clock_wall_s());
}

static void quiet_ends_at_the_deadline(void **state)
{
	int64_t from_ms = clock_mono_ms();

	(void)state;
	listening();
	assert_int_equal(read_for(30), ADAPTER_IDLE);
	assert_true(clock_mono_ms() - from_ms >= 30);
	assert_int_equal(read_for(-1), ADAPTER_IDLE);
	/* What is there is taken even when the deadline has passed. */
	connect_to("127.0.0.1");
	send_ncr(1, false);
	assert_int_equal(read_for(-1), ADAPTER_DELTA);
	assert_int_equal(batch.n, 1);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void signal_ends_the_wait(void **state)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	struct itimerval often = {{0, 20000}, {0, 20000}}, never = {0};
	int64_t from_ms = clock_mono_ms();

	(void)state;
	listening();
	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(read_for(LONG_MS), ADAPTER_IDLE);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_true(clock_mono_ms() - from_ms < LONG_MS);
}

static void bad_datagram_costs_only_itself(void **state)
{
	char big[4096] = "";

	(void)state;
	listening();
	connect_to("127.0.0.1");
	send_ncr(1, false);
	assert_int_equal(send(sender, "", 0, 0), 0);
	assert_int_equal(send(sender, "\0\2{}", 4, 0), 4);
	assert_int_equal(send(sender, big, sizeof(big), 0), sizeof(big));
	send_ncr(2, false);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(batch.n, 2);
	assert_int_equal(batch.n_bad, 3);
	assert_int_equal(batch.bad[0].record, 2);
	assert_non_null(strstr(batch.bad[0].why, "too short"));
	assert_non_null(strstr(batch.bad[2].why, "too long"));
	name_is(1, "host2.lab.example.");
}

static void nothing_is_answered(void **state)
{
	char b[16];

	(void)state;
	listening();
	connect_to("127.0.0.1");
	send_ncr(1, false);
	assert_int_equal(send(sender, "x", 1, 0), 1);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(recv(sender, b, sizeof(b), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* ---- bursts ------------------------------------------------------------------------------ */

struct tally {
	unsigned n, reads, lost;
	unsigned next; /* a request that is out of order fails */
};

static void read_all(struct tally *t)
{
	int r;

	while ((r = read_for(0)) != ADAPTER_IDLE) {
		assert_true(r == ADAPTER_DELTA || r == ADAPTER_LOST);
		assert_true(batch.n <= 4096);
		for (size_t i = 0; i < batch.n; i++) {
			const uint8_t *b = batch.v[i].addr.b;
			unsigned n = (unsigned)(b[1] << 16 | b[2] << 8 | b[3]);

			assert_true(n >= t->next);
			t->next = n + 1;
		}
		t->n += (unsigned)batch.n;
		t->reads++;
		t->lost += r == ADAPTER_LOST;
	}
}

static int room_of(int want)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), got = 0;
	socklen_t len = sizeof(got);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof(want)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof(want));
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len);
	close(fd);
	return got;
}

static void burst_waits_for_a_reader_that_is_away(void **state)
{
	struct tally t = {0};

	(void)state;
	if (room_of(8 << 20) < BURST * 1280)
		skip(); /* net.core.rmem_max is too small, and we are not privileged */
	listening();
	connect_to("127.0.0.1");
	for (unsigned i = 0; i < BURST; i++)
		send_ncr(i, false);
	read_all(&t);
	assert_int_equal(t.n, BURST);
	assert_int_equal(t.lost, 0);
	assert_int_equal(t.reads, 2); /* a batch has its limit */
}

static void overflow_is_noticed_with_what_came_before(void **state)
{
	struct tally t = {0};

	(void)state;
	set_size("receive-buffer", 256 * 1024);
	listening();
	connect_to("127.0.0.1");
	for (unsigned i = 0; i < BURST; i++)
		send_ncr(i, false);
	read_all(&t);
	assert_true(t.n > 100 && t.n < BURST);
	assert_int_equal(t.lost, 1);
	/* Said once; then all is well again. */
	send_ncr(BURST, false);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(batch.n, 1);
	for (unsigned i = 0; i < BURST; i++)
		send_ncr(i, false);
	t = (struct tally){0};
	read_all(&t);
	assert_int_equal(t.lost, 1);
}

/* ---- who may send ------------------------------------------------------------------------ */

static void only_allowed_senders_count(void **state)
{
	static const char *const allow[] = {"2001:db8::/32", "127.1.2.0/24", "127.0.0.9"};

	(void)state;
	set_allow(allow, 3);
	listening();
	connect_to("127.1.2.255");
	send_ncr(1, false);
	connect_to("127.0.0.9");
	send_ncr(2, false);
	connect_to("127.0.0.1");
	send_ncr(3, false);
	connect_to("127.1.3.0");
	send_ncr(4, true);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(batch.n, 2);
	name_is(1, "host2.lab.example.");
	assert_int_equal(batch.n_bad, 2);
	assert_int_equal(batch.bad[0].record, 3);
	assert_string_equal(batch.bad[0].why, "the sender 127.0.0.1 is not allowed");
	assert_string_equal(batch.bad[1].why, "the sender 127.1.3.0 is not allowed");
}

static void listens_on_ipv6(void **state)
{
	static const char *const others[] = {"2001:db8::/32"};

	(void)state;
	if (open_at("[::1]") != 0)
		skip(); /* a machine without IPv6 */
	connect_v6();
	send_ncr(6, false);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(batch.n, 1);
	kea_ncr_ops.close(adapter);
	adapter = NULL;
	set.n = 0;
	set_allow(others, 1);
	assert_int_equal(open_at("[::]"), 0);
	send_ncr(6, false);
	assert_int_equal(read_for(LONG_MS), ADAPTER_DELTA);
	assert_int_equal(batch.n, 0);
	assert_string_equal(batch.bad[0].why, "the sender ::1 is not allowed");
}

static void others_must_be_listed(void **state)
{
	static const char *const host[] = {"0.0.0.0", "192.0.2.1", "[::]", "[2001:db8::1]"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		set.n = 0;
		assert_int_equal(open_at(host[i]), ERR_CONF);
		assert_non_null(strstr(e.text, "\"allow\""));
		assert_non_null(strstr(e.hint, "forge"));
		set.n = 0;
		set_allow(NULL, 0);
		assert_int_equal(open_at(host[i]), ERR_CONF);
	}
}

/* ---- settings ---------------------------------------------------------------------------- */

static void confirm_is_accepted(void **state)
{
	(void)state;
	set_str("confirm", "dhcp");
	listening();
}

static void bad_settings_are_refused(void **state)
{
	static const char *const bad[] = {"",          "127.0.0.1",     "127.0.0.1:",
					  ":53001",    "53001",         "127.0.0.1:0",
					  "::1:53001", "[127.0.0.1]:53001", "[::1]53001",
					  "[::1:53001", "[:53001",      "[]:53001",
					  "localhost:53001", "127.0.0.1:65536", "127.0.0.1:+1",
					  "127.0.0.1:53001 ", "127.0.0.1:999999999999"};
	static const char *const prefix[] = {"192.0.2.1/24"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set.n = 0;
		set_str("listen", bad[i]);
		assert_int_equal(kea_ncr_ops.open(&adapter, &set, NULL, &e), ERR_CONF);
		assert_non_null(strstr(e.text, "is not an address and a port"));
	}
	set.n = 0;
	set_allow(prefix, 1);
	assert_int_equal(open_at("127.0.0.1"), ERR_CONF);
	assert_non_null(strstr(e.text, "192.0.2.1/24"));
	set.n = 0;
	set_size("receive-buffer", 100);
	assert_int_equal(open_at("127.0.0.1"), ERR_CONF);
	set.n = 0;
	set_size("receive-buffer", INT64_C(1) << 32);
	assert_int_equal(open_at("127.0.0.1"), ERR_CONF);
}

static void port_in_use_is_explained(void **state)
{
	struct adapter *second = NULL;

	(void)state;
	listening();
	assert_int_equal(kea_ncr_ops.open(&second, &set, NULL, &e), ERR_SYS);
	assert_null(second);
	assert_non_null(strstr(e.text, listen_at));
	assert_non_null(strstr(e.hint, "kea-dhcp-ddns"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(requests_come_in_the_order_they_were_sent),
	    TEST(quiet_ends_at_the_deadline),
	    TEST(signal_ends_the_wait),
	    TEST(bad_datagram_costs_only_itself),
	    TEST(nothing_is_answered),
	    TEST(burst_waits_for_a_reader_that_is_away),
	    TEST(overflow_is_noticed_with_what_came_before),
	    TEST(only_allowed_senders_count),
	    TEST(listens_on_ipv6),
	    TEST(others_must_be_listed),
	    TEST(confirm_is_accepted),
	    TEST(bad_settings_are_refused),
	    TEST(port_in_use_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
