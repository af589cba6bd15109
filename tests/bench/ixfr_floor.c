/* ixfr_floor.c - the least that tells that a zone has not changed: one signed IXFR on an open
 * connection, answered with the one SOA; after a rest each, as a pass meets its server.
 *
 *	ixfr_floor KEYFILE PORT ZONE SERIAL TIMES REST-MS     prints the microseconds of each
 */
#include "tests/bench/axfr.h"

static void rest(unsigned ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

int main(int argc, char **argv)
{
	struct tsig_key key = {0};
	static struct reader r;
	struct err e = {0};
	unsigned i, times;
	bool weak;

	if (argc != 7)
		die("usage: ixfr_floor KEYFILE PORT ZONE SERIAL TIMES REST-MS");
	if (key_read(&key, argv[1], &weak, &e) < 0)
		die("%s", e.text);
	times = (unsigned)strtoul(argv[5], NULL, 10);
	r.fd = dial(argv[2]);
	for (i = 0; i < times; i++) {
		int soas = 0;
		double start;
		size_t len;

		rest((unsigned)strtoul(argv[6], NULL, 10));
		start = now();
		ask(r.fd, argv[3], &key, (uint32_t)strtoul(argv[4], NULL, 10));
		len = get16(more(&r, 2));
		count(more(&r, len), 0, &soas);
		printf("%.1f\n", 1e6 * (now() - start));
		if (soas != 1)
			die("the zone has changed");
	}
	return 0;
}
