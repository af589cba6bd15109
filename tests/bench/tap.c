/* tap.c - listens to what passes over lo between servers and their clients, until told to stop.
 *
 *	tap PORT...
 *
 * Prints "ready"; after SIGTERM a line for each burst of a connection (nothing for 100 ms ends
 * one), and at last "lost N", packets that were not heard:
 *
 *	PORT CLIENT-PORT START END OPENED TO FROM TURNS
 *
 * START and END are Unix seconds of its first and last packet with data, or of the opening; TO and
 * FROM bytes of data to and from the server; TURNS round trips: openings, and how often the client
 * spoke after the server.
 */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <signal.h>

#include "tests/bench/peer.h"

enum { SERVERS = 4, HEAD = 120, ROOM = 256 << 20 };
#define GAP 0.1

struct burst {
	double start, end;
	uint64_t to, from;
	unsigned opened, turns;
	bool asking;            /* the client spoke last */
};

static struct burst bursts[SERVERS][1 << 16];
static volatile sig_atomic_t stop;

static void told(int sig)
{
	(void)sig;
	stop = 1;
}

static void finish(struct burst *b, uint16_t port, unsigned client)
{
	if (b->end > 0)
		printf("%u %u %.6f %.6f %u %llu %llu %u\n", port, client, b->start, b->end, b->opened,
		       (unsigned long long)b->to, (unsigned long long)b->from, b->turns);
	*b = (struct burst){.asking = b->asking};
}

static void note(struct burst *b, uint16_t port, uint16_t client, double at, bool to, bool opens,
		 uint32_t len)
{
	if (len == 0 && !opens)
		return;
	if (b->end > 0 && at > b->end + GAP)
		finish(b, port, client);
	if (b->end == 0)
		b->start = at;
	b->end = at;
	b->opened += opens;
	b->turns += opens || (to && !b->asking);
	b->asking = to && !opens;
	if (to)
		b->to += len;
	else
		b->from += len;
}

static int find(const uint16_t *port, int n, uint16_t p)
{
	while (--n >= 0 && port[n] != p)
		;
	return n;
}

/* An IPv4 packet that is len bytes long and of which the head was kept. */
static void hear(const uint8_t *p, size_t len, double at, const uint16_t *port, int n)
{
	const uint8_t *tcp = p + (p[0] & 15) * 4;
	uint16_t from = get16(tcp), dest = get16(tcp + 2);
	size_t head = (size_t)(tcp - p) + (size_t)(tcp[12] >> 4) * 4;
	bool syn = (tcp[13] & 0x12) == 0x02;
	int i = find(port, n, dest);

	if (p[9] != IPPROTO_TCP || len < head)
		return;
	if (i >= 0)
		note(&bursts[i][from], dest, from, at, true, syn, (uint32_t)(len - head));
	else if ((i = find(port, n, from)) >= 0)
		note(&bursts[i][dest], from, dest, at, false, false, (uint32_t)(len - head));
}

static double time_of(struct msghdr *m)
{
	struct timespec t = {0};
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&t, CMSG_DATA(c), sizeof(t));
	}
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void listen_on(int fd, const uint16_t *port, int n)
{
	uint8_t p[HEAD], control[128];

	while (!stop) {
		struct sockaddr_ll from;
		struct iovec v = {p, sizeof(p)};
		struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v,
				   .msg_iovlen = 1, .msg_control = control,
				   .msg_controllen = sizeof(control)};
		ssize_t len = recvmsg(fd, &m, MSG_TRUNC);

		/* On lo each packet is heard twice. */
		if (len >= 40 && from.sll_pkttype != PACKET_OUTGOING)
			hear(p, (size_t)len, time_of(&m), port, n);
		else if (len < 0 && errno != EINTR)
			die("recvmsg: %s", strerror(errno));
	}
}

static int open_tap(void)
{
	struct sockaddr_ll on = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
				 .sll_ifindex = 1};
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0), one = 1, room = ROOM;

	if (fd < 0 || bind(fd, (struct sockaddr *)&on, sizeof(on)) < 0)
		die("tap: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		die("SO_RCVBUFFORCE: %s", strerror(errno));
	return fd;
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = told};
	struct tpacket_stats lost = {0};
	socklen_t len = sizeof(lost);
	uint16_t port[SERVERS];
	unsigned c;
	int fd, i, n = argc - 1;

	if (n < 1 || n > SERVERS)
		die("usage: tap PORT...");
	for (i = 0; i < n; i++)
		port[i] = (uint16_t)strtoul(argv[i + 1], NULL, 10);
	sigaction(SIGTERM, &act, NULL);
	fd = open_tap();
	puts("ready");
	fflush(stdout);
	listen_on(fd, port, n);
	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &lost, &len);
	for (i = 0; i < n; i++)
		for (c = 0; c < 1 << 16; c++)
			finish(&bursts[i][c], port[i], c);
	printf("lost %u\n", lost.tp_drops);
	return 0;
}
