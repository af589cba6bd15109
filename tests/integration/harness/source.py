"""One source alone: its adapter, without database and daemon."""

import json
import os
import pathlib

from .bridge import binary
from .proc import Process


def program():
    """Beside the program under test, unless the build directory is named."""
    build = os.environ.get("IPAMBRIDGE_BUILD") or pathlib.Path(binary()).parent
    return pathlib.Path(build) / "source_reader"


class Source:
    """Source(directory, "kea-ncr", listen="127.0.0.1:5000") reads from start() to stop().

    cursor: where an earlier one ended.  under: words before the program (setpriv, unshare).
    whole: each read gives everything.
    """

    def __init__(self, directory, kind, cursor=None, under=(), whole=False, **settings):
        directory.mkdir(parents=True, exist_ok=True)
        words = [f"{k.replace('_', '-')}={v}" for k, v in settings.items()]
        where = [*(["-c", cursor] if cursor else []), *(["-w"] if whole else [])]
        self.process = Process([*under, program(), *where, kind, *words],
                               directory / "source.log")

    def start(self):
        assert program().exists(), f"{program()} is missing: make {program()}"
        self.process.start()
        self.process.wait_ready(lambda: self.answers(skip=0))
        return self

    def stop(self):
        self.process.stop()

    def answers(self, skip=1):
        """What its reads answered so far; the first line is that it is open."""
        lines = [line for line in self.process.log_text().split("\n")[:-1] if line[:1] == "{"]
        return [json.loads(line) for line in lines[skip:]]

    def seen(self):
        """All observations, in order."""
        return [o for a in self.answers() for o in a["obs"]]
