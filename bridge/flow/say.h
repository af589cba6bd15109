/* say.h - words for people and the run's clock.  Private to flow/. */
#ifndef BRIDGE_FLOW_SAY_H
#define BRIDGE_FLOW_SAY_H

#include <stdbool.h>

#include "bridge/flow/flow.h"

void flow_say(const struct flow *f, enum message id, const char *subject, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The zone could not be looked at: in this run nothing is sent there, and servers that kept us
 * waiting are not asked for other zones. */
void flow_note_failure(struct flow *f, const struct policy_zone *z, int code);
bool flow_down(const struct flow *f, const struct policy_zone *z);
bool flow_is_silent(const struct flow *f, const struct policy_zone *z);
/* Has the whole run's deadline passed? */
bool flow_late(const struct flow *f);
/* Is it too late to read this?  A fifth of the run is left for sending.  Says so once, and counts
 * it as pending. */
bool flow_out_of_time(struct flow *f, const char *subject);
/* The brake holds something: one line a minute at most, the journal has them all. */
void flow_say_held(struct flow *f, const char *subject, const char *why);

#endif
