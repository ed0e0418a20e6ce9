"""The Debian packages: they build, lintian has nothing to say, and they install, upgrade
and go as they should, on this very system, seen through an overlay that is thrown away.
A build of its own takes minutes: HEAVY=1."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness.balancerctl import FOREIGN

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEB = ROOT / "out" / "deb"
UNITS = {"balancerd": {"balancerd.service", "balancerd@.service"},
         "balancerd-kv": {"kv-worker@.service"}}

pytestmark = pytest.mark.skipif(os.environ.get("HEAVY") != "1",
                                reason="a build of its own takes minutes; set HEAVY=1")


def said(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          check=True, cwd=ROOT).stdout


@pytest.fixture(scope="module")
def packages():
    done = subprocess.run(["make", "deb"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    found = {path.name.split("_")[0]: path for path in DEB.glob("*.deb")}
    return {name: found[name] for name in UNITS}


@pytest.fixture(scope="module")
def contents(packages, tmp_path_factory):
    """What is in each, unpacked."""
    places = {}
    for name, path in packages.items():
        places[name] = tmp_path_factory.mktemp(name)
        said("dpkg", "-x", path, places[name])
    return places


def test_what_is_in_them_runs(contents):
    for program in ("usr/sbin/balancerd", "usr/bin/balancerctl"):
        words = said(contents["balancerd"] / program, "--version").split()
        assert words[1][0].isdigit()
    assert "usage" in said(contents["balancerd"] / "usr/bin/origin", "--help")
    for program in ("usr/bin/kv-worker", "usr/bin/kv-client"):
        assert "usage" in said(contents["balancerd-kv"] / program, "--help")
    good = said(contents["balancerd"] / "usr/sbin/balancerd", "check",
                contents["balancerd"] / "etc/balancerd/balancerd.conf")
    assert " is good: " in good


@pytest.mark.parametrize("name", UNITS)
def test_units_name_programs_that_are_there(contents, name):
    units = list((contents[name] / "lib/systemd/system").iterdir())
    assert {unit.name for unit in units} == UNITS[name]
    for unit in units:
        for line in unit.read_text().splitlines():
            if line.startswith(("ExecStart=", "ExecReload=")):
                program = line.split("=", 1)[1].split()[0]
                assert (contents[name] / program.lstrip("/")).is_file(), line


def test_programs_are_hardened(contents):
    for name in UNITS:
        for program in contents[name].glob("usr/*bin/*"):
            head = said("readelf", "--wide", "--file-header", "--segments", "--dynamic",
                        program)
            assert re.search(r"Type:\s+DYN", head), f"{program} has a place of its own"
            assert "GNU_RELRO" in head and "BIND_NOW" in head, program
            assert not re.search(r"GNU_STACK.*RWE", head), program
            if program.name == "balancerd":
                symbols = said("readelf", "--wide", "--dyn-syms", program)
                assert "__stack_chk_fail" in symbols and "_chk@" in symbols


def test_documents_find_each_other(contents):
    place = contents["balancerd"] / "usr/share/doc/balancerd"
    for page in place.rglob("*.md"):
        for link in re.findall(r"\]\(((?:\w|[-/])+\.md)\)", page.read_text()):
            target = page.parent / link
            assert target.exists(), f"{page.name} -> {link}"


class Machine:
    """This system under an overlay: what is done there is gone with it. Services cannot
    be started, as in an image that is being built."""

    def __init__(self, place, packages):
        self.place = place
        self.packages = packages
        for name in ("upper", "work", "merged"):
            (place / name).mkdir()
        self.environment = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        self.environment |= {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C",
                             "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def run(self, script):
        overlay = (f"lowerdir=/,upperdir={self.place}/upper,workdir={self.place}/work")
        inside = f"""
            mount -t overlay overlay -o {overlay} {self.place}/merged &&
            mount -t proc proc {self.place}/merged/proc &&
            mount --bind /dev {self.place}/merged/dev &&
            exec chroot {self.place}/merged sh -ec "$1" """
        return subprocess.run(["unshare", "--mount", "--pid", "--fork", "sh", "-c", inside,
                               "sh", script],
                              capture_output=True, text=True, env=self.environment)

    def __call__(self, script):
        done = self.run(script)
        assert done.returncode == 0, script + "\n" + done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def machine(packages, tmp_path):
    """A system with the packages in /; only root can have one."""
    machine = Machine(tmp_path, packages)
    tried = machine.run("true")
    if tried.returncode != 0:
        pytest.skip("there is no overlay to be had here: " + tried.stderr.strip())
    for name, path in packages.items():
        shutil.copy(path, tmp_path / "upper" / f"{name}.deb")
    # What this system has of it by itself.
    machine("""dpkg -P balancerd balancerd-kv 2>/dev/null || true
        rm -rf /etc/balancerd /var/lib/balancerd /var/log/balancerd /var/lib/kv-worker""")
    return machine


BOTH = "dpkg -i /balancerd.deb /balancerd-kv.deb"


def test_an_installation_makes_the_user_and_starts_nothing(machine):
    machine(BOTH)
    assert machine("getent passwd balancerd").startswith("balancerd:x:")
    assert machine("balancerd --version").startswith("balancerd ")
    assert machine("find /etc/systemd/system -name '*balancerd*'") == ""
    assert "/etc/balancerd/balancerd.conf" in machine("dpkg -s balancerd")
    assert machine("dpkg --verify balancerd balancerd-kv") == ""


def test_a_worker_s_package_stands_alone(machine):
    machine("dpkg -i /balancerd-kv.deb")
    assert machine("getent passwd balancerd").startswith("balancerd:x:")
    assert "usage" in machine("kv-worker --help")


def test_a_changed_configuration_stays_when_it_is_installed_anew(machine):
    machine(BOTH)
    machine("echo threads 3 >> /etc/balancerd/balancerd.conf")
    machine(BOTH)
    assert machine("tail -1 /etc/balancerd/balancerd.conf") == "threads 3\n"


def test_an_upgrade_says_how_what_runs_is_replaced(machine):
    machine(BOTH)
    said = machine(f"""
        cd /tmp && mkdir -p /run/balancerd && chown balancerd: /run/balancerd
        balancerd run --socket /run/balancerd/default.sock \\
            /etc/balancerd/balancerd.conf 2>log & pid=$!
        until balancerctl --socket /run/balancerd/default.sock status >status 2>&1; do
            kill -0 $pid; sleep 0.1
        done
        {BOTH}
        balancerctl --name default upgrade
        balancerctl --socket /run/balancerd/default.sock stop""")
    assert 'balancerd "default" still runs as it was.' in said
    assert "takes over with: balancerctl --name default upgrade\n" in said
    assert " serves; process " in said


def test_logs_are_turned_over(machine):
    machine(BOTH)
    machine("""
        install -d -o balancerd -g balancerd /var/log/balancerd
        echo one >/var/log/balancerd/access.log
        chown balancerd: /var/log/balancerd/access.log
        logrotate --force /etc/logrotate.d/balancerd""")
    assert machine("cat /var/log/balancerd/access.log.1") == "one\n"


def test_a_removal_keeps_what_a_purge_takes(machine):
    machine(BOTH)
    machine("""
        mkdir -p /var/lib/balancerd /var/log/balancerd /var/lib/kv-worker/1
        touch /var/lib/balancerd/journal /var/log/balancerd/a.log /var/lib/kv-worker/1/data
        dpkg -r balancerd balancerd-kv""")
    kept = machine("ls -d /var/lib/balancerd/* /var/log/balancerd/* /var/lib/kv-worker/1/* "
                   "/etc/balancerd/* /etc/logrotate.d/balancerd").split()
    assert len(kept) == 5
    assert machine("ls /usr/sbin/balancerd /usr/bin/kv-worker 2>/dev/null || true") == ""
    machine("dpkg -P balancerd balancerd-kv")
    assert machine("ls -d /var/lib/balancerd /var/log/balancerd /var/lib/kv-worker "
                   "/etc/balancerd /etc/logrotate.d/balancerd 2>/dev/null || true") == ""
