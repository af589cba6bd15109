/* source_reader.c - reads one source with its adapter alone and prints what it answers.
 *
 *	source_reader [-c CURSOR] [-w] TYPE [KEY=VALUE]...
 *
 * Settings are typed by the adapter's table; the values of a list have commas between them.
 * -w: each read is to give everything, and there is a pause before it.
 * Prints {"answer": "open"}, then a line of JSON for each read that is not idle, with the cursor
 * behind it and the monotonic time in microseconds, until it is killed or a read fails.  For tests that need no database and no daemon around an adapter.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/adapter.h"
#include "bridge/base/buf.h"
#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/value/base64.h"

enum { SETTINGS_MAX = 16, LIST_MAX = 16, READ_MS = 50, SNAPSHOT_MS = 20000 };

static struct setting settings[SETTINGS_MAX];
static const char *lists[SETTINGS_MAX][LIST_MAX];

static void die(const char *what, const char *why)
{
	fprintf(stderr, "source_reader: %s: %s\n", what, why);
	exit(1);
}

static bool take_value(struct setting *s, const char **list, char *value)
{
	s->str = value;
	switch (s->type) {
	case SETTING_LIST:
		s->list = list;
		for (char *v; (v = strsep(&value, ",")) != NULL && s->n < LIST_MAX;)
			list[s->n++] = v;
		return true;
	case SETTING_DURATION:
		return duration_parse(&s->num, value);
	case SETTING_SIZE:
		return size_parse(&s->num, value);
	case SETTING_BOOL:
		s->num = strcmp(value, "true") == 0;
		return true;
	default:
		return true;
	}
}

static void take_setting(struct setting *s, const char **list, const struct setting_key *k,
			 char *word)
{
	char *value = strchr(word, '=');

	if (value == NULL)
		die(word, "is not KEY=VALUE");
	*value++ = '\0';
	while (k->name != NULL && strcmp(k->name, word) != 0)
		k++;
	if (k->name == NULL)
		die(word, "is no setting of this type");
	*s = (struct setting){.name = k->name, .type = k->type};
	if (!take_value(s, list, value))
		die(word, "the value is malformed");
}

static json_t *obs_json(const struct obs *o)
{
	struct buf name = BUF_INIT, dhcid = BUF_INIT;
	char addr[IPADDR_TEXT];
	json_t *j;

	buf_escaped(&name, o->name.p, o->name.len);
	base64_print(&dhcid, o->dhcid.p, o->dhcid.len);
	j = json_pack("{s:s,s:s,s:b,s:s?,s:s,s:I}", "address", ipaddr_print(addr, &o->addr), "name",
		      buf_text(&name), "end", o->end, "end_why", o->end_why, "dhcid",
		      buf_text(&dhcid), "seen_at", (json_int_t)o->seen_at_s);
	buf_fini(&name);
	buf_fini(&dhcid);
	return j;
}

static json_int_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (json_int_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void print(const char *answer, const struct obs_batch *b, const char *cursor)
{
	json_int_t at_us = now_us();
	json_t *obs = json_array(), *bad = json_array(), *all;

	for (size_t i = 0; i < b->n; i++)
		json_array_append_new(obs, obs_json(&b->v[i]));
	for (size_t i = 0; i < b->n_bad && i < OBS_BAD_KEPT; i++)
		json_array_append_new(bad, json_string(b->bad[i].why));
	all = json_pack("{s:s,s:I,s:I,s:o,s:o,s:s?,s:I}", "answer", answer, "n_bad",
			(json_int_t)b->n_bad, "n_skipped", (json_int_t)b->n_skipped, "bad", bad,
			"obs", obs, "cursor", cursor, "at_us", at_us);
	if (all == NULL || json_dumpf(all, stdout, JSON_COMPACT) < 0)
		die(answer, "cannot be printed");
	json_decref(all);
	putchar('\n');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const char *const answers[] = {
	    [ADAPTER_MORE] = "more", [ADAPTER_IDLE] = "idle", [ADAPTER_COMPLETE] = "complete",
	    [ADAPTER_SAME] = "same", [ADAPTER_DELTA] = "delta", [ADAPTER_LOST] = "lost",
	};
	const char *cursor = NULL;
	const struct adapter_ops *ops;
	struct settings set = {.v = settings};
	struct obs_batch batch;
	struct adapter *a;
	struct err e = {0};
	int r = ADAPTER_MORE;
	bool whole;

	log_init(LOG_LEVEL_INFO);
	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		cursor = argv[2];
		argc -= 2;
		argv += 2;
	}
	whole = argc > 1 && strcmp(argv[1], "-w") == 0;
	argc -= whole;
	argv += whole;
	ops = argc > 1 ? adapter_find(argv[1]) : NULL;
	if (ops == NULL || argc - 2 > SETTINGS_MAX)
		die(argc > 1 ? argv[1] : "usage", "[-c CURSOR] [-w] TYPE [KEY=VALUE]...");
	for (int i = 2; i < argc; i++, set.n++)
		take_setting(&settings[set.n], lists[set.n], ops->keys, argv[i]);
	if (ops->open(&a, &set, cursor, &e) < 0)
		die(e.text, e.hint);
	obs_batch_init(&batch);
	print("open", &batch, cursor);
	while (r >= 0) {
		/* A source that is read has its time for that, until it has told all there is. */
		int64_t ms = ops->events || r != ADAPTER_MORE ? READ_MS : SNAPSHOT_MS;

		if (whole && r != ADAPTER_MORE) {
			clock_sleep_until_ms(clock_mono_ms() + READ_MS);
			ops->whole(a);
		}
		obs_batch_reset(&batch);
		r = ops->read(a, &batch, clock_mono_ms() + ms, &e);
		if (r >= 0 && r != ADAPTER_IDLE)
			print(answers[r], &batch, ops->cursor != NULL ? ops->cursor(a) : NULL);
	}
	fprintf(stderr, "source_reader: %s: %s; hint: %s\n", ops->type, e.text, e.hint);
	return 1;
}
