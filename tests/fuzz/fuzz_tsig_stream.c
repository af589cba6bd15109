/* A stream of framed messages (2-byte lengths) against the key and request of the seeds, each
 * message also as a single answer: parsing and digesting must hold whatever comes. */
#include <string.h>

#include "bridge/dns/tsig.h"
#include "tests/unit/tsig_vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct tsig_key k;
	struct tsig_mac mac = {.len = 32};
	struct tsig_info info;
	struct tsig_stream *s;

	if (k.alg == NULL) {
		k.alg = tsig_alg_find("hmac-sha256", 11);
		dname_parse(&k.name, "ddns.lab", 8);
		memcpy(k.secret, vector_secret, 32);
		k.secret_len = 32;
	}
	memcpy(mac.b, vector_axfr_mac, 32);
	if (tsig_stream_new(&s, &k, &mac, NULL) < 0)
		return 0;
	while (len >= 2) {
		size_t n = (size_t)(p[0] << 8 | p[1]);
		n = n > len - 2 ? len - 2 : n;
		tsig_verify(p + 2, n, &k, &mac, VECTOR_NOW, &info);
		tsig_stream_next(s, p + 2, n, VECTOR_NOW, NULL);
		p += 2 + n;
		len -= 2 + n;
	}
	tsig_stream_finish(s, NULL);
	tsig_stream_free(s);
	return 0;
}
