"""A terminal with somebody in front of it: tmux, with a server of its own."""

import os
import shlex
import shutil
import subprocess

import psutil

from .balancerctl import FOREIGN
from .patience import PATIENCE, until
from .program import is_gone

# What runs there: a program, and then what it has left of the terminal.
SCRIPT = """trap : INT
stty -g >{folder}/before
{command}
echo "it ended with $?"
stty -g >{folder}/after
echo "over"
exec cat
"""


class Terminal:
    """A program in a terminal of so many columns and lines."""

    def __init__(self, folder, command, size=(100, 24), **variables):
        assert shutil.which("tmux"), "tmux is missing: tools/install-deps test"
        self.folder = folder
        self.socket = folder / "tmux"
        self.environment = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        self.environment |= {"LC_ALL": "C.UTF-8", "TERM": "xterm", **variables}
        self.environment.pop("TMUX", None)
        script = folder / "script"
        script.write_text(SCRIPT.format(folder=shlex.quote(str(folder)),
                                        command=shlex.join(map(str, command))))
        width, height = map(str, size)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height,
                  "sh", str(script))
        self.pid, self.shell = map(int, self.says("#{pid} #{pane_pid}").split())

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-u", "-S", str(self.socket), *words],
                              capture_output=True, text=True, timeout=PATIENCE,
                              env=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def says(self, what):
        return self.tmux("display-message", "-p", what).strip()

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def types(self, text):
        self.tmux("send-keys", "-l", text)

    def resize(self, width, height):
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    @property
    def lines(self):
        return self.tmux("capture-pane", "-p").split("\n")

    @property
    def picture(self):
        return "\n".join(self.lines)

    @property
    def coloured(self):
        """The same with what sets colours."""
        return self.tmux("capture-pane", "-p", "-e")

    def shows(self, *texts, without=()):
        """Waits for a picture that has all of these; returns its lines."""
        seen = None

        def right():
            nonlocal seen
            seen = self.picture
            return (all(text in seen for text in texts) and
                    not any(text in seen for text in without))
        try:
            until(right, texts)
        except AssertionError as error:
            raise AssertionError(f"{error}, not in\n{seen}") from None
        return seen.split("\n")

    @property
    def program(self):
        """The process that was started."""
        return until(lambda: psutil.Process(self.shell).children(), "it runs")[0]

    def ended(self):
        """Waits for its end; its exit code. The terminal is as it was before."""
        lines = self.shows("it ended with ", "over")
        assert (self.folder / "before").read_text() == (self.folder / "after").read_text()
        flags = self.says("#{alternate_on} #{cursor_flag} #{keypad_cursor_flag}")
        assert flags == "0 1 0"
        said, = (line for line in lines if line.startswith("it ended with "))
        return int(said.rsplit(" ", 1)[1])

    def close(self):
        server = psutil.Process(self.pid)
        self.tmux("kill-server")
        until(lambda: is_gone(server), "tmux ends")
