/* notify.h - what the service manager is told, by sd_notify(3).
 *
 * Everything is a no-op without a service manager that listens, or when built without
 * libsystemd.  Texts may come from outside.
 */
#ifndef BRIDGE_ROLE_NOTIFY_H
#define BRIDGE_ROLE_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *text);
/* The main loop turns. */
void notify_alive(void);
/* How often notify_alive is wanted, in ms; 0: not at all. */
int64_t notify_every_ms(void);

#endif
