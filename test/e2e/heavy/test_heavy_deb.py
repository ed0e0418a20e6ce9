"""The Debian package: it builds, lintian has nothing to say, and what is in it works.
A build of its own takes minutes: HEAVY=1."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(os.environ.get("HEAVY") != "1",
                                reason="a build of its own takes minutes; set HEAVY=1")


def said(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          check=True, cwd=ROOT).stdout


@pytest.fixture(scope="module")
def package():
    subprocess.run(["make", "deb"], cwd=ROOT, check=True, capture_output=True)
    found, = [path for path in (ROOT / "out" / "deb").glob("balancerd_*.deb")]
    return found


def test_what_is_in_it_runs(package, tmp_path):
    said("dpkg", "-x", package, tmp_path)
    for program in ("usr/sbin/balancerd", "usr/bin/balancerctl"):
        assert said(tmp_path / program, "--version").split()[1][0].isdigit()
    for program in ("usr/bin/kv-worker", "usr/bin/kv-client", "usr/bin/origin"):
        assert "usage" in said(tmp_path / program, "--help")
    good = said(tmp_path / "usr/sbin/balancerd", "check",
                tmp_path / "etc/balancerd/balancerd.conf")
    assert " is good: " in good


def test_units_name_programs_that_are_there(package, tmp_path):
    said("dpkg", "-x", package, tmp_path)
    units = list((tmp_path / "lib/systemd/system").iterdir())
    assert {unit.name for unit in units} == {"balancerd.service", "balancerd@.service",
                                             "kv-worker@.service"}
    for unit in units:
        for line in unit.read_text().splitlines():
            if line.startswith(("ExecStart=", "ExecReload=")):
                program = line.split("=", 1)[1].split()[0]
                assert (tmp_path / program.lstrip("/")).is_file(), line


def test_the_user_is_made_and_the_state_goes_only_with_a_purge(package, tmp_path):
    said("dpkg", "-e", package, tmp_path)
    assert "systemd-sysusers balancerd.conf" in (tmp_path / "postinst").read_text()
    assert 'if [ "$1" = purge ]' in (tmp_path / "postrm").read_text()
    assert "/etc/balancerd/balancerd.conf" in (tmp_path / "conffiles").read_text()
