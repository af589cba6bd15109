/* kea_leases_decode.c - decides what one row of a Kea lease file says about its address.
 *
 * Strict where Kea is strict: a row is taken whole or refused with its reason.  Rows that a
 * crash glued together, or a newline in a host name tore apart, do not pass the checks of
 * column count and numbers.
 */

#include <stdio.h>
#include <string.h>

#include "adapters/kea/kea_leases_decode.h"
#include "bridge/base/err.h"

enum {
	V4_COLUMNS = 12, /* of Kea 2.4 to 3.x; 2.2 has one less */
	V6_COLUMNS = 18,
	CLIENT_ID_MAX = 255,
	DUID_MAX = 130,
	NAME_MAX_LEN = 255,
};

/* Lease times are 32 bits; all ones means for ever (RFC 2131 3.3, RFC 8415 7.7). */
#define LIFETIME_FOREVER INT64_C(4294967295)
/* A client last seen after the year 2242 is a broken row; any bound beyond 2106 would do. */
#define CLTT_MAX (INT64_C(1) << 33)

enum { STATE_DEFAULT, STATE_DECLINED, STATE_RECLAIMED, STATE_RELEASED, STATE_REGISTERED };
enum { LEASE_IA_NA = 0, LEASE_IA_TA = 1, LEASE_IA_PD = 2 };

enum { NEED4 = 1, NEED6 = 2 };

static const struct {
	const char *name;
	unsigned need;
} columns[KEA_COLUMNS] = {
    [KEA_ADDRESS] = {"address", NEED4 | NEED6},
    [KEA_HWADDR] = {"hwaddr", NEED4},
    [KEA_CLIENT_ID] = {"client_id", NEED4},
    [KEA_DUID] = {"duid", NEED6},
    [KEA_VALID_LIFETIME] = {"valid_lifetime", NEED4 | NEED6},
    [KEA_EXPIRE] = {"expire", NEED4 | NEED6},
    [KEA_SUBNET_ID] = {"subnet_id", NEED4 | NEED6},
    [KEA_PREF_LIFETIME] = {"pref_lifetime", NEED6},
    [KEA_LEASE_TYPE] = {"lease_type", NEED6},
    [KEA_IAID] = {"iaid", NEED6},
    [KEA_PREFIX_LEN] = {"prefix_len", NEED6},
    [KEA_FQDN_FWD] = {"fqdn_fwd", NEED4 | NEED6},
    [KEA_FQDN_REV] = {"fqdn_rev", NEED4 | NEED6},
    [KEA_HOSTNAME] = {"hostname", NEED4 | NEED6},
    [KEA_STATE] = {"state", 0},
};

struct field {
	const char *p;
	size_t len;
};

/* Fields of a line; those past max are counted, not kept. */
static size_t split(struct field *out, size_t max, const char *line, size_t len)
{
	const char *p = line, *end = line + len;
	size_t n = 0;

	for (;;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma != NULL ? comma : end;

		if (n < max)
			out[n] = (struct field){p, (size_t)(stop - p)};
		n++;
		if (comma == NULL)
			return n;
		p = comma + 1;
	}
}

/* ---- header ------------------------------------------------------------------------------ */

bool kea_is_header(const char *line, size_t len)
{
	return len >= 8 && memcmp(line, "address,", 8) == 0;
}

static int column_find(const struct field *f)
{
	for (int c = 0; c < KEA_COLUMNS; c++) {
		if (strlen(columns[c].name) == f->len && memcmp(columns[c].name, f->p, f->len) == 0)
			return c;
	}
	return -1;
}

static bool map_columns(struct kea_header *h, const struct field *f)
{
	memset(h->at, KEA_NO_COLUMN, sizeof(h->at));
	for (uint8_t i = 0; i < h->n; i++) {
		int c = column_find(&f[i]);

		if (c < 0)
			continue; /* of no interest, or newer than we are */
		if (h->at[c] != KEA_NO_COLUMN)
			return false;
		h->at[c] = i;
	}
	return true;
}

bool kea_header_parse(struct kea_header *out, const char *line, size_t len, const char **why)
{
	struct field f[KEA_MAX_COLUMNS];
	struct kea_header h = {0};
	size_t n = split(f, KEA_MAX_COLUMNS, line, len);

	*why = "the first line is not the header of a Kea lease file";
	if (n > KEA_MAX_COLUMNS)
		return false;
	h.n = (uint8_t)n;
	if (!map_columns(&h, f))
		return false;
	if (h.at[KEA_ADDRESS] == KEA_NO_COLUMN)
		return false;
	h.family = h.at[KEA_DUID] != KEA_NO_COLUMN ? 6 : 4;
	for (int c = 0; c < KEA_COLUMNS; c++) {
		if ((columns[c].need & (h.family == 4 ? NEED4 : NEED6)) != 0 &&
		    h.at[c] == KEA_NO_COLUMN) {
			*why = "the header lacks a column that every Kea lease file has";
			return false;
		}
	}
	/* After an upgrade Kea appends rows of the new width below the old header until its next
	 * cleanup of the file. */
	h.n_max = h.family == 4 ? V4_COLUMNS : V6_COLUMNS;
	if (h.n > h.n_max)
		h.n_max = h.n;
	*out = h;
	return true;
}

/* ---- fields ------------------------------------------------------------------------------ */

static bool number(int64_t *out, const struct field *f, int64_t max)
{
	int64_t v = 0;

	if (f->len == 0 || f->len > 18)
		return false;
	for (size_t i = 0; i < f->len; i++) {
		if (f->p[i] < '0' || f->p[i] > '9')
			return false;
		v = v * 10 + (f->p[i] - '0');
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

static const int8_t hex_value[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* Two digits, or -1. */
static int hex_byte(const char *p)
{
	int hi = hex_value[(uint8_t)p[0]] - 1, lo = hex_value[(uint8_t)p[1]] - 1;

	return hi < 0 || lo < 0 ? -1 : hi << 4 | lo;
}

/* "02:00:ff" to bytes: how many, or -1 when it is no such text or longer than max. */
static int hex_bytes(uint8_t *out, int max, const struct field *f)
{
	int n = 0;

	if (f->len == 0)
		return 0;
	if (f->len % 3 != 2)
		return -1;
	for (size_t i = 0; i < f->len; i += 3) {
		int v = hex_byte(f->p + i);

		if (v < 0 || n >= max || (i + 2 < f->len && f->p[i + 2] != ':'))
			return -1;
		out[n++] = (uint8_t)v;
	}
	return n;
}

/* Kea escapes a byte as "&#x" and two digits without an end mark; 2.2 does so with "," and "&"
 * only, later versions with all that is not printable.  Anything else stays as it is. */
static size_t unescape(uint8_t *out, const struct field *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->len; i++) {
		int v = -1;

		if (f->len - i >= 5 && memcmp(f->p + i, "&#x", 3) == 0)
			v = hex_byte(f->p + i + 3);
		if (v >= 0)
			i += 4;
		out[n++] = (uint8_t)(v >= 0 ? v : f->p[i]);
	}
	return n;
}

/* ---- one row ----------------------------------------------------------------------------- */

bool kea_row_address(struct ipaddr *out, const struct kea_header *h, const char *line, size_t len)
{
	const char *p = line, *end = line + len;
	struct field f = {NULL, 0};

	for (unsigned i = 0; i <= h->at[KEA_HOSTNAME] || i <= h->at[KEA_ADDRESS]; i++) {
		const char *comma;

		if (p == NULL)
			return false;
		comma = memchr(p, ',', (size_t)(end - p));
		if (i == h->at[KEA_ADDRESS])
			f = (struct field){p, (size_t)((comma != NULL ? comma : end) - p)};
		p = comma != NULL ? comma + 1 : NULL;
	}
	return ipaddr_parse(out, f.p, f.len) && out->family == h->family;
}

/* A row taken apart and checked, before anything is copied. */
struct row {
	const struct kea_header *h;
	struct field f[KEA_MAX_COLUMNS];
	size_t n;
	struct ipaddr addr;
	int64_t lifetime_s, expire_s;
	int64_t state, lease_type, prefix_len;
	struct mac mac;
	uint8_t id[CLIENT_ID_MAX]; /* client id or DUID */
	int id_len;
	const uint8_t *name; /* in the line, or in text when it was escaped */
	size_t name_len;
	uint8_t text[5 * NAME_MAX_LEN]; /* room for a name with every byte escaped */
};

static const struct field *col(const struct row *r, enum kea_column c)
{
	return &r->f[r->h->at[c]];
}

static const char *check_times(struct row *r)
{
	int64_t cltt_s;

	if (!number(&r->lifetime_s, col(r, KEA_VALID_LIFETIME), LIFETIME_FOREVER))
		return "the valid lifetime is no number of 32 bits";
	if (!number(&r->expire_s, col(r, KEA_EXPIRE), CLTT_MAX + LIFETIME_FOREVER))
		return "the time of expiry is not plausible";
	cltt_s = r->expire_s - r->lifetime_s;
	/* Some tools write an infinite lease with the expiry where the lease began. */
	if (r->lifetime_s == LIFETIME_FOREVER && cltt_s < 0)
		cltt_s = r->expire_s;
	if (cltt_s < 0 || cltt_s > CLTT_MAX)
		return "the time of expiry does not fit the lifetime";
	return NULL;
}

static const char *check_numbers(struct row *r)
{
	int64_t ignored;

	if (!number(&ignored, col(r, KEA_SUBNET_ID), UINT32_MAX))
		return "the subnet id is not a number";
	if (!number(&ignored, col(r, KEA_FQDN_FWD), 1) ||
	    !number(&ignored, col(r, KEA_FQDN_REV), 1))
		return "fqdn_fwd or fqdn_rev is neither 0 nor 1";
	r->state = STATE_DEFAULT;
	if (r->h->at[KEA_STATE] != KEA_NO_COLUMN &&
	    !number(&r->state, col(r, KEA_STATE), STATE_REGISTERED))
		return "the lease is in a state that is not known";
	r->lease_type = LEASE_IA_NA;
	r->prefix_len = 128;
	if (r->h->family == 4)
		return NULL;
	if (!number(&r->lease_type, col(r, KEA_LEASE_TYPE), LEASE_IA_PD))
		return "the lease type is not known";
	if (!number(&r->prefix_len, col(r, KEA_PREFIX_LEN), 128))
		return "the prefix length is not plausible";
	return NULL;
}

/* A hardware address that is no Ethernet address (InfiniBand has 20 bytes) is no fault. */
static const char *check_hwaddr(struct row *r)
{
	uint8_t b[32];
	int n;

	if (r->h->at[KEA_HWADDR] == KEA_NO_COLUMN)
		return NULL;
	n = hex_bytes(b, (int)sizeof(b), col(r, KEA_HWADDR));
	if (n < 0)
		return "the hardware address is not one";
	if (n != 6)
		return NULL;
	memcpy(r->mac.b, b, 6);
	r->mac.known = !mac_is_zero(&r->mac);
	return NULL;
}

static bool all_zero(const uint8_t *p, int n)
{
	for (int i = 0; i < n; i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

static const char *check_identity(struct row *r)
{
	if (r->h->family == 4) {
		r->id_len = hex_bytes(r->id, CLIENT_ID_MAX, col(r, KEA_CLIENT_ID));
		return r->id_len < 0 ? "the client id is not one" : NULL;
	}
	r->id_len = hex_bytes(r->id, DUID_MAX, col(r, KEA_DUID));
	if (r->id_len < 0)
		return "the DUID is not one";
	/* Kea cannot store an empty DUID: declined leases have 00 or 00:00:00 instead. */
	if (r->id_len <= 3 && all_zero(r->id, r->id_len))
		r->id_len = 0;
	return NULL;
}

static const char *check_name(struct row *r)
{
	const struct field *f = col(r, KEA_HOSTNAME);

	r->name = (const uint8_t *)f->p;
	r->name_len = f->len;
	if (f->len <= sizeof(r->text) && memchr(f->p, '&', f->len) != NULL) {
		r->name = r->text;
		r->name_len = unescape(r->text, f);
	}
	return r->name_len > NAME_MAX_LEN ? "the host name is longer than 255 bytes" : NULL;
}

/* NULL when the row may be believed. */
static const char *check(struct row *r, const char *line, size_t len)
{
	const char *why;
	const struct field *a;

	r->n = split(r->f, KEA_MAX_COLUMNS, line, len);
	if (r->n < r->h->n)
		return "the row has too few columns";
	if (r->n > r->h->n_max)
		return "the row has too many columns";
	a = col(r, KEA_ADDRESS);
	if (!ipaddr_parse(&r->addr, a->p, a->len) || r->addr.family != r->h->family)
		return r->h->family == 4 ? "the address is not an IPv4 address"
					 : "the address is not an IPv6 address";
	if ((why = check_times(r)) != NULL || (why = check_numbers(r)) != NULL ||
	    (why = check_hwaddr(r)) != NULL || (why = check_identity(r)) != NULL)
		return why;
	return check_name(r);
}

/* Why the lease is over, or NULL.  A lifetime of 0 deletes the lease whatever its state says;
 * the state only tells how it came to that. */
static const char *end_why(const struct row *r)
{
	if (r->state == STATE_DECLINED)
		return "declined";
	if (r->state == STATE_RECLAIMED)
		return "reclaimed";
	if (r->state == STATE_RELEASED || r->lifetime_s == 0)
		return "released";
	return NULL;
}

static int emit(struct obs_batch *into, const struct row *r, const char *line, size_t len)
{
	struct bytes raw = {0}, name = {0}, id = {0};
	struct obs *o;

	if (!obs_batch_keep(into, &raw, line, len < KEA_RAW_MAX ? len : KEA_RAW_MAX) ||
	    (r->name_len > 0 && !obs_batch_keep(into, &name, r->name, r->name_len)) ||
	    (r->id_len > 0 && !obs_batch_keep(into, &id, r->id, (size_t)r->id_len)))
		return ERR_NOMEM;
	o = obs_batch_add(into);
	if (o == NULL)
		return ERR_NOMEM;
	o->addr = r->addr;
	o->kind = OBS_LEASE;
	o->end_why = end_why(r);
	o->end = o->end_why != NULL;
	o->name = name;
	o->mac = r->mac;
	if (r->h->family == 4)
		o->client_id = id;
	else
		o->duid = id;
	o->valid_until_s = r->expire_s;
	o->seen_at_s = r->expire_s - r->lifetime_s;
	if (r->lifetime_s == LIFETIME_FOREVER) {
		o->valid_until_s = OBS_FOREVER;
		if (o->seen_at_s < 0)
			o->seen_at_s = r->expire_s;
	}
	o->raw = raw;
	return 0;
}

int kea_row_decode(struct obs_batch *into, const struct kea_header *h, const char *line, size_t len,
		   uint64_t record, const char *where)
{
	struct row r;
	const char *why;

	r.h = h;
	r.mac = (struct mac){0};
	r.id_len = 0;
	r.name_len = 0;
	why = check(&r, line, len);
	/* IA_PD delegates a prefix: there is no host at its first address. */
	if (why == NULL && (r.lease_type == LEASE_IA_PD || r.prefix_len != 128)) {
		into->n_skipped++;
		return 0;
	}
	if (why == NULL && !ipaddr_is_host(&r.addr))
		why = "the address cannot be that of one host";
	if (why != NULL) {
		char text[256];

		snprintf(text, sizeof(text), "%s%s", where, why);
		obs_batch_refuse(into, record, text);
		return 0;
	}
	return emit(into, &r, line, len);
}
