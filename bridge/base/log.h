/* log.h - what the program says to people, on stderr.
 *
 * Every line has a subject (who it is about: "zone lab.example", "source dhcp") and a sentence
 * "operation, outcome (reason), next step".  Text from outside is escaped here, so callers pass
 * it as it is.  Under systemd (JOURNAL_STREAM set) lines carry <N> priorities.
 * Decisions do not log; they return a why.
 */
#ifndef BRIDGE_BASE_LOG_H
#define BRIDGE_BASE_LOG_H

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above the level are dropped.  Default LOG_LEVEL_WARN: a quiet command. */
void log_init(enum log_level level);
void log_err(const char *subject, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *subject, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *subject, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *subject, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
