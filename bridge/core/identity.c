/* identity.c - see identity.h. */
#include <string.h>

#include "bridge/core/identity.h"

enum { ID_HTYPE = 0, ID_CLIENT = 1, HTYPE_ETHERNET = 1, MAC_LEN = 6, DUID_LL_LEN = 4 + MAC_LEN };

static const struct bytes none = {NULL, 0};

/* RFC 4361 6.1: type 255, 4 bytes IAID, then the DUID. */
static struct bytes duid_in_client_id(struct bytes client_id)
{
	if (client_id.len < 6 || client_id.len > 135 || client_id.p[0] != 255)
		return none;
	return (struct bytes){client_id.p + 5, (uint16_t)(client_id.len - 5)};
}

void identity_of(struct identity *out, const struct obs *o)
{
	out->mac = o->mac;
	out->client_id = o->client_id;
	out->duid = o->duid.len > 0 ? o->duid : duid_in_client_id(o->client_id);
	out->dhcid = o->dhcid;
	out->dhcid_name = o->name;
}

bool identity_known(const struct identity *id)
{
	return id->mac.known || id->client_id.len > 0 || id->duid.len > 0;
}

static struct mac mac_at(const uint8_t *p)
{
	struct mac m = {.known = true};

	memcpy(m.b, p, MAC_LEN);
	return m;
}

/* RFC 2132 9.14: most clients identify themselves by type 1 and their hardware address. */
static bool mac_in_client_id(struct mac *out, struct bytes client_id)
{
	if (client_id.len != 1 + MAC_LEN || client_id.p[0] != HTYPE_ETHERNET)
		return false;
	*out = mac_at(client_id.p + 1);
	return true;
}

static struct mac mac_of(const struct identity *id)
{
	struct mac m = id->mac;

	if (!m.known)
		mac_in_client_id(&m, id->client_id);
	return m;
}

/* The DUID, unless it is only a hardware address that may change (RFC 8415 11.4: type 3, hardware
 * type, address; clients that hide make it anew each time, RFC 7844 4.3). */
static struct bytes own_duid(const struct identity *id)
{
	static const uint8_t link_layer[] = {0, 3, 0, HTYPE_ETHERNET};
	struct mac m;

	if (id->duid.len != DUID_LL_LEN || memcmp(id->duid.p, link_layer, sizeof(link_layer)) != 0)
		return id->duid;
	m = mac_at(id->duid.p + sizeof(link_layer));
	return mac_is_local(&m) ? none : id->duid;
}

/* The client identifier where it says more than the hardware address. */
static struct bytes own_client_id(const struct identity *id)
{
	struct mac m;

	if (mac_in_client_id(&m, id->client_id) &&
	    (!id->mac.known || mac_equal(&m, &id->mac) || mac_is_local(&m)))
		return none;
	if (duid_in_client_id(id->client_id).len > 0 && own_duid(id).len == 0)
		return none;
	return id->client_id;
}

/* Is the DHCID the digest of something that is known, and weak? */
static bool dhcid_is_weak(const struct identity *id)
{
	struct mac m = mac_of(id);

	if (id->dhcid.p[1] == ID_HTYPE)
		return mac_is_local(&m);
	if (id->dhcid.p[1] == ID_CLIENT)
		return id->client_id.len > 0 && own_client_id(id).len == 0 && mac_is_local(&m);
	return id->duid.len > 0 && own_duid(id).len == 0;
}

bool identity_is_weak(const struct identity *id)
{
	struct mac m = mac_of(id);

	return mac_is_local(&m) && own_duid(id).len == 0 && own_client_id(id).len == 0 &&
	       (id->dhcid.len != DHCID_LEN || dhcid_is_weak(id));
}

bool identity_has_dhcid(const struct identity *id, const struct dname *name)
{
	struct dname of;

	return id->dhcid.len == DHCID_LEN &&
	       dname_parse(&of, (const char *)id->dhcid_name.p, id->dhcid_name.len) &&
	       dname_equal(&of, name);
}

/* ---- two of them ------------------------------------------------------------------------ */

static int verdict(bool same, const char *yes, const char *no, const char **by)
{
	*by = same ? yes : no;
	return same;
}

static int dhcid_compare(const struct identity *a, const struct identity *b, const char **by)
{
	struct dname name;
	bool same;

	if (!dname_parse(&name, (const char *)a->dhcid_name.p, a->dhcid_name.len) ||
	    !identity_has_dhcid(a, &name) || !identity_has_dhcid(b, &name))
		return -1;
	same = bytes_equal(a->dhcid, b->dhcid);
	/* The first three bytes: what of the client was hashed, and how. */
	if (!same && (memcmp(a->dhcid.p, b->dhcid.p, 3) != 0 || dhcid_is_weak(a) || dhcid_is_weak(b)))
		return -1;
	return verdict(same, "same DHCID", "another DHCID", by);
}

int identity_compare(const struct identity *a, const struct identity *b, const char **by)
{
	struct mac ma = mac_of(a), mb = mac_of(b);
	struct bytes da = own_duid(a), db = own_duid(b);
	struct bytes ca = own_client_id(a), cb = own_client_id(b);

	if (mac_equal(&ma, &mb) && !mac_is_local(&ma))
		return verdict(true, "same hardware address", NULL, by);
	if (da.len > 0 && db.len > 0)
		return verdict(bytes_equal(da, db), "same DUID", "another DUID", by);
	if (ca.len > 0 && cb.len > 0)
		return verdict(bytes_equal(ca, cb), "same client identifier",
			       "another client identifier", by);
	if (ma.known && mb.known && !mac_is_local(&ma) && !mac_is_local(&mb))
		return verdict(false, NULL, "another hardware address", by);
	return dhcid_compare(a, b, by);
}

bool identity_resembles(const struct identity *a, const struct identity *b, const char **by)
{
	struct mac ma = mac_of(a), mb = mac_of(b);

	if (mac_equal(&ma, &mb))
		*by = "same locally administered hardware address";
	else if (a->duid.len > 0 && bytes_equal(a->duid, b->duid))
		*by = "same DUID, though of a locally administered hardware address";
	else
		return false;
	return true;
}

bool identity_macs_differ(const struct identity *a, const struct identity *b)
{
	struct mac ma = mac_of(a), mb = mac_of(b);

	return ma.known && mb.known && !mac_equal(&ma, &mb);
}
