/* buf.c - the growing buffer; one NUL behind the contents is always kept. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/buf.h"

enum { BUF_FIRST = 64 };

/* Room for len more bytes and the NUL. */
static bool grow(struct buf *b, size_t len)
{
	size_t need, cap;
	char *p;

	if (b->bad)
		return false;
	if (len < b->cap - b->len)
		return true;
	if (len >= SIZE_MAX / 2 - b->len) {
		b->bad = true;
		return false;
	}
	need = b->len + len + 1;
	cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
	while (cap < need)
		cap *= 2;
	p = realloc(b->p, cap);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	b->p[b->len] = '\0';
	return true;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
	if (!grow(b, len))
		return;
	if (len > 0)
		memcpy(b->p + b->len, p, len);
	b->len += len;
	b->p[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_chr(struct buf *b, char c)
{
	if (!grow(b, 1))
		return;
	b->p[b->len++] = c;
	b->p[b->len] = '\0';
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room;
	va_list ap;
	int n;

	if (!grow(b, BUF_FIRST))
		return;
	room = b->cap - b->len;
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->len, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= room) {
		b->p[b->len] = '\0';
		if (!grow(b, (size_t)n))
			return;
		va_start(ap, fmt);
		n = vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	if (n < 0) {
		b->p[b->len] = '\0';
		b->bad = true;
		return;
	}
	b->len += (size_t)n;
}

void buf_u8(struct buf *b, uint8_t v)
{
	buf_chr(b, (char)v);
}

void buf_u16(struct buf *b, uint16_t v)
{
	uint8_t p[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	buf_add(b, p, sizeof(p));
}

void buf_u32(struct buf *b, uint32_t v)
{
	uint8_t p[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	buf_add(b, p, sizeof(p));
}

void buf_u64(struct buf *b, uint64_t v)
{
	buf_u32(b, (uint32_t)(v >> 32));
	buf_u32(b, (uint32_t)v);
}

char *buf_reserve(struct buf *b, size_t len)
{
	return grow(b, len) ? b->p + b->len : NULL;
}

void buf_escaped(struct buf *b, const void *p, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = p;
	size_t plain = 0, i;

	for (i = 0; i < len; i++) {
		char x[4] = {'\\', 'x', hex[s[i] >> 4], hex[s[i] & 15]};

		if (s[i] >= 0x20 && s[i] < 0x7f && s[i] != '\\')
			continue;
		buf_add(b, s + plain, i - plain);
		plain = i + 1;
		if (s[i] == '\\')
			buf_add(b, "\\\\", 2);
		else
			buf_add(b, x, sizeof(x));
	}
	if (len > plain)
		buf_add(b, s + plain, len - plain);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->bad = false;
	if (b->p != NULL)
		b->p[0] = '\0';
}

void buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf)BUF_INIT;
}

const char *buf_text(const struct buf *b)
{
	return b->p == NULL ? "" : b->p;
}
