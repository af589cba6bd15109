/* Any text as a key file.  An accepted key must be usable, a refused one must be gone. */
#include <string.h>

#include "bridge/dns/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct tsig_key none;
	struct tsig_key k;
	struct err e;
	bool weak;

	if (key_parse(&k, (const char *)p, len, "fuzz", &weak, &e) == 0) {
		if (k.alg == NULL || k.secret_len == 0 || k.secret_len > sizeof(k.secret) ||
		    k.name.len < 2)
			__builtin_trap();
		key_wipe(&k);
	}
	if (memcmp(&k, &none, sizeof(k)) != 0)
		__builtin_trap();
	return 0;
}
