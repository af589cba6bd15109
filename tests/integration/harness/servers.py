"""Where the servers are: contrib/servers knows, this module asks it once."""

import functools
import os
import pathlib
import subprocess

REPO = pathlib.Path(__file__).resolve().parents[3]


class ServersMissing(Exception):
    """contrib/servers could not provide the servers."""


@functools.lru_cache(maxsize=None)
def _server_env():
    script = f'lines=$("{REPO}/contrib/servers" env) || exit 1; eval "$lines"; env -0'
    r = subprocess.run(["bash", "-c", script], capture_output=True, timeout=900)
    if r.returncode != 0:
        raise ServersMissing(r.stderr.decode(errors="replace"))
    pairs = (p.split("=", 1) for p in r.stdout.decode().split("\0") if "=" in p)
    env = dict(pairs)
    env["LC_ALL"] = "C"
    return env


def server_env(**more):
    """The environment for a server; the bridge itself runs without it."""
    return {**_server_env(), **more}


def tool(*argv, env=None, deadline=30, check=True):
    """Runs one of the servers' tools; its standard output."""
    r = subprocess.run([str(a) for a in argv], env=env or server_env(), capture_output=True,
                       text=True, timeout=deadline)
    if check and r.returncode != 0:
        raise AssertionError(f"{argv} ended with {r.returncode}\n{r.stdout}{r.stderr}")
    return r.stdout


def render(template, out, mode=0o644, **values):
    """Fills one of the templates that are shipped, contrib/TEMPLATE."""
    words = [f"{k}={' '.join(v) if isinstance(v, (list, tuple)) else v}" for k, v in values.items()]
    text = tool(REPO / "contrib" / "render", REPO / "contrib" / template, *words)
    out.write_text(text)
    os.chmod(out, mode)
    return out
