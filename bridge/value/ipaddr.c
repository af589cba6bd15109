/* ipaddr.c - addresses and prefixes: text, order, and their names in the reverse tree. */
#include <arpa/inet.h>
#include <string.h>

#include "bridge/value/ipaddr.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96 */

/* A decimal from 0 to max without leading zeros at s; digits used, 0 when there is none. */
static size_t take_number(unsigned *out, const char *s, size_t len, unsigned max)
{
	unsigned v = 0;
	size_t i;

	for (i = 0; i < len && i < 4 && s[i] >= '0' && s[i] <= '9'; i++)
		v = v * 10 + (unsigned)(s[i] - '0');
	if (i == 0 || v > max || (s[0] == '0' && i > 1))
		return 0;
	*out = v;
	return i;
}

static char *put_number(char *o, unsigned v)
{
	if (v >= 100)
		*o++ = (char)('0' + v / 100);
	if (v >= 10)
		*o++ = (char)('0' + v / 10 % 10);
	*o++ = (char)('0' + v % 10);
	return o;
}

/* ---- text ------------------------------------------------------------------------------- */

static bool parse4(uint8_t b[4], const char *s, size_t len)
{
	size_t at = 0, used;
	unsigned i, v;

	for (i = 0; i < 4; i++) {
		if (i > 0 && (at >= len || s[at++] != '.'))
			return false;
		used = take_number(&v, s + at, len - at, 255);
		if (used == 0)
			return false;
		at += used;
		b[i] = (uint8_t)v;
	}
	return at == len;
}

bool ipaddr_parse(struct ipaddr *out, const char *s, size_t len)
{
	struct ipaddr a = {0};
	char text[IPADDR_TEXT];

	if (len < 2 || len >= sizeof(text))
		return false;
	if (memchr(s, ':', len) == NULL) {
		a.family = 4;
		if (!parse4(a.b, s, len))
			return false;
	} else {
		if (memchr(s, '\0', len) != NULL)
			return false;
		memcpy(text, s, len);
		text[len] = '\0';
		a.family = 6;
		if (inet_pton(AF_INET6, text, a.b) != 1 || memcmp(a.b, mapped, 12) == 0)
			return false;
	}
	*out = a;
	return true;
}

const char *ipaddr_print(char out[IPADDR_TEXT], const struct ipaddr *a)
{
	char *o = out;
	unsigned i;

	out[0] = '\0';
	if (a->family == 6) {
		inet_ntop(AF_INET6, a->b, out, IPADDR_TEXT);
	} else if (a->family == 4) {
		for (i = 0; i < 4; i++) {
			if (i > 0)
				*o++ = '.';
			o = put_number(o, a->b[i]);
		}
		*o = '\0';
	}
	return out;
}

int ipaddr_cmp(const struct ipaddr *a, const struct ipaddr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

size_t ipaddr_len(const struct ipaddr *a)
{
	return a->family == 4 ? 4 : 16;
}

static bool is_host4(const uint8_t b[4])
{
	if (b[0] == 0 || b[0] == 127 || (b[0] & 0xf0) == 0xe0) /* RFC 1122 3.2.1.3; 224/4 */
		return false;
	if (b[0] == 169 && b[1] == 254)
		return false;
	return (b[0] & b[1] & b[2] & b[3]) != 255;
}

static bool is_host6(const uint8_t b[16])
{
	static const uint8_t zero[15];

	if (memcmp(b, zero, 15) == 0 && b[15] <= 1) /* :: and ::1 */
		return false;
	if (b[0] == 0xff || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80))
		return false;
	return memcmp(b, mapped, sizeof(mapped)) != 0;
}

bool ipaddr_is_host(const struct ipaddr *a)
{
	if (a->family == 4)
		return is_host4(a->b);
	return a->family == 6 && is_host6(a->b);
}

/* ---- the reverse tree ------------------------------------------------------------------- */

static const uint8_t root4[] = "\7in-addr\4arpa"; /* with the root label, a C string's NUL */
static const uint8_t root6[] = "\3ip6\4arpa";

void ipaddr_reverse(struct dname *out, const struct ipaddr *a)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *o = out->b;
	unsigned i;

	if (a->family == 4) {
		for (i = 4; i-- > 0;) {
			char *from = (char *)o + 1;

			*o = (uint8_t)(put_number(from, a->b[i]) - from);
			o += *o + 1;
		}
		memcpy(o, root4, sizeof(root4));
		o += sizeof(root4);
	} else if (a->family == 6) {
		for (i = 16; i-- > 0;) {
			*o++ = 1;
			*o++ = (uint8_t)digits[a->b[i] & 15];
			*o++ = 1;
			*o++ = (uint8_t)digits[a->b[i] >> 4];
		}
		memcpy(o, root6, sizeof(root6));
		o += sizeof(root6);
	}
	out->len = (uint8_t)(o - out->b);
}

static int nibble(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The labels below in-addr.arpa: the last is the first octet. */
static bool octets_of(struct prefix *out, const struct dname *n)
{
	unsigned k = dname_labels(n) - 2, at = 0, i, v;

	if (k > 4)
		return false;
	for (i = k; i-- > 0; at += n->b[at] + 1U) {
		if (take_number(&v, (const char *)n->b + at + 1, n->b[at], 255) != n->b[at])
			return false;
		out->addr.b[i] = (uint8_t)v;
	}
	out->addr.family = 4;
	out->len = (uint8_t)(k * 8);
	return true;
}

static bool nibbles_of(struct prefix *out, const struct dname *n)
{
	unsigned k = dname_labels(n) - 2, i;

	if (k > 32)
		return false;
	for (i = 0; i < k; i++) {
		const uint8_t *label = n->b + (k - 1 - i) * 2U;
		int v = label[0] == 1 ? nibble(label[1]) : -1;

		if (v < 0)
			return false;
		out->addr.b[i / 2] |= (uint8_t)(i % 2 == 0 ? v << 4 : v);
	}
	out->addr.family = 6;
	out->len = (uint8_t)(k * 4);
	return true;
}

static bool below(const struct dname *n, const uint8_t *root, size_t len)
{
	struct dname r;

	r.len = (uint8_t)len;
	memcpy(r.b, root, len);
	return dname_under(n, &r);
}

bool prefix_from_reverse_zone(struct prefix *out, const struct dname *zone)
{
	struct prefix p = {0};

	if (below(zone, root4, sizeof(root4))) {
		if (!octets_of(&p, zone))
			return false;
	} else if (!below(zone, root6, sizeof(root6)) || !nibbles_of(&p, zone)) {
		return false;
	}
	*out = p;
	return true;
}

bool ipaddr_from_reverse(struct ipaddr *out, const struct dname *name)
{
	struct prefix p;

	if (!prefix_from_reverse_zone(&p, name) || p.len != ipaddr_len(&p.addr) * 8)
		return false;
	if (p.addr.family == 6 && memcmp(p.addr.b, mapped, sizeof(mapped)) == 0)
		return false; /* no text of ours stands for it */
	*out = p.addr;
	return true;
}

/* ---- prefixes --------------------------------------------------------------------------- */

/* Are the first bits of both equal? */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool host_bits_zero(const struct prefix *p)
{
	unsigned i, bits = (unsigned)ipaddr_len(&p->addr) * 8;

	for (i = p->len; i < bits; i++) {
		if (p->addr.b[i / 8] & (0x80 >> i % 8))
			return false;
	}
	return true;
}

bool prefix_parse(struct prefix *out, const char *s, size_t len)
{
	const char *slash = len == 0 ? NULL : memchr(s, '/', len);
	struct prefix p;
	size_t left;
	unsigned v;

	if (slash == NULL || !ipaddr_parse(&p.addr, s, (size_t)(slash - s)))
		return false;
	left = len - (size_t)(slash - s) - 1;
	if (left > 3 || take_number(&v, slash + 1, left, p.addr.family == 4 ? 32 : 128) != left ||
	    left == 0)
		return false;
	p.len = (uint8_t)v;
	if (!host_bits_zero(&p))
		return false;
	*out = p;
	return true;
}

const char *prefix_print(char out[PREFIX_TEXT], const struct prefix *p)
{
	char *o;

	ipaddr_print(out, &p->addr);
	if (out[0] == '\0')
		return out;
	o = out + strlen(out);
	*o++ = '/';
	*put_number(o, p->len) = '\0';
	return out;
}

bool prefix_contains(const struct prefix *p, const struct ipaddr *a)
{
	return p->addr.family != 0 && p->addr.family == a->family &&
	       same_bits(p->addr.b, a->b, p->len);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a->len <= b->len ? a : b, a->len <= b->len ? &b->addr : &a->addr);
}
