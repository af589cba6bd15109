/* rrtype.c - the table of record types, and the text of the RDATA that is kept.
 *
 * RDATA that is not what its type says (a peer may send anything) prints as RFC 3597 5 has it,
 * "\# LENGTH HEX"; rr.c reads that back, so every set survives a trip through text.
 */
#include <string.h>

#include "bridge/value/base64.h"
#include "bridge/value/dname.h"
#include "bridge/value/ipaddr.h"
#include "bridge/value/rdata.h"
#include "bridge/value/rrtype.h"

/* ---- pieces of text --------------------------------------------------------------------- */

static void put_u16(struct buf *out, unsigned v)
{
	char text[5], *p = text + sizeof(text);

	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_add(out, p, (size_t)(text + sizeof(text) - p));
}

/* A number without leading zeros and the blank behind it; characters used, 0: malformed. */
static size_t take_u16(struct buf *out, const char *s, size_t len)
{
	unsigned v = 0;
	size_t i;

	for (i = 0; i < len && i < 6 && s[i] >= '0' && s[i] <= '9'; i++)
		v = v * 10 + (unsigned)(s[i] - '0');
	if (i == 0 || v > 65535 || (s[0] == '0' && i > 1) || i >= len || s[i] != ' ')
		return 0;
	buf_u16(out, (uint16_t)v);
	return i + 1;
}

static void put_name(struct buf *out, const struct dname *n)
{
	char text[DNAME_TEXT];

	buf_str(out, dname_print(text, n));
	if (n->len > 1)
		buf_chr(out, '.');
}

/* Can no two spellings of this text mean the same name?  True for what the fast way sees only:
 * lower-case letters, digits and "-". */
static bool is_plain_text(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= '0' && s[i] <= '9') &&
		    s[i] != '.' && s[i] != '-')
			return false;
	}
	return true;
}

static bool take_name(struct buf *out, const char *s, size_t len)
{
	char text[DNAME_TEXT];
	struct dname n;

	if (len == 0 || s[len - 1] != '.' || !dname_parse(&n, s, len))
		return false;
	if (!is_plain_text(s, len) && len > 1) {
		dname_print(text, &n);
		if (strlen(text) != len - 1 || memcmp(text, s, len - 1) != 0)
			return false;
	}
	buf_add(out, n.b, n.len);
	return true;
}

/* ---- RDATA as hexadecimal --------------------------------------------------------------- */

void rdata_print_raw(struct buf *out, const uint8_t *rdata, uint16_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	buf_str(out, "\\# ");
	put_u16(out, len);
	buf_chr(out, ' ');
	for (i = 0; i < len; i++) {
		buf_chr(out, digits[rdata[i] >> 4]);
		buf_chr(out, digits[rdata[i] & 15]);
	}
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool rdata_parse_raw(struct buf *out, const char *s, size_t len)
{
	struct buf n = BUF_INIT;
	size_t used, i, want;

	if (len < 3 || memcmp(s, "\\# ", 3) != 0)
		return false;
	used = take_u16(&n, s + 3, len - 3);
	want = used == 0 || n.bad ? 0 : (size_t)((uint8_t)n.p[0] << 8 | (uint8_t)n.p[1]);
	buf_fini(&n);
	if (want == 0 || len - 3 - used != want * 2)
		return false;
	s += 3 + used;
	for (i = 0; i < want; i++) {
		int hi = hex(s[i * 2]), lo = hex(s[i * 2 + 1]);

		if (hi < 0 || lo < 0)
			return false;
		buf_u8(out, (uint8_t)(hi << 4 | lo));
	}
	return true;
}

/* ---- A, AAAA ---------------------------------------------------------------------------- */

static void print_addr(struct buf *out, const uint8_t *rdata, uint16_t len, uint8_t family)
{
	struct ipaddr a = {.family = family};
	char text[IPADDR_TEXT];

	memcpy(a.b, rdata, len);
	buf_str(out, ipaddr_print(text, &a));
}

static bool parse_addr(struct buf *out, const char *s, size_t len, uint8_t family)
{
	struct ipaddr a;
	char text[IPADDR_TEXT];

	if (!ipaddr_parse(&a, s, len) || a.family != family)
		return false;
	if (family == 6) { /* IPv4 has one spelling only */
		ipaddr_print(text, &a);
		if (strlen(text) != len || memcmp(text, s, len) != 0)
			return false;
	}
	buf_add(out, a.b, ipaddr_len(&a));
	return true;
}

static void print_a(struct buf *out, const uint8_t *rdata, uint16_t len)
{
	if (len == 4)
		print_addr(out, rdata, len, 4);
	else
		rdata_print_raw(out, rdata, len);
}

static bool parse_a(struct buf *out, const char *s, uint16_t len)
{
	return parse_addr(out, s, len, 4);
}

/* IPv4-mapped addresses have no text of their own (ipaddr.h). */
static void print_aaaa(struct buf *out, const uint8_t *rdata, uint16_t len)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (len == 16 && memcmp(rdata, mapped, sizeof(mapped)) != 0)
		print_addr(out, rdata, len, 6);
	else
		rdata_print_raw(out, rdata, len);
}

static bool parse_aaaa(struct buf *out, const char *s, uint16_t len)
{
	return parse_addr(out, s, len, 6);
}

/* ---- numbers and a name: PTR, CNAME, NS, DNAME; MX; SRV --------------------------------- */

/* The RDATA is n numbers of 16 bits and one lower-case name. */
static void print_numbers(struct buf *out, const uint8_t *rdata, uint16_t len, unsigned n)
{
	size_t at = (size_t)n * 2, i;
	struct dname name;

	if (at >= len || dname_from_wire(&name, rdata + at, len - at) != len - at ||
	    memcmp(name.b, rdata + at, name.len) != 0) {
		rdata_print_raw(out, rdata, len);
		return;
	}
	for (i = 0; i < at; i += 2) {
		put_u16(out, (unsigned)rdata[i] << 8 | rdata[i + 1]);
		buf_chr(out, ' ');
	}
	put_name(out, &name);
}

static bool parse_numbers(struct buf *out, const char *s, size_t len, unsigned n)
{
	size_t used;

	for (; n > 0; n--) {
		used = take_u16(out, s, len);
		if (used == 0)
			return false;
		s += used;
		len -= used;
	}
	return take_name(out, s, len);
}

static void print_name(struct buf *out, const uint8_t *rdata, uint16_t len)
{
	print_numbers(out, rdata, len, 0);
}

static bool parse_name(struct buf *out, const char *s, uint16_t len)
{
	return parse_numbers(out, s, len, 0);
}

static void print_mx(struct buf *out, const uint8_t *rdata, uint16_t len)
{
	print_numbers(out, rdata, len, 1);
}

static bool parse_mx(struct buf *out, const char *s, uint16_t len)
{
	return parse_numbers(out, s, len, 1);
}

static void print_srv(struct buf *out, const uint8_t *rdata, uint16_t len)
{
	print_numbers(out, rdata, len, 3);
}

static bool parse_srv(struct buf *out, const char *s, uint16_t len)
{
	return parse_numbers(out, s, len, 3);
}

/* ---- DHCID ------------------------------------------------------------------------------ */

/* A text has at most 65535 characters: 4 * 49149 / 3 = 65532. */
static void print_dhcid(struct buf *out, const uint8_t *rdata, uint16_t len)
{
	if (len <= 49149)
		base64_print(out, rdata, len);
	else
		rdata_print_raw(out, rdata, len);
}

static bool parse_dhcid(struct buf *out, const char *s, uint16_t len)
{
	return len > 0 && base64_parse(out, s, len);
}

/* ---- the table -------------------------------------------------------------------------- */

#define NO_NAME 255
#define KEPT(number, text, flags, fn, at)                                                          \
	[number] = {number, text, RRTYPE_VALUE | (flags), print_##fn, parse_##fn, at}
#define THERE(number, text) [number] = {number, text, 0, NULL, NULL, NO_NAME}
#define SIGNER(number, text) [number] = {number, text, RRTYPE_SIGNER, NULL, NULL, NO_NAME}

/* By number; the gaps have no name. */
static const struct rrtype low[] = {
    KEPT(RR_A, "A", RRTYPE_MANAGED, a, NO_NAME),
    KEPT(RR_NS, "NS", RRTYPE_TARGET, name, 0),
    KEPT(RR_CNAME, "CNAME", RRTYPE_TARGET, name, 0),
    THERE(RR_SOA, "SOA"),
    KEPT(RR_PTR, "PTR", RRTYPE_MANAGED, name, 0),
    THERE(13, "HINFO"),
    KEPT(RR_MX, "MX", RRTYPE_TARGET, mx, 2),
    THERE(RR_TXT, "TXT"),
    THERE(17, "RP"),
    THERE(18, "AFSDB"),
    THERE(24, "SIG"),
    THERE(25, "KEY"),
    KEPT(RR_AAAA, "AAAA", RRTYPE_MANAGED, aaaa, NO_NAME),
    THERE(29, "LOC"),
    KEPT(RR_SRV, "SRV", RRTYPE_TARGET, srv, 6),
    THERE(35, "NAPTR"),
    THERE(37, "CERT"),
    KEPT(RR_DNAME, "DNAME", 0, name, 0),
    THERE(RR_OPT, "OPT"),
    THERE(RR_DS, "DS"),
    THERE(44, "SSHFP"),
    THERE(45, "IPSECKEY"),
    SIGNER(RR_RRSIG, "RRSIG"),
    SIGNER(RR_NSEC, "NSEC"),
    SIGNER(RR_DNSKEY, "DNSKEY"),
    KEPT(RR_DHCID, "DHCID", RRTYPE_MANAGED, dhcid, NO_NAME),
    SIGNER(RR_NSEC3, "NSEC3"),
    SIGNER(RR_NSEC3PARAM, "NSEC3PARAM"),
    THERE(52, "TLSA"),
    THERE(53, "SMIMEA"),
    SIGNER(59, "CDS"),
    SIGNER(60, "CDNSKEY"),
    THERE(61, "OPENPGPKEY"),
    THERE(62, "CSYNC"),
    THERE(63, "ZONEMD"),
    THERE(64, "SVCB"),
    THERE(65, "HTTPS"),
};

#undef THERE
#undef SIGNER
#define THERE(number, text) {number, text, 0, NULL, NULL, NO_NAME}
#define SIGNER(number, text) {number, text, RRTYPE_SIGNER, NULL, NULL, NO_NAME}

static const struct rrtype high[] = {
    THERE(99, "SPF"),
    THERE(RR_TSIG, "TSIG"),
    THERE(RR_IXFR, "IXFR"),
    THERE(RR_AXFR, "AXFR"),
    THERE(RR_ANY, "ANY"),
    THERE(256, "URI"),
    THERE(257, "CAA"),
    SIGNER(65534, "TYPE65534"), /* BIND's private type: how far it has signed */
};

enum { N_LOW = sizeof(low) / sizeof(low[0]), N_HIGH = sizeof(high) / sizeof(high[0]) };

const struct rrtype *rrtype_get(uint16_t type)
{
	unsigned i;

	if (type < N_LOW)
		return low[type].name != NULL ? &low[type] : NULL;
	for (i = 0; i < N_HIGH; i++) {
		if (high[i].type == type)
			return &high[i];
	}
	return NULL;
}

bool rrtype_has(uint16_t type, enum rrtype_flag flag)
{
	const struct rrtype *row = rrtype_get(type);

	return row != NULL && (row->flags & flag) != 0;
}

const char *rrtype_name(char out[12], uint16_t type)
{
	const struct rrtype *row = rrtype_get(type);
	char digits[5], *p = digits + sizeof(digits);
	unsigned v = type;
	size_t len;

	if (row != NULL) {
		memcpy(out, row->name, strlen(row->name) + 1);
		return out;
	}
	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	len = (size_t)(digits + sizeof(digits) - p);
	memcpy(out, "TYPE", 4);
	memcpy(out + 4, p, len);
	out[4 + len] = '\0';
	return out;
}

/* Type names in any case, as people type them. */
static bool same_word(const char *name, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		char c = s[i] >= 'a' && s[i] <= 'z' ? (char)(s[i] - 32) : s[i];

		if (name[i] != c || c == '\0')
			return false;
	}
	return name[len] == '\0';
}

static uint16_t parse_number(const char *s, size_t len)
{
	unsigned v = 0;
	size_t i;

	if (len < 5 || len > 9 || !same_word("TYPE", s, 4) || s[4] == '0')
		return 0;
	for (i = 4; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return 0;
		v = v * 10 + (unsigned)(s[i] - '0');
	}
	return v > 65535 ? 0 : (uint16_t)v;
}

uint16_t rrtype_parse(const char *s, size_t len)
{
	unsigned i;

	if (len == 0)
		return 0;
	for (i = 0; i < N_LOW; i++) {
		if (low[i].name != NULL && same_word(low[i].name, s, len))
			return low[i].type;
	}
	for (i = 0; i < N_HIGH; i++) {
		if (same_word(high[i].name, s, len))
			return high[i].type;
	}
	return parse_number(s, len);
}
