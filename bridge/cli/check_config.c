/* check_config.c - the configuration and its key files, without a connection to anything. */

#include "bridge/cli/cli.h"

#include <string.h>

#include "bridge/base/buf.h"
#include "bridge/base/own.h"
#include "bridge/cli/output.h"
#include "bridge/dns/key.h"

static int warn(json_t *warnings, const char *server, const char *sentence)
{
	struct buf b = BUF_INIT;
	buf_printf(&b, "server \"%s\": %s", server, sentence);
	int r = json_array_append_new(warnings, b.bad ? NULL : js_text(buf_text(&b)));
	buf_fini(&b);
	return r;
}

static int check_key(const char *path, const struct conf_server *s, json_t *warnings,
		     struct err *e)
{
	struct tsig_key key;
	bool weak = false;
	int r = key_read(&key, path, &weak, e);
	if (r < 0)
		return err_in(e, r, "server \"%s\"", s->name);
	key_wipe(&key);
	if (weak)
		warn(warnings, s->name, "the key uses hmac-sha1, which is weak: make a new one "
					"with tsig-keygen -a hmac-sha256");
	return 0;
}

static int check_server(const struct conf_server *s, json_t *warnings, struct err *e)
{
	int r;
	if (s->key_file == NULL)
		warn(warnings, s->name, "no key-file: updates are not signed");
	else if ((r = check_key(s->key_file, s, warnings, e)) < 0)
		return r;
	if (s->transfer_key_file != NULL && s->transfer_key_file != s->key_file &&
	    (r = check_key(s->transfer_key_file, s, warnings, e)) < 0)
		return r;
	if (s->allow_unsigned_transfer)
		warn(warnings, s->name, "unsigned transfers are believed");
	return 0;
}

static json_t *summary(const struct conf *c, json_t *warnings)
{
	size_t zones = policy_n_zones(&c->policy), subnets = 0;
	for (size_t i = 0; i < c->policy.n_spaces; i++)
		subnets += c->policy.spaces[i].n_subnets;
	return json_pack("{s:o,s:b,s:I,s:I,s:I,s:I,s:I,s:O}", "file", js_text(c->file), "ok", 1,
			 "spaces", (json_int_t)c->policy.n_spaces, "servers",
			 (json_int_t)c->n_servers, "zones", (json_int_t)zones, "subnets",
			 (json_int_t)subnets, "sources", (json_int_t)c->n_sources, "warnings",
			 warnings);
}

static int print(const struct cli *c, json_t *v, json_t *warnings, struct err *e)
{
	size_t i;
	json_t *w;
	if (c->json)
		return out_object(stdout, v, e);
	json_array_foreach(warnings, i, w) {
		cli_message("ipambridge", json_string_value(w));
	}
	static const char *const counted[] = {"servers", "zones", "subnets", "sources"};
	struct buf b = BUF_INIT;
	out_flat(&b, json_object_get(v, "file"));
	buf_str(&b, ": ok");
	for (i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		json_int_t n = json_integer_value(json_object_get(v, counted[i]));
		buf_printf(&b, ", %" JSON_INTEGER_FORMAT " %.*s", n,
			   (int)(strlen(counted[i]) - (n == 1)), counted[i]);
	}
	puts(buf_text(&b));
	buf_fini(&b);
	json_decref(v);
	return fflush(stdout) != 0 ? err_set(e, ERR_SYS, "standard output could not be written")
				   : 0;
}

int verb_check_config(struct cli *c)
{
	struct err e = {0};
	AUTO(conf_freep) struct conf *conf = NULL;
	if (conf_load(&conf, c->config, &e) < 0)
		return cli_fail(&e);
	json_t *warnings = json_array();
	int r = warnings == NULL ? err_nomem(&e) : 0;
	for (size_t i = 0; r == 0 && i < conf->n_servers; i++)
		r = check_server(&conf->servers[i], warnings, &e);
	if (r == 0)
		r = print(c, summary(conf, warnings), warnings, &e);
	json_decref(warnings);
	return r < 0 ? cli_fail(&e) : EXIT_DONE;
}
