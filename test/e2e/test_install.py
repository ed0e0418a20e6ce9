"""install.sh: what it puts where, again and again, and what is left when it is gone."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from harness.balancerctl import Control
from harness.ports import Port
from harness.program import OUT, ROOT

PROGRAMS = ("sbin/balancerd", "bin/balancerctl", "bin/origin", "bin/kv-worker",
            "bin/kv-client")


class Tree:
    """What lies below a folder."""

    def __init__(self, top):
        self.files = {}
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                digest = hashlib.sha256(open(path, "rb").read()).hexdigest()
                self.files[os.path.relpath(path, top)] = (
                    os.stat(path).st_mode & 0o7777, digest)


@pytest.fixture
def install(tmp_path):
    """Runs install.sh with what has been built for this run of the tests."""
    def run(*words, code=0, **options):
        done = subprocess.run(
            [ROOT / "install.sh", *map(str, words), f"OUT={OUT}",
             f"MADE={tmp_path}/made"],
            capture_output=True, text=True, check=False, **options)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr
    return run


@pytest.fixture
def top(tmp_path):
    return tmp_path / "top"


def installed(top):
    """Files that the list of what was installed names."""
    manifest = top / "usr/local/share/doc/balancerd/installed"
    return {f"usr/local/{line.split()[1]}" for line in manifest.read_text().splitlines()
            if line.startswith("file ")}


def test_everything_is_where_it_belongs(install, top):
    said = install("--destdir", top)
    files = Tree(top).files
    assert installed(top) | {
        "usr/local/share/doc/balancerd/installed", "etc/balancerd/balancerd.conf",
    } == set(files)
    for path in installed(top):
        assert path.removeprefix("usr/local/") in said
        is_program = path.removeprefix("usr/local/") in PROGRAMS
        assert files[path][0] == (0o755 if is_program else 0o644), path
    pages = {os.path.basename(path) for path in files if "/man/" in path}
    assert {"balancerd.8", "balancerctl.8", "balancerd.conf.5", "origin.1", "kv-worker.1",
            "kv-client.1"} <= pages
    assert {"usr/local/share/bash-completion/completions/balancerctl",
            "usr/local/share/zsh/site-functions/_balancerctl",
            "usr/local/share/fish/vendor_completions.d/balancerctl.fish",
            "usr/local/lib/systemd/system/balancerd.service",
            "usr/local/lib/systemd/system/balancerd@.service",
            "usr/local/lib/systemd/system/kv-worker@.service",
            *(f"usr/local/{program}" for program in PROGRAMS)} <= set(files)


def test_a_second_time_changes_nothing(install, top):
    install("--destdir", top)
    before = Tree(top).files
    said = install("--destdir", top)
    assert Tree(top).files == before
    assert "balancerd.conf (as it is)" in said


def test_an_edited_configuration_is_never_overwritten(install, top):
    install("--destdir", top)
    configuration = top / "etc/balancerd/balancerd.conf"
    configuration.write_text("threads 2\n")
    said = install("--destdir", top)
    assert configuration.read_text() == "threads 2\n"
    assert "yours, as it is; the example is /usr/local/share/doc/balancerd" in said


def test_an_example_that_nobody_edited_becomes_the_new_one(install, top):
    install("--destdir", top)
    configuration = top / "etc/balancerd/balancerd.conf"
    example = top / "usr/local/share/doc/balancerd/balancerd.conf"
    new = example.read_text()
    for path in (configuration, example):
        path.write_text("# the example of another version\n")
    assert "the example of this version" in install("--destdir", top)
    assert configuration.read_text() == example.read_text() == new


def test_files_of_another_version_are_removed(install, top):
    install("--destdir", top)
    manifest = top / "usr/local/share/doc/balancerd/installed"
    outdated = top / "usr/local/bin/outdated"
    outdated.write_text("")
    manifest.write_text(manifest.read_text() + "file bin/outdated\n")
    install("--destdir", top)
    assert not outdated.exists()
    assert "outdated" not in manifest.read_text()


def test_uninstall_removes_what_was_installed_and_nothing_else(install, top):
    theirs = top / "usr/local/bin/theirs"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("")
    (top / "usr/local/sbin").mkdir()
    install("--destdir", top)
    late = top / "usr/local/share/zsh/site-functions/_late"
    late.write_text("")
    state = top / "var/lib/balancerd"
    state.mkdir(parents=True)
    (state / "a.json").write_text("")
    data = top / "var/lib/kv-worker"
    data.mkdir()
    (data / "a.data").write_text("")
    said = install("--destdir", top, "--uninstall")
    assert set(Tree(top).files) == {
        "usr/local/bin/theirs", "usr/local/share/zsh/site-functions/_late",
        "etc/balancerd/balancerd.conf", "var/lib/balancerd/a.json",
        "var/lib/kv-worker/a.data"}
    assert (top / "usr/local/sbin").exists(), "an empty folder that was there"
    assert not (top / "usr/local/share/man").exists(), "one that was not"
    for folder in (state, data):
        assert f"Left:    {folder} (--purge removes it)" in said
    assert "Nothing is installed" in install("--destdir", top, "--uninstall")


def test_purge_removes_configuration_and_state(install, top):
    install("--destdir", top)
    (top / "var/lib/balancerd").mkdir(parents=True)
    (top / "var/log/balancerd").mkdir(parents=True)
    (top / "var/lib/kv-worker/a").mkdir(parents=True)
    install("--destdir", top, "--purge")
    assert Tree(top).files == {}
    assert os.listdir(top / "etc") == os.listdir(top / "var/lib") == []


@pytest.fixture
def prefix(install, tmp_path):
    """Installed to be used from where it is."""
    prefix = tmp_path / "opt"
    install("--prefix", prefix, "--no-systemd")
    return prefix


def test_what_is_installed_works(prefix, tmp_path):
    control = Control(tmp_path / "b.sock", home=tmp_path)
    control.environment["PATH"] = "/usr/bin:/bin"
    port = Port()
    done = control("start", "127.0.0.1", port.number, "--state", tmp_path / "state",
                   "--log", tmp_path / "log", program=prefix / "bin/balancerctl")
    try:
        assert done.did().startswith("started on ")
    finally:
        assert control("stop", program=prefix / "bin/balancerctl").code == 0
        port.release()
    checked = subprocess.run([prefix / "sbin/balancerd", "check",
                              prefix / "etc/balancerd/balancerd.conf"],
                             capture_output=True, text=True, check=False)
    assert checked.returncode == 0 and checked.stderr == "", checked
    shown = subprocess.run([prefix / "bin/origin", "--help"], capture_output=True,
                           check=False)
    assert shown.returncode == 0


def test_the_prefix_is_in_what_is_installed(install, prefix):
    example = (prefix / "etc/balancerd/balancerd.conf").read_text()
    assert f"{prefix}/etc/balancerd/balancerd.conf" in example
    assert " /etc/balancerd" not in example
    assert not (prefix / "lib").exists(), "no units were wanted"


def test_uninstall_of_a_prefix(install, prefix):
    install("--prefix", prefix, "--purge")
    assert Tree(prefix).files == {}
    assert not (prefix / "bin").exists() and not (prefix / "etc").exists()


def test_a_relative_prefix(install, tmp_path):
    install("--prefix=here/", "--no-systemd", cwd=tmp_path)
    assert (tmp_path / "here/bin/balancerctl").exists()


def test_completions_and_pages_are_understood(prefix):
    bash = prefix / "share/bash-completion/completions/balancerctl"
    subprocess.run(["bash", "-n", bash], check=True)
    if shutil.which("zsh"):
        subprocess.run(["zsh", "-n", prefix / "share/zsh/site-functions/_balancerctl"],
                       check=True)
    if shutil.which("man") is None:
        return
    for page in prefix.glob("share/man/man*/*"):
        done = subprocess.run(["man", "--warnings", "-l", page], capture_output=True,
                              text=True, check=False,
                              env=os.environ | {"MANPAGER": "cat", "LC_ALL": "C.UTF-8"})
        assert done.returncode == 0 and done.stderr == "", (page, done.stderr)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_the_units_are_good_and_hardened(install, tmp_path):
    prefix = tmp_path / "opt"
    (tmp_path / "bin").mkdir()
    # The user is made only where systemd-sysusers is the real one.
    fake = tmp_path / "bin/systemd-sysusers"
    fake.write_text("#!/bin/sh\nexit 0\n")
    fake.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    said = install("--prefix", prefix, env=environment)
    units = prefix / "lib/systemd/system"
    assert f"systemctl link {units}/balancerd.service" in said
    shutil.copy(units / "balancerd@.service", units / "balancerd@web.service")
    shutil.copy(units / "kv-worker@.service", units / "kv-worker@a.service")
    for unit, program in (("balancerd.service", "sbin/balancerd"),
                          ("balancerd@web.service", "sbin/balancerd"),
                          ("kv-worker@a.service", "bin/kv-worker")):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", units / unit],
            capture_output=True, text=True, check=False)
        assert done.returncode == 0 and done.stdout + done.stderr == "", done
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--no-pager",
             "--threshold=18", units / unit], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        text = (units / unit).read_text()
        assert f"{prefix}/etc/balancerd/" in text and f"={prefix}/{program} " in text
    template = (units / "balancerd@.service").read_text()
    assert "default" not in template
    assert template.count("%i.sock") == 2 and "/%i.conf" in template


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd")
def test_the_user_of_the_service(tmp_path):
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}",
                    ROOT / "packaging/balancerd.sysusers"], check=True,
                   capture_output=True)
    assert re.search(r"^balancerd:", (tmp_path / "etc/passwd").read_text(), re.M)
    assert re.search(r"^balancerd:", (tmp_path / "etc/group").read_text(), re.M)


def test_without_systemd(install, tmp_path):
    commands = tmp_path / "bin"
    commands.mkdir()
    for folder in ("/bin", "/usr/bin"):
        for name in os.listdir(folder):
            if not name.startswith("system") and not (commands / name).exists():
                (commands / name).symlink_to(f"{folder}/{name}")
    said = install("--prefix", tmp_path / "opt", env=os.environ | {"PATH": str(commands)})
    assert "Service:         none" in said
    assert not (tmp_path / "opt/lib").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("words", [[], ["--prefix", "/opt/no-such"], ["--uninstall"]])
def test_without_permission(install, words):
    def become_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    # Not in tmp_path, into which nobody else may look.
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        if words == ["--uninstall"]:
            install("--prefix", f"{place}/opt", "--no-systemd")
            words = ["--prefix", f"{place}/opt", "--uninstall"]
        said = install(*words, code=1, preexec_fn=become_nobody)
    assert re.match(r"install\.sh: cannot write to \S+; run it as root", said)
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("words, says", [
    (["--prefx", "/x"], "unknown option --prefx"),
    (["--prefix", ""], "--prefix needs a folder"),
    (["something"], "unknown option something"),
    (["--prefix", "/a b"], "/a b: a folder with blanks or signs in its name"),
])
def test_wrong_lines(install, words, says):
    assert install(*words, code=2) == f"install.sh: {says}; see ./install.sh --help\n"


def test_help(install):
    said = install("--help")
    for option in ("--prefix", "--destdir", "--no-systemd", "--uninstall", "--purge"):
        assert option in said


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck")
def test_the_script_is_plain(install):
    done = subprocess.run(["shellcheck", ROOT / "install.sh"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout
