"""A client keeps its server: by a key and a policy that goes by it, or by a cookie."""

import re
from collections import Counter, namedtuple

import pytest

from harness.balancer import config
from harness.server import response

# Of slots with their own functions most of the keys have one server.
POLICIES = ["ring", "maglev", "rendezvous", "slots slots 4096 virtual 100 hash mixed"]

Listener = namedtuple("Listener", "port")  # another one of a balancer

# What is put into the pool, and how a client asks with a key.
KINDS = {
    "key header X-Key": lambda client, key: client.get("/", f"x-key:  {key} "),
    "key cookie id": lambda client, key: client.get(
        f"/{client.sock.getsockname()[1]}", "Cookie: a=1", f"Cookie: id={key}; b=2"),
    "key path": lambda client, key: client.get(f"/{key}?{client.sock.getsockname()[1]}"),
    "key query id": lambda client, key: client.get(f"/x?a&xid=1&id={key}&id=2"),
}


def server_of(answer):
    assert answer.status == 200, answer
    return int(answer.body)


def servers_of(stage, balancer, ask, keys):
    """Which server each key has; each key on a connection of its own."""
    found = {}
    for key in keys:
        client = stage.client(balancer)
        found[key] = server_of(ask(client, key))
        client.close()
    return found


def again(stage, balancer):
    """The same balancer, stopped and started."""
    text = balancer.configuration.read_text()
    assert balancer.terminate() == 0
    return stage.run(text, balancer.port)


# ---- keys of requests ----

@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_keeps_its_server(stage, policy, kind):
    ask = KINDS[kind]
    pool = f"balance {policy}; {kind}"
    balancer = stage.balancer(stage.origins(4), pool=pool, threads=2)
    before = servers_of(stage, balancer, ask, range(20))
    for key in range(3):
        client = stage.client(balancer)
        assert {server_of(ask(client, key)) for _ in range(50)} == {before[key]}
    assert servers_of(stage, balancer, ask, range(20)) == before
    balancer = again(stage, balancer)
    assert servers_of(stage, balancer, ask, range(20)) == before


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", KINDS)
def test_keys_spread(stage, policy, kind):
    balancer = stage.balancer(stage.origins(4), pool=f"balance {policy}; {kind}")
    client = stage.client(balancer)
    spread = Counter(server_of(KINDS[kind](client, f"key{i}")) for i in range(400))
    assert len(spread) == 4 and min(spread.values()) >= 50


@pytest.mark.parametrize("policy", POLICIES)
def test_two_balancers_agree(stage, policy):
    servers = stage.origins(5)
    pool = f"balance {policy}; key header X-Key"
    ask = KINDS["key header X-Key"]
    maps = [servers_of(stage, stage.balancer(order, pool=pool), ask, range(40))
            for order in (servers, servers, servers[::-1])]
    assert maps[0] == maps[1]
    if not policy.startswith("slots"):
        assert maps[0] == maps[2], "the order of the servers does not matter"


def test_a_dead_server_moves_its_keys_and_no_others(stage):
    servers = stage.origins(4)
    ask = KINDS["key query id"]
    balancer = stage.balancer(servers, pool="balance ring; key query id",
                              check="tcp every 100ms rise 1 fall 2")
    before = servers_of(stage, balancer, ask, range(60))
    assert set(before.values()) == {0, 1, 2, 3}
    servers[2].die()
    at_once = servers_of(stage, balancer, ask, range(60))
    balancer.logs("server is down")
    later = servers_of(stage, balancer, ask, range(60))
    for key, server in before.items():
        if server == 2:
            assert at_once[key] != 2
        else:
            assert at_once[key] == server
    assert later == at_once, "tried in vain and known to be down are the same"
    assert len({later[key] for key in before if before[key] == 2}) > 1
    servers[2].listen()
    balancer.logs("server is up")
    assert servers_of(stage, balancer, ask, range(60)) == before


@pytest.mark.parametrize("policy", POLICIES)
def test_a_drained_server_gets_no_key(stage, policy):
    servers = stage.origins(3)
    pool = f"balance {policy}; key path"
    balancer = stage.balancer(servers, pool=pool)
    ask = KINDS["key path"]
    before = servers_of(stage, balancer, ask, range(40))
    drained = [f"{servers[0]} drain", *servers[1:]]
    balancer.reload(config(balancer.port, drained, pool=pool))
    after = servers_of(stage, balancer, ask, range(40))
    assert 0 not in after.values()
    if policy == "ring":
        assert all(after[key] == before[key] for key in before if before[key] != 0)


def shares_of_slots(servers, slots=512, virtual=9):
    """The part of all requests that each server has, as the functions have it."""
    owners = {}
    for i in range(1, servers + 1):
        for j in range(1, virtual + 1):
            slot = (i * i + j * j + 2 * j + 25) % slots
            while slot in owners:
                slot = (slot + 1) % slots
            owners[slot] = i - 1
    shares = Counter()
    for i in range(slots):  # H repeats itself after as many
        slot = (i * i + 2 * i + 17) % slots
        while slot not in owners:
            slot = (slot + 1) % slots
        shares[owners[slot]] += 1 / slots
    return shares


def test_slots_share_as_their_functions_have_it(stage):
    shares = shares_of_slots(3)
    balancer = stage.balancer(stage.origins(3), pool="balance slots; key header X-Key")
    client = stage.client(balancer)
    ask = KINDS["key header X-Key"]
    hits = Counter(server_of(ask(client, f"{100000 + 7 * i}")) for i in range(1000))
    for server in range(3):  # five deviations of 1000 by lot are less than 80
        assert abs(hits[server] - 1000 * shares[server]) < 80


def test_with_slots_who_leaves_renumbers_nobody(stage):
    servers = stage.origins(6)
    balancer = stage.balancer(servers[:5],
                              pool="balance slots slots 65536 hash mixed; key path")
    ask = KINDS["key path"]
    before = servers_of(stage, balancer, ask, range(60))
    assert {1, 2, 3, 4} <= set(before.values())
    assert balancer.control.remove(servers[1]).status == 200
    after = servers_of(stage, balancer, ask, range(60))
    for key, server in before.items():
        assert after[key] == server if server != 1 else after[key] != 1
    assert balancer.control.add(servers[1]).status == 201
    assert servers_of(stage, balancer, ask, range(60)) == before, "it has its slots again"
    assert balancer.control.remove(servers[2]).status == 200
    assert balancer.control.add(servers[5]).status == 201
    replaced = {key: 5 if server == 2 else server for key, server in before.items()}
    assert servers_of(stage, balancer, ask, range(60)) == replaced
    balancer = stage.restart(balancer)
    assert servers_of(stage, balancer, ask, range(60)) == replaced, "nor a restart"


def test_a_server_without_slots_is_refused_and_nothing_changes(stage):
    servers = stage.origins(3)
    balancer = stage.balancer(servers[:2], pool="balance slots slots 20; key path")
    answer = balancer.control.add(servers[2])
    assert answer.status >= 400 and "its servers want 27 slots" in answer.text, answer
    assert len(balancer.control.servers()) == 2
    assert stage.get(balancer).status == 200


def test_pools_have_keys_of_their_own(stage):
    """One listener with two pools, and another with one of them."""
    servers = stage.origins(4)
    port, other = stage.port(), stage.port()
    listed = "\n".join(f"server {server}" for server in servers)
    balancer = stage.run(f"""
        threads 1
        listen http 127.0.0.1:{port} {{ route path /q/ to by-query; to by-header }}
        listen http 127.0.0.1:{other} {{ to by-header }}
        pool by-query {{ balance ring; key query id; check off
            {listed}
        }}
        pool by-header {{ balance ring; key header X-Key; check off
            {listed}
        }}""", port)
    client, second = stage.client(balancer), stage.client(Listener(other))
    for key in range(10):
        by_query = {server_of(client.get(f"/q/?id={key}", f"X-Key: {i}"))
                    for i in range(8)}
        by_header = {server_of(c.get(f"/?id={i}", f"X-Key: {key}"))
                     for i in range(8) for c in (client, second)}
        assert len(by_query) == len(by_header) == 1
        assert by_query == by_header, "a value has the same key wherever it stands"


# ---- keys of clients ----

def servers_of_addresses(stage, balancer, addresses, *fields):
    found = {}
    for address in addresses:
        client = stage.client(balancer, source=address)
        found[address] = server_of(client.get("/", *fields))
        client.close()
    return found


ADDRESSES = [f"127.0.{i // 100}.{i % 100 + 1}" for i in range(120)]


@pytest.mark.parametrize("policy", POLICIES)
def test_an_address_keeps_its_server(stage, policy):
    balancer = stage.balancer(stage.origins(4), pool=f"balance {policy}", threads=2)
    before = servers_of_addresses(stage, balancer, ADDRESSES)
    assert len(set(before.values())) == 4
    assert servers_of_addresses(stage, balancer, ADDRESSES) == before, "whatever the port"
    balancer = again(stage, balancer)
    assert servers_of_addresses(stage, balancer, ADDRESSES) == before


@pytest.mark.parametrize("kind", KINDS)
def test_without_its_key_a_request_goes_by_its_address(stage, kind):
    servers = stage.origins(4)
    by_address = servers_of_addresses(
        stage, stage.balancer(servers, pool="balance ring; key address"), ADDRESSES[:40])
    balancer = stage.balancer(servers, pool=f"balance ring; {kind}")
    if kind == "key path":
        client = stage.client(balancer, source="127.0.0.2")
        asked = [client.ask(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(5)]
        assert {server_of(answer) for answer in asked} == {by_address["127.0.0.2"]}
        return
    assert servers_of_addresses(stage, balancer, ADDRESSES[:40]) == by_address
    empty = ["X-Key:", "Cookie: id=; a=b"]
    assert servers_of_addresses(stage, balancer, ADDRESSES[:40], *empty) == by_address


def test_with_its_port_each_connection_has_a_server(stage):
    balancer = stage.balancer(stage.origins(4), pool="balance ring; key address-port")
    seen = set()
    for _ in range(60):
        client = stage.client(balancer)
        servers = {server_of(client.get("/")) for _ in range(5)}
        assert len(servers) == 1
        seen |= servers
        client.close()
    assert len(seen) == 4


# ---- sticky sessions ----

LINE = re.compile(r"node=([0-9a-f]{16}); Path=/; HttpOnly; SameSite=Lax(; Max-Age=\d+)?")
STICKY = "sticky cookie node"


def named_by(answer):
    """The cookie that the client is given; None when it is given none."""
    line = answer.fields.get("Set-Cookie")
    if line is None:
        return None
    match = LINE.fullmatch(line)
    assert match, line
    return f"node={match[1]}"


def test_the_cookie_is_given_once_and_followed(stage):
    balancer = stage.balancer(stage.origins(4), pool=STICKY, threads=2)
    cookies = {}
    for _ in range(12):
        answer = stage.get(balancer)
        cookies.setdefault(named_by(answer), set()).add(server_of(answer))
    assert len(cookies) == 4 and all(len(servers) == 1 for servers in cookies.values())
    for cookie, servers in cookies.items():
        client = stage.client(balancer)
        answers = [client.get("/", f"Cookie: a=b; {cookie}") for _ in range(50)]
        assert {server_of(answer) for answer in answers} == servers
        assert not any("Set-Cookie" in answer.fields for answer in answers)


@pytest.mark.parametrize("setting, age", [("", None), (" for 1h", "; Max-Age=3600"),
                                          (" for 30s", "; Max-Age=30")])
def test_the_cookie_lives_as_long_as_it_should(stage, setting, age):
    balancer = stage.balancer(stage.origins(1), pool=STICKY + setting)
    assert LINE.fullmatch(stage.get(balancer).fields.get("Set-Cookie"))[2] == age


def test_the_server_gets_the_cookie_as_it_came(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool=STICKY)
    cookie = named_by(stage.get(balancer))
    stage.get(balancer, "/", f"Cookie: a=b; {cookie};c=d", "Cookie: node=x")
    assert server.requests[-1].fields.all("Cookie") == [f"a=b; {cookie};c=d", "node=x"]


@pytest.mark.parametrize("cookie", ["node=", "node=x", "node=0123456789abcdef", "x=1"])
def test_a_cookie_that_names_nobody_is_replaced(stage, cookie):
    balancer = stage.balancer(stage.origins(3), pool=STICKY)
    answers = [stage.get(balancer, "/", f"Cookie: {cookie}") for _ in range(6)]
    assert {server_of(answer) for answer in answers} == {0, 1, 2}
    assert all(named_by(answer) for answer in answers)


def test_a_cookie_is_good_after_a_restart_and_at_another_balancer(stage):
    servers = stage.origins(4)
    balancer = stage.balancer(servers, pool=STICKY)
    first = stage.get(balancer)
    other = stage.balancer(servers[::-1], pool=STICKY)
    for place in (other, again(stage, balancer)):
        for _ in range(8):
            answer = stage.get(place, "/", f"Cookie: {named_by(first)}")
            assert server_of(answer) == server_of(first) and named_by(answer) is None


@pytest.mark.parametrize("setting", ["drain", "weight 0"])
def test_a_server_that_takes_nothing_new_loses_its_clients(stage, setting):
    servers = stage.origins(3)
    balancer = stage.balancer(servers, pool=STICKY)
    first = stage.get(balancer)
    names = [str(server) for server in servers]
    names[server_of(first)] += f" {setting}"
    balancer.reload(config(balancer.port, names, pool=STICKY))
    moved = stage.get(balancer, "/", f"Cookie: {named_by(first)}")
    assert server_of(moved) != server_of(first)
    assert named_by(moved) not in (None, named_by(first))
    for _ in range(6):
        answer = stage.get(balancer, "/", f"Cookie: {named_by(moved)}")
        assert server_of(answer) == server_of(moved) and named_by(answer) is None


@pytest.mark.parametrize("check", ["off", "tcp every 100ms rise 1 fall 1"])
def test_a_dead_server_loses_its_clients(stage, check):
    servers = stage.origins(3)
    balancer = stage.balancer(servers, pool=f"{STICKY}; passive off", check=check)
    first = stage.get(balancer)
    dead = servers[server_of(first)]
    dead.die()
    if check != "off":
        balancer.logs("server is down")
    moved = stage.get(balancer, "/", f"Cookie: {named_by(first)}")
    assert server_of(moved) != server_of(first)
    assert named_by(moved) not in (None, named_by(first))
    dead.listen()
    if check != "off":
        balancer.logs("server is up")
    stays = stage.get(balancer, "/", f"Cookie: {named_by(moved)}")
    assert server_of(stays) == server_of(moved) and named_by(stays) is None
    back = stage.get(balancer, "/", f"Cookie: {named_by(first)}")
    assert server_of(back) == server_of(first) and named_by(back) is None


def test_a_full_server_does_not_keep_its_client_waiting(stage):
    held = []

    def answer_of(name):
        def answer(request, peer):
            if request.target == "/hold":
                held.append(peer)
                return b""
            return response(name)
        return answer

    servers = [stage.server(answer_of(str(i))) for i in range(2)]
    balancer = stage.balancer([f"{server} parallel 1" for server in servers], pool=STICKY)
    first = stage.get(balancer)
    cookie = f"Cookie: {named_by(first)}"
    waiting = stage.aside(stage.get, balancer, "/hold", cookie)
    stage.until(lambda: held, "the server is busy")
    other = stage.get(balancer, "/", cookie)
    assert server_of(other) != server_of(first) and named_by(other) is not None
    held[0].send(response("done"))
    done = waiting.result()
    assert done.body == b"done" and named_by(done) is None
    assert server_of(stage.get(balancer, "/", cookie)) == server_of(first)


def test_pools_name_servers_for_themselves(stage):
    servers = stage.origins(2)
    port, other = stage.port(), stage.port()
    listed = "\n".join(f"server {server}" for server in servers)
    balancer = stage.run(f"""
        threads 1
        listen http 127.0.0.1:{port} {{ route path /a/ to a; to b }}
        listen http 127.0.0.1:{other} {{ to a }}
        pool a {{ sticky cookie node; check off
            {listed}
        }}
        pool b {{ sticky cookie node; check off
            {listed}
        }}""", port)
    client, second = stage.client(balancer), stage.client(Listener(other))
    in_a, in_b = client.get("/a/"), client.get("/")
    assert named_by(second.get("/", f"Cookie: {named_by(in_a)}")) is None
    assert named_by(client.get("/", f"Cookie: {named_by(in_b)}")) is None
    assert named_by(client.get("/", f"Cookie: {named_by(in_a)}")) is not None
    assert named_by(second.get("/", f"Cookie: {named_by(in_b)}")) is not None


BODIES = {
    "length": response("hello"),
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"5\r\nhello\r\n0\r\n\r\n",
    "close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
    "old": b"HTTP/1.0 200 OK\r\n\r\nhello",
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_every_kind_of_response_carries_it(stage, kind, version):
    def answer(request, peer):
        peer.send(BODIES[kind])
        if kind in ("close", "old"):
            peer.close()

    balancer = stage.balancer([stage.server(answer)], pool=STICKY)
    told = stage.client(balancer).ask(f"GET / HTTP/{version}\r\nHost: a\r\n\r\n".encode())
    assert told.body == b"hello" and named_by(told) is not None
    knows = stage.client(balancer).ask(
        f"GET / HTTP/{version}\r\nHost: a\r\nCookie: {named_by(told)}\r\n\r\n".encode())
    assert knows.body == b"hello" and named_by(knows) is None


def test_responses_without_a_body_carry_it(stage):
    def answer(request, peer):
        if request.method == "HEAD":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        return b"HTTP/1.1 304 Not Modified\r\n\r\n"

    client = stage.client(stage.balancer([stage.server(answer)], pool=STICKY))
    for method in ("HEAD", "GET"):
        assert named_by(client.ask(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode()))


def test_the_servers_own_cookies_stay(stage):
    server = stage.server(response("0", "200 OK", "Set-Cookie: a=b", "Set-Cookie: c=d"))
    balancer = stage.balancer([server], pool=STICKY)
    lines = stage.get(balancer).fields.all("Set-Cookie")
    assert lines[:2] == ["a=b", "c=d"] and LINE.fullmatch(lines[2])


def test_interim_responses_carry_none(stage):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    server = stage.server(hints + response("0"))
    client = stage.client(stage.balancer([server], pool=STICKY))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    interim = client.interim()
    assert interim.status == 103 and "Set-Cookie" not in interim.fields
    assert named_by(client.response()) is not None


def test_a_tunnel_carries_none(stage):
    server = stage.server(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                          b"Upgrade: echo\r\n\r\n")
    client = stage.client(stage.balancer([server], pool=STICKY))
    answer = client.get("/", "Connection: upgrade", "Upgrade: echo")
    assert answer.status == 101 and "Set-Cookie" not in answer.fields


def test_our_own_answers_carry_none(stage):
    balancer = stage.balancer([stage.port()], pool=STICKY)
    answer = stage.get(balancer)
    assert answer.status in (502, 503) and "Set-Cookie" not in answer.fields


def test_pipelined_requests_are_told_each(stage):
    balancer = stage.balancer(stage.origins(2), pool=STICKY)
    client = stage.client(balancer)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 4)
    assert all(named_by(client.response()) for _ in range(4))


def test_the_longest_head_has_room_for_the_longest_name(stage):
    name = "n" * 255
    filler = [f"X-Filler: {'x' * 1000}"] * 15
    balancer = stage.balancer([stage.server(response("0", "200 OK", *filler))],
                              pool=f"sticky cookie {name} for 1h")
    answer = stage.get(balancer)
    assert answer.status == 200 and len(answer.fields.all("X-Filler")) == 15
    line = answer.fields.get("Set-Cookie")
    assert line.startswith(f"{name}=") and line.endswith("; Max-Age=3600")
