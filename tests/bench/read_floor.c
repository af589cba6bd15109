/* read_floor.c - the least a full comparison must read: both zones by AXFR, then the rows that
 * are kept of them by one ordered binary COPY, one after the other; nothing is looked at but
 * where records and rows end.  Connections are made before the clock starts.
 *
 *	read_floor KEYFILE PORT CONNINFO ZONE...     prints "SECONDS RECORDS ROWS"
 */
#include <libpq-fe.h>

#include "tests/bench/axfr.h"

#define COPY "copy (select owner, coalesce(seen, published) from ipambridge.owner " \
	     "order by zone_id, owner) to stdout (format binary)"

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
		records += transfer(fd[i - 4], argv[i], &key, 0);
	rows = copy(c);
	printf("%.6f %zu %zu\n", now() - start, records, rows);
	PQfinish(c);
	return 0;
}
