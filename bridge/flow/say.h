/* say.h - words for people and the run's clock.  Private to flow/. */
#ifndef BRIDGE_FLOW_SAY_H
#define BRIDGE_FLOW_SAY_H

#include <stdbool.h>

#include "bridge/flow/flow.h"

void flow_say(const struct flow *f, const char *subject, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Remembers that the zone's server does not answer, and asks whether that is so. */
void flow_is_down(struct flow *f, const struct policy_zone *z);
bool flow_down(const struct flow *f, const struct policy_zone *z);
/* Has the whole run's deadline passed? */
bool flow_late(const struct flow *f);

#endif
