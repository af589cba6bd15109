/* encode.c - values in PostgreSQL's binary format, for parameters, arrays and COPY.
 *
 * Every value is a 32-bit length, then its bytes; length -1 is NULL.
 */
#include <string.h>

#include "bridge/pg/session.h"

/* 2000-01-01 in Unix seconds: PostgreSQL counts microseconds from there. */
#define PG_EPOCH_S 946684800LL
/* The server's last timestamp, year 294276, in Unix seconds; later ones are "infinity". */
#define PG_LAST_S 9224318015999LL

void enc_null(struct buf *b)
{
	buf_u32(b, UINT32_MAX);
}

void enc_i32(struct buf *b, int32_t v)
{
	buf_u32(b, 4);
	buf_u32(b, (uint32_t)v);
}

void enc_i64(struct buf *b, int64_t v)
{
	buf_u32(b, 8);
	buf_u64(b, (uint64_t)v);
}

void enc_bool(struct buf *b, bool v)
{
	buf_u32(b, 1);
	buf_u8(b, v);
}

void enc_bytes(struct buf *b, const void *p, size_t len)
{
	if (p == NULL) {
		enc_null(b);
		return;
	}
	if (len > INT32_MAX) {
		b->bad = true;
		return;
	}
	buf_u32(b, (uint32_t)len);
	buf_add(b, p, len);
}

/* Bytes of the UTF-8 sequence at s (RFC 3629: shortest form, no surrogates, to U+10FFFF);
 * 0 when there is none.  NUL is none: a text of the server cannot hold it. */
static size_t utf8_len(const uint8_t *s, size_t left)
{
	uint8_t lo = 0x80, hi = 0xbf;
	size_t n, i;

	if (s[0] < 0x80)
		return s[0] != 0;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n > left)
		return 0;
	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;
	if (s[1] < lo || s[1] > hi)
		return 0;
	for (i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* Eight bytes of ASCII without a NUL, as nearly all text is. */
static bool plain_8(const uint8_t *p)
{
	const uint64_t high = 0x8080808080808080, one = 0x0101010101010101;
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	/* A byte below 0x80 borrows its top bit from "- 1" only when it is 0. */
	return ((v | (v - one)) & high) == 0;
}

void enc_text(struct buf *b, const char *s, size_t len)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t start = b->len + 4, i, n;

	enc_bytes(b, s, len);
	if (s == NULL || b->bad)
		return;
	for (i = 0; i < len; i += n) {
		if (len - i >= 8 && plain_8(p + i)) {
			n = 8;
			continue;
		}
		n = utf8_len(p + i, len - i);
		if (n == 0) {
			b->p[start + i] = '?';
			n = 1;
		}
	}
}

void enc_inet(struct buf *b, const struct ipaddr *v)
{
	size_t len;

	if (v == NULL || v->family == 0) {
		enc_null(b);
		return;
	}
	len = v->family == 4 ? 4 : 16;
	buf_u32(b, (uint32_t)(4 + len));
	buf_u8(b, v->family == 4 ? 2 : 3);  /* PGSQL_AF_INET, PGSQL_AF_INET6 */
	buf_u8(b, (uint8_t)(len * 8));
	buf_u8(b, 0);                       /* not a cidr */
	buf_u8(b, (uint8_t)len);
	buf_add(b, v->b, len);
}

void enc_mac(struct buf *b, const struct mac *v)
{
	if (v->known)
		enc_bytes(b, v->b, sizeof(v->b));
	else
		enc_null(b);
}

void enc_time(struct buf *b, int64_t unix_s)
{
	if (unix_s == 0)
		enc_null(b);
	else if (unix_s > PG_LAST_S)
		enc_i64(b, INT64_MAX);
	else if (unix_s < 0)
		enc_i64(b, INT64_MIN);
	else
		enc_i64(b, (unix_s - PG_EPOCH_S) * 1000000);
}

int64_t dec_time(int64_t us)
{
	int64_t s;

	if (us == INT64_MAX)
		return OBS_FOREVER;
	if (us == INT64_MIN)
		return 0;
	/* Rounds down, also before 2000. */
	s = us / 1000000;
	if (us % 1000000 < 0)
		s--;
	return s + PG_EPOCH_S;
}

/* ---- parameters ---------------------------------------------------------------------------- */

void pg_args_init(struct pg_args *a)
{
	memset(a, 0, sizeof(*a));
}

void pg_args_fini(struct pg_args *a)
{
	buf_fini(&a->b);
	a->n = 0;
}

/* Announces the next parameter.  One too many spoils the whole list. */
static struct buf *arg_open(struct pg_args *a, uint32_t oid)
{
	if (a->n == PG_ARGS_MAX) {
		a->b.bad = true;
		return &a->b;
	}
	a->oid[a->n] = oid;
	a->at[a->n] = a->b.len;
	a->n++;
	return &a->b;
}

void pg_arg_null(struct pg_args *a)
{
	enc_null(arg_open(a, 0));
}

void pg_arg_i32(struct pg_args *a, int32_t v)
{
	enc_i32(arg_open(a, PG_INT4), v);
}

void pg_arg_i64(struct pg_args *a, int64_t v)
{
	enc_i64(arg_open(a, PG_INT8), v);
}

void pg_arg_bool(struct pg_args *a, bool v)
{
	enc_bool(arg_open(a, PG_BOOL), v);
}

void pg_arg_text(struct pg_args *a, const char *s)
{
	enc_text(arg_open(a, PG_TEXT), s, s == NULL ? 0 : strlen(s));
}

void pg_arg_bytes(struct pg_args *a, const void *p, size_t len)
{
	enc_bytes(arg_open(a, PG_BYTEA), p == NULL && len == 0 ? "" : p, len);
}

void pg_arg_inet(struct pg_args *a, const struct ipaddr *v)
{
	enc_inet(arg_open(a, PG_INET), v);
}

void pg_arg_time(struct pg_args *a, int64_t unix_s)
{
	enc_time(arg_open(a, PG_TIMESTAMPTZ), unix_s);
}

/* ---- arrays -------------------------------------------------------------------------------- */

static uint32_t array_oid(enum pg_type type)
{
	switch (type) {
	case PG_BOOL: return PG_OID_BOOLS;
	case PG_BYTEA: return PG_OID_BYTEAS;
	case PG_INT8: return PG_OID_INT8S;
	case PG_INT4: return PG_OID_INT4S;
	case PG_TEXT: return PG_OID_TEXTS;
	case PG_TID: return PG_OID_TIDS;
	case PG_XID: return PG_OID_XIDS;
	case PG_MACADDR: return PG_OID_MACADDRS;
	case PG_INET: return PG_OID_INETS;
	case PG_TIMESTAMPTZ: return PG_OID_TIMESTAMPTZS;
	}
	return 0;
}

/* The head of an array value, after its length. */
static void array_head(struct buf *b, enum pg_type type, size_t n)
{
	buf_u32(b, n == 0 ? 0 : 1);     /* dimensions */
	buf_u32(b, 1);                  /* NULLs may be among them */
	buf_u32(b, type);
	if (n > INT32_MAX) {
		b->bad = true;
	} else if (n > 0) {
		buf_u32(b, (uint32_t)n);
		buf_u32(b, 1);          /* lower bound */
	}
}

void pg_arg_array(struct pg_args *a, enum pg_type type, size_t n)
{
	struct buf *b = arg_open(a, array_oid(type));

	buf_u32(b, 0);  /* the length is where the next parameter, or the list, ends */
	array_head(b, type, n);
}

void pg_elem_null(struct pg_args *a) { enc_null(&a->b); }
void pg_elem_i32(struct pg_args *a, int32_t v) { enc_i32(&a->b, v); }
void pg_elem_i64(struct pg_args *a, int64_t v) { enc_i64(&a->b, v); }
void pg_elem_bool(struct pg_args *a, bool v) { enc_bool(&a->b, v); }
void pg_elem_text(struct pg_args *a, const char *s, size_t len) { enc_text(&a->b, s, len); }
void pg_elem_bytes(struct pg_args *a, const void *p, size_t len) { enc_bytes(&a->b, p, len); }
void pg_elem_inet(struct pg_args *a, const struct ipaddr *v) { enc_inet(&a->b, v); }
void pg_elem_mac(struct pg_args *a, const struct mac *v) { enc_mac(&a->b, v); }
void pg_elem_time(struct pg_args *a, int64_t unix_s) { enc_time(&a->b, unix_s); }

void pg_elem_tid(struct pg_args *a, uint64_t v)
{
	buf_u32(&a->b, 6);
	buf_u32(&a->b, (uint32_t)(v >> 16));
	buf_u16(&a->b, (uint16_t)v);
}

void pg_arg_inets(struct pg_args *a, const struct ipaddr *v, size_t n)
{
	size_t i;

	pg_arg_array(a, PG_INET, n);
	for (i = 0; i < n; i++)
		pg_elem_inet(a, &v[i]);
}

void pg_arg_texts(struct pg_args *a, const char *const *v, size_t n)
{
	size_t i;

	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < n; i++)
		pg_elem_text(a, v[i], v[i] == NULL ? 0 : strlen(v[i]));
}
