/* conf_tree.h - the configuration as written: sections, settings and values, each with its place.
 *
 * conf_read.c makes one text of the file and what it includes, conf_parse.c hands it to
 * libconfuse and notes what comes back, conf_build.c makes typed settings of it, conf_check.c
 * compares them with each other.  Private to this room.
 */
#ifndef BRIDGE_CONF_CONF_TREE_H
#define BRIDGE_CONF_CONF_TREE_H

#include <stdbool.h>

#include "bridge/base/arena.h"
#include "bridge/base/buf.h"
#include "bridge/base/err.h"
#include "bridge/base/hash.h"
#include "bridge/base/vec.h"
#include "bridge/conf/conf.h"

struct conf_pos {
	const char *file;
	int line;
};

/* ---- conf_read.c: files to one text -------------------------------------------------------
 *
 * Comments are blanked, include("...") is replaced by the files it names.  What libconfuse's
 * scanner would swallow in silence or trip over (see conf_read.c) is refused here.
 */

/* From line first of the text on, lines are those of file, starting with line. */
struct conf_stretch {
	int first;
	struct conf_pos pos;
};

struct conf_text {
	struct buf text;
	int lines;                       /* line ends in text so far */
	VEC(struct conf_stretch) map;
};

int conf_read(struct conf_text *out, struct arena *a, const char *path, struct err *e);
void conf_text_fini(struct conf_text *t);
struct conf_pos conf_text_pos(const struct conf_text *t, int line);

/* ---- conf_keys.c: what may stand in the file --------------------------------------------- */

enum conf_type {
	CONF_STR,
	CONF_PATH,      /* absolute */
	CONF_ADDR,
	CONF_U16,
	CONF_U32,
	CONF_DURATION,  /* int64_t seconds */
	CONF_TTL,       /* uint32_t seconds */
	CONF_BOOL,
	CONF_ENDPOINT,  /* ADDRESS:PORT, [ADDRESS]:PORT for IPv6 */
	CONF_LOG,       /* enum log_format */
	CONF_LIST,      /* one value or { several }: the builder takes it apart */
	CONF_WORD,      /* one value that the builder takes apart */
	CONF_SECTION,   /* at most once, no title */
	CONF_SECTIONS,  /* any number, each with a title */
};

struct conf_key {
	const char *name;               /* NULL ends a table */
	enum conf_type type;
	size_t at;                      /* offset in the struct that the section becomes */
	int64_t min, max;
	const struct conf_key *keys;    /* of a section */
};

/* The keys of the top level and, through .keys, of every section. */
extern const struct conf_key conf_keys[];
const struct conf_key *conf_keys_find(const struct conf_key *keys, const char *name);
const struct conf_key *conf_keys_of(const char *section);
/* The common keys of a source; an adapter's own come from its table. */
bool conf_key_of_type(const char *adapter_type, const char *name);
/* "a, b and c" of what a source of this type accepts. */
void conf_accepted(struct buf *out, const char *adapter_type);

/* ---- conf_parse.c: text to tree ---------------------------------------------------------- */

struct conf_value {
	const char *s;
	struct conf_pos pos;
};

struct conf_item {
	const char *name;
	struct conf_pos pos;            /* of its first value */
	VEC(struct conf_value) values;
	struct conf_item *next;
};

struct conf_node {
	const char *name;               /* "root", "server", "zone", ... */
	const char *title;              /* NULL when it has none */
	struct conf_pos pos;
	struct conf_item *items;        /* in the order of the file */
	struct conf_node *children;
	struct conf_node *parent;
	struct conf_node *next;         /* sibling */
	struct conf_item *last_item;
	struct conf_node *last_child;
};

/* The tree lives in the arena but for the vectors: conf_tree_fini. */
int conf_parse(struct conf_node **out, struct arena *a, const struct conf_text *t, struct err *e);
void conf_tree_fini(struct conf_node *root);
struct conf_item *conf_item(const struct conf_node *n, const char *name);
size_t conf_count(const struct conf_node *n, const char *section);
/* The first, and the one after: children with that name. */
struct conf_node *conf_first(const struct conf_node *n, const char *section);
struct conf_node *conf_after(const struct conf_node *n);

/* ERR_CONF "FILE:LINE: ..." */
int conf_error(struct err *e, struct conf_pos pos, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "line 7", or "FILE:7" when it is another file. */
const char *conf_place(char out[160], struct conf_pos there, struct conf_pos here);

/* ---- conf_value.c: one value to a type --------------------------------------------------- */

/* Fills the fields of base that have a row with a plain type in keys and are set in n. */
int conf_fill(void *base, const struct conf_key *keys, const struct conf_node *n, struct err *e);
/* The single value of an item; refuses a list of several. */
int conf_single(const struct conf_value **out, const struct conf_item *it, struct err *e);
int conf_duration(int64_t *out, const char *name, const struct conf_value *v, int64_t min,
		  int64_t max, struct err *e);
int conf_bool(bool *out, const char *name, const struct conf_value *v, struct err *e);
int conf_addr(struct ipaddr *out, const char *name, const struct conf_value *v, struct err *e);
int conf_kind(enum obs_kind *out, const struct conf_value *v, struct err *e);

/* ---- conf_source.c: settings of an adapter, typed by its table --------------------------- */

int conf_source_build(struct conf_source *out, struct policy_source *ps, struct arena *a,
		      const char *space, const char *state_dir, const struct conf_node *n,
		      struct err *e);
/* Titles that people type and logs show: letters, digits, ".", "_", "-", at most 63. */
int conf_title(const struct conf_node *n, struct err *e);

/* ---- conf_zone.c ------------------------------------------------------------------------- */

struct conf_build {
	struct conf *c;
	struct arena *a;
	const struct conf_node *root;
	struct map zones;               /* of the space being built, by name */
	bool any_reverse;
};

int conf_build_zones(struct policy_space *s, struct conf_build *b, const struct conf_node *scope,
		     struct err *e);
/* After the zones of the space. */
int conf_build_subnets(struct policy_space *s, const struct conf_build *b,
		       const struct conf_node *scope, struct err *e);

/* ---- conf_build.c and conf_check.c ------------------------------------------------------- */

int conf_build(struct conf *c, const struct conf_node *root, struct err *e);

/* Equal titles of sections of one kind in one scope, compared as text. */
int conf_check_titles(const struct conf_node *scope, const char *section, struct err *e);
/* One space: equal zones, equal or overlapping subnets, reverse zones that cover nothing, sources
 * that name each other.  Zones and subnets still in the order of the file. */
int conf_check_space(const struct policy_space *s, const struct conf_node *scope, struct err *e);

#endif
