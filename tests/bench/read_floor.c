/* read_floor.c - the least a full comparison must read: both zones by AXFR, then the rows that
 * are kept of them by one ordered binary COPY, one after the other; nothing is looked at but
 * where records and rows end.  Connections are made before the clock starts.
 *
 *	read_floor KEYFILE PORT CONNINFO ZONE...     prints "SECONDS RECORDS ROWS"
 */
#include <libpq-fe.h>

#include "bridge/dns/tsig.h"
#include "bridge/dns/write.h"
#include "tests/bench/peer.h"

#define COPY "copy (select owner, coalesce(seen, published) from ipambridge.owner " \
	     "order by zone_id, owner) to stdout (format binary)"

struct reader {
	int fd;
	uint8_t b[1 << 18];
	size_t len, at;
};

static const uint8_t *more(struct reader *r, size_t need)
{
	while (r->len - r->at < need) {
		ssize_t n;

		memmove(r->b, r->b + r->at, r->len - r->at);
		r->len -= r->at;
		r->at = 0;
		n = recv(r->fd, r->b + r->len, sizeof(r->b) - r->len, 0);
		if (n <= 0)
			die("the transfer ended early");
		r->len += (size_t)n;
	}
	r->at += need;
	return r->b + r->at - need;
}

static const uint8_t *skip_name(const uint8_t *p)
{
	while (*p != 0 && (*p & 0xc0) == 0)
		p += *p + 1;
	return p + (*p == 0 ? 1 : 2);
}

/* Counts the records of one message; *soas those that begin and end a transfer. */
static size_t count(const uint8_t *m, int *soas)
{
	size_t n = get16(m + 6), i;
	const uint8_t *p = m + 12;

	if ((m[3] & 15) != 0)
		die("transfer refused, rcode %d", m[3] & 15);
	for (i = get16(m + 4); i > 0; i--)
		p = skip_name(p) + 4;
	for (i = 0; i < n; i++) {
		p = skip_name(p);
		*soas += get16(p) == RR_SOA;
		p += 10 + get16(p + 8);
	}
	return n;
}

static void ask(int fd, const char *zone, const struct tsig_key *key)
{
	struct buf b = BUF_INIT;
	struct err e = {0};
	struct tsig_mac mac;
	struct dname name;
	uint8_t len[2];

	if (!dname_parse(&name, zone, strlen(zone)))
		die("\"%s\" is no name", zone);
	if (write_query(&b, 4711, &name, RR_AXFR, &e) < 0 ||
	    tsig_sign(&b, key, (int64_t)time(NULL), &mac, &e) < 0)
		die("%s", e.text);
	len[0] = (uint8_t)(b.len >> 8);
	len[1] = (uint8_t)b.len;
	if (send(fd, len, 2, MSG_MORE) != 2 || send(fd, b.p, b.len, 0) != (ssize_t)b.len)
		die("send: %s", strerror(errno));
	buf_fini(&b);
}

static size_t transfer(int fd, const char *zone, const struct tsig_key *key)
{
	static struct reader r;
	size_t n = 0;
	int soas = 0;

	r = (struct reader){.fd = fd};
	ask(fd, zone, key);
	while (soas < 2) {
		size_t len = get16(more(&r, 2));

		n += count(more(&r, len), &soas);
	}
	return n;
}

static size_t copy(PGconn *c)
{
	PGresult *res = PQexec(c, COPY);
	size_t n = 0;
	char *p;

	if (PQresultStatus(res) != PGRES_COPY_OUT)
		die("%s", PQerrorMessage(c));
	PQclear(res);
	while (PQgetCopyData(c, &p, 0) > 0) {
		PQfreemem(p);
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	struct tsig_key key = {0};
	struct err e = {0};
	size_t records = 0, rows;
	int fd[8], i;
	bool weak;
	double start;
	PGconn *c;

	if (argc < 5 || argc > 12)
		die("usage: read_floor KEYFILE PORT CONNINFO ZONE...");
	if (key_read(&key, argv[1], &weak, &e) < 0)
		die("%s", e.text);
	c = PQconnectdb(argv[3]);
	if (PQstatus(c) != CONNECTION_OK)
		die("%s", PQerrorMessage(c));
	for (i = 4; i < argc; i++)
		fd[i - 4] = dial(argv[2]);
	start = now();
	for (i = 4; i < argc; i++)
		records += transfer(fd[i - 4], argv[i], &key);
	rows = copy(c);
	printf("%.6f %zu %zu\n", now() - start, records, rows);
	PQfinish(c);
	return 0;
}
