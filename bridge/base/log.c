/* log.c - one line per call, composed whole and written at once.
 *
 * Bytes that a terminal could take for a command never leave here: whatever is not printable
 * ASCII becomes \xHH.  A backslash stays single, because escaped names have them already.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/base/buf.h"
#include "bridge/base/log.h"

static enum log_level max_level = LOG_LEVEL_WARN;

/* Priorities as in sd-daemon(3), words for people. */
static const struct {
	int priority;
	const char *word;
} levels[] = {
    [LOG_LEVEL_ERR] = {3, "error: "},
    [LOG_LEVEL_WARN] = {4, "warning: "},
    [LOG_LEVEL_INFO] = {6, ""},
    [LOG_LEVEL_DEBUG] = {7, ""},
};

void log_init(enum log_level level)
{
	max_level = level;
}

static void put_clean(struct buf *line, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c < 0x7f)
			buf_chr(line, (char)c);
		else
			buf_printf(line, "\\x%02x", c);
	}
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

/* The journal knows who we are and shows the priority its own way. */
static void put_head(struct buf *line, enum log_level level)
{
	if (getenv("JOURNAL_STREAM") != NULL)
		buf_printf(line, "<%d>", levels[level].priority);
	else
		buf_printf(line, "ipambridge: %s", levels[level].word);
}

static void __attribute__((format(printf, 3, 0)))
say(enum log_level level, const char *subject, const char *fmt, va_list ap)
{
	struct buf line = BUF_INIT;
	char *text = NULL;
	int n, saved = errno;

	n = vasprintf(&text, fmt, ap);
	put_head(&line, level);
	put_clean(&line, subject, strlen(subject));
	buf_str(&line, ": ");
	if (n >= 0)
		put_clean(&line, text, (size_t)n);
	buf_chr(&line, '\n');
	if (n < 0 || line.bad)
		put_stderr("ipambridge: out of memory for a log line\n", 41);
	else
		put_stderr(line.p, line.len);
	if (n >= 0)
		free(text);
	buf_fini(&line);
	errno = saved;
}

#define LOG_BODY(level)                                                                            \
	va_list ap;                                                                                \
                                                                                                   \
	if ((level) > max_level)                                                                   \
		return;                                                                            \
	va_start(ap, fmt);                                                                         \
	say(level, subject, fmt, ap);                                                              \
	va_end(ap)

void log_err(const char *subject, const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERR);
}

void log_warn(const char *subject, const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_WARN);
}

void log_info(const char *subject, const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_INFO);
}

void log_debug(const char *subject, const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_DEBUG);
}
