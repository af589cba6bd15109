"""Golden files: what --json prints, with everything that differs from run to run replaced.

IPAMBRIDGE_GOLDEN=write makes them anew; read the difference before it is committed.
"""

import difflib
import json
import os
import pathlib
import re

DIR = pathlib.Path(__file__).resolve().parents[1] / "golden"
COUNTERS = {"age_s", "duration_ms", "serial"}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
SHA256 = re.compile(r"\b[0-9a-f]{64}\b")
PATH = re.compile(r"/tmp/ipambridge-[^\s\",]*")
IN_TEXT = [(re.compile(r"\b(serial)s? \d+"), r"\1 N"), (SHA256, "SHA256"), (PATH, "PATH"),
           (re.compile(r"\b(port|127\.0\.0\.1[:@#]) ?\d+"), r"\1 N")]


def normal(value, key=None):
    if isinstance(value, dict):
        return {k: normal(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [normal(v) for v in value]
    if key in COUNTERS and isinstance(value, int):
        return "N"
    if isinstance(value, str):
        if TIME.match(value):
            return "TIME"
        for pattern, text in IN_TEXT:
            value = pattern.sub(text, value)
    return value


def check(name, value):
    """value is as golden/NAME.json says, keys in the same order."""
    path = DIR / f"{name}.json"
    text = json.dumps(normal(value), indent=1) + "\n"
    if os.environ.get("IPAMBRIDGE_GOLDEN") == "write":
        DIR.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"{path} is missing: IPAMBRIDGE_GOLDEN=write makes it"
    want = path.read_text()
    assert text == want, "".join(difflib.unified_diff(
        want.splitlines(True), text.splitlines(True), str(path), "printed"))
