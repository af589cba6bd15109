/* conf_parse.c - libconfuse's reading of the text, noted down as a tree with lines.
 *
 * Alone includes <confuse.h>.  libconfuse keeps the last of two equal scalars, replaces a section
 * whose title comes again, and knows neither the line of a setting nor where a section begins.
 * So nothing is read from its tree: each value passes note_value on its way in, each section
 * tells of its beginning through a hidden setting whose default is parsed just then, and of its
 * end through its check function.
 */
#include <assert.h>
#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/adapter.h"
#include "bridge/base/own.h"
#include "bridge/conf/conf_tree.h"

/* Cannot be typed: conf_read refuses control characters in names. */
#define BEGIN_MARK "\001"

enum { OPEN_MAX = 16 };                 /* conf_read lets braces nest 8 deep */

/* libconfuse gives its callbacks no pointer of ours. */
static struct parsing {
	struct arena *a;
	const struct conf_text *text;
	struct conf_node *root;
	struct conf_node *at;           /* the section we are in */
	cfg_t *open[OPEN_MAX];          /* libconfuse's sections, from the top level to there */
	size_t n_open;
	struct err *e;
	int code;                       /* of the first error; 0: none */
} *parsing;

/* ---- errors ------------------------------------------------------------------------------ */

static struct conf_pos pos_of(const cfg_t *cfg)
{
	return conf_text_pos(parsing->text, cfg->line);
}

/* Letters to insert, delete or change to make b of a (Levenshtein); at most 32 letters count. */
static unsigned edits(const char *a, const char *b)
{
	unsigned row[33], n = (unsigned)strnlen(b, 32);

	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1] != '\0'; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned above = row[j];
			unsigned least = diagonal + (a[i - 1] != b[j - 1]);

			if (above + 1 < least)
				least = above + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			row[j] = least;
			diagonal = above;
		}
	}
	return row[n];
}

/* The word that was probably meant: at most two letters away, and not half of the word. */
static const char *nearest(const cfg_t *cfg, const char *type, const char *name)
{
	const char *best = NULL;
	unsigned least = strlen(name) < 5 ? 2 : 3;

	if (strlen(name) > 32)
		return NULL;
	for (const cfg_opt_t *o = cfg->opts; o->name != NULL; o++) {
		unsigned d = edits(name, o->name);

		if (o->name[0] == BEGIN_MARK[0] ||
		    (type != NULL && !conf_key_of_type(type, o->name)))
			continue;
		if (d < least) {
			least = d;
			best = o->name;
		}
	}
	return best;
}

static const char *node_type(const struct conf_node *n)
{
	const struct conf_item *it = conf_item(n, "type");

	return it != NULL && strcmp(n->name, "source") == 0 ? it->values.v[0].s : NULL;
}

static void unknown_hint(const cfg_t *cfg, const char *type, const char *name)
{
	const char *meant = nearest(cfg, type, name);
	AUTO(buf_fini) struct buf b = BUF_INIT;

	if (meant != NULL) {
		err_hint(parsing->e, "did you mean \"%s\"?", meant);
	} else if (type != NULL) {
		conf_accepted(&b, type);
		err_hint(parsing->e, "it accepts %s", buf_text(&b));
	} else {
		for (const cfg_opt_t *o = cfg->opts; o->name != NULL; o++)
			if (o->name[0] != BEGIN_MARK[0])
				buf_printf(&b, "%s%s", b.len > 0 ? ", " : "", o->name);
		err_hint(parsing->e, "known here are %s", buf_text(&b));
	}
}

static void unknown(const cfg_t *cfg, const char *name)
{
	const struct conf_node *n = parsing->at;
	const char *type = node_type(n);
	AUTO(buf_fini) struct buf shown = BUF_INIT;

	buf_escaped(&shown, name, strlen(name));
	if (type != NULL && adapter_find(type) == NULL)
		type = NULL; /* its own error comes later, this one is about the word alone */
	if (type != NULL)
		conf_error(parsing->e, pos_of(cfg), "source \"%s\": setting \"%s\" is not known to "
			   "type \"%s\"", n->title, buf_text(&shown), type);
	else if (n == parsing->root)
		conf_error(parsing->e, pos_of(cfg), "there is no setting or section \"%s\"",
			   buf_text(&shown));
	else if (n->title == NULL)
		conf_error(parsing->e, pos_of(cfg), "%s: there is no setting \"%s\"", n->name,
			   buf_text(&shown));
	else
		conf_error(parsing->e, pos_of(cfg), "%s \"%s\": there is no setting \"%s\"",
			   n->name, n->title, buf_text(&shown));
	unknown_hint(cfg, type, name);
	parsing->code = ERR_CONF;
}

/* libconfuse's own words, in our quotes. */
__attribute__((format(printf, 2, 0)))
static void note_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char raw[400];
	AUTO(buf_fini) struct buf text = BUF_INIT;
	static const char no_such[] = "no such option '";

	if (parsing == NULL || parsing->code != 0)
		return;
	vsnprintf(raw, sizeof(raw), fmt, ap);
	if (strncmp(raw, no_such, sizeof(no_such) - 1) == 0) {
		char *name = raw + sizeof(no_such) - 1;

		name[strcspn(name, "'")] = '\0';
		unknown(cfg, name);
		return;
	}
	for (char *p = raw; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	buf_escaped(&text, raw, strlen(raw));
	parsing->code = conf_error(parsing->e, pos_of(cfg), "%s", buf_text(&text));
}

static int fail(int code)
{
	parsing->code = code;
	return -1;
}

/* ---- what libconfuse tells --------------------------------------------------------------- */

/* "\x1b" in a string is fit for no setting, and not for our messages either. */
static int check_plain(const char *s, struct conf_pos pos)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return fail(conf_error(parsing->e, pos, "a control character (0x%02x) in a "
					       "string", (unsigned char)*s));
	return 0;
}

static int begin_section(const cfg_t *cfg)
{
	struct conf_node *n = arena_alloc(parsing->a, sizeof(*n)), *up = parsing->at;

	if (n == NULL || (n->name = arena_strdup(parsing->a, cfg->name)) == NULL ||
	    (cfg->title != NULL && (n->title = arena_strdup(parsing->a, cfg->title)) == NULL))
		return fail(err_nomem(parsing->e));
	n->pos = pos_of(cfg);
	n->parent = up;
	if (up == NULL)
		parsing->root = n;
	else if (up->last_child == NULL)
		up->children = up->last_child = n;
	else
		up->last_child = up->last_child->next = n;
	parsing->at = n;
	return n->title != NULL ? check_plain(n->title, n->pos) : 0;
}

/* libconfuse aborts the program when a default does not parse: an error is only noted here, and
 * the next value or the section's end stops the parsing. */
static int note_begin(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	(void)opt;
	*(const char **)result = value;
	if (parsing->code != 0)
		return 0;
	assert(parsing->n_open < OPEN_MAX);
	parsing->open[parsing->n_open++] = cfg;
	begin_section(cfg);
	return 0;
}

/* "x = a" and then "x = {}" empties libconfuse's list without another word. */
static int check_emptied(const cfg_t *cfg, const struct conf_node *n)
{
	for (const cfg_opt_t *o = cfg->opts; o->name != NULL; o++) {
		const struct conf_item *it = o->type == CFGT_STR ? conf_item(n, o->name) : NULL;

		if (it != NULL && it->values.n != o->nvalues)
			return fail(conf_error(parsing->e, it->pos, "\"%s\" is given twice",
					       it->name));
	}
	return 0;
}

static int note_end(cfg_t *cfg, cfg_opt_t *opt)
{
	(void)cfg;
	(void)opt;
	if (parsing->code != 0)
		return -1;
	if (check_emptied(parsing->open[--parsing->n_open], parsing->at) < 0)
		return -1;
	parsing->at = parsing->at->parent;
	return 0;
}

static struct conf_item *add_item(struct conf_node *n, const char *name, struct conf_pos pos)
{
	struct conf_item *it = arena_alloc(parsing->a, sizeof(*it));

	if (it == NULL || (it->name = arena_strdup(parsing->a, name)) == NULL)
		return NULL;
	it->pos = pos;
	if (n->last_item == NULL)
		n->items = n->last_item = it;
	else
		n->last_item = n->last_item->next = it;
	return it;
}

static int given_twice(const struct conf_item *it, struct conf_pos pos)
{
	char where[160];

	conf_error(parsing->e, pos, "\"%s\" is given twice, first in %s", it->name,
		   conf_place(where, it->pos, pos));
	return fail(ERR_CONF);
}

static int note_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct conf_value v = {arena_strdup(parsing->a, value), pos_of(cfg)};
	struct conf_item *it;

	if (parsing->code != 0)
		return -1;
	/* libconfuse takes "server=ns1|port" for the setting of another section. */
	if (opt < cfg->opts || opt >= cfg->opts + cfg_numopts(cfg->opts)) {
		unknown(cfg, opt->name);
		return -1;
	}
	if (check_plain(value, v.pos) < 0)
		return -1;
	it = conf_item(parsing->at, opt->name);
	/* "=" has emptied the option before this first value; "+=" has not. */
	if (it != NULL && opt->nvalues == 1)
		return given_twice(it, v.pos);
	if (it == NULL)
		it = add_item(parsing->at, opt->name, v.pos);
	if (v.s == NULL || it == NULL || vec_push(&it->values, v) < 0)
		return fail(err_nomem(parsing->e));
	*(const char **)result = v.s;
	return 0;
}

/* ---- options out of the key tables ------------------------------------------------------- */

static cfg_opt_t *make_options(struct arena *a, const struct conf_key *keys);

static void string_option(cfg_opt_t *o, const char *name, bool list)
{
	if (list)
		*o = (cfg_opt_t)CFG_STR_LIST_CB(name, 0, CFGF_NODEFAULT, note_value);
	else
		*o = (cfg_opt_t)CFG_STR_CB(name, 0, CFGF_NODEFAULT, note_value);
}

static int make_option(cfg_opt_t *o, struct arena *a, const struct conf_key *k)
{
	cfg_flag_t flags = CFGF_MULTI | (k->type == CONF_SECTIONS ? CFGF_TITLE : 0);
	cfg_opt_t *sub;

	if (k->keys == NULL) {
		string_option(o, k->name, k->type == CONF_LIST);
		return 0;
	}
	sub = make_options(a, k->keys);
	if (sub == NULL)
		return -1;
	*o = (cfg_opt_t)CFG_SEC(k->name, sub, flags);
	o->validcb = note_end;
	return 0;
}

static bool has_option(const cfg_opt_t *opts, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(opts[i].name, name) == 0)
			return true;
	return false;
}

static size_t count_adapter_keys(void)
{
	size_t n = 0;

	for (size_t i = 0; adapter_at(i) != NULL; i++)
		for (const struct setting_key *k = adapter_at(i)->keys; k != NULL && k->name; k++)
			n++;
	return n;
}

/* A source takes the words of all adapters, and as lists: what the type of this one makes of
 * them is seen later. */
static size_t add_adapter_keys(cfg_opt_t *opts, size_t n)
{
	for (size_t i = 0; adapter_at(i) != NULL; i++)
		for (const struct setting_key *k = adapter_at(i)->keys; k != NULL && k->name; k++)
			if (!has_option(opts, n, k->name))
				string_option(&opts[n++], k->name, true);
	return n;
}

static cfg_opt_t *make_options(struct arena *a, const struct conf_key *keys)
{
	bool source = keys == conf_keys_of("source");
	size_t n = 0, room = 2 + (source ? count_adapter_keys() : 0);
	cfg_opt_t *opts;

	for (const struct conf_key *k = keys; k->name != NULL; k++)
		room++;
	opts = arena_array(a, room, sizeof(*opts));
	if (opts == NULL)
		return NULL;
	opts[n] = (cfg_opt_t)CFG_STR_CB(BEGIN_MARK, 0, CFGF_NONE, note_begin);
	opts[n++].def.parsed = arena_strdup(a, "begin");
	for (const struct conf_key *k = keys; k->name != NULL; k++)
		if (make_option(&opts[n++], a, k) < 0)
			return NULL;
	if (source)
		n = add_adapter_keys(opts, n);
	opts[n] = (cfg_opt_t)CFG_END();
	return opts;
}

/* ---- parsing ----------------------------------------------------------------------------- */

static void free_cfg(cfg_t **cfg)
{
	if (*cfg != NULL)
		cfg_free(*cfg);
}

static int parse_with(cfg_opt_t *opts, struct parsing *p)
{
	AUTO(free_cfg) cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	int r;

	if (cfg == NULL || p->root == NULL)
		return err_nomem(p->e);
	p->root->pos = p->text->map.v[0].pos;
	cfg_set_error_function(cfg, note_error);
	r = cfg_parse_buf(cfg, buf_text(&p->text->text));
	if (p->code == 0 && r == CFG_SUCCESS)
		check_emptied(cfg, p->root);
	if (p->code != 0)
		return p->code;
	/* It gives up on some oddities (an empty word as a name) without a message. */
	if (r != CFG_SUCCESS)
		return conf_error(p->e, p->at == p->root ? conf_text_pos(p->text, cfg->line)
							 : p->at->pos, "syntax error");
	return 0;
}

int conf_parse(struct conf_node **out, struct arena *a, const struct conf_text *t, struct err *e)
{
	struct err unused = {0};
	struct parsing p = {.a = a, .text = t, .e = e != NULL ? e : &unused};
	cfg_opt_t *opts = make_options(a, conf_keys);
	int r;

	if (opts == NULL)
		return err_nomem(e);
	parsing = &p;
	r = parse_with(opts, &p);
	parsing = NULL;
	*out = p.root;
	return r;
}

/* ---- the tree ---------------------------------------------------------------------------- */

void conf_tree_fini(struct conf_node *root)
{
	if (root == NULL)
		return;
	for (struct conf_item *it = root->items; it != NULL; it = it->next)
		vec_fini(&it->values);
	for (struct conf_node *n = root->children; n != NULL; n = n->next)
		conf_tree_fini(n);
}

struct conf_item *conf_item(const struct conf_node *n, const char *name)
{
	for (struct conf_item *it = n->items; it != NULL; it = it->next)
		if (strcmp(it->name, name) == 0)
			return it;
	return NULL;
}

static struct conf_node *with_name(struct conf_node *n, const char *name)
{
	while (n != NULL && strcmp(n->name, name) != 0)
		n = n->next;
	return n;
}

struct conf_node *conf_first(const struct conf_node *n, const char *section)
{
	return with_name(n->children, section);
}

struct conf_node *conf_after(const struct conf_node *n)
{
	return with_name(n->next, n->name);
}

size_t conf_count(const struct conf_node *n, const char *section)
{
	size_t count = 0;

	for (const struct conf_node *c = conf_first(n, section); c != NULL; c = conf_after(c))
		count++;
	return count;
}

int conf_error(struct err *e, struct conf_pos pos, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_CONF, "%s:%d: %s", pos.file, pos.line, text);
}

const char *conf_place(char out[160], struct conf_pos there, struct conf_pos here)
{
	if (strcmp(there.file, here.file) == 0)
		snprintf(out, 160, "line %d", there.line);
	else
		snprintf(out, 160, "%s:%d", there.file, there.line);
	return out;
}
