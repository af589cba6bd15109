"""A line between the bridge and a name server that can go bad.

What TCP may do to us: a connection is refused, dropped after some bytes, reset, silent, slow, or
carries one byte at a time; what was sent arrives although nobody waits for the answer any more;
and the same bytes come twice, on a connection of their own.
"""

import contextlib
import selectors
import socket
import struct
import threading
import time

MODES = ["refuse", "drop", "reset", "swallow", "late", "delay", "dribble", "twice"]


class Proxy:
    """mode: None, or one of MODES; heal() ends it.  Dice by seed decide where it strikes."""

    def __init__(self, address, port, rng):
        self.upstream = (address, port)
        self.rng = rng
        self.mode = None
        self.healed = threading.Event()
        self.healed.set()
        self.struck = 0
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address, self.port = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.heal()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def go_bad(self, mode):
        """Connections that are open already feel it too."""
        self.healed.clear()
        self.mode = mode

    def heal(self):
        self.mode = None
        self.healed.set()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.mode == "refuse":
                self.struck += 1
                reset(client)
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError), \
                socket.create_connection(self.upstream, timeout=5) as server:
            server.settimeout(None)
            Line(self, client, server).run()


class Line:
    """One connection and its other half."""

    def __init__(self, proxy, client, server):
        self.proxy = proxy
        self.client = client
        self.server = server
        self.asked = b""          # since the last whole answer

    def run(self):
        sel = selectors.DefaultSelector()
        sel.register(self.client, selectors.EVENT_READ)
        sel.register(self.server, selectors.EVENT_READ)
        while True:
            for key, _ in sel.select():
                data = key.fileobj.recv(65536)
                to = self.server if key.fileobj is self.client else self.client
                if not data or not self._hand_on(data, to):
                    return

    def _hand_on(self, data, to):
        """False: the connection is over."""
        mode = self.proxy.mode
        if mode is None:
            to.sendall(data)
            return True
        self.proxy.struck += 1
        return getattr(self, f"_{mode}", self._refuse)(data, to)

    def _refuse(self, data, to):
        """A connection that was open before goes on."""
        to.sendall(data)
        return True

    def _drop(self, data, to):
        """Some bytes get through, then the connection ends properly."""
        to.sendall(data[:self.proxy.rng.randrange(len(data) + 1)])
        return False

    def _reset(self, data, to):
        to.sendall(data[:self.proxy.rng.randrange(len(data) + 1)])
        reset(self.client)
        return False

    def _swallow(self, data, to):
        """Lost on the way, one direction or the other, and nobody is told."""
        self.proxy.healed.wait(20)
        return False

    def _late(self, data, to):
        """What was asked arrives after all, when nobody waits any more."""
        self.proxy.healed.wait(20)
        to.sendall(data)
        return True

    def _delay(self, data, to):
        self.proxy.healed.wait(self.proxy.rng.uniform(0.05, 0.4))
        to.sendall(data)
        return True

    def _dribble(self, data, to):
        end = time.monotonic() + 1
        for i in range(len(data)):
            if time.monotonic() > end or self.proxy.healed.is_set():
                to.sendall(data[i:])
                break
            to.sendall(data[i:i + 1])
        return True

    def _twice(self, data, to):
        """The same bytes once more, on a connection whose answers nobody reads."""
        to.sendall(data)
        if to is self.server and len(data) > 2 + 12 and whole(data):
            with contextlib.suppress(OSError), \
                    socket.create_connection(self.proxy.upstream, timeout=5) as again:
                again.sendall(data)
                again.recv(1)
        return True


def whole(data):
    """Are these whole messages, each with its length before it?"""
    while len(data) >= 2:
        (n,) = struct.unpack_from("!H", data)
        data = data[2 + n:] if len(data) >= 2 + n else b"?"
    return data == b""


def reset(sock):
    """Closed with RST."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
