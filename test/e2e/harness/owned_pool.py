"""A balancer with one pool, `web`, that owns its servers; who asks for more or fewer of
them; and what is to be seen of that."""

import json
import os
import re
from types import SimpleNamespace
from uuid import uuid4

from .balancerctl import Control as CommandLine
from .client import RawClient
from .owned_driver import Containers, Processes, wait_until_gone
from .patience import PATIENCE, until

OWN = {"min": 3, "max": 10, "start-time": "9s", "stop-time": "5s", "drain-time": "8s",
       "starts-per-minute": 600}
CHECK = "http /heartbeat every 100ms timeout 5s rise 1 fall 1"


def replicas(names):
    """What /rep has to answer, to the byte."""
    listed = ",".join(f'"{name}"' for name in names)
    message = f'{{"N":{len(names)},"replicas":[{listed}]}}'
    return f'{{"message":{message},"status":"successful"}}'


def failure(message):
    said = json.dumps(message, ensure_ascii=False)
    return f'{{"message":{said},"status":"failure"}}'


class OwnedPool:
    """`own` are settings of the block of that name, with _ for -; env is a list."""

    def __init__(self, stage, kind, engine=None, start=True, **settings):
        self.stage = stage
        self.mark = "t" + uuid4().hex[:9]
        self.prefix = f"{self.mark}-S"
        folder = stage.directory / self.mark
        self.driver = (Processes(self.mark, folder) if kind == "process" else
                       Containers(self.mark, folder, engine))
        self.settings = settings
        self.port = stage.port()
        self.leaves = False             # servers stay when the balancer has ended
        self.complaints = []
        self.balancer = None
        stage.servers.append(self)      # for close()
        if start:
            self.start()

    def __str__(self):
        return f"pool {self.mark}"

    def text(self, **changes):
        """The configuration, with these settings beside those that it was made with."""
        given = self.settings | changes
        rest = {"top": "", "listen": "", "pool": "", "check": CHECK, "env": (),
                "arguments": "", "threads": os.environ.get("BALANCERD_THREADS", "1")}
        rest |= {name: given.pop(name) for name in list(given) if name in rest}
        own = OWN | {"names": self.prefix}
        own |= {name.replace("_", "-"): value for name, value in given.items()}
        lines = [f"threads {rest['threads']}", "drain 5s", *rest["top"].split(";"),
                 f"listen http 127.0.0.1:{self.port} {{", "admin legacy", "to web",
                 *rest["listen"].split(";"), "}",
                 "pool web {", f"check {rest['check']}" if rest["check"] else "",
                 *rest["pool"].split(";"),
                 f"own {self.driver.kind} {{", *self.driver.settings(rest["arguments"]),
                 *(f"env {variable}" for variable in rest["env"]),
                 *(f"{name} {value}" for name, value in own.items() if value is not None),
                 "}", "}"]
        return "\n".join(line.strip() for line in lines if line.strip()) + "\n"

    # ---- the balancer ----

    def start(self):
        self.balancer = self.stage.run(self.text(), self.port, "--name", self.mark,
                                       "--socket", "control.sock")

    def start_again(self):
        """The same balancer, after its end."""
        self.balancer = self.stage.start(self.balancer.again())

    def reload(self, **changes):
        self.settings |= changes
        return self.balancer.reload(self.text())

    def ctl(self, *words):
        return CommandLine(self.balancer.socket_path)(*words)

    # ---- its servers ----

    def names(self, *numbers):
        """Those that are made up."""
        return [f"{self.prefix}{number}" for number in numbers]

    def all(self):
        """What there is of it, whatever it does, in the order of names."""
        return sorted(self.driver.all(), key=lambda one: (natural(one.name), one.id))

    def ids(self):
        return {one.id for one in self.all()}

    def one(self, name):
        found = [one for one in self.all() if one.name == name]
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def serving(self):
        return json.loads(self.rep().text)["message"]["replicas"]

    def until_serving(self, names, within=2 * PATIENCE):
        """Waits until exactly these serve, or so many."""
        def there():
            now = self.serving()
            return now == names or len(now) == names
        try:
            until(there, f"serving: {names}", within)
        except AssertionError as error:
            now = f"{self.serving()}, {self.all()}"
            raise AssertionError(f"{error}; it is {now}") from None

    def until_left(self, count):
        """Those that were to end have ended."""
        until(lambda: len(self.all()) == count, f"{count} are left")

    def until_replaced(self, lost, within=2 * PATIENCE):
        """This one is gone, and another of its name serves."""
        def there():
            now = [one for one in self.all() if one.name == lost.name]
            return (len(now) == 1 and now[0].id != lost.id and now[0].runs
                    and lost.name in self.serving() and now[0])
        return until(there, f"{lost} is replaced", within)

    # ---- those who ask ----

    def ask(self, method, target, body=None, *fields):
        """Any request, on a connection of its own; what a program would see of it."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        data = b"" if body is None else body.encode()
        lines = [f"{method} {target} HTTP/1.1", "Host: test", "Connection: close",
                 *fields]
        if body is not None:
            lines.append(f"Content-Length: {len(data)}")
        client = RawClient(self.port)
        client.sock.settimeout(4 * PATIENCE)
        try:
            answer = client.ask("\r\n".join([*lines, "", ""]).encode() + data, method)
        finally:
            client.close()
        return SimpleNamespace(status=answer.status, text=answer.body.decode(),
                               fields=answer.fields)

    def rep(self):
        return self.ask("GET", "/rep")

    def add(self, n, *names):
        return self.ask("POST", "/add", {"n": n, "hostnames": list(names)})

    def remove(self, n, *names):
        return self.ask("DELETE", "/rm", {"n": n, "hostnames": list(names)})

    def home(self, query=""):
        """Who answers."""
        answer = self.ask("GET", f"/home{query}")
        assert answer.status == 200, (answer.status, answer.text)
        found = re.fullmatch(r'{"message":"Hello from Server: (\S+)",'
                             r'"status":"successful"}\n?', answer.text)
        assert found, answer.text
        return found[1]

    # ---- what the balancer says of it ----

    def about(self):
        return self.balancer.control.get("/v1/pools/web")

    def own(self):
        return self.balancer.control.get("/v1/pools/web/owned")

    def in_flight(self):
        """Requests that servers have."""
        return self.about()["in_flight"]

    def close(self):
        """After the balancer's end."""
        if self.leaves:
            for one in self.all():
                one.remove()
        if left := wait_until_gone(self.driver, PATIENCE):
            self.complaints.append(f"servers were left: {left}")
        self.driver.close()


def natural(name):
    return [int(part) if part.isdigit() else part
            for part in re.split(r"(\d+)", name or "")]
