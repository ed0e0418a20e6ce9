"""packaging/docker/socket-proxy.cfg: what the balancer asks of an engine passes, and what
would give more than that is refused before the engine hears of it."""

import shutil
import subprocess

import pytest

from harness.engine import ENGINE_PATIENCE, Engine, sample_image
from harness.patience import PATIENCE, until
from harness.program import ROOT

NETWORK = "balancerd"       # the only one that the file lets containers join
FILE = ROOT / "packaging/docker/socket-proxy.cfg"


class Guarded(Engine):
    """An engine behind HAProxy with that file."""

    def __init__(self, engine, directory):
        super().__init__(directory / "docker.sock")
        text = FILE.read_text().replace("/guarded/", f"{directory}/")
        text = text.replace("/var/run/engine.sock", engine.socket)
        path = directory / "haproxy.cfg"
        path.write_text(text)
        with open(directory / "log", "wb") as log:
            self.process = subprocess.Popen(["haproxy", "-db", "-f", path], stderr=log,
                                            stdin=subprocess.DEVNULL, cwd=directory)
        until(self.is_up, f"haproxy answers: {(directory / 'log').read_text()}")

    def is_up(self):
        assert self.process.poll() is None
        try:
            return self.ask("GET", "/version").status == 200
        except OSError:
            return False

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


@pytest.fixture
def guarded(engine, tmp_path):
    assert shutil.which("haproxy"), "haproxy is missing: tools/install-deps test"
    guarded = Guarded(engine, tmp_path)
    yield guarded
    guarded.close()


def wanted(image, name="S1", network=NETWORK, **host):
    """As spawn/docker asks for a container."""
    return {"Image": image, "Hostname": name, "Entrypoint": ["/server"],
            "Env": ["A=\"b\": {}", f"SERVER_ID={name}", "PORT=5000"],
            "Labels": {"org.balancerd.balancer": "default", "org.balancerd.pool": "web",
                       "org.balancerd.server": name, "org.balancerd.recipe": "0f",
                       "org.balancerd.port": "5000"},
            "HostConfig": {"NetworkMode": network, "RestartPolicy": {"Name": "no"},
                           "Memory": 1 << 26, "MemorySwap": 1 << 26,
                           "NanoCpus": 500_000_000, "PidsLimit": 100,
                           "Ulimits": [{"Name": "nofile", "Soft": 99, "Hard": 99}],
                           **host},
            "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": [name]}}}}


def test_a_pool_can_work_behind_it(guarded, engine):
    name = f"{engine.prefix}guarded"
    there = NETWORK in engine.networks()
    if not there:
        guarded.call("POST", "/v1.41/networks/create",
                     {"Name": NETWORK, "Driver": "bridge", "CheckDuplicate": True,
                      "Labels": {"org.balancerd.balancer": "default"}})
    try:
        guarded.call("POST", "/v1.41/containers/create",
                     wanted(sample_image(engine), name), name=name)
        guarded.call("POST", f"/v1.41/containers/{name}/start")
        assert guarded.inspect(name)["State"]["Running"]
        assert name in guarded.containers("org.balancerd.pool=web")
        guarded.call("POST", f"/v1.41/containers/{name}/stop", t=1)
        assert not engine.runs(name)
        guarded.remove(name)
        assert engine.inspect(name) is None
    finally:
        engine.remove(name)
        if not there:
            engine.network_remove(NETWORK)


def test_a_balancer_works_behind_it(guarded, engine, stage):
    """It makes the network, starts servers, replaces one, and ends them."""
    image, port, prefix = sample_image(engine), stage.port(), f"{engine.prefix}behind-"
    there = NETWORK in engine.networks()
    balancer = stage.run(f"""listen http 127.0.0.1:{port} {{ admin legacy; to web }}
        pool web {{
            check http /heartbeat every 100ms
            own docker {{ socket {guarded.socket}; image {image}; network {NETWORK}
                command /server; env GREETING "a \\"b\\": c"; memory 64m; cpu 50%
                files 256; processes 50; min 2; max 3; names {prefix} }}
        }}
        """, port, "--name", engine.prefix.rstrip("-"))
    try:
        def serving():
            answer = stage.get(balancer, "/rep")
            return answer.body.decode().count(prefix) == 2
        until(serving, "two serve", ENGINE_PATIENCE)
        first = engine.inspect(f"{prefix}1")["Id"]
        engine.kill(f"{prefix}1")
        until(lambda: (engine.inspect(f"{prefix}1") or {"Id": first})["Id"] != first,
              "it is replaced", ENGINE_PATIENCE)
        until(serving, "two serve again", ENGINE_PATIENCE)
        assert balancer.terminate() == 0
        assert not [name for name in engine.containers(every=True)
                    if name.startswith(prefix)]
    finally:
        for name in engine.containers(every=True):
            if name.startswith(prefix):
                engine.remove(name)
        if not there:
            engine.network_remove(NETWORK)


@pytest.mark.parametrize("method, target", [
    ("GET", "/info"), ("GET", "/images/json"), ("GET", "/containers/a/logs"),
    ("GET", "/containers/a/archive?path=/etc/shadow"), ("GET", "/secrets"),
    ("POST", "/containers/a/exec"), ("POST", "/containers/a/attach"),
    ("POST", "/containers/a/update"), ("POST", "/images/create?fromImage=a"),
    ("POST", "/build"), ("POST", "/volumes/create"), ("POST", "/containers/prune"),
    ("POST", "/v1.41/containers/a/../../../build"), ("POST", "//containers/create"),
    ("POST", "/networks/balancerd/connect"), ("PUT", "/containers/a/archive?path=/"),
    ("DELETE", "/images/a"), ("DELETE", "/networks/a"), ("HEAD", "/_ping"),
    ("POST", "/v1.41/v1.41/containers/create"), ("POST", "/swarm/init"),
])
def test_other_calls_are_refused(guarded, method, target):
    assert guarded.ask(method, target).status == 403


@pytest.mark.parametrize("more", [
    {"Privileged": True}, {"Binds": ["/:/host"]}, {"binds": ["/:/host"]},
    {"Mounts": [{"Type": "bind", "Source": "/", "Target": "/host"}]},
    {"PidMode": "host"}, {"CapAdd": ["ALL"]}, {"Devices": []}, {"VolumesFrom": ["a"]},
    {"SecurityOpt": ["seccomp=unconfined"]}, {"NetworkMode": "host"},
    {"NetworkMode": "container:a"}, {"Runtime": "a"}, {"CgroupParent": "/"},
])
def test_containers_that_get_at_the_machine_are_refused(guarded, more):
    odd = guarded.ask("POST", "/containers/create", wanted("none-of-this-name", **more))
    assert odd.status == 403
    # Without that it gets as far as the engine, which knows no such image.
    plain = guarded.ask("POST", "/containers/create", wanted("none-of-this-name"))
    assert plain.status == 404


WAYS_OF_WRITING = {
    "escaped": r'{"Image":"a","HostConfig":{"\u0050rivileged":true}}',
    "spaced": '{"Image":"a","HostConfig":{"Privileged" \t\r\n :true}}',
    "folded": '{"Image":"a","HostConfig":{"\u017fhmSize":1}}',
    "twice":
        '{"Image":"a","HostConfig":{"NetworkMode":"balancerd","NetworkMode":"host"}}',
    "quoted": r'{"Image":"a","Env":["\"","x"],"HostConfig":{"Binds":["/:/host"]}}',
    "begun": '{"Image":"a","HostConfig":{"NetworkMode": "balancerd-not"}}',
    "large": '{"Image":"a"' + " " * 20_000 + "}",
    "behind a long value":
        '{"Image":"a","Env":["' + "x" * 11_000 + '"],"HostConfig":{"Binds":["/:/host"]}}',
    "behind escapes":
        '{"Image":"a","Env":["' + r"\n" * 5_500 + '"],"HostConfig":{"Binds":["/:/"]}}',
    "behind many keys":
        '{"Image":"a",' + '"Name":"a",' * 1_000 + '"HostConfig":{"Binds":["/:/host"]}}',
    "with a newline": '{"Image":"a","HostConfig":{"Privileged":true}}\n',
    "cut": '{"Image":"a","x',
    "empty": "",
}


@pytest.mark.parametrize("text", WAYS_OF_WRITING.values(), ids=WAYS_OF_WRITING)
def test_no_way_of_writing_it_gets_through(guarded, text):
    assert guarded.ask("POST", "/containers/create", text.encode()).status == 403


def test_long_values_pass(guarded):
    for value in ("x" * 10_000, '\\"\n' * 1_500):
        body = {"Image": "none-of-this-name", "Env": [f"A={value}"],
                "HostConfig": {"NetworkMode": NETWORK}}
        assert guarded.ask("POST", "/containers/create", body).status == 404


def test_starting_takes_no_settings(guarded):
    text = b'{"Binds":["/:/host"]}'     # old versions of the API took them there
    assert guarded.ask("POST", "/v1.20/containers/a/start", text).status == 403


def test_only_bridges_are_made(guarded):
    answer = guarded.ask("POST", "/networks/create", {"Name": "a", "Driver": "host"})
    assert answer.status == 403
