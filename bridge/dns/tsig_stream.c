/* tsig_stream.c - TSIG over a transfer: many messages, one request (RFC 8945 5.3.1).
 *
 * The digest runs on: each signature covers the one before it, every unsigned message since and
 * its own message.  One refusal spoils the whole stream for good.
 */
#include <openssl/evp.h>
#include <stdlib.h>

#include "bridge/base/own.h"
#include "bridge/core/outcome.h"
#include "bridge/dns/tsig_wire.h"

struct tsig_stream {
	const struct tsig_key *key;
	EVP_MAC_CTX *ctx;       /* holds the previous MAC and the unsigned bytes since */
	unsigned n_unsigned;    /* messages since the last signed one */
	bool started, signed_last, bad;
	int64_t signed_at_s;
};

/* A fresh digest that opens with the previous MAC. */
static bool restart(struct tsig_stream *s, const uint8_t *mac, size_t len)
{
	tsig_ctx_freep(&s->ctx);
	s->ctx = tsig_ctx_new(s->key);
	return s->ctx != NULL && tsig_ctx_mac(s->ctx, mac, len);
}

int tsig_stream_new(struct tsig_stream **out, const struct tsig_key *key,
		    const struct tsig_mac *request, struct err *e)
{
	AUTO(tsig_stream_freep) struct tsig_stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_nomem(e);
	s->key = key;
	if (!restart(s, request->b, request->len))
		return err_nomem(e);
	*out = own_take(&s);
	return 0;
}

static int refuse(struct tsig_stream *s, struct err *e, const char *why)
{
	s->bad = true;
	err_set(e, ERR_DENIED, "%s", why);
	err_hint(e, "nothing of it is used; compare the keys, somebody between may forge answers");
	return ERR_DENIED;
}

static int take_unsigned(struct tsig_stream *s, const struct wire_msg *m, struct err *e)
{
	if (!s->started)
		return refuse(s, e, "the first message is not signed");
	if (++s->n_unsigned > TSIG_UNSIGNED_MAX)
		return refuse(s, e, "more than 99 messages in a row are not signed");
	if (EVP_MAC_update(s->ctx, m->p, m->len) != 1) {
		s->bad = true;
		return err_nomem(e);
	}
	s->signed_last = false;
	return 0;
}

static bool digest(struct tsig_stream *s, const struct wire_msg *m, const struct tsig_rr *t)
{
	return tsig_ctx_msg(s->ctx, m, t->original_id) &&
	       (s->started ? tsig_ctx_timers(s->ctx, t) : tsig_ctx_variables(s->ctx, s->key, t));
}

static int take_signed(struct tsig_stream *s, const struct wire_msg *m, int64_t now_s,
		       struct err *e)
{
	struct tsig_rr t;

	if (!tsig_rr_parse(&t, m))
		return refuse(s, e, "a signature is malformed");
	if (!tsig_rr_is(&t, s->key))
		return refuse(s, e, "a signature names another key or algorithm");
	if (t.error != 0)
		return refuse(s, e, "a signature carries an error");
	if (!digest(s, m, &t) || !tsig_ctx_holds(s->ctx, s->key, &t))
		return refuse(s, e, "a signature does not hold");
	if (!tsig_rr_timely(&t, now_s))
		return refuse(s, e, "a signature is outside the time window");
	if (s->started && t.signed_at_s < s->signed_at_s)
		return refuse(s, e, "the time signed goes backwards");
	if (!restart(s, t.mac, t.mac_len)) {
		s->bad = true;
		return err_nomem(e);
	}
	s->started = s->signed_last = true;
	s->n_unsigned = 0;
	s->signed_at_s = t.signed_at_s;
	return 0;
}

int tsig_stream_next(struct tsig_stream *s, const uint8_t *msg, size_t len, int64_t now_s,
		     struct err *e)
{
	struct wire_msg m;
	const char *why;

	if (s->bad)
		return err_set(e, ERR_DENIED, "an earlier message of the stream was refused");
	if (!wirecheck(&m, msg, len, &why))
		return refuse(s, e, why);
	return m.tsig_at == 0 ? take_unsigned(s, &m, e) : take_signed(s, &m, now_s, e);
}

int tsig_stream_finish(struct tsig_stream *s, struct err *e)
{
	if (s->bad)
		return err_set(e, ERR_DENIED, "an earlier message of the stream was refused");
	if (!s->started)
		return refuse(s, e, "no message was signed");
	if (!s->signed_last)
		return refuse(s, e, "the last message is not signed");
	return 0;
}

void tsig_stream_free(struct tsig_stream *s)
{
	if (s == NULL)
		return;
	tsig_ctx_freep(&s->ctx);
	free(s);
}

void tsig_stream_freep(struct tsig_stream **s)
{
	tsig_stream_free(*s);
	*s = NULL;
}
