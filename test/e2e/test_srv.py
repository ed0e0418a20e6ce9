"""Servers that name servers know: SRV records, before a real name server whose records change
while the balancer runs."""

import json
import socket
import subprocess
import threading

import pytest

from harness.asker import Asker
from harness.balancer import BALANCERD
from harness.name_server import NameServer, Record
from harness.patience import PATIENCE
from harness.server import response

NAME = "_http._tcp.web.test"


@pytest.fixture
def names(stage):
    server = NameServer()
    stage.servers.append(server)
    server.addresses["one.test"] = ["127.0.0.1"]
    server.addresses["two.test"] = ["127.0.0.1"]
    return server


@pytest.fixture
def start(stage, names):
    """A balancer with one pool, web, of what NAME leads to."""
    def start(*lines, pool="", top="", every="1s"):
        port = stage.port()
        balancer = stage.run(
            f"resolve every {every} from {names.address}\nthreads 1\n{top}\n"
            f"listen http 127.0.0.1:{port} {{ to web }}\n"
            f"pool web {{ {pool}\nserver srv {NAME}\n" + "\n".join(lines) + "\n}\n", port)
        balancer.logs("listening on")   # the first answers have been waited for, or nearly
        return balancer
    return start


def weights(balancer):
    return {name: server["weight"] for name, server in balancer.control.servers().items()}


def serves(stage, balancer, wanted):
    """Waits until the pool has these servers, with these weights."""
    stage.until(lambda: weights(balancer) == wanted, f"the pool has {wanted}")


def srv_of(balancer):
    return balancer.control.get("/v1/pools/web")["srv"][0]


def test_records_become_servers_with_their_ports_and_weights(stage, names, start):
    one, two = stage.origins(2)
    names.services[NAME] = [Record("one.test", one.port, 3), Record("TWO.test", two.port, 1)]
    balancer = start()
    assert weights(balancer) == {f"one.test:{one.port}": 3, f"two.test:{two.port}": 1}
    assert stage.spread(balancer, 40) == {0: 30, 1: 10}
    facts = balancer.control.servers()[f"one.test:{one.port}"]
    assert facts["from"] == "srv" and facts["srv"] == NAME
    srv = srv_of(balancer)
    assert (srv["name"], srv["known"], srv["servers"], srv["reason"]) == (NAME, True, 2, "")


def test_servers_come_go_and_weigh_otherwise_without_losing_what_is_known(
        stage, names, start):
    one, two = stage.origins(2)
    first, second = f"one.test:{one.port}", f"two.test:{two.port}"
    names.services[NAME] = [Record("one.test", one.port, 1)]
    balancer = start()
    client = stage.client(balancer)
    assert {client.get("/").body for _ in range(5)} == {b"0"}
    names.services[NAME] = [Record("two.test", two.port, 2), Record("one.test", one.port, 7)]
    serves(stage, balancer, {first: 7, second: 2})
    assert balancer.control.servers()[first]["requests"] == 5
    assert stage.spread(balancer, 90) == {0: 70, 1: 20}
    names.services[NAME] = [Record("two.test", two.port, 2)]
    serves(stage, balancer, {second: 2})
    assert stage.spread(balancer, 5) == {1: 5}
    assert client.get("/").status == 200            # its connection has lived through all
    events = [event for event in balancer.control.get("/v1/events?follow=0")["events"]
              if event["kind"] in ("server-added", "server-set", "server-removed")]
    assert [(event["kind"], event["server"]) for event in events] == [
        ("server-added", first), ("server-set", first), ("server-added", second),
        ("server-removed", first)]


def test_a_server_that_goes_finishes_what_it_has(stage, names, start):
    asked, go_on = threading.Event(), threading.Event()

    def late(request, peer):
        asked.set()
        assert go_on.wait(PATIENCE)
        return response("late")

    slow, other = stage.server(late), stage.origins(1)[0]
    names.services[NAME] = [Record("one.test", slow.port)]
    balancer = start()
    waiting = stage.aside(stage.get, balancer)
    assert asked.wait(PATIENCE)
    names.services[NAME] = [Record("two.test", other.port)]
    serves(stage, balancer, {f"two.test:{other.port}": 1})
    assert stage.get(balancer).body == b"0"
    leaving = balancer.control.get("/v1/leaving")["servers"]
    assert [server["address"] for server in leaving] == [f"one.test:{slow.port}"]
    go_on.set()
    assert waiting.result().body == b"late"


def test_of_several_priorities_the_first_serves_alone(stage, names, start):
    one, two = stage.origins(2)
    both = [Record("two.test", two.port, priority=20), Record("one.test", one.port, priority=10)]
    names.services[NAME] = both
    balancer = start()
    assert stage.spread(balancer, 6) == {0: 6}
    assert srv_of(balancer)["priority"] == 10
    names.services[NAME] = both[:1]
    serves(stage, balancer, {f"two.test:{two.port}": 1})
    assert stage.spread(balancer, 6) == {1: 6}
    names.services[NAME] = both
    serves(stage, balancer, {f"one.test:{one.port}": 1})


@pytest.mark.parametrize("trouble, said", [
    ("NXDOMAIN", "NXDOMAIN"), ("SERVFAIL", "SERVFAIL"), ("REFUSED", "SERVFAIL"),
    ("silence", "no name server answers"), (b"\xc0\x0c\x00\x21\x00\x01garbage", "cannot be read"),
    (b"\xff" * 40, "cannot be read")])
def test_trouble_keeps_the_last_servers_and_is_said_once(stage, names, start, trouble, said):
    one, two = stage.origins(2)
    names.services[NAME] = [Record("one.test", one.port)]
    balancer = start()
    names.fails[NAME] = trouble
    stage.until(lambda: srv_of(balancer)["failures"] >= 2, "two look-ups have failed", 40)
    assert weights(balancer) == {f"one.test:{one.port}": 1}
    assert stage.spread(balancer, 3) == {0: 3}
    lines = balancer.logs("service is not found, its last servers stay")
    assert len(lines) == 1 and said in lines[0]
    assert said in srv_of(balancer)["reason"]
    names.services[NAME] = [Record("two.test", two.port)]
    del names.fails[NAME]
    serves(stage, balancer, {f"two.test:{two.port}": 1})
    balancer.logs("service is found again")


def test_another_kind_of_trouble_is_said_too(stage, names, start):
    names.fails[NAME] = "NXDOMAIN"
    balancer = start()
    balancer.logs("service is not found pool=web.*NXDOMAIN")
    names.fails[NAME] = "SERVFAIL"
    balancer.logs("service is not found pool=web.*SERVFAIL")


def test_records_of_nothing_are_no_answer(stage, names, start):
    one = stage.origins(1)[0]
    names.services[NAME] = [Record("one.test", one.port)]
    balancer = start()
    names.services[NAME] = [Record("one.test", 0), Record("a b.test", 80)]
    balancer.logs("no record has a host and a port")
    assert weights(balancer) == {f"one.test:{one.port}": 1}
    names.services[NAME] = []
    balancer.logs("the name has no such record")
    assert stage.get(balancer).body == b"0"


def test_a_record_may_say_that_nobody_serves(stage, names, start):
    one = stage.origins(1)[0]
    names.services[NAME] = [Record("one.test", one.port)]
    balancer = start()
    assert stage.get(balancer).status == 200
    names.services[NAME] = [Record(".", 0)]
    serves(stage, balancer, {})
    assert stage.get(balancer).status == 503
    assert "nobody serves" in srv_of(balancer)["reason"]
    names.services[NAME] = [Record("one.test", one.port)]
    serves(stage, balancer, {f"one.test:{one.port}": 1})
    assert stage.get(balancer).status == 200


def test_a_start_goes_on_without_a_name_server_and_finds_it_later(stage, names, start):
    one = stage.origins(1)[0]
    names.fails[NAME] = "silence"
    balancer = start()
    assert stage.get(balancer).status == 503 and weights(balancer) == {}
    assert srv_of(balancer)["known"] is False
    names.services[NAME] = [Record("one.test", one.port)]
    del names.fails[NAME]
    serves(stage, balancer, {f"one.test:{one.port}": 1})
    assert stage.get(balancer).body == b"0"


def test_two_hundred_servers_come_over_tcp_and_more_than_there_may_be_are_left_out(
        stage, names, start):
    one = stage.origins(1)[0]
    for number in range(300):
        names.addresses[f"n{number}.test"] = [f"127.0.1.{number % 250 + 1}"]
    names.services[NAME] = [Record(f"n{number}.test", one.port) for number in range(200)]
    balancer = start()
    assert len(weights(balancer)) == 200
    assert (NAME, "SRV", "udp") in names.asked and (NAME, "SRV", "tcp") in names.asked
    stage.until(lambda: all(names.times_asked(f"n{number}.test", "A") for number in range(200)),
                "all are looked up")
    names.services[NAME] = [Record(f"n{number}.test", one.port, 2 if number == 299 else 1)
                            for number in range(300)]
    balancer.logs("service has 44 servers more than are used")
    stage.until(lambda: len(weights(balancer)) == 256, "as many as there may be")
    assert weights(balancer)[f"n299.test:{one.port}"] == 2
    assert srv_of(balancer)["left_out"] == 44
    assert 'balancerd_pool_srv_left_out{pool="web"} 44' in metrics(balancer)


def metrics(balancer):
    client = socket.socket(socket.AF_UNIX)
    with client:
        client.connect(str(balancer.socket_path))
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        parts = []
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def test_a_cut_answer_is_asked_for_again_over_tcp(stage, names, start):
    one = stage.origins(1)[0]
    names.cuts = True
    names.services[NAME] = [Record("one.test", one.port)]
    balancer = start()
    assert stage.get(balancer).body == b"0"
    assert ("one.test", "A", "tcp") in names.asked


def test_an_alias_is_followed_and_hosts_may_be_of_ipv6(stage, names, start):
    names.aliases[NAME] = "real.test"
    names.addresses["six.test"] = ["::1"]
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    with listener:
        port = listener.getsockname()[1]
        names.services["real.test"] = [Record("six.test", port)]
        balancer = start()
        answer = stage.aside(stage.get, balancer)
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(response("six"))
            assert answer.result().body == b"six"


def test_names_of_other_servers_are_asked_of_the_same_name_server(stage, names, start):
    one = stage.origins(1)[0]
    names.services[NAME] = [Record(".", 0)]
    names.addresses["plain.test"] = ["127.0.0.1"]
    balancer = start(f"server plain.test:{one.port}")
    assert stage.get(balancer).body == b"0"
    names.addresses["plain.test"] = ["127.0.0.9"]
    balancer.logs(f"name resolves to another address.*127.0.0.9:{one.port}")


def test_records_last_as_long_as_they_say(stage, names, start):
    one = stage.origins(1)[0]
    names.services[NAME] = [Record("one.test", one.port, ttl=3600)]
    names.services["_short._tcp.web.test"] = [Record("one.test", one.port, ttl=0)]
    names.services["_other._tcp.web.test"] = [Record("one.test", one.port, ttl=0)]
    start("}\npool short { server srv _short._tcp.web.test", every="30s")
    # Never oftener than every 5 s, and so no more than twice within this wait.
    stage.until(lambda: names.times_asked("_short._tcp.web.test") == 2, "asked again", 15)
    assert names.times_asked(NAME) == 1


# ---- before it runs ----

def check(path):
    done = subprocess.run([BALANCERD, "check", "--resolve", path], capture_output=True,
                          text=True, timeout=60)
    return done.returncode, done.stdout, sorted(done.stderr.splitlines())


@pytest.fixture
def file(names, tmp_path):
    path = tmp_path / "lb.conf"
    path.write_text(f"resolve from {names.address}\nlisten http 127.0.0.1:8080 {{ to web }}\n"
                    f"pool web {{ server srv {NAME}; server srv _b.test; server plain.test:1 }}\n")
    return path


def test_check_looks_all_up_and_says_what_is_there(names, file):
    names.services[NAME] = [Record("one.test", 80), Record("two.test", 81)]
    names.services["_b.test"] = [Record("10.0.0.1", 80)]
    names.addresses["plain.test"] = ["::1"]
    assert check(file) == (
        0, f"{file} is good: 1 listener, 1 pool, 1 server and those of 2 names\n", [])


def test_check_names_what_is_wrong_with_place_and_remedy(names, file):
    names.services[NAME] = [Record("one.test", 80), Record("nowhere.test", 81)]
    names.services["_b.test"] = [Record(".", 0)]
    assert check(file) == (1, "", [
        "balancerd: server nowhere.test:81 of pool web, to which the SRV records of "
        f"{NAME} lead, has no address: cannot resolve \"nowhere.test\": there is no such name "
        f"(NXDOMAIN); ask for the name at {names.address}",
        'balancerd: server plain.test:1 of pool web has no address: cannot resolve "plain.test": '
        "there is no such name (NXDOMAIN)",
        "balancerd: server srv _b.test of pool web leads to no server: the record says that "
        f"nobody serves; ask for its SRV records at {names.address}, or see \"resolve from\""])
    names.fails["_b.test"] = "silence"
    code, _, lines = check(file)
    assert code == 1
    assert any("_b.test of pool web leads to no server: no name server answers" in line
               for line in lines), lines


# ---- beside files and changes ----

def test_servers_stay_over_a_reload_while_no_name_server_answers(stage, names, start):
    one = stage.origins(1)[0]
    server = f"one.test:{one.port}"
    names.services[NAME] = [Record("one.test", one.port, 4)]
    balancer = start()
    assert stage.get(balancer).body == b"0"
    names.fails[NAME] = "silence"
    text = balancer.configuration.read_text()
    balancer.reload(text.replace("threads 1", "threads 1\ndrain 9s"))
    assert weights(balancer) == {server: 4}
    assert balancer.control.servers()[server]["requests"] == 1
    assert stage.get(balancer).body == b"0"
    # A pool that does not name them any more has them no more.
    balancer.reload(text.replace(NAME, "_other._tcp.web.test"))
    assert weights(balancer) == {}


def test_a_reload_asks_at_once(stage, names, start):
    one, two = stage.origins(2)
    names.services[NAME] = [Record("one.test", one.port, ttl=3600)]
    balancer = start(every="1h")
    names.services[NAME] = [Record("two.test", two.port, ttl=3600)]
    balancer.reload(balancer.configuration.read_text())
    serves(stage, balancer, {f"two.test:{two.port}": 1})


def test_what_people_change_holds_over_what_records_say_and_lasts(stage, names, start):
    one, two = stage.origins(2)
    first, second = f"one.test:{one.port}", f"two.test:{two.port}"
    records = [Record("one.test", one.port, 2), Record("two.test", two.port, 2)]
    names.services[NAME] = records
    balancer = start()
    assert balancer.control.set(first, drain=True).status == 200
    assert balancer.control.set(second, weight=9).status == 200
    names.services[NAME] = [Record("one.test", one.port, 5), Record("two.test", two.port, 5)]
    serves(stage, balancer, {first: 5, second: 9})
    assert balancer.control.servers()[first]["state"] == "draining"
    # Also over a restart, although the name server answers only later.
    names.fails[NAME] = "SERVFAIL"
    balancer = stage.restart(balancer)
    assert weights(balancer) == {first: 5, second: 9}
    del names.fails[NAME]
    serves(stage, balancer, {first: 5, second: 9})
    assert balancer.control.servers()[first]["state"] == "draining"
    # Who has gone and comes back is a new one.
    names.services[NAME] = records[1:]
    serves(stage, balancer, {second: 9})
    names.services[NAME] = records
    serves(stage, balancer, {first: 2, second: 9})
    stage.until(lambda: balancer.control.servers()[first]["state"] == "up", "it serves")


def test_a_server_that_is_written_down_too_is_as_it_is_written(stage, names, start):
    one = stage.origins(1)[0]
    server = f"one.test:{one.port}"
    names.services[NAME] = [Record("one.test", one.port, 5)]
    balancer = start(f"server {server} weight 2")
    assert weights(balancer) == {server: 2}
    assert balancer.control.servers()[server]["from"] == "file"
    text = balancer.configuration.read_text()
    balancer.reload(text.replace(f"server {server} weight 2", ""))
    serves(stage, balancer, {server: 5})


def test_show_prints_the_name_and_not_what_it_leads_to(stage, names, start):
    one = stage.origins(1)[0]
    names.services[NAME] = [Record("one.test", one.port)]
    balancer = start()
    config = balancer.control.get("/v1/config")
    assert f"server srv {NAME}" in config["text"] and "one.test" not in config["text"]
    assert f"resolve every 1s from {names.address}" in config["text"]
    pool = next(s for s in config["json"] if s["words"] == ["pool", "web"])
    assert ["server", "srv", NAME] in [s["words"] for s in pool["block"]]
    diff = balancer.control.get("/v1/config/diff")
    assert diff["changes"] == []
    assert [line for line in diff["lines"] if not line.startswith(" ")] == []


def test_too_many_servers_for_a_table_are_refused_and_the_last_ones_stay(stage, names, start):
    one = stage.origins(1)[0]
    names.services[NAME] = [Record("one.test", one.port)]
    balancer = start(pool="balance slots slots 16 virtual 9")
    names.services[NAME] = [Record("one.test", one.port), Record("two.test", one.port)]
    balancer.logs("service is not found, its last servers stay.*slots")
    assert weights(balancer) == {f"one.test:{one.port}": 1}


# ---- what names stand for outlives the process ----

PLAIN = "plain.test"


@pytest.fixture
def kept(stage, names, start):
    """A balancer with a server of a record and one by name, which both answer, and whose
    record is on the disk."""
    one, two = stage.origins(2)
    names.services[NAME] = [Record("one.test", one.port, 2)]
    names.addresses[PLAIN] = ["127.0.0.1"]
    balancer = start(f"server {PLAIN}:{two.port} weight 3")
    wanted = {f"one.test:{one.port}": 2, f"{PLAIN}:{two.port}": 3}
    serves(stage, balancer, wanted)
    assert stage.spread(balancer, 5) == {0: 2, 1: 3}
    stage.until(lambda: len(record(balancer).get("addresses", {})) == 2, "it is kept")
    balancer.wanted = wanted
    return balancer


def record_path(balancer):
    paths = [path for path in balancer.state_path.glob("names-*") if path.suffix == ".json"]
    assert len(paths) <= 1
    return paths[0] if paths else None


def record(balancer, pool="web"):
    """What the record in the state folder says of the pool."""
    path = record_path(balancer)
    return json.loads(path.read_text())["pools"].get(pool, {}) if path else {}


def fail_all(names, how):
    for name in (NAME, PLAIN, "one.test", "two.test"):
        names.fails[name] = how


FAILURES = pytest.mark.parametrize("trouble", ["silence", "SERVFAIL", "REFUSED", "gone"])


def break_names(stage, names, trouble):
    if trouble == "gone":
        names.close()
        stage.servers.remove(names)
    else:
        fail_all(names, trouble)


@pytest.fixture
def asker(stage):
    """Makes askers that are closed whatever happens."""
    def asker(balancer, **options):
        asking = Asker(balancer.port, **options)
        stage.clients.append(asking)
        return asking
    return asker


@FAILURES
def test_a_start_after_a_crash_begins_with_what_names_stood_for(
        stage, names, kept, asker, trouble):
    break_names(stage, names, trouble)
    kept.kill()
    asking = asker(kept, patient=True)      # it is there before the balancer is
    balancer = stage.start(kept.again())
    balancer.logs("listening on", times=2)
    balancer.logs("answers of .* are used until name servers answer servers_of_srv=1 addresses=2")
    assert weights(balancer) == kept.wanted
    assert srv_of(balancer)["known"] is True
    asking.goes_on()
    asking.close()
    assert stage.spread(balancer, 10) == {0: 4, 1: 6}
    assert asking.wrong == []


@FAILURES
def test_an_upgrade_hands_on_what_names_stand_for(stage, names, kept, asker, trouble):
    asking = asker(kept)
    asking.goes_on()
    break_names(stage, names, trouble)
    kept.upgrade()
    kept.logs("answers of .* are used until name servers answer servers_of_srv=1 addresses=2")
    asking.goes_on()
    asking.close()
    assert weights(kept) == kept.wanted
    assert stage.spread(kept, 10) == {0: 4, 1: 6}
    assert asking.wrong == []


def test_a_start_with_a_record_takes_what_a_name_server_says_at_once(stage, names, kept):
    kept.kill()
    three = stage.server(response("2"))
    names.services[NAME] = [Record("two.test", three.port, 4)]
    balancer = stage.start(kept.again())
    balancer.logs("listening on", times=2)
    # Before it listens, unless the answer takes more than half a second.
    stage.until(lambda: weights(balancer).get(f"two.test:{three.port}") == 4, "it is used")
    assert stage.spread(balancer, 7) == {2: 4, 1: 3}
    stage.until(lambda: record(balancer)["srv"] == {NAME: {f"two.test:{three.port}": 4}},
                "the record follows")


def test_an_address_that_changed_while_it_was_away_is_used_at_once(stage, names, kept):
    kept.kill()
    names.addresses[PLAIN] = ["127.0.0.9"]
    balancer = stage.start(kept.again())
    balancer.logs("name resolves to another address.*plain.test.*address=127.0.0.9")


def test_names_that_are_no_longer_in_the_file_leave_the_record(stage, names, kept):
    text = kept.configuration.read_text()
    kept.reload(text.replace(f"server srv {NAME}", ""))
    stage.until(lambda: "srv" not in record(kept), "the name has left")
    assert list(record(kept)["addresses"]) == [next(n for n in kept.wanted if PLAIN in n)]
    kept.reload("\n".join("server 127.0.0.1:1" if PLAIN in line else line for line in
                          text.replace(f"server srv {NAME}", "").splitlines()))
    stage.until(lambda: record_path(kept) is None, "the record has gone")


def test_the_end_writes_what_has_changed(stage, names, kept):
    names.services[NAME] = [Record("one.test", 1, 7)]
    serves(stage, kept, {"one.test:1": 7} | {n: w for n, w in kept.wanted.items() if PLAIN in n})
    assert kept.terminate() == 0
    assert record(kept)["srv"] == {NAME: {"one.test:1": 7}}


@pytest.mark.parametrize("damage, said", [
    (lambda text: text[:len(text) // 2], "is no JSON"),
    (lambda text: "", "is no JSON"),
    (lambda text: text.replace('"format": 1', '"format": 99'), "not of format 1"),
    (lambda text: text.replace("balancerd.conf", "other.conf"), "not of what this balancer"),
    (lambda text: text.replace('127.0.0.1', 'unix:/run/x'), "pool \"web\" cannot be")])
def test_a_record_that_cannot_be_read_is_said_and_replaced(stage, names, kept, damage, said):
    kept.kill()
    path = record_path(kept)
    path.write_text(damage(path.read_text()))
    balancer = stage.start(kept.again())
    line = balancer.logs("what names stood for last cannot be read")[0]
    assert said in line and str(path) in line and "goes on without it, and replaces it" in line
    serves(stage, balancer, kept.wanted)
    stage.until(lambda: record_or_none(path) is not None, "it is replaced")


def record_or_none(path):
    try:
        found = json.loads(path.read_text())
    except ValueError:
        return None
    return found if found["format"] == 1 and "unix:" not in str(found) and \
        found["serves"].endswith("/balancerd.conf") else None


def test_a_record_that_the_pool_cannot_have_does_not_hinder_a_start(stage, names, start):
    one = stage.origins(1)[0]
    names.services[NAME] = [Record("one.test", one.port), Record("two.test", one.port)]
    balancer = start()
    stage.until(lambda: len(record(balancer).get("addresses", {})) == 2, "it is kept")
    balancer.kill()
    names.services[NAME] = [Record("one.test", one.port)]
    text = balancer.configuration.read_text()
    balancer.configuration.write_text(text.replace("pool web { ", "pool web { balance slots "
                                                   "slots 16 virtual 9\n"))
    balancer = stage.start(balancer.again())
    balancer.logs("what names stood for last, in .*, cannot be used: .*slots")
    serves(stage, balancer, {f"one.test:{one.port}": 1})


def without_a_place(stage, names, tmp_path):
    """A server, and a balancer whose state folder would be below a file."""
    one = stage.origins(1)[0]
    names.services[NAME] = [Record("one.test", one.port)]
    (tmp_path / "file").write_text("")
    port = stage.port()
    balancer = stage.run(
        f"resolve every 1s from {names.address}\nlisten http 127.0.0.1:{port} {{ to web }}\n"
        f"pool web {{ server srv {NAME} }}\n", port, STATE_DIRECTORY=tmp_path / "file" / "state")
    return one, balancer


def test_where_nothing_can_be_written_it_is_said_once_and_serves(stage, names, tmp_path):
    one, balancer = without_a_place(stage, names, tmp_path)
    balancer.logs("what names stand for is not kept, .*; give a folder that can be written")
    names.services[NAME] = [Record("one.test", one.port, 5)]
    serves(stage, balancer, {f"one.test:{one.port}": 5})
    assert len(balancer.logs("what names stand for is not kept")) == 1
    assert stage.get(balancer).body == b"0"


@pytest.mark.parametrize("ends", [False, True])
def test_what_could_not_be_written_is_written_once_it_can_be(stage, names, tmp_path, ends):
    one, balancer = without_a_place(stage, names, tmp_path)
    balancer.logs("what names stand for is not kept")
    (tmp_path / "file").unlink()
    if ends:
        assert balancer.terminate() == 0

    def kept_servers():
        return [json.loads(path.read_text())["pools"]["web"]["srv"][NAME]
                for path in tmp_path.glob("file/state/names-*.json")]
    if not ends:
        stage.until(kept_servers, "it is written, though nothing has changed since")
    assert kept_servers() == [{f"one.test:{one.port}": 1}]


def test_without_a_state_folder_nothing_is_kept(stage, names):
    one = stage.origins(1)[0]
    names.services[NAME] = [Record("one.test", one.port)]
    port = stage.port()
    balancer = stage.run(
        f"resolve every 1s from {names.address}\nlisten http 127.0.0.1:{port} {{ to web }}\n"
        f"pool web {{ server srv {NAME} }}\n", port, STATE_DIRECTORY=None, HOME=None,
        XDG_STATE_HOME=None)
    serves(stage, balancer, {f"one.test:{one.port}": 1})
    assert stage.get(balancer).body == b"0"


def test_an_upgrade_finds_the_servers_anew(stage, names, start):
    one = stage.origins(1)[0]
    names.services[NAME] = [Record("one.test", one.port, 3)]
    balancer = start()
    client = stage.client(balancer)
    assert client.get("/").body == b"0"
    balancer.upgrade()
    assert weights(balancer) == {f"one.test:{one.port}": 3}
    assert [stage.get(balancer).body for _ in range(5)] == [b"0"] * 5


def test_tcp_sessions_stay_while_their_server_weighs_otherwise(stage, names):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, server = stage.port(), listener.getsockname()[1]
        names.services[NAME] = [Record("one.test", server, 1)]
        balancer = stage.run(
            f"resolve every 1s from {names.address}\nlisten tcp 127.0.0.1:{port} {{ to web }}\n"
            f"pool web {{ redistribute off; server srv {NAME} }}\n", port)
        balancer.logs("listening on")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(b"a")
            session = listener.accept()[0]
            while (first := session.recv(1)) == b"":    # the harness looked whether it accepts
                session.close()
                session = listener.accept()[0]
            names.services[NAME] = [Record("two.test", server, 1), Record("one.test", server, 9)]
            serves(stage, balancer, {f"one.test:{server}": 9, f"two.test:{server}": 1})
            session.sendall(b"b")
            assert first == b"a" and client.recv(1) == b"b"
            session.close()


def test_a_server_of_two_names_stays_until_the_last_lets_go(stage, names, start):
    other = "_other._tcp.web.test"
    shared, second = stage.origins(2)
    both, mine = f"one.test:{shared.port}", f"two.test:{second.port}"
    full = [Record("one.test", shared.port, 2), Record("two.test", second.port, 2)]
    names.services[NAME] = names.services[other] = full
    balancer = start(f"server srv {other}")
    serves(stage, balancer, {both: 2, mine: 2})
    client = stage.client(balancer)

    def answers(number):
        return next(srv for srv in balancer.control.get("/v1/pools/web")["srv"]
                    if srv["name"] == (NAME, other)[number])

    def until_told(number, servers):
        stage.until(lambda: client.get("/").status == 200 and
                    answers(number)["servers"] == servers, f"name {number} has {servers}")

    for dropping, keeping in ((0, 1), (1, 0)):
        names.fails[(NAME, other)[keeping]] = "SERVFAIL"    # what it has been told stays
        names.services[(NAME, other)[dropping]] = full[1:]
        until_told(dropping, 1)
        assert weights(balancer) == {both: 2, mine: 2}
        assert stage.spread(balancer, 4) == {0: 2, 1: 2}
        names.services[(NAME, other)[dropping]] = full
        del names.fails[(NAME, other)[keeping]]
        until_told(dropping, 2)
    # Of two weights the larger holds; the last one takes it along.
    names.services[NAME] = [Record("one.test", shared.port, 3), full[1]]
    serves(stage, balancer, {both: 3, mine: 2})
    names.services[NAME] = full[1:]
    serves(stage, balancer, {both: 2, mine: 2})
    names.services[other] = full[1:]
    serves(stage, balancer, {mine: 2})
    assert client.get("/").status == 200
    kinds = [(event["kind"], event["server"]) for event
             in balancer.control.get("/v1/events?follow=0")["events"]
             if event.get("server") == both]
    assert [kind for kind, _ in kinds] == ["server-added", "server-set", "server-set",
                                           "server-removed"]


@pytest.mark.parametrize("trouble", ["SERVFAIL", "silence", "NXDOMAIN"])
def test_servers_without_addresses_take_nobodys_place(stage, names, start, asker, trouble):
    one, two = stage.origins(2)
    first, second = f"one.test:{one.port}", f"two.test:{two.port}"
    names.services[NAME] = [Record("one.test", one.port)]
    balancer = start()
    asking = asker(balancer)
    names.fails["two.test"] = trouble
    names.services[NAME] = [Record("two.test", two.port)]
    balancer.logs("service is not found, its last servers stay.*none of its servers has an address")
    asking.goes_on()
    assert weights(balancer) == {first: 1}
    # One that has an address is enough, beside others that have none.
    names.services[NAME] = [Record("two.test", two.port), Record("127.0.0.1", one.port)]
    serves(stage, balancer, {second: 1, f"127.0.0.1:{one.port}": 1})
    asking.goes_on()
    del names.fails["two.test"]
    names.services[NAME] = [Record("two.test", two.port)]
    serves(stage, balancer, {second: 1})
    asking.goes_on()
    asking.close()
    assert stage.spread(balancer, 3) == {1: 3}
    assert asking.wrong == []


def test_nothing_is_lost_while_servers_change(stage, names, start):
    origins = stage.origins(4)
    for number in range(4):
        names.addresses[f"h{number}.test"] = ["127.0.0.1"]
    every = [Record(f"h{number}.test", origin.port) for number, origin in enumerate(origins)]
    names.services[NAME] = every
    balancer = start()
    client = stage.client(balancer)

    def changed(wanted):
        assert client.get("/").status == 200
        return weights(balancer) == wanted

    for count in (1, 3, 2, 4):
        names.services[NAME] = every[:count]
        wanted = {f"h{n}.test:{origins[n].port}": 1 for n in range(count)}
        stage.until(lambda wanted=wanted: changed(wanted), f"{count} servers")
