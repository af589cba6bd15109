"""Starts real servers on loopback, each with a private directory and a free port.

Nothing here waits for time to pass: wait_for() waits for a condition, with a deadline.  Every
process is started by this package, dies with the test run and is killed by its pid alone.
"""

from .bind import Bind
from .bridge import Bridge, Result
from .dns import DnsServer
from .kea import Kea4, Kea6, LeaseFile4, LeaseFile6
from .knot import Knot
from .pdns import Pdns
from .postgres import Postgres
from .proc import Process, free_port, wait_for
from .servers import REPO, server_env
from .source import Source

__all__ = [
    "Bind", "Bridge", "DnsServer", "Kea4", "Kea6", "Knot", "LeaseFile4", "LeaseFile6", "Pdns",
    "Postgres", "Process", "REPO", "Result", "Source", "free_port", "server_env", "wait_for",
]
