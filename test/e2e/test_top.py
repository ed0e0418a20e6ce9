"""balancerctl top in a real terminal: what it shows, what its keys do, how it ends."""

import re
import signal

import pytest

from harness.balancer import config
from harness.balancerctl import BALANCERCTL, Control, FakeControl
from harness.patience import until
from harness.terminal import Terminal


class Watch:
    """A balancer with some servers, and top in front of it."""

    def __init__(self, stage, tmp_path):
        self.stage = stage
        self.folder = tmp_path
        self.terminals = []
        self.origins = stage.origins(3)
        self.balancer = stage.balancer(self.origins)

    def top(self, *words, socket=None, command=None, **how):
        folder = self.folder / f"terminal{len(self.terminals)}"
        folder.mkdir()
        terminal = Terminal(folder, command or [BALANCERCTL, "top", *words],
                            BALANCERD_SOCKET=str(socket or self.balancer.socket_path),
                            ASAN_OPTIONS="exitcode=99", **how)
        self.terminals.append(terminal)
        return terminal

    def close(self):
        for terminal in self.terminals:
            terminal.close()


@pytest.fixture
def watch(stage, tmp_path):
    watch = Watch(stage, tmp_path)
    yield watch
    watch.close()


def server_of(balancer, address):
    """What the control interface says of it."""
    return balancer.control.servers()[address]


def order(lines):
    """The addresses, from the top to the bottom."""
    return [line.split()[0] for line in lines if line.startswith("  127.0.0.1")]


def choose(terminal, watch, number):
    """The line of a server; they are in the order of their addresses."""
    place = by_address(watch).index(watch.origins[number])
    terminal.keys("Home", "Down", *["Down"] * place)


def by_address(watch):
    return sorted(watch.origins, key=lambda origin: int(str(origin).rsplit(":")[-1]))


def test_servers_are_shown_and_their_order_changes(watch):
    slow, fast = by_address(watch)[0], by_address(watch)[2]
    control = watch.balancer.control
    assert control.set(str(fast), weight=9).status == 200
    terminal = watch.top()
    lines = terminal.shows("balancerd default", "SERVER", "web", "3/3 up", str(slow),
                           str(fast))
    assert order(lines) == [str(origin) for origin in by_address(watch)]
    terminal.types("sss")       # by name, by state, by weight
    lines = terminal.shows("in order of WEIGHT")
    assert order(lines)[0] == str(fast)
    terminal.types("S")
    lines = terminal.shows("in order of WEIGHT, reversed")
    assert order(lines)[-1] == str(fast)
    terminal.types("<<<")
    lines = terminal.shows("in order of SERVER, reversed")
    assert order(lines)[0] == str(fast)
    terminal.keys("q")
    assert terminal.ended() == 0


def test_rates_are_those_of_the_balancer(watch):
    terminal = watch.top()
    load = watch.stage.load(watch.balancer, 3)
    pattern = re.compile(r", ([1-9][\d.]*k?) requests/s")
    until(lambda: pattern.search(terminal.picture), "requests are counted")
    load.result()
    terminal.shows(", 0 requests/s")
    line, = (line for line in terminal.lines if line.startswith("web "))
    assert float(line.split()[6]) > 0       # P50: it stays
    terminal.keys("q")
    assert terminal.ended() == 0


def test_a_server_is_drained_and_enabled_by_key(watch):
    terminal = watch.top()
    terminal.shows("3/3 up")
    choose(terminal, watch, 1)
    terminal.keys("d")
    address = str(watch.origins[1])
    lines = terminal.shows(f"draining {address} in pool web", "2/3 up")
    line, = (line for line in lines if line.startswith(f"  {address}"))
    assert line.split()[1] == "draining"
    assert server_of(watch.balancer, address)["state"] == "draining"
    terminal.keys("e")
    terminal.shows(f"enabled {address}", "3/3 up")
    assert server_of(watch.balancer, address)["state"] == "up"


def test_a_weight_is_asked_for(watch):
    address = str(watch.origins[2])
    terminal = watch.top()
    terminal.shows("3/3 up")
    choose(terminal, watch, 2)
    terminal.types("w")
    terminal.shows(f"weight of {address}: _")
    terminal.types("57")
    terminal.keys("BSpace", "Enter")
    terminal.shows(f"weight 5 for {address} in pool web")
    assert server_of(watch.balancer, address)["weight"] == 5
    terminal.types("wmuch")
    terminal.keys("Enter")
    terminal.shows('"much"')
    assert server_of(watch.balancer, address)["weight"] == 5


def test_a_server_is_removed_only_when_that_is_confirmed(watch):
    address = str(watch.origins[0])
    terminal = watch.top()
    terminal.shows("3/3 up")
    choose(terminal, watch, 0)
    terminal.types("r")
    terminal.shows(f"remove {address} from pool web? y/n")
    terminal.types("n")
    terminal.shows("q quit")
    assert server_of(watch.balancer, address)["state"] == "up"
    terminal.types("r")
    terminal.shows("? y/n")
    terminal.types("y")
    terminal.shows(f"removed {address} from pool web", "2/2 up")
    addresses = watch.balancer.control.servers()
    assert address not in addresses and len(addresses) == 2


def test_a_pool_is_no_server(watch):
    terminal = watch.top()
    terminal.shows("3/3 up")
    terminal.keys("Home")
    terminal.types("r")
    terminal.shows("choose a server first")
    terminal.types("y")
    terminal.types("d")
    assert all(server["state"] == "up"
               for server in watch.balancer.control.servers().values())


def test_a_filter_leaves_out_what_has_not_the_word(watch):
    one, *others = map(str, watch.origins)
    terminal = watch.top()
    terminal.shows("3/3 up")
    terminal.types("/" + one)
    terminal.keys("Enter")
    rows_of_others = [f"  {other} " for other in others]
    terminal.shows(f", with {one}", f"  {one} ", without=rows_of_others)
    terminal.keys("/", "Escape")
    terminal.shows(*rows_of_others, without=[", with "])


def test_it_fits_whatever_size_the_terminal_has(watch):
    terminal = watch.top(size=(120, 30))
    terminal.shows("REASON", "3/3 up")
    for width, height in ((60, 10), (20, 4), (5, 2), (1, 1), (300, 90), (60, 10)):
        terminal.resize(width, height)
        until(lambda h=height: len(terminal.lines) == h + 1, "tmux has that size")
    lines = terminal.shows("balancerd default", "ERR/S", "q", without=["REASON"])
    assert order(lines) and max(map(len, lines)) <= 60
    terminal.resize(120, 30)
    terminal.shows("REASON", "3/3 up", "q quit")
    terminal.keys("q")
    assert terminal.ended() == 0


def test_many_servers_are_moved_through_on_a_small_terminal(stage, watch):
    port = stage.port()
    text = config(port, [f"127.0.0.1:{20000 + i}" for i in range(100)])
    balancer = stage.run(text, port)
    terminal = watch.top(socket=balancer.socket_path, size=(60, 10))
    terminal.shows("127.0.0.1:20000", without=["127.0.0.1:20099"])
    terminal.keys("End")
    terminal.shows("127.0.0.1:20099", without=["127.0.0.1:20000"])
    terminal.keys("PPage")
    terminal.shows("127.0.0.1:20093", without=["127.0.0.1:20099"])
    terminal.keys("d")
    terminal.shows("draining 127.0.0.1:20093")
    assert server_of(balancer, "127.0.0.1:20093")["drain"]
    terminal.keys("Home")
    terminal.shows("127.0.0.1:20000")


@pytest.mark.parametrize("how", ["C-c", signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_is_given_back(watch, how):
    terminal = watch.top()
    terminal.shows("3/3 up")
    assert terminal.says("#{alternate_on} #{cursor_flag}") == "1 0"
    if isinstance(how, str):
        terminal.keys(how)
    else:
        terminal.program.send_signal(how)
    assert terminal.ended() == 0


def test_a_balancer_that_goes_away_is_waited_for(watch):
    terminal = watch.top()
    terminal.shows("3/3 up")
    assert watch.balancer.terminate() == 0
    terminal.shows("it does not answer", "no balancer is running", "trying again",
                   str(watch.origins[0]))
    watch.stage.start(watch.balancer.again())
    terminal.shows("3/3 up", without=["it does not answer", "trying again"])


def test_pause_and_help(watch):
    terminal = watch.top()
    terminal.shows("3/3 up")
    terminal.types("p")
    terminal.shows(", paused")
    terminal.types("h")
    terminal.shows("drain the server", without=["WEIGHT"])
    terminal.types("hp")
    terminal.shows("WEIGHT", without=["paused"])


def test_the_reason_of_a_server_that_is_down_is_told(stage, watch):
    port = stage.port()
    balancer = stage.run(config(port, [f"127.0.0.1:{stage.port()}"], check="tcp"),
                         port)
    until(lambda: any(server["state"] == "down"
                      for server in balancer.control.servers().values()), "it is down")
    terminal = watch.top(socket=balancer.socket_path, size=(60, 10))
    terminal.shows("0/1 up")
    terminal.keys("Down")
    terminal.shows("down", ": connection refused")
    assert "\x1b[31m" in terminal.coloured


def test_no_colours_where_none_are_wanted(watch):
    coloured = watch.top()
    coloured.shows("3/3 up")
    assert "\x1b[32m" in coloured.coloured
    plain = watch.top(NO_COLOR="1")
    plain.shows("3/3 up")
    assert not re.search(r"\x1b\[[\d;]*3[1-7]m", plain.coloured)


def test_names_of_any_script_keep_the_columns(watch, tmp_path):
    name = "日本語のプール名がとても長いので切る"
    fake = FakeControl(tmp_path / "fake.sock", {
        ("GET", "/v1/status"): (200, {"name": "fäke", "version": "1", "pid": 1}),
        ("GET", "/v1/listeners"): (200, {"listeners": []}),
        ("GET", "/v1/pools"): (200, {"pools": [{"name": name, "servers": [
            {"address": "a:1", "state": "up", "weight": 7, "reason": "\x1b[2Jx"}]}]})})
    try:
        terminal = watch.top(socket=fake.path, size=(60, 10))
        lines = terminal.shows("fäke", "日本語", "…", "1/1 up", "a:1")
        assert "\x1b" not in "".join(lines)
        pool, = (line for line in lines if line.startswith("日本語"))
        server, = (line for line in lines if line.startswith("  a:1"))
        wide = sum(ord(character) > 0x2fff for character in pool)
        assert pool.index("1/1") + wide - server.index("up") == 0
        terminal.keys("q")
        assert terminal.ended() == 0
    finally:
        fake.close()


def test_one_picture_as_text(watch):
    done = Control(watch.balancer.socket_path)("top", "--once")
    assert done.code == 0 and done.err == "" and "\x1b" not in done.out
    assert done.lines[0].startswith("balancerd default ")
    assert order(done.lines) == [str(origin) for origin in by_address(watch)]
    of_one = Control(watch.balancer.socket_path)("top", "--once", "--pool", "web")
    assert order(of_one.lines) == order(done.lines)
    Control(watch.balancer.socket_path)("top", "--once", "--pool", "x").failed(5)


def test_elsewhere_than_on_a_terminal_it_says_what_to_use(watch):
    said = Control(watch.balancer.socket_path)("top", stdin="").failed(2)
    assert "needs a terminal" in said
    assert "balancerctl list" in said and "balancerctl status" in said
    assert "list --json" in Control(watch.balancer.socket_path)("top", "--json").failed(2)


def test_a_terminal_that_cannot_be_drawn_on_is_named(watch):
    for kind in ("dumb", "no-such-terminal"):
        terminal = watch.top(command=["env", f"TERM={kind}", BALANCERCTL, "top"])
        lines = terminal.shows(f'kind "{kind}"', "balancerctl list")
        assert terminal.ended() == 2, lines


def test_without_a_balancer_it_does_not_begin(tmp_path):
    said = Control(tmp_path / "none.sock")("top", "--once").failed(3)
    assert "no balancer is running" in said
