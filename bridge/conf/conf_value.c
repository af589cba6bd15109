/* conf_value.c - one value of the configuration to its type, or what is wrong with it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/conf/conf_tree.h"

int conf_single(const struct conf_value **out, const struct conf_item *it, struct err *e)
{
	if (it->values.n != 1)
		return conf_error(e, it->values.v[1].pos, "\"%s\" takes one value, %zu are given",
				  it->name, it->values.n);
	*out = &it->values.v[0];
	return 0;
}

int conf_duration(int64_t *out, const char *name, const struct conf_value *v, int64_t min,
		  int64_t max, struct err *e)
{
	char lo[24], hi[24];

	if (!duration_parse(out, v->s)) {
		conf_error(e, v->pos, "%s \"%s\" is no duration", name, v->s);
		err_hint(e, "a number and s, m, h, d or w, such as 90s or 5m");
		return ERR_CONF;
	}
	if (*out < min || *out > max)
		return conf_error(e, v->pos, "%s \"%s\" is out of range: %s to %s", name, v->s,
				  duration_print(lo, min), duration_print(hi, max));
	return 0;
}

int conf_bool(bool *out, const char *name, const struct conf_value *v, struct err *e)
{
	static const char *const words[][2] = {{"false", "true"}, {"no", "yes"}, {"off", "on"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (int k = 0; k < 2; k++)
			if (strcmp(v->s, words[i][k]) == 0) {
				*out = k == 1;
				return 0;
			}
	return conf_error(e, v->pos, "%s \"%s\" is neither true nor false", name, v->s);
}

int conf_addr(struct ipaddr *out, const char *name, const struct conf_value *v, struct err *e)
{
	if (ipaddr_parse(out, v->s, strlen(v->s)))
		return 0;
	conf_error(e, v->pos, "%s \"%s\" is no IP address", name, v->s);
	err_hint(e, "an IPv4 or IPv6 address in numbers; host names are not looked up");
	return ERR_CONF;
}

/* Kinds that a source may bring; the others are noted by ipambridge itself. */
int conf_kind(enum obs_kind *out, const struct conf_value *v, struct err *e)
{
	if (!obs_kind_parse(out, v->s, strlen(v->s))) {
		conf_error(e, v->pos, "there is no kind \"%s\"", v->s);
		err_hint(e, "manual, edit, reservation, ipam, lease, dns, neighbour");
		return ERR_CONF;
	}
	return 0;
}

static int conf_unsigned(int64_t *out, const struct conf_key *k, const struct conf_value *v,
			 struct err *e)
{
	char *end;

	errno = 0;
	*out = v->s[0] >= '0' && v->s[0] <= '9' ? strtoll(v->s, &end, 10) : -1;
	if (*out < 0 || *end != '\0')
		return conf_error(e, v->pos, "%s \"%s\" is no number", k->name, v->s);
	if (errno != 0 || *out < k->min || *out > k->max)
		return conf_error(e, v->pos, "%s %s is out of range: %lld to %lld", k->name, v->s,
				  (long long)k->min, (long long)k->max);
	return 0;
}

static int conf_path(const char *name, const struct conf_value *v, struct err *e)
{
	if (v->s[0] == '/')
		return 0;
	conf_error(e, v->pos, "%s \"%s\" is no absolute path", name, v->s);
	err_hint(e, "start it with \"/\": the working directory differs between cron, systemd and "
		    "a shell");
	return ERR_CONF;
}

static int conf_endpoint(struct conf_endpoint *out, const char *name, const struct conf_value *v,
			 struct err *e)
{
	const char *colon = strrchr(v->s, ':'), *end;
	const char *host = v->s[0] == '[' ? v->s + 1 : v->s;
	char *after = NULL;
	unsigned long port = 0;

	if (colon != NULL && colon > host && colon[1] >= '0' && colon[1] <= '9')
		port = strtoul(colon + 1, &after, 10);
	end = colon != NULL && host > v->s ? colon - 1 : colon;
	if (port < 1 || port > 65535 || *after != '\0' || (host > v->s && *end != ']') ||
	    !ipaddr_parse(&out->address, host, (size_t)(end - host)) ||
	    (out->address.family == 6) != (host > v->s)) {
		conf_error(e, v->pos, "%s \"%s\" is no address with a port", name, v->s);
		err_hint(e, "such as \"127.0.0.1:9953\" or \"[::1]:9953\"");
		return ERR_CONF;
	}
	out->port = (uint16_t)port;
	return 0;
}

static int conf_log(enum log_format *out, const char *name, const struct conf_value *v,
		    struct err *e)
{
	if (log_format_parse(out, v->s, strlen(v->s)))
		return 0;
	return conf_error(e, v->pos, "%s is text, logfmt or json, not \"%s\"", name, v->s);
}

/* field: where the struct that the section becomes keeps it. */
static int fill_one(char *field, const struct conf_key *k, const struct conf_value *v,
		    struct err *e)
{
	int64_t n = 0;
	int r = 0;

	switch (k->type) {
	case CONF_PATH:
		r = conf_path(k->name, v, e);
		*(const char **)(void *)field = v->s;
		return r;
	case CONF_STR:
		*(const char **)(void *)field = v->s;
		return 0;
	case CONF_ADDR:
		return conf_addr((struct ipaddr *)(void *)field, k->name, v, e);
	case CONF_BOOL:
		return conf_bool((bool *)field, k->name, v, e);
	case CONF_DURATION:
		return conf_duration((int64_t *)(void *)field, k->name, v, k->min, k->max, e);
	case CONF_TTL:
		r = conf_duration(&n, k->name, v, k->min, k->max, e);
		*(uint32_t *)(void *)field = (uint32_t)n;
		return r;
	case CONF_U16:
		r = conf_unsigned(&n, k, v, e);
		*(uint16_t *)(void *)field = (uint16_t)n;
		return r;
	case CONF_U32:
		r = conf_unsigned(&n, k, v, e);
		*(uint32_t *)(void *)field = (uint32_t)n;
		return r;
	case CONF_ENDPOINT:
		return conf_endpoint((struct conf_endpoint *)(void *)field, k->name, v, e);
	case CONF_LOG:
		return conf_log((enum log_format *)(void *)field, k->name, v, e);
	case CONF_LIST:
	case CONF_WORD:
	case CONF_SECTION:
	case CONF_SECTIONS:
		return 0;
	}
	return 0;
}

int conf_fill(void *base, const struct conf_key *keys, const struct conf_node *n, struct err *e)
{
	for (const struct conf_item *it = n->items; it != NULL; it = it->next) {
		const struct conf_key *k = conf_keys_find(keys, it->name);
		int r;

		if (k == NULL || k->type == CONF_LIST)
			continue;
		/* scalars have one value: libconfuse takes no list for them */
		r = fill_one((char *)base + k->at, k, &it->values.v[0], e);
		if (r < 0)
			return r;
	}
	return 0;
}
