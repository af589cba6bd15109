/* output.h - what a verb prints: a table for people, or JSON for programs.
 *
 * A listing is written once, as rows of columns; the same calls make either form.  JSON is
 * streamed, one object a line in an array, keys in the order of the columns.  Text from outside
 * never reaches the terminal as it is: in tables every byte but printable ASCII becomes \xHH,
 * in JSON every character but ASCII becomes \uHHHH.
 */
#ifndef BRIDGE_CLI_OUTPUT_H
#define BRIDGE_CLI_OUTPUT_H

#include <stdio.h>
#include <jansson.h>

#include "bridge/base/err.h"
#include "bridge/value/ipaddr.h"
#include "bridge/value/mac.h"
#include "bridge/value/obs.h"
#include "bridge/value/rr.h"

/* Values.  All give a new reference; NULL, 0 and "not known" become JSON null, which a table
 * shows as an empty cell. */
json_t *js_text(const char *s);
json_t *js_text_or(const char *s, const char *dflt);  /* "" counts as absent too */
json_t *js_bytes(struct bytes b);                  /* empty: null; not UTF-8: as \xHH text */
json_t *js_num(int64_t v);                         /* 0 is a number here */
json_t *js_num_or_null(int64_t v);                 /* 0: null */
json_t *js_time(int64_t unix_s);
json_t *js_addr(const struct ipaddr *a);           /* family 0: null */
json_t *js_prefix(const struct prefix *p);
json_t *js_mac(const struct mac *m);
json_t *js_name(const struct dname *n);            /* len 0: null */
/* The RDATA of one type, or of all with "TYPE " before each (type 0), as an array of strings
 * without the final dot of names. */
json_t *js_rrs(const struct rrs *s, uint16_t type);
/* Lines of text as an array of strings. */
json_t *js_lines(const char *s);
/* The same for the text form of a record set (rr.h); NULL: null. */
json_t *js_set(const char *s);

struct out_col {
	const char *key;    /* JSON */
	const char *head;   /* title in the table; NULL: JSON only */
	unsigned flags;
};
enum { OUT_RIGHT = 1, OUT_WRAP = 2 };

struct out;

/* cols is borrowed until the end. */
int out_open(struct out **o, FILE *to, bool json, const struct out_col *cols, size_t n,
	     struct err *e);
/* The next cell, in the order of the columns; takes the reference.  The n-th ends the row. */
void out_cell(struct out *o, json_t *v);
/* Prints what is left; negative when anything failed on the way. */
int out_end(struct out *o, struct err *e);
void out_freep(struct out **o);

/* One object, indented; takes the reference. */
int out_object(FILE *to, json_t *v, struct err *e);
/* Any bytes as a terminal may show them, backslashes left alone. */
void out_escaped(struct buf *b, const void *p, size_t len);
/* What a table shows for a value. */
void out_flat(struct buf *b, const json_t *v);

#endif
