/* conn.h - a TCP socket to a name server, non-blocking, as exchange and transfer both want it.
 *
 * Private to bridge/dns.
 */
#ifndef BRIDGE_DNS_CONN_H
#define BRIDGE_DNS_CONN_H

#include <sys/types.h>

#include "bridge/dns/exchange.h"

/* A socket whose connection is under way, or -1 and errno. */
int conn_open(const struct server *s);
/* What became of it, once writable: 0 or an errno. */
int conn_error(int fd);
/* Did the peer close, or the socket break, while nobody was looking? */
bool conn_is_dead(int fd);
/* As send() and recv(), never a signal, EINTR retried. */
ssize_t conn_write(int fd, const void *p, size_t len);
ssize_t conn_read(int fd, void *p, size_t len);
/* The system's words for errnum: static text. */
const char *conn_words(int errnum);
/* "server \"ns1\" (192.0.2.1 port 53)" */
enum { SERVER_TEXT = 160 };
const char *server_print(char out[SERVER_TEXT], const struct server *s);
/* The sentence and the hint for an answer that is no success.  Returns the code. */
int answer_err(const struct server *s, const struct answer *a, struct err *e);

#endif
