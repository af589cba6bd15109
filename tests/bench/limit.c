/* limit.c - the server's limit: signed UPDATEs built beforehand and pipelined, one TCP connection
 * for the forward and one for the reverse zone, both at once; of an answer only id and rcode are
 * looked at.
 *
 *	limit KEYFILE PORT FORWARD REVERSE FIRST HOSTS PER-MESSAGE WINDOW     prints seconds
 */
#include <fcntl.h>
#include <poll.h>

#include "bridge/core/dhcid.h"
#include "bridge/dns/tsig.h"
#include "bridge/dns/write.h"
#include "tests/bench/peer.h"

enum { TTL_S = 300 };

struct message {
	struct buf b;           /* with its length before it */
	uint16_t id;
};

struct lane {
	struct dname zone;
	bool reverse;
	struct message *msg;
	size_t n, sent, answered;
	size_t at;              /* bytes of msg[sent] that are gone */
	struct buf in;
	int fd;
};

/* Client i as the lease file of the bench has it: 10.0.0.0/8, client id 01 and the MAC. */
struct client {
	struct dname name;
	struct ipaddr addr;
	uint8_t dhcid[DHCID_LEN];
};

static void name_parse(struct dname *out, const char *text)
{
	if (!dname_parse(out, text, strlen(text)))
		die("\"%s\" is no name", text);
}

static void client_make(struct client *c, unsigned i, const char *forward)
{
	uint8_t id[7] = {1, 2, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
	struct identity who = {.client_id = {id, sizeof(id)}};
	char text[300];

	snprintf(text, sizeof(text), "h%07u.%s", i, forward);
	name_parse(&c->name, text);
	c->addr = (struct ipaddr){4, {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
	if (!dhcid_make(c->dhcid, &who, false, &c->name))
		die("no DHCID");
}

/* Forward: the name not in use (RFC 2136 2.4.5), then A and DHCID.  Reverse: PTR and DHCID. */
static void fill(struct change *c, struct client *who, bool reverse)
{
	static struct change_rr unused = {.type = RR_ANY, .class_ = RR_CLASS_NONE};
	struct change_rr *rr = c->upd;

	c->owner = who->name;
	if (reverse)
		ipaddr_reverse(&c->owner, &who->addr);
	c->pre = &unused;
	c->n_pre = !reverse;
	c->n_upd = 2;
	rr[0] = (struct change_rr){reverse ? RR_PTR : RR_A, RR_CLASS_IN, TTL_S,
				   reverse ? who->name.len : 4,
				   reverse ? who->name.b : who->addr.b};
	rr[1] = (struct change_rr){RR_DHCID, RR_CLASS_IN, TTL_S, DHCID_LEN, who->dhcid};
}

static void build(struct lane *l, struct client *who, unsigned hosts, unsigned per,
		  const struct tsig_key *key)
{
	struct change *c = calloc(per, sizeof(*c));
	const struct change **p = calloc(per, sizeof(*p));
	struct err e = {0};
	struct tsig_mac mac;
	unsigned i, n, k;

	l->msg = calloc(hosts / per + 1, sizeof(*l->msg));
	for (k = 0; k < per; k++) {
		c[k].upd = calloc(2, sizeof(*c[k].upd));
		p[k] = &c[k];
	}
	for (i = 0; i < hosts; i += n) {
		struct message *m = &l->msg[l->n++];
		struct buf b = BUF_INIT;

		n = hosts - i < per ? hosts - i : per;
		for (k = 0; k < n; k++)
			fill(&c[k], &who[i + k], l->reverse);
		m->id = (uint16_t)(l->n + 1000);
		if (write_update(&b, m->id, &l->zone, p, n, &e) < 0 ||
		    tsig_sign(&b, key, (int64_t)time(NULL), &mac, &e) < 0)
			die("%s", e.text);
		buf_u16(&m->b, (uint16_t)b.len);
		buf_add(&m->b, b.p, b.len);
		buf_fini(&b);
	}
}

/* As much as the socket takes, with at most window messages unanswered. */
static void feed(struct lane *l, size_t window)
{
	while (l->sent < l->n && l->sent - l->answered < window) {
		struct message *m = &l->msg[l->sent];
		ssize_t w = send(l->fd, m->b.p + l->at, m->b.len - l->at, MSG_NOSIGNAL);

		if (w < 0 && errno == EAGAIN)
			return;
		if (w < 0)
			die("send: %s", strerror(errno));
		l->at += (size_t)w;
		if (l->at < m->b.len)
			continue;
		l->at = 0;
		l->sent++;
	}
}

static void answer(struct lane *l, const uint8_t *p)
{
	uint16_t id = get16(p);
	size_t i = id - 1001u;

	if (i >= l->sent || l->msg[i].id != id)
		die("an answer to nothing");
	if ((p[3] & 15) != 0)
		die("rcode %d", p[3] & 15);
	l->msg[i].id = 0;
	l->answered++;
}

static void drink(struct lane *l)
{
	char tmp[65536];
	ssize_t r = recv(l->fd, tmp, sizeof(tmp), 0);
	size_t at = 0;

	if (r < 0 && errno == EAGAIN)
		return;
	if (r <= 0)
		die("recv: %s", r < 0 ? strerror(errno) : "closed");
	buf_add(&l->in, tmp, (size_t)r);
	while (l->in.len - at >= 2) {
		const uint8_t *p = (const uint8_t *)l->in.p + at;

		if (l->in.len - at < 2u + get16(p))
			break;
		if (get16(p) < 12)
			die("a short answer");
		answer(l, p + 2);
		at += 2u + get16(p);
	}
	l->in.len -= at;
	memmove(l->in.p, l->in.p + at, l->in.len);
}

static void run(struct lane *l, size_t window)
{
	while (l[0].answered < l[0].n || l[1].answered < l[1].n) {
		struct pollfd p[2];
		int i;

		for (i = 0; i < 2; i++) {
			feed(&l[i], window);
			p[i] = (struct pollfd){l[i].fd, POLLIN, 0};
			if (l[i].sent < l[i].n && l[i].sent - l[i].answered < window)
				p[i].events |= POLLOUT;
			if (l[i].answered == l[i].n)
				p[i].fd = -1;
		}
		if (poll(p, 2, 10000) <= 0)
			die("no answer for 10 s");
		for (i = 0; i < 2; i++)
			if (p[i].fd >= 0 && p[i].revents & (POLLIN | POLLHUP | POLLERR))
				drink(&l[i]);
	}
}

int main(int argc, char **argv)
{
	struct lane lane[2] = {{.in = BUF_INIT}, {.in = BUF_INIT, .reverse = true}};
	struct tsig_key key = {0};
	struct err e = {0};
	struct client *who;
	unsigned first, hosts, i;
	bool weak;
	double start;

	if (argc != 9)
		die("usage: limit KEYFILE PORT FORWARD REVERSE FIRST HOSTS PER-MESSAGE WINDOW");
	if (key_read(&key, argv[1], &weak, &e) < 0)
		die("%s", e.text);
	first = (unsigned)strtoul(argv[5], NULL, 10);
	hosts = (unsigned)strtoul(argv[6], NULL, 10);
	who = calloc(hosts, sizeof(*who));
	for (i = 0; i < hosts; i++)
		client_make(&who[i], first + i, argv[3]);
	for (i = 0; i < 2; i++) {
		name_parse(&lane[i].zone, argv[3 + i]);
		build(&lane[i], who, hosts, (unsigned)strtoul(argv[7], NULL, 10), &key);
		lane[i].fd = dial(argv[2]);
		fcntl(lane[i].fd, F_SETFL, O_NONBLOCK);
	}
	start = now();
	run(lane, strtoul(argv[8], NULL, 10));
	printf("%.6f\n", now() - start);
	return 0;
}
