"""Things that go wrong on purpose: a clock that is off, a proxy that cuts and forges."""

import contextlib
import selectors
import socket
import struct
import subprocess
import threading

CLOCK_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void)
{
	const char *s = getenv("CLOCK_SHIFT");

	return s == NULL ? 0 : atol(s);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	static int (*real)(clockid_t, struct timespec *);

	if (real == NULL)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int r = real(id, ts);
	if (r == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += shift();
	return r;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec ts;

	(void)tz;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (out != NULL)
		*out = ts.tv_sec;
	return ts.tv_sec;
}
"""


def clock_shim(directory):
    """Builds the library; clock_env() loads it."""
    source, library = directory / "clock.c", directory / "clock.so"
    source.write_text(CLOCK_SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True,
                   capture_output=True)
    return library


def clock_env(library, seconds):
    """The wall clock of a program is this many seconds ahead; its monotonic clock is right."""
    return {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(seconds)}


class DnsProxy:
    """Between the bridge and a server: hands on whole DNS messages over TCP.

    on_query(query) and on_answer(query, answer, index) return the bytes to hand on, None to
    swallow them, "close" to close both sides, or ("cut", bytes) to hand on the length of the
    whole message but only these bytes, and then to close.  index counts the answers to one
    query, from 0; a transfer has several.  on_swallowed(query) may answer in the server's place.
    """

    def __init__(self, address, port):
        self.upstream = (address, port)
        self.on_query = lambda query: query
        self.on_answer = lambda query, answer, index: answer
        self.on_swallowed = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address, self.port = self.listener.getsockname()
        self.closing = False
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def close(self):
        self.closing = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)

    def _accept(self):
        while not self.closing:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError, EOFError):
            with socket.create_connection(self.upstream, timeout=10) as server:
                server.settimeout(None)
                self._pump(client, server)

    def _pump(self, client, server):
        asked = {}     # id: [query, answers so far]
        sel = selectors.DefaultSelector()
        sel.register(client, selectors.EVENT_READ)
        sel.register(server, selectors.EVENT_READ)
        while True:
            for key, _ in sel.select():
                message = receive(key.fileobj)
                if key.fileobj is client:
                    asked[message[:2]] = [message, 0]
                    out, to = self.on_query(message), server
                else:
                    query = asked.get(message[:2], [b"", 0])
                    out, to = self.on_answer(query[0], message, query[1]), client
                    query[1] += 1
                if out is None and to is server and self.on_swallowed is not None:
                    out, to = self.on_swallowed(message), client
                if out == "close":
                    return
                if isinstance(out, tuple):
                    to.sendall(struct.pack("!H", len(message)) + out[1])
                    return
                if out is not None:
                    to.sendall(struct.pack("!H", len(out)) + out)


def receive(sock):
    """One message with its length before it."""
    (n,) = struct.unpack("!H", exactly(sock, 2))
    return exactly(sock, n)


def exactly(sock, n):
    data = b""
    while len(data) < n:
        piece = sock.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def opcode(message):
    return message[2] >> 3 & 15


def qtype(message):
    """Of the first question; in an UPDATE that is SOA, the zone's."""
    at = 12
    while message[at]:
        at += 1 + message[at]
    return struct.unpack_from("!H", message, at + 1)[0]


UPDATE = 5
TRANSFERS = IXFR, AXFR = 251, 252
