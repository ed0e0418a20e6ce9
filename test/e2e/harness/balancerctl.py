"""What stands at a control socket: balancerctl as a person types it, and a stand-in for
the daemon that gives the answers a test wants, good and odd ones."""

import json
import os
import pty
import socketserver
import subprocess
import threading
from http.server import BaseHTTPRequestHandler

from .patience import PATIENCE
from .program import OUT

BALANCERCTL = OUT / "balancerctl"

# What the environment of whoever runs the tests must not decide.
FOREIGN = ("BALANCERD_SOCKET", "NO_COLOR", "RUNTIME_DIRECTORY", "STATE_DIRECTORY",
           "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "http_proxy", "ALL_PROXY")


class Done:
    """How balancerctl ended and what it said."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self):
        return f"exit code {self.code}\n{self.out}{self.err}"

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def json(self):
        return json.loads(self.out)

    def failed(self, code):
        """The one line that says why."""
        assert self.code == code, self
        lines = self.err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("balancerctl: "), self
        assert self.out == "", self
        return lines[0].removeprefix("balancerctl: ")

    def did(self):
        """The one line that says what was done."""
        assert self.code == 0 and self.err == "", self
        assert len(self.lines) == 1, self
        return self.lines[0]


class Control:
    """A command line with its environment: where the socket is."""

    def __init__(self, socket=None, home=None):
        self.environment = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        self.environment |= {"ASAN_OPTIONS": "exitcode=99", "TERM": "xterm"}
        if socket is not None:
            self.environment["BALANCERD_SOCKET"] = str(socket)
        if home is not None:
            self.environment["HOME"] = str(home)

    def __call__(self, *words, program=BALANCERCTL, cwd=None, stdin=None, **options):
        done = subprocess.run([program, *map(str, words)], capture_output=True, text=True,
                              timeout=PATIENCE, cwd=cwd, env=self.environment,
                              input=stdin, **options)
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *words):
        """The process, still running, with pipes."""
        return subprocess.Popen([BALANCERCTL, *map(str, words)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=self.environment)

    def on_terminal(self, *words):
        """What a person sees: both outputs on one terminal; (exit code, text)."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen([BALANCERCTL, *map(str, words)], stdin=theirs,
                                   stdout=theirs, stderr=theirs, env=self.environment)
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 65536):
                seen += piece
        except OSError:     # the terminal's way to say that nobody writes any more
            pass
        os.close(ours)
        return process.wait(PATIENCE), seen.decode().replace("\r\n", "\n")


class FakeControl:
    """Answers at a socket. `answers` is {(method, path): (status, object)}; an object
    may be bytes, and an answer a function of the body, or a list of answers of which
    the last one stays. What was asked is in `asked`: (method, path, body, fields)."""

    def __init__(self, path, answers):
        self.path = path
        self.answers = answers
        self.asked = []
        self.closing = threading.Event()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                stand_in.asked.append((self.command, self.path,
                                       json.loads(body) if body else None, self.headers))
                stand_in.answer(self, body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_):
                pass

            def address_string(self):
                return "unix"

        class Server(socketserver.ThreadingMixIn, self.kind()):
            daemon_threads = True

        self.server = Server(self.place(), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @staticmethod
    def kind():
        return socketserver.UnixStreamServer

    def place(self):
        return str(self.path)

    def answer(self, handler, body):
        key = handler.command, handler.path
        answer = self.answers.get(key, (404, {"error": {
            "code": "path-unknown", "message": f"nothing at {handler.path}"}}))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(body)
        if answer is None:          # silence
            self.closing.wait(PATIENCE)
            return
        status, what = answer
        text = what if isinstance(what, bytes) else json.dumps(what).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def changes(self):
        """What was asked to be changed: (method, path, body)."""
        return [one[:3] for one in self.asked if one[0] != "GET"]

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class FakeTcpControl(FakeControl):
    @staticmethod
    def kind():
        return socketserver.TCPServer

    def place(self):
        return ("127.0.0.1", 0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"
