/* conf_keys.c - every word the configuration knows, with its type and range.
 *
 * One row makes a setting: libconfuse's options, the parser of its value and the suggestions for
 * misspelt words all come from here, and a test holds the manual page against these tables.
 */
#include <stddef.h>
#include <string.h>

#include "adapters/adapter.h"
#include "bridge/conf/conf_tree.h"

#define SECOND 1
#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const struct conf_key server_keys[] = {
    {"address", CONF_ADDR, offsetof(struct conf_server, address), 0, 0, NULL},
    {"port", CONF_U16, offsetof(struct conf_server, port), 1, 65535, NULL},
    {"key-file", CONF_PATH, offsetof(struct conf_server, key_file), 0, 0, NULL},
    {"transfer-address", CONF_ADDR, offsetof(struct conf_server, transfer_address), 0, 0, NULL},
    {"transfer-port", CONF_U16, offsetof(struct conf_server, transfer_port), 1, 65535, NULL},
    {"transfer-key-file", CONF_PATH, offsetof(struct conf_server, transfer_key_file), 0, 0, NULL},
    {"source-address", CONF_ADDR, offsetof(struct conf_server, source_address), 0, 0, NULL},
    /* Knot stalls for a second now and then: less than 3 s would call a good server dead. */
    {"timeout", CONF_DURATION, offsetof(struct conf_server, timeout_s), 3, 5 * MINUTE, NULL},
    /* Knot answers at most 100 requests in flight of one connection; over 90 they pile up. */
    {"window", CONF_U32, offsetof(struct conf_server, window), 1, 90, NULL},
    {"unsigned-transfer", CONF_BOOL, offsetof(struct conf_server, allow_unsigned_transfer), 0, 0,
     NULL},
    {0},
};

static const struct conf_key zone_keys[] = {
    {"server", CONF_LIST, 0, 0, 0, NULL},
    {"ttl", CONF_TTL, offsetof(struct policy_zone, ttl_s), 1, 7 * DAY, NULL},
    {"foreign", CONF_WORD, 0, 0, 0, NULL},
    {"addresses", CONF_WORD, 0, 0, 0, NULL},
    {"duplicates", CONF_WORD, 0, 0, 0, NULL},
    {"dhcid", CONF_BOOL, offsetof(struct policy_zone, dhcid), 0, 0, NULL},
    {"view", CONF_STR, offsetof(struct policy_zone, view), 0, 0, NULL},
    {"classless", CONF_WORD, 0, 0, 0, NULL},
    {"parent-server", CONF_STR, offsetof(struct policy_zone, parent_server), 0, 0, NULL},
    {"secondaries", CONF_LIST, 0, 0, 0, NULL},
    {"recursors", CONF_LIST, 0, 0, 0, NULL},
    {0},
};

static const struct conf_key subnet_keys[] = {
    {"zone", CONF_LIST, 0, 0, 0, NULL},
    {"rank", CONF_LIST, 0, 0, 0, NULL},
    {0},
};

static const struct conf_key source_keys[] = {
    {"type", CONF_STR, offsetof(struct conf_source, type), 0, 0, NULL},
    {"kind", CONF_WORD, 0, 0, 0, NULL},
    {"timeout", CONF_DURATION, offsetof(struct conf_source, timeout_s), 1, HOUR, NULL},
    {"every", CONF_DURATION, offsetof(struct conf_source, every_s), 1, 7 * DAY, NULL},
    {"stale-after", CONF_DURATION, offsetof(struct conf_source, stale_after_s), MINUTE, 365 * DAY,
     NULL},
    {0},
};

static const struct conf_key schedule_keys[] = {
    {"reconcile", CONF_DURATION, offsetof(struct conf, reconcile_s), SECOND, 7 * DAY, NULL},
    {"pull", CONF_DURATION, offsetof(struct conf, pull_s), SECOND, 7 * DAY, NULL},
    {"full", CONF_DURATION, offsetof(struct conf, full_s), MINUTE, 30 * DAY, NULL},
    {0},
};

static const struct conf_key http_keys[] = {
    {"listen", CONF_ENDPOINT, offsetof(struct conf, http), 0, 0, NULL},
    {0},
};

static const struct conf_key space_keys[] = {
    {"protect", CONF_LIST, 0, 0, 0, NULL},
    {"zone", CONF_SECTIONS, 0, 0, 0, zone_keys},
    {"subnet", CONF_SECTIONS, 0, 0, 0, subnet_keys},
    {"source", CONF_SECTIONS, 0, 0, 0, source_keys},
    {0},
};

const struct conf_key conf_keys[] = {
    {"database", CONF_STR, offsetof(struct conf, database), 0, 0, NULL},
    {"state-dir", CONF_PATH, offsetof(struct conf, state_dir), 0, 0, NULL},
    {"brake-percent", CONF_U32, offsetof(struct conf, policy.brake_percent), 0, 100, NULL},
    {"brake-min", CONF_U32, offsetof(struct conf, policy.brake_min), 0, 1000000, NULL},
    {"journal-keep", CONF_DURATION, offsetof(struct conf, journal_keep_s), DAY, 3650LL * DAY,
     NULL},
    {"run-timeout", CONF_DURATION, offsetof(struct conf, run_timeout_s), 10, DAY, NULL},
    {"statement-timeout", CONF_DURATION, offsetof(struct conf, statement_timeout_s), 1, HOUR,
     NULL},
    {"notify-listen", CONF_ENDPOINT, offsetof(struct conf, notify_listen), 0, 0, NULL},
    {"log-format", CONF_LOG, offsetof(struct conf, log_format), 0, 0, NULL},
    {"protect", CONF_LIST, 0, 0, 0, NULL},
    {"server", CONF_SECTIONS, 0, 0, 0, server_keys},
    {"zone", CONF_SECTIONS, 0, 0, 0, zone_keys},
    {"subnet", CONF_SECTIONS, 0, 0, 0, subnet_keys},
    {"source", CONF_SECTIONS, 0, 0, 0, source_keys},
    {"schedule", CONF_SECTION, 0, 0, 0, schedule_keys},
    {"http", CONF_SECTION, 0, 0, 0, http_keys},
    {"space", CONF_SECTIONS, 0, 0, 0, space_keys},
    {0},
};

const struct conf_key *conf_keys_find(const struct conf_key *keys, const char *name)
{
	for (; keys->name != NULL; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

const struct conf_key *conf_keys_of(const char *section)
{
	const struct conf_key *k = conf_keys_find(conf_keys, section);

	return k != NULL && k->keys != NULL ? k->keys : conf_keys;
}

bool conf_key_of_type(const char *adapter_type, const char *name)
{
	const struct adapter_ops *ops = adapter_find(adapter_type);

	if (conf_keys_find(source_keys, name) != NULL)
		return true;
	for (const struct setting_key *k = ops != NULL ? ops->keys : NULL; k != NULL && k->name; k++)
		if (strcmp(k->name, name) == 0)
			return true;
	return false;
}

void conf_accepted(struct buf *out, const char *adapter_type)
{
	const struct adapter_ops *ops = adapter_find(adapter_type);

	for (const struct conf_key *k = source_keys; k->name != NULL; k++)
		buf_printf(out, "%s%s", out->len > 0 ? ", " : "", k->name);
	for (const struct setting_key *k = ops != NULL ? ops->keys : NULL; k != NULL && k->name; k++)
		if (conf_keys_find(source_keys, k->name) == NULL)
			buf_printf(out, ", %s", k->name);
}
