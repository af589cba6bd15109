/* import.c - reads a file once, as a source of its type would, into that source's evidence. */

#include "bridge/cli/pass.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/adapter.h"
#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/cli/output.h"

struct import {
	const struct adapter_ops *ops;
	const struct policy_space *space;
	const struct policy_source *source;
	const struct conf_source *conf;
	struct setting *setting;    /* the source's own, read from the file given */
	struct settings set;
	uint64_t records;           /* observed */
	uint64_t refused;
	uint64_t skipped;
	json_t *bad;                /* the first of the refused: {record, why} */
};

static void import_fini(struct import *m)
{
	free(m->setting);
	json_decref(m->bad);
}

/* ---- what and into what ----------------------------------------------------------------- */

static int find_type(struct import *m, const char *type, struct err *e)
{
	if (type == NULL) {
		err_set(e, ERR_CONF, "import needs --type");
		err_hint(e, "usage: ipambridge import %s", verb_find("import")->usage);
		return ERR_CONF;
	}
	m->ops = adapter_find(type);
	if (m->ops != NULL && m->ops->events) {
		err_set(e, ERR_CONF, "a source of type \"%s\" is told, it reads no file", type);
		err_hint(e, "import what the server keeps, such as its lease file");
		return ERR_CONF;
	}
	if (m->ops != NULL)
		return 0;
	struct buf b = BUF_INIT;
	for (size_t i = 0; adapter_at(i) != NULL; i++) {
		if (!adapter_at(i)->events)
			buf_printf(&b, "%s%s", b.len > 0 ? ", " : "", adapter_at(i)->type);
	}
	err_set(e, ERR_CONF, "no source type \"%s\"", type);
	err_hint(e, "there is %s", buf_text(&b));
	buf_fini(&b);
	return ERR_CONF;
}

static int find_only(struct import *m, struct err *e)
{
	size_t n = 0;
	for (size_t i = 0; i < m->space->n_sources; i++) {
		const struct policy_source *s = &m->space->sources[i];
		if (s->type == NULL || strcmp(s->type, m->ops->type) != 0)
			continue;
		m->source = s;
		n++;
	}
	if (n == 1)
		return 0;
	err_set(e, ERR_CONF, n == 0 ? "no source of type \"%s\" in the configuration"
				    : "several sources have type \"%s\"", m->ops->type);
	if (n == 0)
		err_hint(e, "add one, so that what it says has an owner: "
			    "source \"NAME\" { type = %s ... }", m->ops->type);
	else
		err_hint(e, "choose one with --source; \"ipambridge list sources\" shows them");
	return ERR_CONF;
}

static int find_source(struct import *m, const char *name, struct err *e)
{
	if (name == NULL)
		return find_only(m, e);
	m->source = policy_source_by_name(m->space, name);
	if (m->source == NULL) {
		err_set(e, ERR_CONF, "no source \"%s\" in space \"%s\"", name, m->space->name);
		err_hint(e, "\"ipambridge list sources\" shows them");
		return ERR_CONF;
	}
	if (m->source->type == NULL || strcmp(m->source->type, m->ops->type) != 0)
		return err_set(e, ERR_CONF, "source \"%s\" has type \"%s\", not \"%s\"", name,
			       m->source->type, m->ops->type);
	return 0;
}

/* The source's settings, but where it reads from. */
static bool is_origin(const char *name)
{
	static const char *const origin[] = {"file", "command", "url", "listen", "device"};
	for (size_t i = 0; i < sizeof(origin) / sizeof(origin[0]); i++) {
		if (strcmp(origin[i], name) == 0)
			return true;
	}
	return false;
}

static int make_settings(struct import *m, const char *file, struct err *e)
{
	const struct settings *own = m->conf != NULL ? &m->conf->set : NULL;
	size_t n = 0, n_own = own != NULL ? own->n : 0;
	m->setting = calloc(n_own + 1, sizeof(*m->setting));
	if (m->setting == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n_own; i++) {
		if (!is_origin(own->v[i].name))
			m->setting[n++] = own->v[i];
	}
	m->setting[n++] = (struct setting){.name = "file", .type = SETTING_STR, .str = file};
	m->set = (struct settings){.v = m->setting, .n = n, .file = file};
	return 0;
}

/* ---- reading ---------------------------------------------------------------------------- */

static int count_batch(struct import *m, const struct obs_batch *b, struct err *e)
{
	size_t kept = b->n_bad < OBS_BAD_KEPT ? (size_t)b->n_bad : OBS_BAD_KEPT;
	m->records += b->n;
	m->refused += b->n_bad;
	m->skipped += b->n_skipped;
	for (size_t i = 0; i < kept && json_array_size(m->bad) < 20; i++) {
		json_t *v = json_pack("{s:I,s:o}", "record", (json_int_t)b->bad[i].record, "why",
				      js_text(b->bad[i].why));
		if (json_array_append_new(m->bad, v) < 0)
			return err_nomem(e);
	}
	return 0;
}

static int read_all(struct import *m, struct pass *p, struct adapter *a, struct err *e)
{
	struct obs_batch b;
	int r;
	int64_t until_ms = clock_mono_ms() + p->s.conf->run_timeout_s * 1000;
	obs_batch_init(&b);
	do {
		obs_batch_reset(&b);
		r = m->ops->read(a, &b, until_ms, e);
		if (r < 0)
			break;
		int w = count_batch(m, &b, e);
		for (size_t i = 0; i < b.n; i++)
			b.v[i].kind = (uint8_t)m->source->kind;
		if (w == 0 && b.n > 0)
			w = flow_observe(p->flow, m->space, m->source, b.v, b.n, e);
		if (w < 0)
			r = w;
	} while (r == ADAPTER_MORE);
	obs_batch_fini(&b);
	if (r == ADAPTER_IDLE)
		return err_set(e, ERR_BUSY, "the input did not end within %" PRId64 " s",
			       p->s.conf->run_timeout_s);
	return r < 0 ? r : 0;
}

static int import(struct import *m, struct pass *p, const struct cli *c, struct err *e)
{
	struct adapter *a = NULL;
	int r;
	const char *file = c->n_args > 0 ? c->arg[0] : "-";
	if ((r = session_space(&m->space, &p->s, c, e)) < 0 ||
	    (r = find_source(m, cli_val(c, "source"), e)) < 0)
		return r;
	m->conf = conf_source_find(p->s.conf, m->space->name, m->source->name);
	if ((r = make_settings(m, file, e)) < 0 ||
	    (r = m->ops->open(&a, &m->set, NULL, e)) < 0)
		return r;
	r = read_all(m, p, a, e);
	m->ops->close(a);
	return r < 0 ? err_in(e, r, "import into source \"%s\"", m->source->name) : 0;
}

/* ---- result ----------------------------------------------------------------------------- */

static int print(const struct import *m, const struct cli *c, struct err *e)
{
	size_t i;
	json_t *v;
	if (c->json)
		return out_object(stdout,
				  json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:O}", "space",
					    m->space->name, "source", m->source->name, "type",
					    m->ops->type, "good", (json_int_t)m->records,
					    "refused", (json_int_t)m->refused, "skipped",
					    (json_int_t)m->skipped, "records", m->bad), e);
	json_array_foreach(m->bad, i, v) {
		struct buf b = BUF_INIT;
		buf_printf(&b, "record %" JSON_INTEGER_FORMAT " refused: ",
			   json_integer_value(json_object_get(v, "record")));
		out_flat(&b, json_object_get(v, "why"));
		cli_message("ipambridge", buf_text(&b));
		buf_fini(&b);
	}
	if (m->refused > json_array_size(m->bad))
		fprintf(stderr, "ipambridge: %" PRIu64 " more refused\n",
			m->refused - json_array_size(m->bad));
	printf("import: %" PRIu64 " good, %" PRIu64 " refused, %" PRIu64 " skipped\n", m->records,
	       m->refused, m->skipped);
	return fflush(stdout) != 0 ? err_set(e, ERR_SYS, "standard output could not be written")
				   : 0;
}

int verb_import(struct cli *c)
{
	struct err e = {0};
	AUTO(pass_end) struct pass p = {0};
	AUTO(import_fini) struct import m = {.bad = json_array()};
	if (find_type(&m, cli_val(c, "type"), &e) < 0)
		return cli_fail(&e);
	int code = pass_open(&p, c, false);
	if (code >= 0)
		return code;
	if (import(&m, &p, c, &e) < 0 || print(&m, c, &e) < 0)
		return pass_fail(&p, &e);
	progress_clear(&p.progress);
	return m.refused > 0 ? EXIT_PARTLY : EXIT_DONE;
}
