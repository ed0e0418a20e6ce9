"""A Docker Engine for tests: the one that DOCKER_HOST names, or one of our own.

One of our own is a dockerd with everything in a temporary folder: its data, its socket,
its containerd. It changes no rule of the machine's packet filter and forwards nothing,
so it needs no iptables and harms no other engine; what runs on the machine reaches its
containers by their addresses, and they reach each other. At the end its containers and
networks (they are bridges of the machine) are removed, then it, then the folder.

    engine = find()            # or the fixture of this name
    engine.socket              # for `own docker { socket ... }`
    engine.prefix              # names of containers and networks begin so: others may
                               # use the same engine at the same time
    sample_image(engine)       # builds balancerd-sample, returns the image's name

Where none can run, find() skips with the reason.
"""

import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from .control import Answer, UnixConnection
from .patience import until
from .program import OUT, ROOT

SAMPLE = OUT / "sample" / "server"
ENGINE_PATIENCE = 60.0      # seconds: an engine starts, ends, or takes an image
DRIVERS = (None, "vfs")     # storage: what it likes best; what works everywhere
FRAME_HEAD = 8              # bytes, of each piece of a container's output
PROGRAMS = "/usr/local/sbin:/usr/sbin:/sbin"


class Engine:
    """An engine behind a UNIX socket, spoken to by its API."""

    def __init__(self, socket):
        self.socket = str(socket)
        self.prefix = f"bt{os.getpid()}-"
        self.images = []

    def ask(self, method, target, body=None, **query):
        """One call; returns its answer, whatever that is."""
        connection = UnixConnection(self.socket)
        connection.timeout = ENGINE_PATIENCE
        fields = {"Content-Type": "application/json"}
        if isinstance(body, bytes):
            fields["Content-Type"] = "application/x-tar"
        elif body is not None:
            body = json.dumps(body).encode()
        if query:
            target += "?" + urlencode(query)
        try:
            connection.request(method, target, body, fields)
            return EngineAnswer(connection.getresponse())
        finally:
            connection.close()

    def call(self, method, target, body=None, **query):
        """One call that must succeed; returns its JSON, or text."""
        answer = self.ask(method, target, body, **query)
        assert answer.status < 400, f"{method} {target}: {answer}"
        return answer.json if answer.json is not None else answer.text

    def answers(self):
        try:
            return self.ask("GET", "/_ping").status == 200
        except OSError:
            return False

    # Containers

    def containers(self, *labels, every=False):
        """What the engine says of those that run, or of every one, and have all of these
        labels (`name` or `name=value`), by name."""
        filters = json.dumps({"label": list(labels)})
        listed = self.call("GET", "/containers/json", all=int(every), filters=filters)
        return {one["Names"][0].lstrip("/"): one for one in listed}

    def inspect(self, name):
        """All about a container; None: there is none of this name."""
        answer = self.ask("GET", f"/containers/{quote(name)}/json")
        assert answer.status in (200, 404), answer
        return answer.json if answer.status == 200 else None

    def runs(self, name):
        about = self.inspect(name)
        return about is not None and about["State"]["Running"]

    def run(self, name, image, *command, network="none", labels=None, **environment):
        """Makes and starts a container; returns its id."""
        asked = {"Image": image, "Labels": labels or {},
                 "Env": [f"{key}={value}" for key, value in environment.items()],
                 "HostConfig": {"NetworkMode": network}}
        if command:
            asked["Cmd"] = list(map(str, command))
        made = self.call("POST", "/containers/create", asked, name=name)
        self.call("POST", f"/containers/{made['Id']}/start")
        return made["Id"]

    def kill(self, name, signal="KILL"):
        """As `docker kill` does."""
        self.call("POST", f"/containers/{quote(name)}/kill", signal=signal)

    def pause(self, name):
        """It stands still: its port is open, and nobody answers."""
        self.call("POST", f"/containers/{quote(name)}/pause")

    def wait(self, name):
        """Waits for its end; returns its exit code."""
        return self.call("POST", f"/containers/{quote(name)}/wait")["StatusCode"]

    def logs(self, name):
        """What it has said, on both of its outputs."""
        answer = self.ask("GET", f"/containers/{quote(name)}/logs", stdout=1, stderr=1)
        said, frames = b"", answer.bytes
        while len(frames) >= FRAME_HEAD:    # a kind, its length, so many bytes
            end = FRAME_HEAD + int.from_bytes(frames[4:FRAME_HEAD], "big")
            said, frames = said + frames[FRAME_HEAD:end], frames[end:]
        return said.decode(errors="replace")

    def remove(self, name):
        """By force; one that is not there, or is just being removed, is no error."""
        answer = self.ask("DELETE", f"/containers/{quote(name)}", force=1, v=1)
        assert answer.status in (204, 404, 409), answer

    # Networks and images

    def networks(self):
        """Those that somebody made, by name."""
        own = {"bridge", "host", "none"}
        return {one["Name"]: one for one in self.call("GET", "/networks")
                if one["Name"] not in own}

    def network_add(self, name):
        self.call("POST", "/networks/create", {"Name": name, "CheckDuplicate": True})

    def network_remove(self, name):
        answer = self.ask("DELETE", f"/networks/{quote(name)}")
        assert answer.status in (204, 404), answer

    def build(self, tag, files):
        """An image from scratch: `files` are what is beside a Dockerfile, and that;
        paths, of folders too, or the bytes themselves."""
        bundle = io.BytesIO()
        with tarfile.open(fileobj=bundle, mode="w") as tar:
            for name, content in files.items():
                if isinstance(content, Path) and content.is_dir():
                    tar.add(content, name)
                    continue
                content = content if isinstance(content, bytes) else content.read_bytes()
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o755
                tar.addfile(entry, io.BytesIO(content))
        said = self.ask("POST", "/build", bundle.getvalue(), t=tag, rm=1, forcerm=1,
                        networkmode="none")
        assert said.status == 200 and '"error"' not in said.text, said.text
        self.images.append(tag)
        return tag

    def has_image(self, name):
        return self.ask("GET", f"/images/{quote(name)}/json").status == 200

    def clear(self):
        """Removes what tests have made here: containers and networks whose names begin
        with our prefix, containers of our images, and the images."""
        for name, one in self.containers(every=True).items():
            if name.startswith(self.prefix) or one["Image"] in self.images:
                self.remove(name)
        for name in self.networks():
            if name.startswith(self.prefix):
                until(lambda name=name: self.is_rid_of_network(name),
                      f"network {name} can be removed", ENGINE_PATIENCE)
        for tag in self.images:
            self.ask("DELETE", f"/images/{quote(tag)}", force=1)
        self.images = []

    def is_rid_of_network(self, name):
        """A container that has just gone may still hold it for a moment."""
        return self.ask("DELETE", f"/networks/{quote(name)}").status in (204, 404)

    def close(self):
        self.clear()


class EngineAnswer(Answer):
    """Some answers are no JSON, or several of them."""

    def __init__(self, response):
        self.status = response.status
        self.fields = response.headers
        self.bytes = response.read()
        self.text = self.bytes.decode(errors="replace")
        try:
            self.json = json.loads(self.text)
        except ValueError:
            self.json = None


class PrivateEngine(Engine):
    """A dockerd of our own. Raises Unable with the reason if it does not come up."""

    def __init__(self, storage=None):
        self.directory = Path(tempfile.mkdtemp(prefix="balancerd-engine-"))
        super().__init__(self.directory / "docker.sock")
        self.log_path = self.directory / "log"
        self.process = None
        try:
            self.start(storage)
        except BaseException:
            self.close()
            raise

    def settings(self, storage):
        """Subnets of two engines must not meet. One does not take what the machine has
        a route to already; two that begin at once begin at different places."""
        place = os.getpid() % 50
        at = self.directory
        settings = {
            "data-root": f"{at}/data", "exec-root": f"{at}/exec", "pidfile": f"{at}/pid",
            "hosts": [f"unix://{self.socket}"], "bridge": "none", "iptables": False,
            "ip6tables": False, "ip-forward": False, "shutdown-timeout": 5,
            "default-address-pools": [
                {"base": f"10.{200 + place}.0.0/16", "size": 24},
                {"base": f"172.{20 + place % 12}.0.0/16", "size": 24},
                {"base": "192.168.0.0/16", "size": 24}]}
        if storage:
            settings["storage-driver"] = storage
        return settings

    def start(self, storage):
        programs = f"{os.environ.get('PATH', '')}:{PROGRAMS}"
        dockerd = shutil.which("dockerd", path=programs)
        if dockerd is None:
            raise Unable("there is no dockerd (Debian: docker.io)")
        if os.geteuid() != 0:
            raise Unable("only root can start dockerd; DOCKER_HOST may name another")
        configuration = self.directory / "daemon.json"
        configuration.write_text(json.dumps(self.settings(storage)))
        with open(self.log_path, "wb") as log:
            # If we are killed, it ends too. A session of its own: an interrupt from
            # the keyboard is for us, who need it until the end.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM",
                 dockerd, "--config-file", str(configuration),
                 "--containerd-namespace", self.directory.name,
                 "--containerd-plugins-namespace", f"plugins-{self.directory.name}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "PATH": programs}, start_new_session=True)
        until(lambda: self.answers() or self.process.poll() is not None,
              f"dockerd answers:\n{self.log}", ENGINE_PATIENCE)
        if self.process.poll() is not None:
            raise Unable(f"dockerd ended: {self.log.strip().splitlines()[-1]}")

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def close(self):
        if self.process is not None and self.process.poll() is None:
            try:
                for name in self.containers(every=True):
                    self.remove(name)
                for name in self.networks():
                    until(lambda name=name: self.is_rid_of_network(name),
                          f"network {name} can be removed", ENGINE_PATIENCE)
            finally:
                self.end()
        for mount in sorted(mounts_below(self.directory), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(self.directory)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(ENGINE_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Unable(Exception):
    """Why there is no engine."""


def mounts_below(directory):
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        places = [line.split()[1] for line in mounts]
    return [place for place in places if place.startswith(f"{directory}/")]


def named_engine():
    """The one of DOCKER_HOST, if that is a socket and somebody answers there."""
    kind, _, path = os.environ.get("DOCKER_HOST", "").partition("://")
    if kind != "unix":
        return None
    engine = Engine(path)
    return engine if engine.answers() else None


def try_out(engine):
    """Whether a container really runs, on a network of its own: that needs cgroups,
    mounts and bridges, which an engine may lack and still answer."""
    image, name = sample_image(engine), f"{engine.prefix}trial"
    try:
        engine.network_add(name)
        engine.run(name, image, "/server", "--help", network=name)
        assert engine.wait(name) == 0, engine.logs(name)
    except AssertionError as wrong:
        raise Unable(f"no container runs: {wrong}") from wrong
    finally:
        engine.remove(name)
        engine.network_remove(name)


def start_private():
    """With the storage it likes best, or else with the one that works anywhere."""
    reasons = []
    for storage in DRIVERS:
        try:
            engine = PrivateEngine(storage)
        except Unable as reason:
            reasons.append(str(reason))
            continue
        try:
            try_out(engine)
            return engine
        except BaseException as reason:
            engine.close()
            if not isinstance(reason, Unable):
                raise
            reasons.append(str(reason))
    raise Unable("; ".join(dict.fromkeys(reasons)))


def find():
    """An engine in which containers run; skips with the reason where there is none.
    The caller closes it."""
    assert SAMPLE.exists(), f"{SAMPLE} is missing: run make sample first"
    engine = named_engine()
    if engine is not None:
        return engine
    try:
        return start_private()
    except Unable as reason:
        pytest.skip(f"no Docker Engine: {reason}")


def sample_image(engine):
    """The image of the sample server, built from our own static program by the
    Dockerfile that ships; returns its name."""
    tag = f"{engine.prefix}sample"
    if tag in engine.images:
        return tag
    recipe = (ROOT / "packaging/docker/Dockerfile.sample").read_bytes()
    return engine.build(tag, {"Dockerfile": recipe, "server": SAMPLE})
