"""The control interface of a running balancer, spoken as any program would: HTTP with
JSON over its UNIX socket."""

import http.client
import json
import socket
from urllib.parse import quote

from .patience import PATIENCE


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("balancerd", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.fields = response.headers
        self.text = response.read().decode()
        self.json = json.loads(self.text) if self.text else None

    @property
    def code(self):
        """The error's name for programs, None where there is no error."""
        return self.json.get("error", {}).get("code") if self.json else None

    def __repr__(self):
        return f"{self.status} {self.text}"


class Control:
    """One connection for each question, as balancerctl does it."""

    def __init__(self, path):
        self.path = path

    def ask(self, method, target, body=None, **fields):
        connection = UnixConnection(self.path)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, target, text, fields)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, target):
        answer = self.ask("GET", target)
        assert answer.status == 200, answer
        return answer.json

    def add(self, server, pool="web", **more):
        return self.ask("POST", f"/v1/pools/{pool}/servers",
                        {"address": str(server), **more})

    def set(self, server, pool="web", **what):
        return self.ask("PATCH", f"/v1/pools/{pool}/servers/{quote(str(server), '')}", what)

    def remove(self, server, pool="web", query=""):
        target = f"/v1/pools/{pool}/servers/{quote(str(server), '')}"
        return self.ask("DELETE", target + query)

    def servers(self, pool="web"):
        """Each server's facts, by its address."""
        answer = self.get(f"/v1/pools/{pool}/servers")
        return {server["address"]: server for server in answer["servers"]}
