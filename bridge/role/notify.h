/* notify.h - what the service manager is told: the protocol of sd_notify(3).
 *
 * Everything succeeds at once without a service manager that listens.  libsystemd's own function
 * waits for as long as the manager does not read; here no message waits longer than
 * NOTIFY_WAIT_MS, because the daemon goes on whatever its manager does.
 */
#ifndef BRIDGE_ROLE_NOTIFY_H
#define BRIDGE_ROLE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

enum { NOTIFY_WAIT_MS = 100 };

/* False: the manager does not read; say it again later. */
bool notify_ready(void);
/* Text may come from outside; at most about 4,000 bytes. */
bool notify_status(const char *text);

/* Worth one try. */
void notify_reloading(void);
void notify_stopping(void);
/* The main loop turns. */
void notify_alive(void);
/* How often notify_alive is wanted of this process, in ms; 0: not at all. */
int64_t notify_every_ms(void);

#endif
