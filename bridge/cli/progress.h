/* progress.h - one moving line on a terminal for passes over two seconds; silent otherwise.
 *
 * Stands between flow and what flow calls, and says what is being waited for.
 */
#ifndef BRIDGE_CLI_PROGRESS_H
#define BRIDGE_CLI_PROGRESS_H

#include "bridge/flow/flow.h"

struct progress {
	bool tty;            /* stderr is a terminal and nobody asked for log lines */
	int64_t started_ms;
	int64_t drawn_ms;    /* 0: nothing is on the line */
	size_t width;        /* columns that the line on the screen takes */
	struct flow_net net, *real_net;
	struct flow_feed feed, *real_feed;
	const char *source;  /* being read */
	uint64_t n;          /* records of the transfer, rows of the source, messages */
	transfer_sink sink;  /* flow's, during a transfer */
	void *sink_arg;
	const char *zone;
};

void progress_init(struct progress *p, bool quiet);
/* Puts itself before the net of f, and before feed (NULL: none); both are as they were when
 * there is no terminal. */
void progress_watch(struct progress *p, struct flow *f, struct flow_feed **feed);
/* Warnings of a pass: the shape of struct flow.say, arg is a struct progress. */
void progress_say(void *arg, enum message id, const char *subject, const char *sentence);
/* Wipes the line; to be called before anything else is printed. */
void progress_clear(struct progress *p);

#endif
