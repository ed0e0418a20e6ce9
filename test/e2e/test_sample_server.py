"""origin as the server that a balancer starts by itself: by its environment, and as the
only process of a container made from the image that ships."""

import json
import signal
import subprocess

import pytest

from harness.client import RawClient
from harness.engine import sample_image
from harness.patience import PATIENCE, until
from harness.ports import Port, accepts
from harness.program import OUT, Program


class Sample(Program):
    def __init__(self, directory, *options, **variables):
        super().__init__(OUT / "origin", options, directory, **variables)

    def port(self):
        until(lambda: self.runs() and "listening" in self.stdout, "it listens")
        return int(self.stdout.rpartition(":")[2])


@pytest.fixture
def start(tmp_path):
    samples = []

    def start(*options, **variables):
        samples.append(Sample(tmp_path, *options, **variables))
        return samples[-1]
    yield start
    assert not [wrong for sample in samples for wrong in sample.end()]


def ask(port, target, method="GET", host="127.0.0.1"):
    client = RawClient(port, host)
    try:
        return client.ask(f"{method} {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    finally:
        client.close()


def greeting(name):
    return f'{{"message":"Hello from Server: {name}","status":"successful"}}'.encode()


def test_it_greets_by_its_name(start):
    port = start(SERVER_ID="S1", PORT="0").port()
    answer = ask(port, "/home")
    assert (answer.status, answer.body) == (200, greeting("S1"))
    assert answer.fields.get("Content-Type") == "application/json"
    assert json.loads(answer.body)["status"] == "successful"
    assert ask(port, "/home?x=1").body == greeting("S1")
    assert ask(port, "/home", "POST").status == 405


def test_its_heartbeat_is_empty(start):
    port = start(SERVER_ID="S1", PORT="0").port()
    answer = ask(port, "/heartbeat")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.fields.get("Content-Length") == "0"


def test_its_heartbeat_can_fail_alone(start):
    port = start("--fail-health", SERVER_ID="S1", PORT="0").port()
    assert ask(port, "/heartbeat").status == 500
    assert ask(port, "/home").body == greeting("S1")


def test_what_it_serves_besides_is_the_same(start):
    port = start(SERVER_ID="S1", PORT="0").port()
    assert ask(port, "/bytes/3").body == b"012"
    assert ask(port, "/nothing").status == 404


def test_without_a_name_there_is_no_greeting(start):
    port = start("0", SERVER_ID=None, PORT="80").port()
    assert ask(port, "/home").status == 404
    assert ask(port, "/heartbeat").status == 404


def test_it_listens_where_it_is_told_to(start):
    reserved = Port()
    start(SERVER_ID="S1", PORT=reserved.number, ADDRESS="0.0.0.0").port()
    assert ask(reserved.number, "/home").body == greeting("S1")
    reserved.release()


@pytest.mark.parametrize("variables, complaint", [
    ({"SERVER_ID": 'a"b'}, "SERVER_ID"), ({"SERVER_ID": ""}, "SERVER_ID"),
    ({"SERVER_ID": "S1", "PORT": "x"}, "'x'"),
])
def test_a_wrong_environment_is_explained(tmp_path, variables, complaint):
    ended = subprocess.run([OUT / "origin"], env=variables, cwd=tmp_path, text=True,
                           timeout=PATIENCE, capture_output=True, check=False)
    assert ended.returncode == 2
    assert complaint in ended.stderr


@pytest.fixture
def container(engine):
    """Starts containers of the sample image; returns each one's name and address."""
    network, started = f"{engine.prefix}sample-net", []
    engine.network_add(network)

    def container(*command, **variables):
        name = f"{engine.prefix}sample-{len(started)}"
        started.append(name)
        engine.run(name, sample_image(engine), *command, network=network, **variables)
        about = engine.inspect(name)["NetworkSettings"]["Networks"][network]
        host = about["IPAddress"]
        until(lambda: accepts(5000, host), f"it accepts: {engine.logs(name)}")
        return name, host
    yield container
    for name in started:
        engine.remove(name)
    engine.network_remove(network)


def test_its_image_serves(container):
    _, host = container(SERVER_ID="S7", PORT="5000")
    assert ask(5000, "/home", host=host).body == greeting("S7")
    assert ask(5000, "/heartbeat", host=host).status == 200


def test_its_image_serves_without_being_told_anything(container):
    _, host = container()
    assert ask(5000, "/home", host=host).body == greeting("sample")


def test_its_image_takes_a_command(container):
    _, host = container("/server", "--fail-health", SERVER_ID="S8")
    assert ask(5000, "/heartbeat", host=host).status == 500


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_as_process_1_it_ends_when_asked(container, engine, number):
    name, _ = container(SERVER_ID="S9")
    engine.kill(name, number.name.removeprefix("SIG"))
    assert engine.wait(name) == 0


def test_its_image_may_change_nothing_and_shows_nothing(container, engine):
    name, host = container(SERVER_ID="S1")
    about = engine.inspect(name)["Config"]
    assert about["User"] == "65534:65534"
    client = RawClient(5000, host)
    put = b"PUT /new HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx"
    assert client.ask(put).status in (403, 500)
    client.close()
    assert ask(5000, "/etc/hostname", host=host).status == 404
    assert ask(5000, "/server", host=host).status == 404
