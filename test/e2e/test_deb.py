"""packaging/debian, as far as it can be looked at without a build; that is in
heavy/test_heavy_deb.py."""

import fnmatch
import re
import shutil
import subprocess

import pytest

from harness.program import OUT, ROOT

DEBIAN = ROOT / "packaging" / "debian"
SCRIPTS = sorted(path for path in DEBIAN.iterdir()
                 if path.suffix in (".preinst", ".postinst", ".prerm", ".postrm"))


def patterns():
    """What debian/rules installs, and into which package."""
    for path in DEBIAN.glob("*.install"):
        for line in path.read_text().split():
            yield line, path.stem


def test_the_version_is_the_programs():
    last = re.match(r"balancerd \((\S+)\)", (DEBIAN / "changelog").read_text())
    version = subprocess.run([OUT / "balancerd", "--version"], capture_output=True, text=True,
                             check=True).stdout.split()[1]
    assert last[1] == version


def test_everything_that_is_installed_is_in_one_package():
    places = subprocess.run(["make", "--no-print-directory", "install-list", "PREFIX=/usr"],
                            capture_output=True, text=True, check=True, cwd=ROOT).stdout
    for place in places.split():
        place = {"share/doc/balancerd/balancerd.conf": "etc/balancerd/balancerd.conf",
                 }.get(place, f"usr/{place}").replace("usr/lib/systemd", "lib/systemd")
        holders = {package for pattern, package in patterns()
                   if fnmatch.fnmatch(place, pattern) or place.startswith(f"{pattern}/")}
        assert len(holders) == 1, f"{place} is in {holders or 'none'}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_sound(script):
    if shutil.which("shellcheck") is None:
        pytest.skip("there is no shellcheck; tools/install-deps test brings it")
    done = subprocess.run(["shellcheck", "--shell=sh", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "#DEBHELPER#" in script.read_text()


@pytest.mark.parametrize("package, folders", [
    ("balancerd", ["/var/lib/balancerd", "/var/log/balancerd"]),
    ("balancerd-kv", ["/var/lib/kv-worker"])])
def test_state_goes_with_a_purge_alone(package, folders, tmp_path):
    """The script itself, with folders of our own in place of the system's."""
    script = (DEBIAN / f"{package}.postrm").read_text()
    for folder in [*folders, "/etc/balancerd"]:
        script = script.replace(folder, str(tmp_path) + folder)
    (tmp_path / "postrm").write_text(script)
    for folder in folders:
        (tmp_path / folder[1:]).mkdir(parents=True)
    for action in ("remove", "upgrade", "purge"):
        assert all((tmp_path / folder[1:]).is_dir() for folder in folders), action
        subprocess.run(["sh", tmp_path / "postrm", action], check=True)
    assert not any((tmp_path / folder[1:]).exists() for folder in folders)


def test_logs_that_are_turned_over_are_opened_anew(stage, tmp_path):
    """The script itself; only the service manager is ours."""
    access = tmp_path / "access.log"
    balancer = stage.balancer([stage.server()], top=f"access-log combined to {access}")
    script = re.search(r"postrotate\n(.*)\tendscript",
                       (DEBIAN / "balancerd.logrotate").read_text(), re.S)[1]
    manager = tmp_path / "systemctl"
    manager.write_text('#!/bin/sh\n[ "$1 $2 $3" = "kill --kill-who=main -s" ] && '
                       f'kill -s "$4" {balancer.pid}\n')
    manager.chmod(0o755)
    access.rename(tmp_path / "access.log.1")
    subprocess.run(["sh", "-ec", script.replace("/run/systemd/system", str(tmp_path))],
                   check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    stage.until(access.exists, "it is made anew")
    assert stage.get(balancer, "/after").status == 200
    stage.until(lambda: "/after" in access.read_text(), "the line is in the new file")


@pytest.mark.parametrize("script", ["balancerd.postinst", "balancerd-kv.postinst",
                                    "balancerd-kv.postrm"])
def test_the_manager_reads_the_units_anew(script):
    """debhelper leaves that to whoever starts something, and nothing is started here; for
    the removal of balancerd.service it does it."""
    assert "systemctl --system daemon-reload" in (DEBIAN / script).read_text()


def test_what_is_built_needs_what_is_built_with():
    """Build-Depends, and what tools/install-deps installs, know the same libraries."""
    control = (DEBIAN / "control").read_text()
    listed = subprocess.run([ROOT / "tools" / "install-deps", "--list", "build"],
                            capture_output=True, text=True, check=True).stdout.split()
    libraries = {name for name in listed if name.startswith("lib") and name != "libc6-dev"}
    field = re.search(r"^Build-Depends:(.*?)^\S", control, re.M | re.S)[1]
    assert libraries == set(re.findall(r"\blib[\w.+-]+-dev\b", field))
