/* Framed messages through the gate into the state machine of incremental transfers: the sink must
 * never see a name outside the zone nor data that is not canonical. */
#include "bridge/dns/transfer.h"
#include "bridge/value/rrtype.h"
#include "tests/unit/tsig_vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static int sink(void *arg, bool added, const struct dname *owner, uint16_t type,
		const uint8_t *rdata, size_t rdlen, struct err *e)
{
	struct dname again;
	volatile uint8_t last = rdlen > 0 ? rdata[rdlen - 1] : 0;

	(void)added;
	(void)e;
	(void)last;
	if (!dname_under(owner, arg) || type == RR_SOA)
		__builtin_trap();
	if (type == RR_PTR && dname_from_wire(&again, rdata, rdlen) != rdlen)
		__builtin_trap();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct dname zone;
	struct ixfr x;
	struct wire_msg m;
	const char *why;

	dname_parse(&zone, "lab.example", 11);
	ixfr_init(&x, &zone, VECTOR_AXFR_ID, 0);
	while (len >= 2) {
		size_t n = (size_t)(p[0] << 8 | p[1]);
		n = n > len - 2 ? len - 2 : n;
		if (wirecheck(&m, p + 2, n, &why))
			ixfr_feed(&x, &m, sink, &zone, NULL);
		p += 2 + n;
		len -= 2 + n;
	}
	return 0;
}
