/* setting.h - settings of a source as the configuration gave them, typed by the adapter's table.
 *
 * An adapter lists the keys it accepts; conf/ checks names and types against that list and hands
 * over a struct settings.  Durations are seconds, sizes bytes.  Beside what was written there is
 * "state-dir", where files that must outlive a restart belong.
 */
#ifndef BRIDGE_VALUE_SETTING_H
#define BRIDGE_VALUE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type { SETTING_STR, SETTING_LIST, SETTING_DURATION, SETTING_SIZE, SETTING_BOOL };

struct setting_key {
	const char *name;         /* NULL ends a table */
	enum setting_type type;
	bool required;
	const char *help;         /* one line, for the manual */
};

struct setting {
	const char *name;
	enum setting_type type;
	int line;                 /* in file, for messages */
	const char *str;
	const char *const *list;  /* n strings */
	size_t n;
	int64_t num;              /* duration in seconds, size in bytes, or a bool */
};

struct settings {
	const struct setting *v;
	size_t n;
	const char *file;
	int line;                 /* of the section */
};

const struct setting *settings_find(const struct settings *s, const char *name);
/* The value or the default when the key is absent. */
const char *settings_str(const struct settings *s, const char *name, const char *dflt);
int64_t settings_num(const struct settings *s, const char *name, int64_t dflt);

/* "30s" "5m" "2h" "7d" "1w", a bare number is seconds; false when malformed or over 10 years. */
bool duration_parse(int64_t *out_s, const char *s);
/* "64k" "8M" "1G", a bare number is bytes; powers of 1024. */
bool size_parse(int64_t *out, const char *s);
/* "5m", "90s", "2d": the largest unit that divides; out at least 24 bytes. */
const char *duration_print(char out[24], int64_t s);

#endif
