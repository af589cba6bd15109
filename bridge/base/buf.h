/* buf.h - a buffer that grows and is sticky: append freely, ask bad once at the end. */
#ifndef BRIDGE_BASE_BUF_H
#define BRIDGE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *p;     /* always NUL-terminated when not NULL; the NUL is not in len */
	size_t len;
	size_t cap;
	bool bad;    /* memory ran out: contents are worth nothing */
};

#define BUF_INIT {NULL, 0, 0, false}

void buf_add(struct buf *b, const void *p, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_chr(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Big endian, as DNS and the PostgreSQL protocol want them. */
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
/* Room for len more bytes; NULL (and bad) when there is none.  Does not change len. */
char *buf_reserve(struct buf *b, size_t len);
/* Bytes a terminal or a log may show: anything but printable ASCII becomes \xHH, a backslash
 * becomes \\. */
void buf_escaped(struct buf *b, const void *p, size_t len);
void buf_reset(struct buf *b);  /* len 0, keeps the memory, clears bad */
void buf_fini(struct buf *b);
/* The text, or "" when nothing was appended. */
const char *buf_text(const struct buf *b);

#endif
