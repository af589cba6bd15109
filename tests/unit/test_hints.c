/* Hints over real sockets: whose are taken, how often a zone is given out, what a connection may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/core/outcome.h"
#include "bridge/role/hint_sockets.h"
#include "bridge/role/hints.h"

static struct live live = {.stop_fd = -1, .alive_fd = -1};
static struct sockaddr_in there = {.sin_family = AF_INET};
static struct conf *conf;
static struct hints *hints;

/* NOTIFY for b.example: no TSIG, id 7. */
static const uint8_t notify[] = "\0\7\x24\0\0\1\0\0\0\0\0\0\1b\7example\0\0\6\0\1";
enum { NOTIFY_LEN = sizeof(notify) - 1 };

static int dial(int type, const char *from)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	struct timeval tv = {5, 0};
	int fd = socket(AF_INET, type, 0);

	inet_pton(AF_INET, from, &a.sin_addr);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&there, sizeof(there)), 0);
	return fd;
}

/* The rcode of the answer to a datagram. */
static int tell(const char *from, const void *p, size_t len)
{
	int fd = dial(SOCK_DGRAM, from);
	uint8_t in[512];
	ssize_t n;

	assert_int_equal(send(fd, p, len, 0), len);
	hints_wait(hints, &live, 30);
	n = recv(fd, in, sizeof(in), MSG_DONTWAIT);
	close(fd);
	return n < 12 || in[1] != 7 ? -1 : in[3] & 15;
}

static uint16_t free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(fd, (struct sockaddr *)&a, &len);
	close(fd);
	return ntohs(a.sin_port);
}

static int open_hints(void **state)
{
	char path[] = "/tmp/ipambridge-hints-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	uint16_t port = free_port();
	struct err e = {0};

	(void)state;
	fprintf(f, "database = \"dbname=x\"\nnotify-listen = \"127.0.0.1:%u\"\n"
		"server \"ns1\" { address = 127.0.0.1 }\nserver \"ns2\" { address = 127.0.0.2 }\n"
		"zone \"a.example\" { server = \"ns1\" }\nzone \"b.example\" { server = \"ns1\" }\n"
		"zone \"c.example\" { server = \"ns2\" }\n", port);
	fclose(f);
	if (conf_load(&conf, path, &e) < 0 || hints_open(&hints, conf, &e) < 0)
		fail_msg("%s", e.text);
	unlink(path);
	there.sin_port = htons(port);
	there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return 0;
}

static int close_hints(void **state)
{
	(void)state;
	hints_close(hints);
	conf_free(conf);
	return 0;
}

static void a_zone_is_given_out_once_a_second(void **state)
{
	int64_t first_ms;

	(void)state;
	assert_int_equal(hints_next(hints), -1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(tell("127.0.0.1", notify, NOTIFY_LEN), RCODE_NOERROR);
	assert_int_equal(hints_next(hints), 1);
	first_ms = clock_mono_ms();
	assert_int_equal(hints_next(hints), -1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(tell("127.0.0.1", notify, NOTIFY_LEN), RCODE_NOERROR);
	assert_int_equal(hints_next(hints), -1);
	hints_wait(hints, &live, 20000);      /* ends as soon as it may be looked at */
	assert_int_equal(hints_next(hints), 1);
	assert_true(clock_mono_ms() - first_ms >= 1000 && clock_mono_ms() - first_ms < 15000);
	hints_again(hints, 1);
	assert_int_equal(hints_next(hints), -1);
}

static void only_servers_of_the_zone_are_taken_at_their_word(void **state)
{
	uint8_t odd[NOTIFY_LEN];

	(void)state;
	assert_int_equal(tell("127.0.0.3", notify, NOTIFY_LEN), RCODE_REFUSED);
	assert_int_equal(tell("127.0.0.2", notify, NOTIFY_LEN), RCODE_NOTAUTH);
	memcpy(odd, notify, NOTIFY_LEN);
	odd[5] = 2;
	assert_int_equal(tell("127.0.0.1", odd, NOTIFY_LEN), RCODE_FORMERR);
	odd[2] = 0xa4;                        /* an answer */
	assert_int_equal(tell("127.0.0.1", odd, NOTIFY_LEN), -1);
	assert_int_equal(tell("127.0.0.1", notify, 5), -1);
}

static void a_connection_takes_messages_in_pieces_and_the_oldest_gives_way(void **state)
{
	uint8_t framed[2 + NOTIFY_LEN] = {0, NOTIFY_LEN}, in[512];
	int fd[HINT_TCP_MAX + 1], i;

	(void)state;
	memcpy(framed + 2, notify, NOTIFY_LEN);
	for (i = 0; i <= HINT_TCP_MAX; i++) {
		fd[i] = dial(SOCK_STREAM, "127.0.0.1");
		assert_int_equal(send(fd[i], framed, 9, 0), 9);
		hints_wait(hints, &live, 20);
		hints_wait(hints, &live, 20);
	}
	assert_int_equal(recv(fd[0], in, sizeof(in), 0), 0);   /* had to go */
	assert_int_equal(send(fd[i - 1], framed + 9, sizeof(framed) - 9, 0), sizeof(framed) - 9);
	hints_wait(hints, &live, 20);
	assert_int_equal(recv(fd[i - 1], in, sizeof(in), 0), sizeof(framed));
	assert_int_equal(in[2 + 3] & 15, RCODE_NOERROR);
	/* One that is too long for any NOTIFY is no message. */
	assert_int_equal(send(fd[i - 1], "\xff\xff", 2, 0), 2);
	hints_wait(hints, &live, 20);
	assert_int_equal(recv(fd[i - 1], in, sizeof(in), 0), 0);
	for (i = 0; i <= HINT_TCP_MAX; i++)
		close(fd[i]);
}

static void strangers_cannot_connect(void **state)
{
	int fd = dial(SOCK_STREAM, "127.0.0.3");
	uint8_t in[16];

	(void)state;
	hints_wait(hints, &live, 30);
	assert_int_equal(recv(fd, in, sizeof(in), 0), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_zone_is_given_out_once_a_second, open_hints,
						close_hints),
		cmocka_unit_test_setup_teardown(only_servers_of_the_zone_are_taken_at_their_word,
						open_hints, close_hints),
		cmocka_unit_test_setup_teardown(
			a_connection_takes_messages_in_pieces_and_the_oldest_gives_way, open_hints,
			close_hints),
		cmocka_unit_test_setup_teardown(strangers_cannot_connect, open_hints, close_hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
