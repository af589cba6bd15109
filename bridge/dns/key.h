/* key.h - a TSIG key: read from its file, kept out of core dumps, wiped when done.
 *
 * Two forms: the clause that tsig-keygen prints, and one line "[algorithm:]name:secret".
 * A file that group or others can read is refused.
 */
#ifndef BRIDGE_DNS_KEY_H
#define BRIDGE_DNS_KEY_H

#include <stdbool.h>

#include "bridge/base/err.h"
#include "bridge/value/dname.h"

struct tsig_alg {
	const char *name;      /* "hmac-sha256" */
	const char *digest;    /* OpenSSL's name */
	uint8_t mac_len;
};

/* sha1 (weak), sha224, sha256, sha384, sha512; NULL for others, MD5 among them. */
const struct tsig_alg *tsig_alg_find(const char *name, size_t len);

struct evp_mac_ctx_st;

struct tsig_key {
	struct dname name;
	const struct tsig_alg *alg;
	uint8_t secret[128];
	size_t secret_len;
	/* Keyed once by key_parse and dup'ed for each message; NULL: keyed for each message. */
	struct evp_mac_ctx_st *mac;
};

/* Opens without following symbolic links; checks owner-only permission.  ERR_CONF with file,
 * line and a hint; *weak is set for SHA-1 so that the caller can warn. */
int key_read(struct tsig_key *out, const char *path, bool *weak, struct err *e);
/* The parser alone, for tests and fuzzing. */
int key_parse(struct tsig_key *out, const char *text, size_t len, const char *file, bool *weak,
	      struct err *e);
void key_wipe(struct tsig_key *k);

#endif
