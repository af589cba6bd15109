/* mark.c - see mark.h. */
#include "bridge/role/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/base/own.h"
#include "bridge/base/replace.h"
#include "bridge/store/store.h"
#include "bridge/value/wirelen.h"

/* One line of text: "ipambridge-mark 1 DATABASE LINE TIME", TIME of the line in Unix seconds. */
#define MARK_FORMAT "ipambridge-mark 1 %s %" PRId64 " %" PRId64 "\n"

enum { MARK_TEXT = 160 };

static int mark_path(char **out, const struct conf *c, struct err *e)
{
	if (asprintf(out, "%s/journal-mark", c->state_dir) >= 0)
		return 0;
	*out = NULL;
	return err_nomem(e);
}

static const char *mark_print(char out[MARK_TEXT], const struct store_mark *m)
{
	snprintf(out, MARK_TEXT, MARK_FORMAT, m->database, m->line, m->at_s);
	return out;
}

/* Whoever may not look here may not send either: the key files are the same user's. */
static bool is_nothing(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES;
}

/* Bytes read, 0: there is no mark. */
static ssize_t read_text(char out[MARK_TEXT], const char *path, struct err *e)
{
	AUTO(own_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, MARK_TEXT - 1);

	if (n < 0 && is_nothing(errno))
		return 0;
	if (n <= 0)
		return err_sys(e, n < 0 ? errno : ENODATA, "\"%s\"", path);
	out[n] = '\0';
	return n;
}

/* What it was printed from, or nothing. */
static bool mark_parse(struct store_mark *out, const char *text)
{
	char again[MARK_TEXT];

	memset(out, 0, sizeof(*out));
	return sscanf(text, "ipambridge-mark 1 %36s %" SCNd64 " %" SCNd64, out->database, &out->line,
		      &out->at_s) == 3 &&
	       strcmp(mark_print(again, out), text) == 0;
}

static int refuse(struct err *why, const char *path)
{
	err_hint(why, "bring the newer database back; or look at \"ipambridge plan\", and to go on with "
		      "this one remove %s", path);
	return MARK_OTHER;
}

static int compare(const struct store_mark *m, const char *path, struct pg *pg, struct err *why,
		   struct err *e)
{
	struct store_mark now;
	char at[24];
	bool held = true;
	int r = store_mark_get(pg, &now, e);

	if (r < 0)
		return r;
	if (strcmp(now.database, m->database) != 0) {
		err_set(why, ERR_CONF, "this is another database than the one that was written from");
		return refuse(why, path);
	}
	if (m->line != 0)
		r = store_mark_held(pg, m, &held, e);
	if (r < 0 || held)
		return r;
	time_print(at, m->at_s);
	err_set(why, ERR_CONF, "the database lacks what its journal held at %s, line %" PRId64
		": it was restored from an older copy", at, m->line);
	return refuse(why, path);
}

int mark_check(const struct conf *c, struct pg *pg, struct err *why, struct err *e)
{
	AUTO(own_freep) char *path = NULL;
	char text[MARK_TEXT];
	struct store_mark m;
	ssize_t n;
	int r = mark_path(&path, c, e);

	if (r < 0)
		return r;
	n = read_text(text, path, why);
	if (n < 0)
		return refuse(why, path);
	if (n == 0)
		return 0;
	if (!mark_parse(&m, text)) {
		err_set(why, ERR_PROTO, "\"%s\" is no mark of a journal", path);
		return refuse(why, path);
	}
	return compare(&m, path, pg, why, e);
}

int mark_keep(const struct conf *c, struct pg *pg, struct err *e)
{
	AUTO(own_freep) char *path = NULL;
	AUTO(buf_fini) struct buf b = BUF_INIT;
	char text[MARK_TEXT], was[MARK_TEXT];
	struct store_mark now;
	int r = mark_path(&path, c, e);

	if (r == 0 && access(c->state_dir, F_OK) < 0 && is_nothing(errno))
		return 0;
	r = r < 0 ? r : store_mark_get(pg, &now, e);
	if (r < 0)
		return r;
	mark_print(text, &now);
	if (read_text(was, path, NULL) > 0 && strcmp(was, text) == 0)
		return 0;
	buf_str(&b, text);
	return file_replace(path, &b, e);
}
