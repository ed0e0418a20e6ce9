"""/metrics: what Prometheus reads is what happened."""

import re
import shutil
import subprocess
import time

import pytest

from harness.control import UnixConnection
from harness.server import response

OPENMETRICS = "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"


def scrape(balancer, accept=None):
    connection = UnixConnection(balancer.socket_path)
    try:
        connection.request("GET", "/metrics", headers={"Accept": accept} if accept else {})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
        return answer.headers["Content-Type"], text
    finally:
        connection.close()


def samples(balancer):
    """The value of each sample, by its name and labels as they stand there."""
    lines = scrape(balancer)[1].splitlines()
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def labels(pool="web", **more):
    return "{" + ",".join(f'{k}="{v}"' for k, v in ({"pool": pool} | more).items()) + "}"


def test_promtool_has_nothing_to_say(stage):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian's package prometheus)")
    balancer = stage.balancer([*stage.origins(2), "unix:/run/odd\\name"])
    for _ in range(5):
        stage.get(balancer)
    kind, text = scrape(balancer)
    assert kind.startswith("text/plain; version=0.0.4")
    done = subprocess.run([promtool, "check", "metrics"], input=text, text=True,
                          capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_openmetrics_is_given_to_who_asks(stage):
    balancer = stage.balancer(stage.origins(1))
    kind, text = scrape(balancer, OPENMETRICS)
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("\n# EOF\n")
    assert "# TYPE balancerd_pool_retries counter\n" in text
    assert not scrape(balancer)[1].endswith("# EOF\n")


def test_requests_are_counted_by_class(stage):
    def answer(request, peer):
        status = request.target.strip("/")
        return response("12345", f"{status} Text") if status else None
    server = stage.server(answer)
    balancer = stage.balancer([server])
    for status, count in ((200, 5), (404, 3), (503, 2)):
        for _ in range(count):
            assert stage.get(balancer, f"/{status}").status == status
    found = samples(balancer)
    for name, where in (("balancerd_pool", labels), ("balancerd_server", labels)):
        own = {"server": server} if name.endswith("server") else {}
        counted = [found[f"{name}_responses_total" + where(**own, **{"class": c})]
                   for c in ("2xx", "3xx", "4xx", "5xx")]
        assert counted == [5, 0, 3, 2]
    assert found["balancerd_pool_sent_bytes_total" + labels()] == 50
    assert found["balancerd_server_requests_total" + labels(server=server)] == 10


def test_bodies_are_counted_both_ways(stage):
    balancer = stage.balancer([stage.server(response(b"x" * 7000))])
    client = stage.client(balancer)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n" + b"y" * 3000)
    assert client.response("POST").status == 200
    found = samples(balancer)
    assert found["balancerd_pool_received_bytes_total" + labels()] == 3000
    assert found["balancerd_pool_sent_bytes_total" + labels()] == 7000


def test_a_server_that_is_down_says_why(stage):
    port = stage.port()
    balancer = stage.balancer([f"127.0.0.1:{port}"], check="tcp every 100ms fall 1")
    where = labels(server=f"127.0.0.1:{port}")
    stage.until(lambda: samples(balancer)["balancerd_server_up" + where] == 0, "it is down")
    assert re.search(r'balancerd_server_down_info\{.*reason="[^"]*refused', scrape(balancer)[1])
    assert stage.get(balancer).status == 503
    found = samples(balancer)
    assert found["balancerd_pool_errors_total" + labels(kind="no_server_up")] == 1


def test_times_are_what_clients_see(stage):
    def slow(request, peer):
        time.sleep(0.2)
        return response()
    balancer = stage.balancer([stage.server(slow)])
    for _ in range(3):
        stage.get(balancer)
    found = samples(balancer)
    median = found["balancerd_pool_request_duration_quantile_seconds"
                   + labels(quantile="0.5")]
    assert median >= 0.2 * 0.99
    assert found["balancerd_pool_request_duration_seconds_bucket" + labels(le="0.1")] == 0
    assert found["balancerd_pool_request_duration_seconds_count" + labels()] == 3
    assert found["balancerd_pool_request_duration_seconds_sum" + labels()] >= 0.6 * 0.99
    times = balancer.control.get("/v1/pools/web")["times"]
    assert times["count"] == 3 and abs(times["p50_ms"] / 1000 - median) < 0.001


def test_requests_need_not_be_metered(stage):
    balancer = stage.balancer(stage.origins(1), top="metrics off")
    assert [stage.get(balancer).status for _ in range(3)] == [200] * 3
    found = samples(balancer)
    [requests] = [value for name, value in found.items()
                  if name.startswith("balancerd_listener_requests_total")]
    assert requests == 3
    assert not [name for name in found
                if "_responses" in name or "_duration" in name or "_bytes_total" in name
                and "stream" not in name]
