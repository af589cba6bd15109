/* log.c - one line per call, composed whole and written at once.
 *
 * Bytes that a terminal could take for a command never leave here: whatever is not printable
 * ASCII becomes \xHH.  A backslash stays single in text, because escaped names have them already;
 * logfmt and JSON double it, as their readers expect.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/base/buf.h"
#include "bridge/base/clock.h"
#include "bridge/base/log.h"

static enum log_level max_level = LOG_LEVEL_WARN;
static enum log_format format = LOG_TEXT;

/* As in sd-daemon(3). */
static const int priorities[] = {
    [LOG_LEVEL_ERR] = 3, [LOG_LEVEL_WARN] = 4, [LOG_LEVEL_INFO] = 6, [LOG_LEVEL_DEBUG] = 7,
};

static const char *const format_names[] = {
    [LOG_TEXT] = "text", [LOG_LOGFMT] = "logfmt", [LOG_JSON] = "json",
};

struct line {
	enum log_level level;
	const char *id, *subject, *text;
};

void log_init(enum log_level level)
{
	max_level = level;
}

void log_set_format(enum log_format f)
{
	format = f;
}

enum log_format log_get_format(void)
{
	return format;
}

bool log_format_parse(enum log_format *out, const char *s, size_t len)
{
	for (int i = 0; i <= LOG_JSON; i++) {
		if (strlen(format_names[i]) == len && memcmp(format_names[i], s, len) == 0) {
			*out = (enum log_format)i;
			return true;
		}
	}
	return false;
}

static void put_clean(struct buf *line, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c < 0x7f)
			buf_chr(line, (char)c);
		else
			buf_printf(line, "\\x%02x", c);
	}
}

/* In double quotes, for logfmt and JSON alike: what is left after cleaning needs no more. */
static void put_quoted(struct buf *line, const char *s)
{
	struct buf clean = BUF_INIT;
	size_t i;

	put_clean(&clean, s);
	buf_chr(line, '"');
	for (i = 0; i < clean.len; i++) {
		if (clean.p[i] == '"' || clean.p[i] == '\\')
			buf_chr(line, '\\');
		buf_chr(line, clean.p[i]);
	}
	buf_chr(line, '"');
	line->bad |= clean.bad;
	buf_fini(&clean);
}

/* A log that can't be written has nobody to tell. */
static void put_stderr(const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

/* ---- forms --------------------------------------------------------------------------------- */

/* The journal knows who we are and shows the priority its own way. */
static void put_text(struct buf *out, const struct line *l, bool journal)
{
	if (!journal)
		buf_str(out, "ipambridge: ");
	if (!journal && l->level <= LOG_LEVEL_WARN)
		buf_printf(out, "%s: ", log_level_name(l->level));
	put_clean(out, l->subject);
	buf_str(out, ": ");
	put_clean(out, l->text);
}

static void put_time(struct buf *out)
{
	time_t now = (time_t)clock_wall_s();
	struct tm tm;
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	buf_str(out, text);
}

/* A word stands bare. */
static void put_value(struct buf *out, const char *s)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "._-:/@";

	if (*s != '\0' && s[strspn(s, word)] == '\0')
		buf_str(out, s);
	else
		put_quoted(out, s);
}

static void put_logfmt(struct buf *out, const struct line *l)
{
	buf_str(out, "time=");
	put_time(out);
	buf_printf(out, " level=%s id=%s subject=", log_level_name(l->level), l->id);
	put_value(out, l->subject);
	buf_str(out, " msg=");
	put_quoted(out, l->text);
}

static void put_json(struct buf *out, const struct line *l)
{
	buf_str(out, "{\"time\": \"");
	put_time(out);
	buf_printf(out, "\", \"level\": \"%s\", \"id\": \"%s\", \"subject\": ",
		   log_level_name(l->level), l->id);
	put_quoted(out, l->subject);
	buf_str(out, ", \"msg\": ");
	put_quoted(out, l->text);
	buf_chr(out, '}');
}

static void put_line(struct buf *out, const struct line *l)
{
	bool journal = getenv("JOURNAL_STREAM") != NULL;

	if (journal)
		buf_printf(out, "<%d>", priorities[l->level]);
	if (format == LOG_JSON)
		put_json(out, l);
	else if (format == LOG_LOGFMT)
		put_logfmt(out, l);
	else
		put_text(out, l, journal);
	buf_chr(out, '\n');
}

/* ---- calls --------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 4, 0)))
say(enum log_level level, enum message id, const char *subject, const char *fmt, va_list ap)
{
	struct buf out = BUF_INIT;
	char *text = NULL;
	int saved = errno;

	if (level > max_level)
		return;
	if (vasprintf(&text, fmt, ap) >= 0) {
		struct line l = {level, message_row(id)->id, subject, text};

		put_line(&out, &l);
		free(text);
	} else {
		out.bad = true;
	}
	if (out.bad)
		put_stderr("ipambridge: out of memory for a log line\n", 41);
	else
		put_stderr(out.p, out.len);
	buf_fini(&out);
	errno = saved;
}

#define LOG_BODY(level, id)                                                                        \
	va_list ap;                                                                                \
                                                                                                   \
	va_start(ap, fmt);                                                                         \
	say(level, id, subject, fmt, ap);                                                          \
	va_end(ap)

void log_event(enum message id, const char *subject, const char *fmt, ...)
{
	LOG_BODY(message_row(id)->level, id);
}

void log_err(const char *subject, const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERR, MSG_NOTE);
}

void log_warn(const char *subject, const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_WARN, MSG_NOTE);
}

void log_info(const char *subject, const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_INFO, MSG_NOTE);
}

void log_debug(const char *subject, const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_DEBUG, MSG_NOTE);
}
