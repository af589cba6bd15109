/* ncr.c - new leases as Kea tells them, and when their names are visible.
 *
 *	ncr [-w WINDOW] [-e EACH] [-l LEASES] [-q QUIET] KEYFILE DNS-PORT NCR-PORT FORWARD REVERSE
 *	    FIRST HOSTS
 *
 * Host i is that of lab.py.  Each is told by a request to NCR-PORT (0: none), with -l first by a
 * row in a lease file.  Zones must hold no A and no PTR at the start.
 *
 * Prints "SECONDS A PTR": from the first request to the start of the transfers that showed all of
 * them, or the last one after QUIET seconds without news, and how many were there.
 *	-w   at most so many requests whose names are not yet visible; else all at once
 *	-e   one at a time with EACH milliseconds of rest between two; prints microseconds from the
 *	     request to the visible PTR, a line each, "inf" for one that was not there after QUIET
 */
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sys/prctl.h>

#include "bridge/core/dhcid.h"
#include "tests/bench/axfr.h"

enum {
	STEP = 32,              /* hosts between two looks while the window is full */
	SAMPLE = 50,            /* hosts between two looks before the first transfer */
	POLL_US = 500,
	POLL_EACH_US = 250,
	VALID_S = 86400,
};

struct feed {
	const char *forward, *reverse;
	struct tsig_key key;
	int ncr, dns, leases;
	const char *port;       /* of DNS */
	double quiet_s;
	uint16_t id;
};

static int udp(const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd;

	if (to.sin_port == 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("port %s: %s", port, strerror(errno));
	return fd;
}

static void parse_name(struct dname *out, const char *text)
{
	if (!dname_parse(out, text, strlen(text)))
		die("\"%s\" is no name", text);
}

static void rest(long us)
{
	struct timespec t = {us / 1000000, us % 1000000 * 1000};

	nanosleep(&t, NULL);
}

/* ---- telling ---------------------------------------------------------------------------- */

static void tell_lease(const struct feed *f, unsigned i)
{
	char row[400], mac[24];
	int n;

	snprintf(mac, sizeof(mac), "02:00:00:%02x:%02x:%02x", i >> 16 & 255, i >> 8 & 255, i & 255);
	n = snprintf(row, sizeof(row), "10.%u.%u.%u,%s,01:%s,%d,%lld,1,1,1,h%07u.%s,0,,0\n",
		     i >> 16 & 255, i >> 8 & 255, i & 255, mac, mac, VALID_S,
		     (long long)time(NULL) + VALID_S, i, f->forward);
	if (write(f->leases, row, (size_t)n) != n)
		die("the lease file: %s", strerror(errno));
}

static void tell_ncr(const struct feed *f, unsigned i)
{
	uint8_t id[7] = {1, 2, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
	struct identity who = {.client_id = {id, sizeof(id)}};
	char text[700], fqdn[300], hex[2 * DHCID_LEN + 1];
	uint8_t dhcid[DHCID_LEN];
	struct dname name;
	int n;

	snprintf(fqdn, sizeof(fqdn), "h%07u.%s", i, f->forward);
	parse_name(&name, fqdn);
	if (!dhcid_make(dhcid, &who, false, &name))
		die("no DHCID");
	for (n = 0; n < DHCID_LEN; n++)
		snprintf(hex + 2 * n, 3, "%02X", dhcid[n]);
	n = snprintf(text + 2, sizeof(text) - 2,
		     "{\"change-type\":0,\"forward-change\":true,\"reverse-change\":true,"
		     "\"fqdn\":\"%s.\",\"ip-address\":\"10.%u.%u.%u\",\"dhcid\":\"%s\","
		     "\"lease-expires-on\":\"20380101000000\",\"lease-length\":900,"
		     "\"use-conflict-resolution\":true}",
		     fqdn, i >> 16 & 255, i >> 8 & 255, i & 255, hex);
	text[0] = (char)(n >> 8);
	text[1] = (char)n;
	/* A receiver that closed its socket for a while answers so; Kea does not see it either. */
	if (send(f->ncr, text, (size_t)n + 2, 0) < 0 && errno != ECONNREFUSED)
		die("a request: %s", strerror(errno));
}

static void tell(const struct feed *f, unsigned i)
{
	if (f->leases >= 0)
		tell_lease(f, i);
	if (f->ncr >= 0)
		tell_ncr(f, i);
}

/* ---- looking ---------------------------------------------------------------------------- */

static bool visible(struct feed *f, const char *text, uint16_t type)
{
	struct pollfd p = {.fd = f->dns, .events = POLLIN};
	struct buf b = BUF_INIT;
	struct err e = {0};
	struct dname name;
	uint8_t in[600];
	bool sent;

	parse_name(&name, text);
	f->id++;
	if (write_query(&b, f->id, &name, type, &e) < 0)
		die("%s", e.text);
	sent = send(f->dns, b.p, b.len, 0) == (ssize_t)b.len;
	buf_fini(&b);
	while (sent && poll(&p, 1, 2000) == 1) {
		ssize_t n = recv(f->dns, in, sizeof(in), 0);

		if (n >= 12 && get16(in) == f->id)
			return (in[3] & 15) == 0 && get16(in + 6) > 0;
	}
	return false;
}

static bool has_a(struct feed *f, unsigned i)
{
	char text[300];

	snprintf(text, sizeof(text), "h%07u.%s", i, f->forward);
	return visible(f, text, RR_A);
}

static bool has_ptr(struct feed *f, unsigned i)
{
	char text[64];

	snprintf(text, sizeof(text), "%u.%u.%u.10.in-addr.arpa", i & 255, i >> 8 & 255,
		 i >> 16 & 255);
	return visible(f, text, RR_PTR);
}

static bool wait_for_host(struct feed *f, unsigned i)
{
	double until = now() + f->quiet_s;

	while (!has_ptr(f, i) || !has_a(f, i)) {
		if (now() > until)
			return false;
		rest(POLL_US);
	}
	return true;
}

/* ---- the two ways ------------------------------------------------------------------------ */

static void feed_all(struct feed *f, unsigned first, unsigned hosts, unsigned window)
{
	unsigned sent = 0, there = 0;

	while (sent < hosts) {
		for (; sent < hosts && sent - there < window; sent++)
			tell(f, first + sent);
		if (sent == hosts)
			break;
		/* What does not come does not hold up the others for ever. */
		wait_for_host(f, first + there + STEP - 1);
		there += STEP;
	}
}

static void wait_for_all(struct feed *f, unsigned first, unsigned hosts, double start)
{
	size_t a = 0, ptr = 0, before = 0;
	double at, news = now(), shown = start;
	unsigned i;
	int fd;

	for (i = 0; i < hosts && wait_for_host(f, first + i); i += SAMPLE)
		;
	fd = dial(f->port);
	do {
		at = now();
		a = transfer(fd, f->forward, &f->key, RR_A);
		ptr = transfer(fd, f->reverse, &f->key, RR_PTR);
		if (a + ptr > before) {
			before = a + ptr;
			shown = at;
			news = now();
		}
		if (a + ptr < 2 * hosts)
			rest(20000);
	} while (a + ptr < 2 * hosts && now() < news + f->quiet_s);
	printf("%.6f %zu %zu\n", shown - start, a, ptr);
}

static void one_by_one(struct feed *f, unsigned first, unsigned hosts, unsigned each_ms)
{
	for (unsigned i = first; i < first + hosts; i++) {
		double start = now(), until = start + f->quiet_s, end;

		tell(f, i);
		while (!has_ptr(f, i) && now() < until)
			rest(POLL_EACH_US);
		end = now();
		printf("%.0f\n", end < until ? 1e6 * (end - start) : INFINITY);
		wait_for_host(f, i);
		rest(1000L * each_ms);
	}
}

int main(int argc, char **argv)
{
	struct feed f = {.leases = -1, .quiet_s = 5};
	unsigned window = UINT32_MAX, each_ms = 0, first, hosts;
	struct err e = {0};
	bool weak;
	double start;
	int c;

	while ((c = getopt(argc, argv, "w:e:l:q:")) != -1) {
		if (c == 'w')
			window = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'e')
			each_ms = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'q')
			f.quiet_s = strtod(optarg, NULL);
		else if (c != 'l' || (f.leases = open(optarg, O_WRONLY | O_APPEND)) < 0)
			die("usage: see the top of ncr.c");
	}
	if (argc - optind != 7)
		die("usage: see the top of ncr.c");
	argv += optind;
	if (key_read(&f.key, argv[0], &weak, &e) < 0)
		die("%s", e.text);
	f.port = argv[1];
	f.dns = udp(f.port);
	f.ncr = udp(argv[2]);
	f.forward = argv[3];
	f.reverse = argv[4];
	first = (unsigned)strtoul(argv[5], NULL, 10);
	hosts = (unsigned)strtoul(argv[6], NULL, 10);
	prctl(PR_SET_TIMERSLACK, 1);
	if (each_ms > 0) {
		one_by_one(&f, first, hosts, each_ms);
		return 0;
	}
	start = now();
	feed_all(&f, first, hosts, window);
	wait_for_all(&f, first, hosts, start);
	return 0;
}
