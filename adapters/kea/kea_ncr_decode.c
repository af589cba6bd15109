/* kea_ncr_decode.c - decides what one NameChangeRequest says about its address. */

#include <jansson.h>
#include <string.h>

#include "adapters/kea/kea_ncr_decode.h"
#include "bridge/base/buf.h"
#include "bridge/base/err.h"
#include "bridge/base/own.h"

enum { PREFIX_BYTES = 2, NAME_MAX_LEN = 255, RAW_MAX = 512 };

enum { CHANGE_ADD = 0, CHANGE_REMOVE = 1 };

/* A request taken apart and checked, before anything is copied. */
struct ncr {
	bool remove;
	struct ipaddr addr;
	uint8_t name[KEA_NCR_MAX]; /* as long as its escaped text before it is judged */
	size_t name_len;
	uint8_t dhcid[DHCID_LEN];
	bool has_dhcid;
};

static void json_freep(json_t **j)
{
	json_decref(*j);
}

/* ---- the name ---------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The byte behind the backslash at s, and the length of the whole escape; 0: it is none. */
static size_t escape(uint8_t *byte, const char *s, size_t len)
{
	int v;

	if (len < 2)
		return 0;
	*byte = (uint8_t)s[1];
	if (!is_digit(s[1]))
		return 2;
	if (len < 4 || !is_digit(s[2]) || !is_digit(s[3]))
		return 0;
	v = (s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0');
	*byte = (uint8_t)v;
	return v <= UINT8_MAX ? 4 : 0;
}

/* Undoes the escapes of a master file (RFC 1035 5.1).  At most as many bytes as the text has. */
static const char *unescape(struct ncr *n, const char *s, size_t len)
{
	n->name_len = 0;
	for (size_t i = 0; i < len;) {
		uint8_t byte = (uint8_t)s[i];
		size_t used = 1;

		if (s[i] == '\\') {
			used = escape(&byte, s + i, len - i);
			if (used == 0)
				return "the fqdn has a broken escape";
			if (byte == '.')
				n->name[n->name_len++] = '\\';
		}
		n->name[n->name_len++] = byte;
		i += used;
	}
	return n->name_len > NAME_MAX_LEN ? "the fqdn is longer than 255 bytes" : NULL;
}

/* ---- members ----------------------------------------------------------------------------- */

static const char *check_change(struct ncr *n, const json_t *o)
{
	const json_t *type = json_object_get(o, "change-type");
	const json_t *fwd = json_object_get(o, "forward-change");
	const json_t *rev = json_object_get(o, "reverse-change");

	if (!json_is_integer(type) ||
	    (json_integer_value(type) != CHANGE_ADD && json_integer_value(type) != CHANGE_REMOVE))
		return "change-type is neither 0 nor 1";
	if (!json_is_boolean(fwd) || !json_is_boolean(rev))
		return "forward-change or reverse-change is neither true nor false";
	if (json_is_false(fwd) && json_is_false(rev))
		return "neither forward-change nor reverse-change is asked for";
	n->remove = json_integer_value(type) == CHANGE_REMOVE;
	return NULL;
}

static const char *check_address(struct ncr *n, const json_t *o)
{
	const json_t *ip = json_object_get(o, "ip-address");

	if (!json_is_string(ip) ||
	    !ipaddr_parse(&n->addr, json_string_value(ip), json_string_length(ip)))
		return "ip-address is not an address";
	return ipaddr_is_host(&n->addr) ? NULL : "ip-address cannot be that of one host";
}

static const char *check_name(struct ncr *n, const json_t *o)
{
	const json_t *fqdn = json_object_get(o, "fqdn");

	if (!json_is_string(fqdn) || json_string_length(fqdn) == 0)
		return "there is no fqdn";
	return unescape(n, json_string_value(fqdn), json_string_length(fqdn));
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_bytes(uint8_t *out, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(s[2 * i]), lo = hex_digit(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

/* Of an identifier that RFC 4701 3.3 knows (types 0 to 2), and SHA-256 (digest type 1). */
static bool is_dhcid(const uint8_t *p)
{
	return p[0] == 0 && p[1] <= 2 && p[2] == 1;
}

static const char *check_dhcid(struct ncr *n, const json_t *o)
{
	const json_t *dhcid = json_object_get(o, "dhcid");

	n->has_dhcid = dhcid != NULL;
	if (dhcid == NULL)
		return NULL;
	if (!json_is_string(dhcid) || json_string_length(dhcid) != sizeof(n->dhcid) * 2 ||
	    !hex_bytes(n->dhcid, sizeof(n->dhcid), json_string_value(dhcid)) ||
	    !is_dhcid(n->dhcid))
		return "dhcid is not the data of a DHCID record in hexadecimal";
	return NULL;
}

/* ---- the text ---------------------------------------------------------------------------- */

/* Kea's text as JSON that means the same: every escape of a name becomes two characters of it. */
static void mend(struct buf *out, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		buf_chr(out, p[i]);
		if (p[i] != '\\')
			continue;
		buf_chr(out, '\\');
		if (i + 1 == len)
			break;
		i++;
		if (p[i] == '"' || p[i] == '\\')
			buf_chr(out, '\\');
		buf_chr(out, p[i]);
	}
}

/* NULL, and *why stays NULL, when memory ran out. */
static json_t *parse(const char *text, size_t len, const char **why)
{
	AUTO(buf_fini) struct buf json = BUF_INIT;
	json_error_t je;
	json_t *o;

	mend(&json, text, len);
	if (json.bad)
		return NULL;
	o = json_loadb(buf_text(&json), json.len, JSON_REJECT_DUPLICATES, &je);
	if (o == NULL && json_error_code(&je) == json_error_out_of_memory)
		return NULL;
	if (!json_is_object(o)) {
		*why = "the text is not a JSON object";
		json_decref(o);
		return NULL;
	}
	return o;
}

static const char *check_frame(const uint8_t *p, size_t len)
{
	if (len < PREFIX_BYTES)
		return "the datagram is too short";
	if (len > KEA_NCR_MAX)
		return "the datagram is too long";
	if ((size_t)(p[0] << 8 | p[1]) != len - PREFIX_BYTES)
		return "the length at its start is not that of the datagram";
	return NULL;
}

/* 0 with *why NULL when the request may be believed. */
static int check(struct ncr *n, const char **why, const uint8_t *p, size_t len)
{
	AUTO(json_freep) json_t *o = NULL;

	*why = check_frame(p, len);
	if (*why != NULL)
		return 0;
	o = parse((const char *)p + PREFIX_BYTES, len - PREFIX_BYTES, why);
	if (o == NULL)
		return *why == NULL ? ERR_NOMEM : 0;
	if ((*why = check_change(n, o)) == NULL && (*why = check_address(n, o)) == NULL &&
	    (*why = check_name(n, o)) == NULL)
		*why = check_dhcid(n, o);
	return 0;
}

static int emit(struct obs_batch *into, const struct ncr *n, const uint8_t *p, size_t len,
		int64_t at_s)
{
	struct bytes raw = {0}, name = {0}, dhcid = {0};
	struct obs *o;

	if (!obs_batch_keep(into, &raw, p, len < RAW_MAX ? len : RAW_MAX) ||
	    !obs_batch_keep(into, &name, n->name, n->name_len) ||
	    (n->has_dhcid && !obs_batch_keep(into, &dhcid, n->dhcid, sizeof(n->dhcid))))
		return ERR_NOMEM;
	o = obs_batch_add(into);
	if (o == NULL)
		return ERR_NOMEM;
	o->addr = n->addr;
	o->kind = OBS_LEASE;
	o->end = n->remove;
	o->end_why = n->remove ? "removed by the DHCP server" : NULL;
	o->end_named = n->remove;
	o->name = name;
	o->dhcid = dhcid;
	o->valid_until_s = OBS_FOREVER;
	o->seen_at_s = at_s;
	o->raw = raw;
	return 0;
}

int kea_ncr_decode(struct obs_batch *into, const uint8_t *p, size_t len, uint64_t record,
		   int64_t at_s)
{
	struct ncr n;
	const char *why = NULL;

	if (check(&n, &why, p, len) < 0)
		return ERR_NOMEM;
	if (why != NULL) {
		obs_batch_refuse(into, record, why);
		return 0;
	}
	return emit(into, &n, p + PREFIX_BYTES, len - PREFIX_BYTES, at_s);
}
