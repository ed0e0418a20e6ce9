"""Where the log goes, how its lines are written, and that it says things often enough."""

import contextlib
import fcntl
import json
import os
import socket

import pytest

from harness.control import UnixConnection


class Reader:
    """What stands for journald or syslog: takes datagrams."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.records = []

    def read(self):
        try:
            while True:
                self.records.append(self.socket.recv(65536).decode())
        except BlockingIOError:
            return self.records

    def close(self):
        self.socket.close()
        self.path.unlink(missing_ok=True)


@pytest.fixture
def reader(tmp_path):
    reader = Reader(tmp_path / "log.sock")
    yield reader
    reader.close()


def fields_of(record):
    return dict(line.split("=", 1) for line in record.splitlines())


def flap(stage, balancer, times):
    """Changes of the same server, each of which is an answer to somebody."""
    for i in range(times):
        balancer.control.set(next(iter(balancer.control.servers())), weight=i % 100 + 1)


def test_journald_gets_each_pair_as_a_field(stage, reader):
    balancer = stage.balancer([stage.server()], top=f"log info to journald:{reader.path}")
    stage.until(lambda: any("listening on" in r for r in reader.read()), "it is said")
    record = fields_of(next(r for r in reader.records if "listening on" in r))
    assert record["PRIORITY"] == "6"
    assert record["SYSLOG_IDENTIFIER"] == "balancerd"
    assert record["SYSLOG_PID"] == str(balancer.pid)
    assert record["THREADS"] == "1"
    assert record["MESSAGE"].startswith("listening on 127.0.0.1:")
    assert "listening on" not in balancer.log


def test_syslog_gets_lines_as_it_knows_them(stage, reader):
    balancer = stage.balancer([stage.server()], top=f"log info to syslog:{reader.path}")
    stage.until(lambda: any("listening on" in r for r in reader.read()), "it is said")
    record = next(r for r in reader.records if "listening on" in r)
    assert record.startswith("<30>")
    assert f" balancerd[{balancer.pid}]: listening on 127.0.0.1:" in record


@pytest.mark.parametrize("kind", ["journald", "syslog"])
def test_without_the_socket_it_says_so_and_serves(stage, tmp_path, kind):
    balancer = stage.balancer([stage.server()],
                              top=f"log info to {kind}:{tmp_path}/nobody")
    assert stage.get(balancer).status == 200
    assert f"warn nobody takes the log at {tmp_path}/nobody" in balancer.log
    stage.until(lambda: "info listening on" in balancer.log, "the rest is there, too")


def test_a_reader_that_sleeps_holds_up_nothing(stage, reader):
    balancer = stage.balancer([stage.server()],
                              top=f"log info to journald:{reader.path}")

    def lost():
        flap(stage, balancer, 50)
        return balancer.control.get("/v1/status")["log_left_out"] > 0

    stage.until(lost, "lines are lost, and counted")
    assert stage.get(balancer).status == 200
    assert reader.read()
    flap(stage, balancer, 1)
    stage.until(lambda: any("lines were lost, the log was full" in r for r in reader.read()),
                "it is said when it is over")


def test_a_pipe_that_nobody_empties_holds_up_nothing(stage, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
    try:
        balancer = stage.balancer([stage.server()], top=f"log info to {path}")

        def lost():
            flap(stage, balancer, 50)
            return balancer.control.get("/v1/status")["log_left_out"] > 0

        stage.until(lost, "lines are lost, and counted")
        assert stage.get(balancer).status == 200
        read = []

        def told():
            flap(stage, balancer, 1)
            with contextlib.suppress(BlockingIOError):
                read.append(os.read(pipe, 1 << 20).decode())
            return "lines were lost, the log was full" in "".join(read)

        stage.until(told, "it is said when it is over")
    finally:
        os.close(pipe)


def test_a_pipe_without_a_reader_is_refused(stage, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    balancer = stage.balancer([stage.server()])
    text = balancer.configuration.read_text()
    balancer.configuration.write_text(f"log info to {tmp_path}/pipe\n" + text)
    answer = balancer.control.ask("POST", "/v1/reload")
    assert "nobody reads this pipe" in str(answer)
    assert stage.get(balancer).status == 200


def test_a_full_disk_costs_lines_and_is_told(stage, tmp_path):
    balancer = stage.balancer([stage.server()], top="log info to /dev/full")
    flap(stage, balancer, 3)
    assert stage.get(balancer).status == 200
    stage.until(lambda: balancer.control.get("/v1/status")["log_left_out"] >= 3, "it counts")
    text = balancer.configuration.read_text()
    path = tmp_path / "log"
    balancer.configuration.write_text(text.replace("/dev/full", str(path)))
    balancer.control.ask("POST", "/v1/reload")
    stage.until(lambda: path.exists() and "lines were lost, the log was full" in
                path.read_text(), "it is said")


def test_json_lines_are_objects(stage):
    balancer = stage.balancer([stage.server()], top="log info form json")
    stage.until(lambda: "listening on" in balancer.log, "it is said")
    lines = [json.loads(line) for line in balancer.log.splitlines()]
    said = next(line for line in lines if line["message"].startswith("listening on"))
    assert (said["level"], said["threads"]) == ("info", "1")


def test_form_and_place_change_with_a_reload(stage, reader, tmp_path):
    balancer = stage.balancer([stage.server()])
    text = balancer.configuration.read_text()
    path = tmp_path / "file.log"
    balancer.configuration.write_text(f"log info to {path} form json\n" + text)
    balancer.control.ask("POST", "/v1/reload")
    stage.until(lambda: path.exists() and "reloaded" in path.read_text(), "it is in the file")
    assert all(json.loads(line) for line in path.read_text().splitlines())
    balancer.configuration.write_text(f"log info to syslog:{reader.path}\n" + text)
    balancer.control.ask("POST", "/v1/reload")
    stage.until(lambda: any("]: reloaded" in r for r in reader.read()), "it is sent")


def test_the_same_message_is_limited_but_no_answer(stage):
    servers = [stage.port() for _ in range(12)]
    balancer = stage.balancer(servers, top="log info same 3",
                              check="tcp every 20ms timeout 20ms rise 1 fall 1")
    stage.until(lambda: balancer.control.get("/v1/status")["servers_up"] == 0, "all are down")
    flap(stage, balancer, 20)
    balancer.terminate()
    lines = balancer.log.splitlines()
    assert sum("server is down" in line for line in lines) == 3
    assert sum("server is set" in line for line in lines) == 20
    [said] = [line for line in lines if 'message="server is %s"' in line]
    assert "suppressed=9 " in said


def test_what_was_left_out_is_counted(stage):
    balancer = stage.balancer([stage.port() for _ in range(12)], top="log info same 3",
                              check="tcp every 20ms timeout 20ms rise 1 fall 1")
    stage.until(lambda: balancer.control.get("/v1/status")["servers_up"] == 0, "all are down")
    status = balancer.control.get("/v1/status")
    assert (status["log_left_out"], status["access_log_dropped"]) == (9, 0)
    connection = UnixConnection(balancer.socket_path)
    connection.request("GET", "/metrics")
    counts = connection.getresponse().read().decode().splitlines()
    connection.close()
    assert 'balancerd_log_left_out_total{reason="repeated"} 9' in counts
    assert "balancerd_access_log_dropped_total 0" in counts
