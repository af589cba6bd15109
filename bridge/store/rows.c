/* rows.c - rows of the database to values and back, where several files need the same. */
#include <string.h>

#include "bridge/store/inside.h"

bool store_keep_bytes(struct bytes *out, struct arena *a, struct bytes in)
{
	*out = (struct bytes){NULL, 0};
	if (in.len == 0)
		return true;
	out->p = arena_dup(a, in.p, in.len);
	if (out->p == NULL)
		return false;
	out->len = in.len;
	return true;
}

bool store_keep_text(const char **out, struct arena *a, const struct pg_rows *r, size_t row,
		     int col)
{
	*out = NULL;
	if (pg_is_null(r, row, col))
		return true;
	*out = arena_strdup(a, pg_text(r, row, col));
	return *out != NULL;
}

int store_read_kind(uint8_t *out, const char *text, struct err *e)
{
	enum obs_kind k;

	if (!obs_kind_parse(&k, text, strlen(text)))
		return err_set(e, ERR_PROTO, "the database holds an unknown kind \"%s\"", text);
	*out = (uint8_t)k;
	return 0;
}

int store_read_name(struct dname *out, const char *text, struct err *e)
{
	out->len = 0;
	if (*text == '\0')
		return 0;
	if (!dname_parse(out, text, strlen(text)))
		return err_set(e, ERR_PROTO, "the database holds a malformed name \"%s\"", text);
	return 0;
}

uint32_t store_u32(const struct pg_rows *r, size_t row, int col)
{
	int64_t v = pg_i64(r, row, col);

	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

void store_elem_name(struct pg_args *a, const struct dname *n)
{
	char text[DNAME_TEXT];

	if (n->len == 0)
		text[0] = '\0';
	else
		dname_print(text, n);
	pg_elem_text(a, text, strlen(text));
}

void store_elem_bytes(struct pg_args *a, struct bytes b)
{
	pg_elem_bytes(a, b.len == 0 ? NULL : b.p, b.len);
}

void store_elem_kind(struct pg_args *a, uint8_t kind)
{
	const char *name = obs_kind_name(kind);

	pg_elem_text(a, name, strlen(name));
}

void store_copy_text(struct pg *p, const char *s)
{
	pg_copy_text(p, s, s == NULL ? 0 : strlen(s));
}

void store_copy_bytes(struct pg *p, struct bytes b)
{
	pg_copy_bytes(p, b.len == 0 ? NULL : b.p, b.len);
}

void store_copy_ttl(struct pg *p, uint32_t ttl_s)
{
	if (ttl_s != 0)
		pg_copy_i64(p, ttl_s);
	else
		pg_copy_null(p);
}

int store_copy_rows(struct store *s, size_t n, store_copy_row row, const void *arg, struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++)
		r = row(s->pg, arg, i) < 0 ? err_nomem(e) : pg_copy_flush(s->pg, e);
	if (r == 0)
		return pg_copy_end(s->pg, e);
	pg_copy_end(s->pg, NULL);
	return r;
}

struct bytes store_name_key(const struct obs *o)
{
	return o->kind == OBS_MANUAL ? o->name : (struct bytes){NULL, 0};
}

/* Columns: source_id, address, kind, name, mac, client_id, duid, dhcid, valid_until, seen_at,
 * first_seen, last_seen, absent_since, held, ttl, ptr, raw. */
int store_read_evidence(struct evidence *out, const struct pg_rows *r, size_t row, int col,
			struct arena *a, struct err *e)
{
	struct obs *o = &out->obs;

	memset(out, 0, sizeof(*out));
	out->source_id = pg_i32(r, row, col);
	o->addr = pg_inet(r, row, col + 1);
	if (o->addr.family == 0)
		return err_set(e, ERR_PROTO, "the database holds an observation without address");
	if (store_read_kind(&o->kind, pg_text(r, row, col + 2), e) < 0)
		return ERR_PROTO;
	o->mac = pg_mac(r, row, col + 4);
	o->valid_until_s = pg_time(r, row, col + 8);
	o->seen_at_s = pg_time(r, row, col + 9);
	out->first_seen_s = pg_time(r, row, col + 10);
	out->last_seen_s = pg_time(r, row, col + 11);
	out->absent_since_s = pg_time(r, row, col + 12);
	out->held = pg_bool(r, row, col + 13);
	o->ttl_s = store_u32(r, row, col + 14);
	o->ptr = pg_bool(r, row, col + 15);
	if (!store_keep_bytes(&o->name, a, pg_bytes(r, row, col + 3)) ||
	    !store_keep_bytes(&o->client_id, a, pg_bytes(r, row, col + 5)) ||
	    !store_keep_bytes(&o->duid, a, pg_bytes(r, row, col + 6)) ||
	    !store_keep_bytes(&o->dhcid, a, pg_bytes(r, row, col + 7)) ||
	    !store_keep_bytes(&o->raw, a, pg_bytes(r, row, col + 16)))
		return err_nomem(e);
	return 0;
}
