/* rr.c - sets of records, kept in order so that equal sets are equal byte for byte.
 *
 * A set's array has room for the next power of two of its length: no capacity is stored, and a
 * set of one record takes one slot.  So a set grows by rrs_add only, and one that was copied by
 * assignment may be read but not added to while the other is in use.
 */
#include <string.h>

#include "bridge/base/hash.h"
#include "bridge/value/rdata.h"
#include "bridge/value/rr.h"

/* Fewer than this are found faster by looking at each. */
enum { SCAN_MAX = 8 };

int rr_cmp(const struct rr *a, const struct rr *b)
{
	size_t len = a->rdlen < b->rdlen ? a->rdlen : b->rdlen;
	int c;

	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	c = len == 0 ? 0 : memcmp(a->rdata, b->rdata, len);
	if (c != 0)
		return c;
	return (a->rdlen > b->rdlen) - (a->rdlen < b->rdlen);
}

static bool is_kept(uint16_t type)
{
	return rrtype_has(type, RRTYPE_VALUE);
}

/* ---- adding ----------------------------------------------------------------------------- */

/* The index of the first record that is not before r. */
static size_t place_of(const struct rrs *s, const struct rr *r)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (rr_cmp(&s->v[mid], r) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Room for one more: the array is full when n is 0 or a power of two. */
static int room(struct rrs *s, struct arena *a)
{
	struct rr *v;

	if ((s->n & (s->n - 1)) != 0)
		return 0;
	v = arena_array(a, s->n == 0 ? 1 : s->n * 2, sizeof(*v));
	if (v == NULL)
		return ERR_NOMEM;
	if (s->n > 0)
		memcpy(v, s->v, s->n * sizeof(*v));
	s->v = v;
	return 0;
}

int rrs_add(struct rrs *s, struct arena *a, uint16_t type, const void *rdata, size_t rdlen)
{
	struct rr r = {.type = type};
	size_t at = s->n;

	if (rdlen > UINT16_MAX)
		return ERR_BUG;
	if (rdlen > 0 && is_kept(type)) {
		r.rdata = rdata;
		r.rdlen = (uint16_t)rdlen;
	}
	if (s->n > 0 && rr_cmp(&s->v[s->n - 1], &r) >= 0) {
		at = place_of(s, &r);
		if (rr_cmp(&s->v[at], &r) == 0)
			return 0;
	}
	if (r.rdlen > 0) {
		r.rdata = arena_dup(a, rdata, rdlen);
		if (r.rdata == NULL)
			return ERR_NOMEM;
	}
	if (room(s, a) < 0)
		return ERR_NOMEM;
	if (at < s->n)
		memmove(s->v + at + 1, s->v + at, (s->n - at) * sizeof(*s->v));
	s->v[at] = r;
	s->n++;
	return 0;
}

int rrs_add_addr(struct rrs *s, struct arena *a, const struct ipaddr *addr)
{
	return rrs_add(s, a, addr->family == 4 ? RR_A : RR_AAAA, addr->b, ipaddr_len(addr));
}

int rrs_add_name(struct rrs *s, struct arena *a, uint16_t type, const struct dname *target)
{
	return rrs_add(s, a, type, target->b, target->len);
}

/* ---- looking ---------------------------------------------------------------------------- */

/* The index of the first record of that type or a later one. */
static size_t type_at(const struct rrs *s, uint32_t type)
{
	size_t lo = 0, hi = s->n;

	if (s->n <= SCAN_MAX) {
		while (lo < hi && s->v[lo].type < type)
			lo++;
		return lo;
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->v[mid].type < type)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t rrs_of(const struct rrs *s, uint16_t type, const struct rr **first)
{
	size_t at = type_at(s, type);

	*first = s->n == 0 ? NULL : s->v + at;
	return type_at(s, (uint32_t)type + 1) - at;
}

bool rrs_has(const struct rrs *s, const struct rr *r)
{
	size_t at = place_of(s, r);

	return at < s->n && rr_cmp(&s->v[at], r) == 0;
}

static bool same(const struct rr *a, const struct rr *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (rr_cmp(&a[i], &b[i]) != 0)
			return false;
	}
	return true;
}

bool rrs_equal(const struct rrs *a, const struct rrs *b)
{
	return a->n == b->n && same(a->v, b->v, a->n);
}

bool rrs_equal_of(const struct rrs *a, const struct rrs *b, uint16_t type)
{
	const struct rr *p, *q;
	size_t n = rrs_of(a, type, &p);

	return rrs_of(b, type, &q) == n && same(p, q, n);
}

bool rrs_within(const struct rrs *a, const struct rrs *b)
{
	size_t i = 0;

	while (i < a->n && rrs_has(b, &a->v[i]))
		i++;
	return i == a->n;
}

static bool meets(const struct rr *v, size_t n, const struct rrs *b)
{
	size_t i = 0;

	while (i < n && !rrs_has(b, &v[i]))
		i++;
	return i < n;
}

bool rrs_meets(const struct rrs *a, const struct rrs *b)
{
	return meets(a->v, a->n, b);
}

bool rrs_meets_of(const struct rrs *a, const struct rrs *b, uint16_t type)
{
	const struct rr *v;
	size_t n = rrs_of(a, type, &v);

	return meets(v, n, b);
}

bool rrs_within_of(const struct rrs *a, const struct rrs *b, uint16_t type)
{
	const struct rr *p, *q;
	size_t n = rrs_of(a, type, &p), m = rrs_of(b, type, &q), i, j = 0;

	for (i = 0; i < n; i++, j++) {
		while (j < m && rr_cmp(&q[j], &p[i]) < 0)
			j++;
		if (j >= m || rr_cmp(&q[j], &p[i]) != 0)
			return false;
	}
	return true;
}

/* ---- copying ---------------------------------------------------------------------------- */

static int add_all(struct rrs *dst, struct arena *a, const struct rr *v, size_t n)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < n; i++)
		r = rrs_add(dst, a, v[i].type, v[i].rdata, v[i].rdlen);
	return r;
}

int rrs_take_of(struct rrs *dst, struct arena *a, const struct rrs *src, uint16_t type)
{
	const struct rr *first;
	size_t n = rrs_of(src, type, &first);

	return add_all(dst, a, first, n);
}

int rrs_managed(struct rrs *dst, struct arena *a, const struct rrs *src)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < src->n; i++) {
		if (rrtype_has(src->v[i].type, RRTYPE_MANAGED))
			r = add_all(dst, a, &src->v[i], 1);
	}
	return r;
}

int rrs_dup(struct rrs *dst, struct arena *a, const struct rrs *src)
{
	struct rrs copy = {NULL, 0};
	int r = add_all(&copy, a, src->v, src->n);

	if (r == 0)
		*dst = copy;
	return r;
}

/* ---- what a record says ----------------------------------------------------------------- */

bool rr_target(struct dname *out, const struct rr *r)
{
	const struct rrtype *row = rrtype_get(r->type);
	size_t len;

	if (row == NULL || row->name_at == 255 || row->name_at >= r->rdlen)
		return false;
	len = (size_t)r->rdlen - row->name_at;
	return dname_from_wire(out, r->rdata + row->name_at, len) == len;
}

bool rr_addr(struct ipaddr *out, const struct rr *r)
{
	struct ipaddr a = {0};

	if (r->type == RR_A && r->rdlen == 4)
		a.family = 4;
	else if (r->type == RR_AAAA && r->rdlen == 16)
		a.family = 6;
	else
		return false;
	memcpy(a.b, r->rdata, r->rdlen);
	*out = a;
	return true;
}

/* ---- text ------------------------------------------------------------------------------- */

void rr_print(struct buf *out, const struct rr *r)
{
	const struct rrtype *row = rrtype_get(r->type);
	char name[12];

	buf_str(out, rrtype_name(name, r->type));
	buf_chr(out, ' ');
	if (r->rdlen == 0 || row == NULL || (row->flags & RRTYPE_VALUE) == 0)
		buf_chr(out, '*');
	else
		row->print(out, r->rdata, r->rdlen);
}

void rrs_print(struct buf *out, const struct rrs *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (i > 0)
			buf_chr(out, '\n');
		rr_print(out, &s->v[i]);
	}
}

/* Is the line what rr_print would say?  Asked where one RDATA might have a second spelling. */
static bool is_canonical(const struct rr *r, const char *s, size_t len)
{
	struct buf text = BUF_INIT;
	bool same_text;

	rr_print(&text, r);
	same_text = !text.bad && text.len == len && memcmp(text.p, s, len) == 0;
	buf_fini(&text);
	return same_text;
}

/* One line; *r borrows the RDATA from scratch. */
static bool parse_line(struct rr *r, struct buf *scratch, const char *s, size_t len)
{
	const char *blank = memchr(s, ' ', len);
	const struct rrtype *row;
	size_t left;
	char name[12];

	if (blank == NULL)
		return false;
	*r = (struct rr){.type = rrtype_parse(s, (size_t)(blank - s))};
	if (r->type == 0)
		return false;
	rrtype_name(name, r->type);
	if (strlen(name) != (size_t)(blank - s) || memcmp(name, s, strlen(name)) != 0)
		return false;
	left = len - (size_t)(blank + 1 - s);
	if (left == 1 && blank[1] == '*')
		return true;
	row = rrtype_get(r->type);
	if (row == NULL || row->parse == NULL)
		return false;
	if (left > 0 && blank[1] == '\\' && rdata_parse_raw(scratch, blank + 1, left)) {
		r->rdata = (const uint8_t *)scratch->p;
		r->rdlen = (uint16_t)scratch->len;
		return !scratch->bad && is_canonical(r, s, len);
	}
	buf_reset(scratch);
	if (left > UINT16_MAX || !row->parse(scratch, blank + 1, (uint16_t)left))
		return false;
	r->rdata = (const uint8_t *)scratch->p;
	r->rdlen = (uint16_t)scratch->len;
	return true;
}

static int parse_lines(struct rrs *set, struct arena *a, struct buf *scratch, const char *s,
		       size_t len, struct err *e)
{
	const char *end = s + len;
	size_t line = 0;
	struct rr r;
	bool ok;

	for (;;) {
		const char *stop = memchr(s, '\n', (size_t)(end - s));
		size_t n = (size_t)((stop == NULL ? end : stop) - s);

		line++;
		buf_reset(scratch);
		ok = parse_line(&r, scratch, s, n);
		if (scratch->bad)
			return err_nomem(e);
		if (!ok)
			return err_set(e, ERR_PROTO, "line %zu of the records is not canonical",
				       line);
		if (set->n > 0 && rr_cmp(&set->v[set->n - 1], &r) >= 0)
			return err_set(e, ERR_PROTO, "line %zu of the records is out of order", line);
		if (rrs_add(set, a, r.type, r.rdata, r.rdlen) < 0)
			return err_nomem(e);
		if (stop == NULL)
			return 0;
		s = stop + 1;
	}
}

int rrs_parse(struct rrs *out, struct arena *a, const char *s, size_t len, struct err *e)
{
	struct buf scratch = BUF_INIT;
	struct rrs set = {NULL, 0};
	int r = 0;

	if (len > 0)
		r = parse_lines(&set, a, &scratch, s, len, e);
	buf_fini(&scratch);
	if (r == 0)
		*out = set;
	return r;
}

/* ---- digest ----------------------------------------------------------------------------- */

/* The type is mixed into the key, which spares a copy of the RDATA. */
uint64_t rr_digest(const struct hash_key *key, uint16_t type, const uint8_t *rdata, size_t rdlen)
{
	struct hash_key k = {key->k0 ^ (type * 0x9e3779b97f4a7c15ULL), key->k1};
	uint64_t h = hash_bytes(&k, rdata, is_kept(type) ? rdlen : 0);

	return h == 0 ? 1 : h;
}

uint64_t rrs_digest(const struct hash_key *key, const struct rrs *s)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		sum += rr_digest(key, s->v[i].type, s->v[i].rdata, s->v[i].rdlen);
	return sum;
}
