/* output.c - rows of columns as a table or as JSON.  See output.h. */

#include "bridge/cli/output.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/buf.h"
#include "bridge/value/rrtype.h"
#include "bridge/value/wirelen.h"

struct out {
	FILE *to;
	bool json;
	bool bad;                      /* memory ran out on the way */
	const struct out_col *cols;
	size_t n_cols;
	size_t col;                    /* of the next cell */
	size_t n_rows;
	json_t *row;                   /* JSON: the object that is being filled */
	struct libscols_table *table;  /* table: everything so far */
	struct libscols_line *line;
};

/* ---- values ----------------------------------------------------------------------------- */

json_t *js_text(const char *s)
{
	if (s == NULL)
		return json_null();
	return js_bytes((struct bytes){(const uint8_t *)s, (uint16_t)strnlen(s, UINT16_MAX)});
}

json_t *js_text_or(const char *s, const char *dflt)
{
	return js_text(s != NULL && *s != '\0' ? s : dflt);
}

json_t *js_bytes(struct bytes b)
{
	if (b.len == 0)
		return json_null();
	/* jansson itself checks for UTF-8 and refuses the rest. */
	json_t *v = memchr(b.p, '\0', b.len) == NULL
			? json_stringn((const char *)b.p, b.len) : NULL;
	if (v != NULL)
		return v;
	struct buf t = BUF_INIT;
	out_escaped(&t, b.p, b.len);
	v = t.bad ? NULL : json_string(buf_text(&t));
	buf_fini(&t);
	return v;
}

json_t *js_num(int64_t v)
{
	return json_integer(v);
}

json_t *js_num_or_null(int64_t v)
{
	return v == 0 ? json_null() : json_integer(v);
}

json_t *js_time(int64_t unix_s)
{
	char t[24];
	time_print(t, unix_s);
	return t[0] == '\0' ? json_null() : json_string(t);
}

json_t *js_addr(const struct ipaddr *a)
{
	char t[IPADDR_TEXT];
	return a->family == 0 ? json_null() : json_string(ipaddr_print(t, a));
}

json_t *js_prefix(const struct prefix *p)
{
	char t[PREFIX_TEXT];
	return p->addr.family == 0 ? json_null() : json_string(prefix_print(t, p));
}

json_t *js_mac(const struct mac *m)
{
	char t[MAC_TEXT];
	return m->known ? json_string(mac_print(t, m)) : json_null();
}

json_t *js_name(const struct dname *n)
{
	char t[DNAME_TEXT];
	return n->len == 0 ? json_null() : json_string(dname_print(t, n));
}

/* The length of a record's text without the final dot of its name. */
static size_t undotted(const char *s, size_t len)
{
	return len > 1 && s[len - 1] == '.' && s[len - 2] != ' ' ? len - 1 : len;
}

/* One record as people write it: names without their final dot, the type before it or not. */
static void rr_text(struct buf *out, const struct rr *r, bool with_type)
{
	struct buf t = BUF_INIT;
	rr_print(&t, r);
	const char *s = buf_text(&t);
	const char *sp = strchr(s, ' ');
	if (!with_type && sp != NULL)
		s = sp + 1;
	buf_add(out, s, undotted(s, strlen(s)));
	out->bad |= t.bad;
	buf_fini(&t);
}

json_t *js_rrs(const struct rrs *s, uint16_t type)
{
	json_t *a = json_array();
	for (size_t i = 0; i < s->n; i++) {
		if (type != 0 && s->v[i].type != type)
			continue;
		struct buf t = BUF_INIT;
		rr_text(&t, &s->v[i], type == 0);
		if (json_array_append_new(a, t.bad ? NULL : js_text(buf_text(&t))) < 0) {
			json_decref(a);
			a = NULL;
		}
		buf_fini(&t);
	}
	return a;
}

static json_t *lines(const char *s, bool records)
{
	json_t *a = json_array();
	while (s != NULL && *s != '\0') {
		size_t len = strcspn(s, "\n");
		size_t shown = records ? undotted(s, len) : len;
		json_array_append_new(a, js_bytes((struct bytes){(const uint8_t *)s,
								 (uint16_t)shown}));
		s += len + (s[len] == '\n');
	}
	return a;
}

json_t *js_lines(const char *s)
{
	return lines(s, false);
}

json_t *js_set(const char *s)
{
	return s == NULL ? json_null() : lines(s, true);
}

/* ---- to the terminal -------------------------------------------------------------------- */

void out_escaped(struct buf *b, const void *p, size_t len)
{
	const unsigned char *s = p;
	for (size_t i = 0; i < len; i++) {
		if (s[i] >= 0x20 && s[i] < 0x7f)
			buf_chr(b, (char)s[i]);
		else
			buf_printf(b, "\\x%02x", s[i]);
	}
}

void out_flat(struct buf *b, const json_t *v)
{
	size_t i;
	json_t *one;
	switch (json_typeof(v)) {
	case JSON_STRING:
		out_escaped(b, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
		buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_TRUE:
		buf_str(b, "yes");
		break;
	case JSON_FALSE:
		buf_str(b, "no");
		break;
	case JSON_ARRAY:
		json_array_foreach((json_t *)(uintptr_t)v, i, one) {
			if (i > 0)
				buf_str(b, ", ");
			out_flat(b, one);
		}
		break;
	case JSON_NULL:
	case JSON_REAL:
	case JSON_OBJECT:
		break;
	}
}

/* ---- tables ----------------------------------------------------------------------------- */

static int table_start(struct out *o)
{
	o->table = scols_new_table();
	if (o->table == NULL)
		return -1;
	scols_table_set_stream(o->table, o->to);
	scols_table_enable_noencoding(o->table, 1);  /* every cell was escaped by out_flat */
	for (size_t i = 0; i < o->n_cols; i++) {
		const struct out_col *c = &o->cols[i];
		if (c->head == NULL)
			continue;
		int flags = (c->flags & OUT_RIGHT ? SCOLS_FL_RIGHT : 0) |
			    (c->flags & OUT_WRAP ? SCOLS_FL_WRAP : 0);
		if (scols_table_new_column(o->table, c->head, 0, flags) == NULL)
			return -1;
	}
	return 0;
}

static size_t table_col(const struct out *o, size_t col)
{
	size_t n = 0;
	for (size_t i = 0; i < col; i++)
		n += o->cols[i].head != NULL;
	return n;
}

static void table_cell(struct out *o, const json_t *v)
{
	if (o->col == 0)
		o->line = scols_table_new_line(o->table, NULL);
	if (o->cols[o->col].head == NULL)
		return;
	struct buf t = BUF_INIT;
	out_flat(&t, v);
	if (o->line == NULL || t.bad ||
	    scols_line_set_data(o->line, table_col(o, o->col), buf_text(&t)) != 0)
		o->bad = true;
	buf_fini(&t);
}

/* ---- rows ------------------------------------------------------------------------------- */

int out_open(struct out **out, FILE *to, bool json, const struct out_col *cols, size_t n,
	     struct err *e)
{
	struct out *o = calloc(1, sizeof(*o));
	if (o == NULL)
		return err_nomem(e);
	*o = (struct out){.to = to, .json = json, .cols = cols, .n_cols = n};
	if (json ? (o->row = json_object()) == NULL : table_start(o) < 0) {
		out_freep(&o);
		return err_nomem(e);
	}
	*out = o;
	return 0;
}

void out_freep(struct out **o)
{
	if (*o == NULL)
		return;
	json_decref((*o)->row);
	scols_unref_table((*o)->table);
	free(*o);
	*o = NULL;
}

/* jansson escapes all but DEL, which JSON allows and terminals need not; it stands in strings
 * only. */
static int dump_part(const char *p, size_t len, void *arg)
{
	FILE *to = arg;
	for (size_t i = 0; i < len; i++) {
		if ((p[i] == 0x7f ? fputs("\\u007f", to) : putc(p[i], to)) == EOF)
			return -1;
	}
	return 0;
}

static void json_row_end(struct out *o)
{
	fputs(o->n_rows == 0 ? "[\n" : ",\n", o->to);
	if (json_dump_callback(o->row, dump_part, o->to, JSON_ENSURE_ASCII) < 0)
		o->bad = true;
	json_object_clear(o->row);
}

void out_cell(struct out *o, json_t *v)
{
	if (v == NULL) {
		o->bad = true;
		v = json_null();
	}
	if (!o->json)
		table_cell(o, v);
	else if (json_object_set(o->row, o->cols[o->col].key, v) < 0)
		o->bad = true;
	json_decref(v);
	if (++o->col < o->n_cols)
		return;
	o->col = 0;
	if (o->json)
		json_row_end(o);
	o->n_rows++;
}

int out_end(struct out *o, struct err *e)
{
	if (o->json)
		fputs(o->n_rows == 0 ? "[]\n" : "\n]\n", o->to);
	else if (o->n_rows > 0 && scols_print_table(o->table) != 0)
		o->bad = true;
	if (fflush(o->to) != 0 || ferror(o->to))
		return err_set(e, ERR_SYS, "standard output could not be written");
	if (o->bad)
		return err_nomem(e);
	return 0;
}

int out_object(FILE *to, json_t *v, struct err *e)
{
	if (v == NULL)
		return err_nomem(e);
	int r = json_dump_callback(v, dump_part, to, JSON_ENSURE_ASCII | JSON_INDENT(2));
	json_decref(v);
	fputc('\n', to);
	if (r < 0 || fflush(to) != 0 || ferror(to))
		return err_set(e, ERR_SYS, "standard output could not be written");
	return 0;
}
