"""doc/tutorial.md, typed as it stands: what the commands print is what it says."""

import os
import pathlib
import re
import subprocess

from harness.balancerctl import FOREIGN
from harness.patience import PATIENCE
from harness.ports import Port
from harness.program import OUT

TUTORIAL = pathlib.Path(__file__).resolve().parents[2] / "doc" / "tutorial.md"
SERVERS = ("9001", "9002", "9003")
PORTS = ("8080", "8090", *SERVERS)


def steps():
    """Each command with what is said to come of it, in the order of the text."""
    for block in re.findall(r"^```console\n(.*?)^```", TUTORIAL.read_text(), re.M | re.S):
        lines = block.splitlines()
        while lines:
            command = [lines.pop(0).removeprefix("$ ")]
            if "<<END" in command[0]:
                while command[-1] != "END":
                    command.append(lines.pop(0))
            said = []
            while lines and not lines[0].startswith("$ "):
                said.append(lines.pop(0))
            yield "\n".join(command), said


def pattern(lines):
    """`...` is anything within a line, and as a line of its own any lines."""
    parts = [r"(?:.*\n)*?" if line == "..." else
             ".*".join(map(re.escape, line.split("..."))) + r"\n" for line in lines]
    return re.compile("".join(parts))


class Shell:
    """A bash that is told one command after the other."""

    def __init__(self, directory):
        environment = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        environment |= {"PATH": f"{OUT}:{environment['PATH']}", "HOME": str(directory),
                        "NO_COLOR": "1"}
        self.process = subprocess.Popen(["bash", "--norc"], cwd=directory, env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True,
                                        start_new_session=True)

    def __call__(self, command):
        self.process.stdin.write(f"{command}\necho \"<over>\"\n")
        self.process.stdin.flush()
        said = ""
        while not said.endswith("<over>\n"):
            line = self.process.stdout.readline()
            assert line, f"the shell has ended:\n{said}"
            said += line
        return said.removesuffix("<over>\n")

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)


def test_the_tutorial_is_true(tmp_path):
    ports = {number: Port() for number in PORTS}
    names = {number: str(port.number) for number, port in ports.items()}
    # 900$i of the first step is three ports in a row, which ours are not.
    text = {"900$i": '"${ports[$i]}"', "900$first": '"${ports[$first]}"'} | names
    theirs = re.compile("|".join(map(re.escape, text)))

    def ours(words):
        return theirs.sub(lambda found: text[found[0]], words)

    shell = Shell(tmp_path)
    shell("ports=(x " + " ".join(names[number] for number in SERVERS) + ")")
    try:
        count = 0
        for command, said in steps():
            printed = shell(ours(command))
            wanted = [ours(line) for line in said]
            assert pattern(wanted).fullmatch(printed), \
                f"$ {command}\n{printed}\nbut the tutorial says\n" + "\n".join(said)
            count += 1
        assert count > 40
    finally:
        shell("kill $(jobs -p) 2>/dev/null; wait")
        shell.close()
        for port in ports.values():
            port.release()
