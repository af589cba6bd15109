/* dhcid.c - DHCID RDATA: identifier type, digest type 1, SHA-256(identifier | name) (RFC 4701 3). */
#include <string.h>

#include <openssl/sha.h>

#include "bridge/core/dhcid.h"

enum { ID_HTYPE = 0, ID_CLIENT = 1, ID_DUID = 2, DIGEST_SHA256 = 1, HTYPE_ETHERNET = 1 };

/* The identifier and its type (RFC 4701 3.3): a v6 client is its DUID; a v4 client its DUID when
 * it follows RFC 4361, else its client identifier, else its hardware address. */
static int identifier(uint8_t *out, size_t *len, const struct identity *id, bool v6)
{
	if (id->duid.len > 0) {
		memcpy(out, id->duid.p, id->duid.len);
		*len = id->duid.len;
		return ID_DUID;
	}
	if (id->client_id.len > 0 && !v6) {
		memcpy(out, id->client_id.p, id->client_id.len);
		*len = id->client_id.len;
		return ID_CLIENT;
	}
	if (!id->mac.known)
		return -1;
	out[0] = HTYPE_ETHERNET;
	memcpy(out + 1, id->mac.b, sizeof(id->mac.b));
	*len = 1 + sizeof(id->mac.b);
	return ID_HTYPE;
}

bool dhcid_make(uint8_t out[DHCID_LEN], const struct identity *id, bool v6,
		const struct dname *name)
{
	uint8_t text[UINT8_MAX * 2 + 2];
	size_t len = 0;
	int type;

	if (identity_has_dhcid(id, name)) {
		memcpy(out, id->dhcid.p, DHCID_LEN);
		return true;
	}
	type = identifier(text, &len, id, v6);
	if (type < 0 || len + name->len > sizeof(text))
		return false;
	memcpy(text + len, name->b, name->len);
	out[0] = 0;
	out[1] = (uint8_t)type;
	out[2] = DIGEST_SHA256;
	SHA256(text, len + name->len, out + 3);
	return true;
}

bool dhcid_is(const struct rr *rr, const struct identity *id, bool v6, const struct dname *name)
{
	uint8_t made[DHCID_LEN];

	return dhcid_make(made, id, v6, name) && rr->rdlen == DHCID_LEN &&
	       memcmp(made, rr->rdata, DHCID_LEN) == 0;
}
