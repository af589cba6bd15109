/* Any bytes as a NOTIFY: what is answered at all gets a well-formed answer to its own id, no longer
 * than it must be; NOERROR only where the message is one question about an SOA. */
#include <string.h>

#include "bridge/core/outcome.h"
#include "bridge/dns/notify.h"
#include "bridge/dns/wirecheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

#define KEY "hmac-sha256:ddns.lab:c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"

static const struct tsig_key *the_key(void)
{
	static struct tsig_key key;

	if (key.alg == NULL && key_parse(&key, KEY, sizeof(KEY) - 1, "fuzz", NULL, NULL) < 0)
		__builtin_trap();
	return &key;
}

static void check_answer(const struct notify *n, const struct buf *b)
{
	struct wire_msg m;
	const char *why;

	if (!wirecheck(&m, (const uint8_t *)b->p, b->len, &why) || m.id != n->id ||
	    (m.flags & 0x8000) == 0 || m.qd != (n->zone.len > 0) || m.an + m.ns > 0 ||
	    (m.tsig_at != 0) != (n->key != NULL))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const struct tsig_key *keys[] = {the_key()};
	struct buf b = BUF_INIT;
	struct notify n;

	if (!notify_read(&n, p, len, keys, 1, 1700000000))
		return 0;
	if ((n.rcode == RCODE_NOERROR) != (n.why == NULL) ||
	    (n.rcode == RCODE_NOERROR && n.zone.len == 0))
		__builtin_trap();
	if (notify_answer(&b, &n, n.rcode, 1700000000, NULL) < 0)
		__builtin_trap();
	check_answer(&n, &b);
	buf_fini(&b);
	return 0;
}
