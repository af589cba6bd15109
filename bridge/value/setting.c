/* setting.c - looking settings up, and the text of durations and sizes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bridge/value/setting.h"

static const int64_t duration_max_s = INT64_C(10) * 365 * 86400;

const struct setting *settings_find(const struct settings *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (strcmp(s->v[i].name, name) == 0)
			return &s->v[i];
	}
	return NULL;
}

const char *settings_str(const struct settings *s, const char *name, const char *dflt)
{
	const struct setting *found = settings_find(s, name);

	return found == NULL || found->str == NULL ? dflt : found->str;
}

int64_t settings_num(const struct settings *s, const char *name, int64_t dflt)
{
	const struct setting *found = settings_find(s, name);

	return found == NULL ? dflt : found->num;
}

/* The digits at s; how many, 0 when there are none or they overflow. */
static size_t take_digits(int64_t *out, const char *s)
{
	int64_t v = 0;
	size_t i;

	for (i = 0; s[i] >= '0' && s[i] <= '9'; i++) {
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, s[i] - '0', &v))
			return 0;
	}
	*out = v;
	return i;
}

/* Largest first, so that printing finds the unit that divides. */
static const struct {
	char unit;
	int64_t s;
} durations[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

enum { N_DURATIONS = sizeof(durations) / sizeof(durations[0]) };

bool duration_parse(int64_t *out_s, const char *s)
{
	int64_t v;
	size_t used = take_digits(&v, s), i;

	if (used == 0)
		return false;
	s += used;
	if (s[0] != '\0') {
		for (i = 0; i < N_DURATIONS && durations[i].unit != s[0]; i++)
			;
		if (i == N_DURATIONS || s[1] != '\0' ||
		    __builtin_mul_overflow(v, durations[i].s, &v))
			return false;
	}
	if (v > duration_max_s)
		return false;
	*out_s = v;
	return true;
}

bool size_parse(int64_t *out, const char *s)
{
	static const char units[] = "kmg";
	int64_t v;
	size_t used = take_digits(&v, s);
	const char *u;

	if (used == 0)
		return false;
	s += used;
	if (s[0] != '\0') {
		u = strchr(units, s[0] | 0x20);
		if (u == NULL || s[1] != '\0' ||
		    __builtin_mul_overflow(v, INT64_C(1) << (10 * (u - units + 1)), &v))
			return false;
	}
	*out = v;
	return true;
}

const char *duration_print(char out[24], int64_t s)
{
	size_t i = N_DURATIONS - 1;

	if (s != 0) {
		for (i = 0; s % durations[i].s != 0; i++)
			;
	}
	snprintf(out, 24, "%" PRId64 "%c", s / durations[i].s, durations[i].unit);
	return out;
}
