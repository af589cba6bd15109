/* base64.c - three bytes to four characters and back. */
#include "bridge/value/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_print(struct buf *out, const uint8_t *p, size_t len)
{
	char *q = len > SIZE_MAX / 2 ? NULL : buf_reserve(out, (len + 2) / 3 * 4);

	if (q == NULL) {
		out->bad = true;
		return;
	}
	for (; len > 0; p += 3, q += 4) {
		size_t n = len < 3 ? len : 3;
		uint32_t x = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) |
			     (n > 2 ? p[2] : 0);

		q[0] = digits[x >> 18];
		q[1] = digits[x >> 12 & 63];
		q[2] = n > 1 ? digits[x >> 6 & 63] : '=';
		q[3] = n > 2 ? digits[x & 63] : '=';
		len -= n;
	}
	*q = '\0';
	out->len = (size_t)(q - out->p);
}

/* The value of each digit plus one; 0: no digit. */
static const uint8_t values[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
	24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
	48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['+'] = 63, ['/'] = 64,
};

static int digit(char c)
{
	return values[(uint8_t)c] - 1;
}

/* One group of four, of which the last may be padded: how many bytes it made, 0: malformed. */
static unsigned group(char o[3], const char *s, bool last)
{
	unsigned n = 4, i;
	uint32_t x = 0;

	if (last && s[3] == '=')
		n = s[2] == '=' ? 2 : 3;
	for (i = 0; i < n; i++) {
		int d = digit(s[i]);

		if (d < 0)
			return 0;
		x |= (uint32_t)d << (18 - 6 * i);
	}
	/* n characters carry n - 1 bytes; the bits below must be zero. */
	if (n < 4 && (x & ((1U << (32 - 8 * n)) - 1)) != 0)
		return 0;
	for (i = 0; i + 1 < n; i++)
		o[i] = (char)(x >> (16 - 8 * i));
	return n - 1;
}

bool base64_parse(struct buf *out, const char *s, size_t len)
{
	char *o = buf_reserve(out, len / 4 * 3);
	size_t i;

	if (o == NULL || len % 4 != 0)
		return false;
	for (i = 0; i < len; i += 4) {
		unsigned n = group(o, s + i, i + 4 == len);

		if (n == 0) {
			out->p[out->len] = '\0';
			return false;
		}
		o += n;
	}
	*o = '\0';
	out->len = (size_t)(o - out->p);
	return true;
}
