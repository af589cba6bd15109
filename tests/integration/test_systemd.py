"""The units as they are installed, judged by systemd's own tools.

No service manager runs here, so nothing is started: what is checked is that the files are
understood, complete and as closed as we say.
"""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ["ipambridge.service", "ipambridge-reconcile.service"]
EXPOSURE_MAX = 10   # tenths


def tool(name):
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is missing: contrib/bootstrap packages installs it", pytrace=False)
    return path


def run(*argv):
    r = subprocess.run(argv, capture_output=True, text=True, timeout=60,
                       env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"})
    return r.returncode, r.stdout + r.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A whole installation below a prefix of its own."""
    prefix = tmp_path_factory.mktemp("prefix")
    out = subprocess.run(["make", "-s", "-C", str(ROOT), "install", f"PREFIX={prefix}"],
                         capture_output=True, text=True, timeout=600)
    assert out.returncode == 0, out.stdout + out.stderr
    return prefix


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_is_closed(installed, unit):
    code, out = run(tool("systemd-analyze"), "security", "--offline=true", "--no-pager",
                    f"--threshold={EXPOSURE_MAX}",
                    str(installed / "lib/systemd/system" / unit))
    assert "Overall exposure level" in out
    assert code == 0, out


def test_systemd_understands_every_line(installed):
    units = sorted((installed / "lib/systemd/system").iterdir())
    assert {u.name for u in units} == {*SERVICES, "ipambridge-reconcile.timer"}
    code, out = run(tool("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no",
                    *map(str, units))
    assert code == 0, out
    assert "ipambridge" not in out   # warnings do not change the status


@pytest.mark.parametrize("unit", SERVICES)
def test_it_runs_what_is_installed(installed, unit):
    text = (installed / "lib/systemd/system" / unit).read_text()
    started = [line.split("=")[1].split()[0] for line in text.splitlines()
               if line.startswith(("ExecStart=", "ExecStartPre="))]
    assert started and set(started) == {f"{installed}/bin/ipambridge"}
    assert os.access(started[0], os.X_OK)


def test_what_a_process_needs_to_confine_itself_is_not_filtered():
    text = (ROOT / "contrib/systemd/ipambridge.service").read_text()
    for call in ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"):
        assert call in text
    code, out = run(tool("systemd-analyze"), "syscall-filter", "@resources", "@privileged")
    assert code == 0
    assert "prlimit64" not in out and "prctl" not in out   # confine_rights needs them


def test_the_user_is_made(installed, tmp_path):
    (tmp_path / "etc").mkdir()
    code, out = run(tool("systemd-sysusers"), f"--root={tmp_path}",
                    str(installed / "lib/sysusers.d/ipambridge.conf"))
    # The file's own path is looked up below the root.
    if code != 0 or not (tmp_path / "etc/passwd").exists():
        pytest.fail(out)
    user = (tmp_path / "etc/passwd").read_text().split(":")
    assert user[0] == "ipambridge" and user[5] == "/var/lib/ipambridge"
    assert "nologin" in user[6]


def test_the_directories_are_made_for_root_and_the_group(installed, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nipambridge:x:987:\n")
    code, out = run(tool("systemd-tmpfiles"), "--create", f"--root={tmp_path}",
                    str(installed / "lib/tmpfiles.d/ipambridge.conf"))
    keys = tmp_path / "etc/ipambridge/keys"
    if os.geteuid() == 0:
        assert code == 0, out
        assert keys.stat().st_gid == 987
    assert keys.stat().st_mode & 0o777 == 0o750
