/* mac.c - the spellings of a hardware address that tools print. */
#include <string.h>

#include "bridge/value/mac.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Six octets with one separator throughout; one digit is enough between colons. */
static bool parse_octets(uint8_t b[6], const char *s, size_t len, char sep)
{
	size_t at = 0;
	unsigned i;

	for (i = 0; i < 6; i++) {
		int hi, lo;

		if (i > 0 && (at >= len || s[at++] != sep))
			return false;
		hi = at < len ? hex(s[at]) : -1;
		lo = at + 1 < len ? hex(s[at + 1]) : -1;
		if (hi < 0 || (lo < 0 && sep != ':'))
			return false;
		b[i] = (uint8_t)(lo < 0 ? hi : hi << 4 | lo);
		at += lo < 0 ? 1 : 2;
	}
	return at == len;
}

/* aabb.ccdd.eeff */
static bool parse_words(uint8_t b[6], const char *s, size_t len)
{
	unsigned i;

	if (len != 14 || s[4] != '.' || s[9] != '.')
		return false;
	for (i = 0; i < 6; i++) {
		size_t at = i * 2 + i / 2;
		int hi = hex(s[at]), lo = hex(s[at + 1]);

		if (hi < 0 || lo < 0)
			return false;
		b[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

bool mac_parse(struct mac *out, const char *s, size_t len)
{
	uint8_t b[6];

	if (!parse_octets(b, s, len, ':') && !parse_octets(b, s, len, '-') &&
	    !parse_words(b, s, len))
		return false;
	out->known = true;
	memcpy(out->b, b, sizeof(b));
	return true;
}

const char *mac_print(char out[MAC_TEXT], const struct mac *m)
{
	static const char digits[] = "0123456789abcdef";
	char *o = out;
	unsigned i;

	for (i = 0; m->known && i < 6; i++) {
		if (i > 0)
			*o++ = ':';
		*o++ = digits[m->b[i] >> 4];
		*o++ = digits[m->b[i] & 15];
	}
	*o = '\0';
	return out;
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return a->known && b->known && memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool mac_is_zero(const struct mac *m)
{
	static const uint8_t zero[6];

	return memcmp(m->b, zero, sizeof(zero)) == 0;
}

bool mac_is_local(const struct mac *m)
{
	return m->known && (m->b[0] & 2) != 0;
}
