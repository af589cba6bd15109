/* conf_read.c - the configuration file and what it includes, as one text for libconfuse.
 *
 * libconfuse 3.3 counts two lines for a comment, keeps its scanner's state after an error (the
 * next parse then swallows text), looks for included files in the working directory, knows no
 * patterns, drops a bare "*" in silence and reads a file that ends inside a string as if it ended
 * before.  So comments become blanks here, includes are put in place, and text that its scanner
 * would misread is refused with its line.  What the words mean is not known here.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/base/own.h"
#include "bridge/conf/conf_tree.h"

enum {
	INCLUDE_DEPTH = 10,
	BRACE_DEPTH = 8,                /* space { source { list { is 3 */
	TEXT_MAX = 16 * 1024 * 1024,    /* 10,000 zones are 1 MB */
};

/* One file being read; the chain of includers is on the stack. */
struct scan {
	const struct scan *from;
	struct conf_text *out;
	struct arena *a;
	const char *file;
	dev_t dev;
	ino_t ino;
	int depth;
	const char *p;                  /* NUL-terminated, no NUL inside */
	int line;
	int braces[BRACE_DEPTH];        /* lines of the open ones */
	int n_braces;
};

static int read_file(struct conf_text *out, struct arena *a, const char *path,
		     const struct scan *from, struct err *e);

static struct conf_pos here(const struct scan *s)
{
	return (struct conf_pos){s->file, s->line};
}

/* Text from now on is that of this file and line, and starts on a line of its own. */
static int start_stretch(struct scan *s)
{
	struct conf_stretch st;

	buf_chr(&s->out->text, '\n');
	s->out->lines++;
	st.first = s->out->lines + 1;
	st.pos = here(s);
	return vec_push(&s->out->map, st) < 0 ? ERR_NOMEM : 0;
}

static void newline(struct scan *s)
{
	buf_chr(&s->out->text, '\n');
	s->out->lines++;
	s->line++;
}

/* ---- comments and strings ---------------------------------------------------------------- */

static void skip_line_comment(struct scan *s)
{
	while (*s->p != '\0' && *s->p != '\n')
		s->p++;
}

static int skip_block_comment(struct scan *s, struct err *e)
{
	struct conf_pos start = here(s);

	buf_chr(&s->out->text, ' ');
	for (s->p += 2; *s->p != '\0'; s->p++) {
		if (s->p[0] == '*' && s->p[1] == '/') {
			s->p += 2;
			return 0;
		}
		if (*s->p == '\n')
			newline(s);
	}
	return conf_error(e, start, "comment is never closed");
}

/* "${NAME}" or "${NAME:-default}"; s->p stands at the dollar. */
static int copy_variable(struct scan *s, struct err *e)
{
	size_t len = strcspn(s->p, "}\"'\n");

	if (s->p[len] != '}')
		return conf_error(e, here(s), "\"${\" is not closed");
	buf_add(&s->out->text, s->p, len + 1);
	s->p += len + 1;
	return 0;
}

/* Digits after a backslash would be an octal escape, which libconfuse gives up on when there are
 * too many; nobody needs one. */
static int copy_escape(struct scan *s, struct err *e)
{
	if (s->p[1] >= '0' && s->p[1] <= '9') {
		conf_error(e, here(s), "\"\\%c\" in a string is not understood", s->p[1]);
		err_hint(e, "write \\\\ for a backslash");
		return ERR_CONF;
	}
	if (s->p[1] == '\0' || s->p[1] == '\n')
		return 0; /* the string is not closed: the caller says so */
	buf_add(&s->out->text, s->p, 2);
	s->p += 2;
	return 0;
}

static int copy_string(struct scan *s, struct err *e)
{
	char quote = *s->p;
	int r;

	buf_chr(&s->out->text, *s->p++);
	while (*s->p != quote) {
		if (*s->p == '\\' && s->p[1] != '\0' && s->p[1] != '\n') {
			if (quote == '"' && (r = copy_escape(s, e)) < 0)
				return r;
			if (quote == '\'') {
				buf_add(&s->out->text, s->p, 2);
				s->p += 2;
			}
		} else if (quote == '"' && s->p[0] == '$' && s->p[1] == '{') {
			if ((r = copy_variable(s, e)) < 0)
				return r;
		} else if (*s->p == '\0' || *s->p == '\n' || *s->p == '\\') {
			return conf_error(e, here(s), "string is not closed in its line");
		} else {
			buf_chr(&s->out->text, *s->p++);
		}
	}
	buf_chr(&s->out->text, *s->p++);
	return 0;
}

/* ---- braces and words -------------------------------------------------------------------- */

static int copy_brace(struct scan *s, struct err *e)
{
	if (*s->p == '{') {
		if (s->n_braces == BRACE_DEPTH)
			return conf_error(e, here(s), "braces nest too deep");
		s->braces[s->n_braces++] = s->line;
	} else if (s->n_braces-- == 0) {
		return conf_error(e, here(s), "\"}\" closes nothing");
	}
	buf_chr(&s->out->text, *s->p++);
	return 0;
}

/* What ends a word, for libconfuse and here. */
static bool is_separator(char c)
{
	return c == '\0' || strchr(" \t\r\n#\"'={}()+,", c) != NULL;
}

static int refuse_byte(struct scan *s, struct err *e)
{
	unsigned char c = (unsigned char)*s->p;

	if (c == ';') {
		conf_error(e, here(s), "unexpected \";\"");
		err_hint(e, "settings end without a semicolon");
	} else if (c > ' ' && c < 0x7f) {
		conf_error(e, here(s), "unexpected \"%c\"", c);
		err_hint(e, "put a value with such characters in double quotes");
	} else {
		conf_error(e, here(s), "unexpected byte 0x%02x", c);
		err_hint(e, "the file is plain ASCII; other text may stand in double quotes and "
			    "comments");
	}
	return ERR_CONF;
}

/* An unquoted variable is a value of its own: "a${B}" would become two words and a brace. */
static int copy_bare_variable(struct scan *s, struct err *e)
{
	bool alone = s->out->text.len == 0 ||
		     is_separator(s->out->text.p[s->out->text.len - 1]);
	struct conf_pos pos = here(s);
	int r = copy_variable(s, e);

	if (r < 0)
		return r;
	if (alone && is_separator(*s->p))
		return 0;
	conf_error(e, pos, "a variable inside a word");
	err_hint(e, "put the whole value in double quotes");
	return ERR_CONF;
}

static int copy_word(struct scan *s, struct err *e)
{
	while (!is_separator(*s->p)) {
		unsigned char c = (unsigned char)*s->p;

		if (c == '*' || c == ';' || c == '|' || c < ' ' || c >= 0x7f)
			return refuse_byte(s, e);
		if (c == '$' && s->p[1] == '{')
			return copy_bare_variable(s, e);
		buf_chr(&s->out->text, *s->p++);
	}
	return 0;
}

/* ---- include ----------------------------------------------------------------------------- */

/* The file name in include("NAME"): s->p stands behind the word.  1: it is no include after all
 * (no parenthesis follows), nothing was taken. */
static int include_name(char **out, struct scan *s, struct err *e)
{
	const char *p = s->p + strspn(s->p, " \t");
	size_t len;
	char quote;

	if (*p != '(')
		return 1;
	p++;
	p += strspn(p, " \t");
	quote = *p;
	len = quote == '"' || quote == '\'' ? strcspn(p + 1, "\"'\n") : 0;
	if (len == 0 || p[1 + len] != quote)
		return conf_error(e, here(s), "include takes one file name: include(\"FILE\")");
	*out = arena_dup(s->a, p + 1, len);
	p += len + 2;
	p += strspn(p, " \t");
	if (*out == NULL)
		return err_nomem(e);
	if (*p != ')')
		return conf_error(e, here(s), "include takes one file name: include(\"FILE\")");
	s->p = p + 1;
	return 0;
}

/* Relative names are looked for beside the file that includes. */
static char *beside(struct arena *a, const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');

	if (name[0] == '/' || slash == NULL)
		return arena_strdup(a, name);
	return arena_printf(a, "%.*s/%s", (int)(slash - file), file, name);
}

static int include_matches(struct scan *s, const glob_t *g, struct err *e)
{
	for (size_t i = 0; i < g->gl_pathc; i++) {
		char *path = arena_strdup(s->a, g->gl_pathv[i]);
		int r = path == NULL ? err_nomem(e) : read_file(s->out, s->a, path, s, e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* A pattern may match nothing: an empty or missing conf.d is no mistake.  One that cannot be read
 * is. */
static int glob_stops(const char *path, int errnum)
{
	(void)path;
	return errnum != ENOENT && errnum != ENOTDIR;
}

static int include_files(struct scan *s, const char *path, struct err *e)
{
	glob_t g;
	int r;

	if (strpbrk(path, "*?[") == NULL)
		return read_file(s->out, s->a, path, s, e);
	switch (glob(path, 0, glob_stops, &g)) {
	case 0:
		r = include_matches(s, &g, e);
		globfree(&g);
		return r;
	case GLOB_NOMATCH:
		return 0;
	case GLOB_NOSPACE:
		return err_nomem(e);
	default:
		return conf_error(e, here(s), "include \"%s\": a directory cannot be read", path);
	}
}

/* s->p stands behind the word "include". */
static int include(struct scan *s, struct err *e)
{
	char *name = NULL, *path;
	int r = include_name(&name, s, e);

	if (r == 1) {
		buf_str(&s->out->text, "include");
		return 0;
	}
	if (r < 0)
		return r;
	path = beside(s->a, s->file, name);
	if (path == NULL)
		return err_nomem(e);
	r = include_files(s, path, e);
	if (r < 0)
		return r;
	return start_stretch(s) < 0 ? err_nomem(e) : 0;
}

static bool at_include(const struct scan *s)
{
	static const char word[] = "include";
	size_t len = sizeof(word) - 1;

	return strncmp(s->p, word, len) == 0 && is_separator(s->p[len]);
}

/* ---- one file ---------------------------------------------------------------------------- */

static int scan_one(struct scan *s, struct err *e)
{
	switch (*s->p) {
	case '\n':
		s->p++;
		newline(s);
		return 0;
	case ' ':
	case '\t':
	case '\r':
	case '=':
	case ',':
	case '(':
	case ')':
		buf_chr(&s->out->text, *s->p++);
		return 0;
	case '#':
		skip_line_comment(s);
		return 0;
	case '"':
	case '\'':
		return copy_string(s, e);
	case '{':
	case '}':
		return copy_brace(s, e);
	case '+':
		if (s->p[1] != '=')
			return refuse_byte(s, e);
		buf_add(&s->out->text, s->p, 2);
		s->p += 2;
		return 0;
	case '/':
		if (s->p[1] == '*')
			return skip_block_comment(s, e);
		if (s->p[1] == '/') {
			skip_line_comment(s);
			return 0;
		}
		return copy_word(s, e);
	default:
		if (at_include(s)) {
			s->p += strlen("include");
			return include(s, e);
		}
		return copy_word(s, e);
	}
}

static int scan(struct scan *s, struct err *e)
{
	int r;

	if (start_stretch(s) < 0)
		return err_nomem(e);
	while (*s->p != '\0') {
		r = scan_one(s, e);
		if (r < 0)
			return r;
		if (s->out->text.bad)
			return err_nomem(e);
		if (s->out->text.len > TEXT_MAX)
			return conf_error(e, here(s), "the configuration is larger than 16 MB");
	}
	if (s->n_braces > 0) {
		s->line = s->braces[s->n_braces - 1];
		return conf_error(e, here(s), "\"{\" is never closed");
	}
	return 0;
}

/* Where a file that cannot be used was asked for: the including line, or the file itself. */
static int refuse_file(struct err *e, const char *path, const struct scan *from, const char *why)
{
	if (from != NULL)
		return conf_error(e, here(from), "include \"%s\": %s", path, why);
	return err_set(e, ERR_CONF, "%s: %s", path, why);
}

/* Whoever may write the file decides what the bridge does and which commands it runs. */
static int check_file(const struct stat *st, const char *path, const struct scan *from,
		      struct err *e)
{
	if (S_ISDIR(st->st_mode))
		return refuse_file(e, path, from, "is a directory");
	if (!S_ISREG(st->st_mode))
		return refuse_file(e, path, from, "is not a regular file");
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		refuse_file(e, path, from, "others than its owner may write it");
		err_hint(e, "chmod go-w %s", path);
		return ERR_CONF;
	}
	if (st->st_size > TEXT_MAX)
		return refuse_file(e, path, from, "is larger than 16 MB");
	for (const struct scan *s = from; s != NULL; s = s->from)
		if (s->dev == st->st_dev && s->ino == st->st_ino)
			return refuse_file(e, path, from, "includes itself");
	if (from != NULL && from->depth >= INCLUDE_DEPTH)
		return refuse_file(e, path, from, "includes nest deeper than 10");
	return 0;
}

static int slurp(struct buf *b, int fd)
{
	ssize_t got;

	do {
		char *room = buf_reserve(b, 65536);

		if (room == NULL || b->len > TEXT_MAX)
			return ENOMEM;
		got = read(fd, room, 65535);
		if (got > 0)
			b->len += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0)
		return errno;
	/* one byte was kept back for this */
	b->p[b->len] = '\0';
	return 0;
}

static int scan_text(struct scan *s, const struct buf *b, struct err *e)
{
	const char *nul = memchr(b->p, '\0', b->len);

	s->p = b->p;
	s->line = 1;
	if (nul == NULL)
		return scan(s, e);
	for (const char *p = b->p; p < nul; p++)
		s->line += *p == '\n';
	return conf_error(e, here(s), "the file holds a NUL byte");
}

static int read_file(struct conf_text *out, struct arena *a, const char *path,
		     const struct scan *from, struct err *e)
{
	AUTO(own_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	AUTO(buf_fini) struct buf b = BUF_INIT;
	struct scan s = {.from = from, .out = out, .a = a, .file = path};
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse_file(e, path, from, strerror(errno));
	r = check_file(&st, path, from, e);
	if (r < 0)
		return r;
	s.dev = st.st_dev;
	s.ino = st.st_ino;
	s.depth = from == NULL ? 0 : from->depth + 1;
	r = slurp(&b, fd);
	if (r != 0)
		return refuse_file(e, path, from, strerror(r));
	return scan_text(&s, &b, e);
}

int conf_read(struct conf_text *out, struct arena *a, const char *path, struct err *e)
{
	char *copy = arena_strdup(a, path);

	return copy == NULL ? err_nomem(e) : read_file(out, a, copy, NULL, e);
}

void conf_text_fini(struct conf_text *t)
{
	buf_fini(&t->text);
	vec_fini(&t->map);
}

/* The last stretch that starts at or before the line. */
struct conf_pos conf_text_pos(const struct conf_text *t, int line)
{
	size_t lo = 0, hi = t->map.n;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->map.v[mid].first <= line)
			lo = mid;
		else
			hi = mid;
	}
	if (t->map.n == 0 || line < t->map.v[lo].first)
		return (struct conf_pos){"?", 0};
	return (struct conf_pos){t->map.v[lo].pos.file,
				 t->map.v[lo].pos.line + line - t->map.v[lo].first};
}
