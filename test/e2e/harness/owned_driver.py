"""The two ways in which a pool makes servers, as a test sees and troubles them from
outside: processes by /proc, containers by their engine. What the balancer itself says of
them is never asked here.

A test's servers are told from all others by its mark: a variable of their environment
(processes), or the balancer's name in their labels (containers).
"""

import os
import signal
import subprocess
from pathlib import Path

from .engine import sample_image
from .patience import until
from .program import OUT

ORIGIN = OUT / "origin"

# Runs what a test has put there for a server of this name, then becomes the server.
SCRIPT = """#!/bin/sh
[ ! -e "$OWNED_FOLDER/$SERVER_ID" ] || . "$OWNED_FOLDER/$SERVER_ID"
exec "{origin}" "$@"
"""


class Process:
    """One server that is a program of this machine."""

    def __init__(self, pid, name, born):
        self.pid = pid
        self.name = name
        self.id = f"{pid}-{born}"

    def __repr__(self):
        return f"<{self.name} {self.id}>"

    @property
    def runs(self):
        stat = stat_of(self.pid)
        return bool(stat) and stat[0] != "Z" and self.id == f"{self.pid}-{stat[19]}"

    def signal(self, number):
        if self.runs:
            os.kill(self.pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)

    def hang(self):
        self.signal(signal.SIGSTOP)

    remove = kill

    def environment(self):
        return environment_of(self.pid)

    def folder(self):
        return os.readlink(f"/proc/{self.pid}/cwd")

    def group(self):
        return os.getpgid(self.pid)

    def limit(self, name):
        """(soft, hard) as /proc names and has them."""
        lines = Path(f"/proc/{self.pid}/limits").read_text().splitlines()
        line, = (line for line in lines if line.startswith(name))
        return tuple(line.removeprefix(name).split()[:2])


class Container:
    def __init__(self, engine, about):
        self.engine = engine
        self.id = about["Id"]
        self.name = about["Names"][0].strip("/")
        self.seen = about["State"]

    def __repr__(self):
        return f"<{self.name} {self.id[:12]} {self.seen}>"

    @property
    def runs(self):
        return self.engine.runs(self.id)

    def kill(self):
        """One that is not there, or does not run, cannot die any more."""
        answer = self.engine.ask("POST", f"/containers/{self.id}/kill")
        assert answer.status in (204, 404, 409), answer

    def hang(self):
        self.engine.pause(self.id)

    def remove(self):
        self.engine.remove(self.id)

    def environment(self):
        pairs = self.engine.inspect(self.id)["Config"]["Env"]
        return dict(pair.split("=", 1) for pair in pairs)


def stat_of(pid):
    """What /proc/PID/stat has behind the name; [] when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def environment_of(pid):
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


class Processes:
    """Made for one pool of one test."""

    kind = "process"

    def __init__(self, mark, folder):
        self.mark = mark
        self.folder = folder
        self.script = folder / "server"
        self.strangers = []
        folder.mkdir()
        self.mend()

    def settings(self, arguments):
        return [f"command {self.script} {arguments}", f"env OWNED_FOLDER {self.folder}",
                f"env OWNED_MARK {self.mark}"]

    def all(self):
        """Those of this pool: the leader of each process group, dead ones that nobody has
        waited for left out."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            environment = environment_of(entry.name)
            stat = stat_of(entry.name)
            if (environment.get("OWNED_MARK") == self.mark and stat and stat[0] != "Z"
                    and stat[2] == entry.name):
                name = environment.get("SERVER_ID")
                found.append(Process(int(entry.name), name, stat[19]))
        return found

    # ---- what goes wrong ----

    def obstruct(self, name):
        """A server of this name cannot be started."""
        (self.folder / name).write_text("echo out of luck >&2\nexit 3\n")

    def clear(self, name):
        (self.folder / name).unlink()

    def hinder(self):
        """None can be started any more."""
        self.script.unlink()

    def mend(self):
        self.script.write_text(SCRIPT.format(origin=ORIGIN))
        self.script.chmod(0o755)

    trouble = "(?i)no such file"

    def stranger(self, name):
        """Somebody else's, which looks as one of ours does."""
        environment = os.environ | {"SERVER_ID": name, "PORT": "0"}
        process = subprocess.Popen([ORIGIN, "0"], env=environment, start_new_session=True,
                                   stdout=subprocess.DEVNULL)
        self.strangers.append(process)
        return Process(process.pid, name, stat_of(process.pid)[19])

    @staticmethod
    def exists(pid):
        return bool(stat_of(pid)) and stat_of(pid)[0] != "Z"

    def close(self):
        for process in self.strangers:
            process.kill()
            process.wait()


class Containers:
    kind = "docker"

    def __init__(self, mark, folder, engine):
        self.mark = mark
        self.engine = engine
        self.image = sample_image(engine)
        self.network = f"{engine.prefix}owned"
        self.socket_path = folder / "docker.sock"
        self.strangers = {}
        folder.mkdir()
        self.mend()

    def settings(self, arguments):
        return [f"socket {self.socket_path}", f"image {self.image}",
                f"network {self.network}", "port 5000",
                f"command /server {arguments}" if arguments else ""]

    def all(self):
        label = f"org.balancerd.balancer={self.mark}"
        return [Container(self.engine, about)
                for about in self.engine.containers(label, every=True).values()]

    # ---- what goes wrong ----

    def obstruct(self, name):
        self.stranger(name)

    def clear(self, name):
        self.strangers.pop(name).remove()

    def hinder(self):
        """The engine cannot be reached: the socket that the balancer knows has gone."""
        self.socket_path.unlink()

    def mend(self):
        self.socket_path.symlink_to(self.engine.socket)

    trouble = r"docker\.sock"

    def tag(self, name):
        """Our image has this name, too."""
        repository, _, tag = name.partition(":")
        self.engine.call("POST", f"/images/{sample_image(self.engine)}/tag",
                         repo=repository, tag=tag)

    def untag(self, name):
        self.engine.ask("DELETE", f"/images/{name}")

    def stranger(self, name, **labels):
        """Somebody else's of the same image; labels may make it another balancer's."""
        made = self.engine.run(name, self.image, labels={
            label.replace("__", "."): value for label, value in labels.items()})
        found = Container(self.engine, {"Names": [name], "State": "running", "Id": made})
        self.strangers[name] = found
        return found

    def close(self):
        for stranger in self.strangers.values():
            stranger.remove()


def wait_until_gone(driver, within):
    """Nothing is left of this pool; returns what is."""
    try:
        until(lambda: not driver.all(), "all servers have ended", within)
        return []
    except AssertionError:
        left = driver.all()
        for one in left:
            one.remove()
        return left
