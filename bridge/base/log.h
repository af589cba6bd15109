/* log.h - what the program says to people, on stderr.
 *
 * Every line has a subject (who it is about: "zone lab.example", "source dhcp") and a sentence
 * "operation, outcome (reason), next step".  Text from outside is escaped here, so callers pass
 * it as it is.  Under systemd (JOURNAL_STREAM set) lines carry <N> priorities.
 * Decisions do not log; they return a why.
 */
#ifndef BRIDGE_BASE_LOG_H
#define BRIDGE_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "bridge/base/message.h"

enum log_format {
	LOG_TEXT,    /* ipambridge: warning: SUBJECT: SENTENCE */
	LOG_LOGFMT,  /* time=... level=warning id=PULL_FAILED subject=lab.example msg="..." */
	LOG_JSON,    /* the same fields as one object a line */
};

/* Lines above the level are dropped.  Default LOG_LEVEL_WARN: a quiet command. */
void log_init(enum log_level level);
/* Default LOG_TEXT. */
void log_set_format(enum log_format f);
enum log_format log_get_format(void);
bool log_format_parse(enum log_format *out, const char *s, size_t len);

/* A message of the table, at its level. */
void log_event(enum message id, const char *subject, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Words without an id of their own (NOTE). */
void log_err(const char *subject, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *subject, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *subject, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *subject, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
