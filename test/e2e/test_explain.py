"""What explain says is what then happens; and asking changes nothing."""

import pytest

from harness.balancer import config
from harness.balancerctl import Control

BY_KEY = ["ring", "maglev", "rendezvous", "slots slots 4096 virtual 100 hash mixed",
          "ring bounded 20%"]


def explain(balancer, **what):
    answer = balancer.control.ask("POST", "/v1/explain", what)
    assert answer.status == 200, answer
    return answer.json


def refused(balancer, **what):
    answer = balancer.control.ask("POST", "/v1/explain", what)
    assert answer.status == 400, answer
    return answer.json["error"]["message"]


def answering(stage, balancer, origins, key):
    """The address of whoever answers a request with this key."""
    return str(origins[int(stage.get(balancer, "/", f"X-Key: {key}").body)])


@pytest.mark.parametrize("policy", BY_KEY)
def test_who_is_named_answers(stage, policy):
    origins = stage.origins(5)
    balancer = stage.balancer(origins, pool=f"balance {policy}; key header X-Key")
    for key in range(20):
        said = explain(balancer, url="/", headers=[f"x-key: {key}"])
        assert said["key"]["of"] == "header X-Key" and said["key"]["value"] == str(key)
        assert said["server"] == answering(stage, balancer, origins, key)


def test_the_next_of_the_ranking_answers_when_the_first_is_drained(stage):
    origins = stage.origins(4)
    balancer = stage.balancer(origins, pool="balance ring; key header X-Key")
    said = explain(balancer, url="/", headers=["X-Key: 7"])
    order = sorted(said["servers"], key=lambda server: server["rank"])
    assert order[0]["address"] == said["server"]
    assert balancer.control.set(order[0]["address"], drain=True).status == 200
    assert answering(stage, balancer, origins, 7) == order[1]["address"]
    drained, = [server for server in explain(balancer, url="/")["servers"]
                if not server["may"]]
    assert drained["address"] == order[0]["address"]
    assert drained["rank"] is None and drained["why_not"] == "it is being drained"


def test_a_client_without_the_header_goes_by_its_address(stage):
    origins = stage.origins(3)
    balancer = stage.balancer(origins, pool="balance ring; key header X-Key")
    said = explain(balancer, url="/", client="127.0.0.1:1")
    assert said["key"]["of"] == "the client's address"
    assert said["server"] == str(origins[int(stage.get(balancer).body)])


def test_a_cookie_names_the_server(stage):
    origins = stage.origins(3)
    balancer = stage.balancer(origins, pool="sticky cookie home")
    answer = stage.get(balancer)
    cookie = answer.fields.get("Set-Cookie").split(";")[0]
    said = explain(balancer, url="/", headers=[f"Cookie: a=1; {cookie}"])
    assert said["server"] == str(origins[int(answer.body)])
    assert said["why"] == "its cookie names this server"


def test_where_turns_decide_nobody_is_named(stage):
    balancer = stage.balancer(stage.origins(2), pool="balance round-robin")
    said = explain(balancer, url="/")
    assert said["server"] is None and said["goes_by"] == "turn"
    assert [server["may"] for server in said["servers"]] == [True, True]


def noted(balancer):
    """All figures of the servers, but for how long ago "recent" begins."""
    servers = balancer.control.servers()
    for server in servers.values():
        assert server["recent"].pop("span_ms") > 0
    return servers


def test_asking_is_noted_nowhere(stage):
    idle, busy = (stage.server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n0\n%d\n"
                               % (len(load) + 3, int(load))) for load in ("7", "20"))
    balancer = stage.balancer([busy, idle], pool="balance least-load",
                              check="http /load every 1h")
    stage.until(lambda: len(idle.requests) == len(busy.requests) == 1, "both are probed")
    stage.until(lambda: explain(balancer, url="/")["server"] == str(idle), "it is known")
    before = noted(balancer)
    for _ in range(50):  # a choice that was noted would make it the busier one
        assert explain(balancer, url="/")["server"] == str(idle)
    assert noted(balancer) == before
    assert len(idle.requests) == len(busy.requests) == 1


def test_the_route_is_named(stage):
    port, (origin,) = stage.port(), stage.origins(1)
    text = (f"listen http 127.0.0.1:{port} {{ route host api.example.com path /v1/ to api;"
            f" route path /old to api }}\npool api {{ server {origin} }}\n")
    balancer = stage.run(text, port)
    said = explain(balancer, url=f"http://API.example.com:{port}/v1/x?y")
    assert said["route"] == {"number": 1, "host": "api.example.com", "path": "/v1/"}
    assert explain(balancer, url="/old")["route"]["number"] == 2
    said = explain(balancer, url="/v1/x")
    assert said["route"] is None and said["server"] is None
    assert said["why"] == "no route fits: it would be answered with 404"


def test_a_connection_goes_by_its_client(stage):
    origins = stage.origins(3)
    balancer = stage.balancer(origins, kind="tcp", pool="balance ring")
    said = explain(balancer, listener=f"127.0.0.1:{balancer.port}", client="127.0.0.1:9")
    assert said["key"]["of"] == "the client's address"
    assert said["server"] == str(origins[int(stage.get(balancer).body)])


@pytest.mark.parametrize("what,message", [
    ({}, "a request has a url, a connection a listener"),
    ({"url": "/", "client": "nobody"}, "a client is an address and a port"),
    ({"url": "/", "client": "example.com:80"}, "a client is an address and a port"),
    ({"url": "/", "headers": ["no colon"]}, "Name: value"),
    ({"url": "/", "headers": ["A: b\r\nHost: other"]}, "Name: value"),
    ({"url": "/", "headers": [7]}, "Name: value"),
    ({"url": "/", "method": "GET /x"}, "this would be no request"),
    ({"url": "/", "headers": ["Content-Length: x"]}, "this would be no request"),
    ({"url": "http://example.com:1/"}, 'no such "listen http": there is 127.0.0.1:'),
    ({"listener": ":1"}, 'no such "listen tcp": there is none'),
    ({"listener": "x y:z"}, ""),
    ({"url": "/" + "a" * 9000}, "this would be no request"),
])
def test_what_could_not_be_asked_is_refused(stage, what, message):
    balancer = stage.balancer(stage.origins(1))
    assert message in refused(balancer, **what)


def test_balancerctl_prints_it(stage, tmp_path):
    origins = stage.origins(2)
    balancer = stage.balancer(origins, pool="balance ring; key header X-Key")
    ctl = Control(balancer.socket_path, home=tmp_path)
    done = ctl("explain", "GET", "http://example.com/a", "-H", "X-Key: 5",
               "--client", "192.0.2.1:7")
    assert done.code == 0 and done.err == "", done
    facts = dict(line.split("\t", 1) for line in done.lines[:6])
    assert facts["listener"] == f"127.0.0.1:{balancer.port}"
    assert facts["pool"] == "web, balance ring"
    assert facts["key"].startswith("header X-Key: 5 (")
    assert facts["takes it"] == answering(stage, balancer, origins, 5)
    ranks = [line.split("\t")[1] for line in done.lines[6:]]
    assert sorted(ranks) == ["1", "2"]
    assert ctl("explain", "/", "--json").json["pool"] == "web"
    assert "Name: value" in ctl("explain", "/", "-H", "nonsense").failed(2)


def test_balancerctl_explains_a_connection(stage, tmp_path):
    balancer = stage.balancer(stage.origins(2), kind="tcp", pool="balance ring")
    ctl = Control(balancer.socket_path, home=tmp_path)
    done = ctl("explain", f"127.0.0.1:{balancer.port}")
    assert done.code == 0 and "\ntakes it\t127.0.0.1:" in done.out, done
