"""The image `balancerd`: what packaging/docker/collect puts into it and the last stage of
the Dockerfile, without the stage that compiles; and the files that ship beside it."""

import shutil
import subprocess

import pytest

from harness.balancer import BALANCERD
from harness.engine import ENGINE_PATIENCE
from harness.patience import until
from harness.program import OUT, ROOT

DOCKER = ROOT / "packaging/docker"
SECOND = 10 ** 9            # in nanoseconds, which the API counts in

PLAIN = b"listen http :5000 { to web }\npool web { server 127.0.0.1:1; check off }\n"


@pytest.fixture
def image(engine, tmp_path):
    """The image, with a configuration that needs no engine."""
    if OUT.name not in ("out", "out-clang"):
        pytest.skip(f"programs of {OUT.name} need more than a container has")
    folder = tmp_path / "image"
    subprocess.run([DOCKER / "collect", OUT, folder], cwd=ROOT, check=True)
    (folder / "etc/balancerd/balancerd.conf").write_bytes(PLAIN)
    last = (DOCKER / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    recipe = f"FROM {last}".replace("COPY --from=build /image/ /", "COPY image/ /")
    yield engine.build(f"{engine.prefix}balancerd",
                       {"Dockerfile": recipe.encode(), "image": folder})
    shutil.rmtree(folder)


@pytest.fixture
def container(engine, image):
    """One of it, held as tightly as `make run` does."""
    name = f"{engine.prefix}balancerd"
    engine.call("POST", "/containers/create", name=name, body={
        "Image": image, "Healthcheck": {"Interval": SECOND},
        "HostConfig": {"NetworkMode": "none", "ReadonlyRootfs": True, "CapDrop": ["ALL"],
                       "SecurityOpt": ["no-new-privileges"], "PidsLimit": 256,
                       "Tmpfs": {"/run/balancerd": "uid=10001,gid=10001,mode=0750"}}})
    engine.call("POST", f"/containers/{name}/start")
    yield name
    engine.remove(name)


def test_it_is_well_without_any_right(engine, container):
    def healthy():
        state = engine.inspect(container)["State"]
        assert state["Running"], engine.logs(container)
        return state["Health"]["Status"] == "healthy"
    until(healthy, "the image's own check says so", ENGINE_PATIENCE)
    assert engine.inspect(container)["Config"]["User"] == "10001:10001"


def test_as_process_1_it_ends_when_asked(engine, container):
    until(lambda: "listening on" in engine.logs(container), "it listens", ENGINE_PATIENCE)
    engine.kill(container, "TERM")
    assert engine.wait(container) == 0


def test_there_is_no_shell_in_it(engine, image):
    made = engine.call("POST", "/containers/create", {"Image": image, "Cmd": ["/bin/sh"]},
                       name=f"{engine.prefix}shell")
    try:
        assert engine.ask("POST", f"/containers/{made['Id']}/start").status == 400
    finally:
        engine.remove(made["Id"])


def test_its_configuration_is_good():
    checked = subprocess.run([BALANCERD, "check", DOCKER / "balancerd.conf"], text=True,
                             capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warning" not in checked.stderr


@pytest.mark.parametrize("script", ["tools/image", "packaging/docker/collect"])
def test_scripts_are_clean(script):
    checked = subprocess.run(["shellcheck", ROOT / script], text=True,
                             capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("words, complaint", [
    (["run"], "cannot be reached"), (["build"], "cannot be reached"),
    (["tree", "/"], "there already"), ([], "tools/image build"),
])
def test_what_cannot_be_done_is_explained(tmp_path, words, complaint):
    program = tmp_path / "docker"       # an engine that is not there
    program.write_text("#!/bin/sh\necho no engine >&2\nexit 1\n")
    program.chmod(0o755)
    ended = subprocess.run([ROOT / "tools/image", *words], capture_output=True, text=True,
                           env={"PATH": "/usr/bin:/bin", "DOCKER": str(program)},
                           check=False)
    assert ended.returncode != 0
    assert complaint in ended.stderr
