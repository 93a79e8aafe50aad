# SPDX-License-Identifier: BSD-2-Clause
"""Types the commands of a document or man page at a terminal, word for word.

A command is a line of an indented block, or of a literal display of a man page; what is indented and is none, such as the text of a
configuration file, does not begin with a program.
"""

import os
import pathlib
import re
import shlex
import shutil
import tempfile

import pexpect

TOP = pathlib.Path(__file__).resolve().parents[2]
SHELL_WORDS = {"cd", "for"}


def commands(file, *sections):
    """The commands of some sections, in order, without the remarks after them."""
    text = (TOP / file).read_text()
    lines = lines_of_man_page if file.startswith("man/") else lines_of_markdown
    for section in sections:
        found = [command for line in lines(text, section)
                 if is_command(command := re.sub(r"\s{2,}# .*$", "", line))]
        assert found, f"{file}: no command in section {section}"
        yield from found


def lines_of_markdown(text, section):
    body, = re.findall(rf"^###? {section}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^(?: {4}| {7})(\S.*)$", body, re.MULTILINE)


def lines_of_man_page(text, section):
    body, = re.findall(rf"^\.S[hs] {section}\n(.*?)(?=^\.S[hs]|\Z)", text, re.MULTILINE | re.DOTALL)
    for display in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", body, re.MULTILINE | re.DOTALL):
        yield from re.findall(r"^(\S.*)$", display, re.MULTILINE)


def is_command(line):
    """Whether a line begins with a program."""
    first = line.split()[0]
    return first in SHELL_WORDS or shutil.which(first) is not None


class Terminal:
    """A shell at a terminal.

    answers   what is typed where a command asks: (pattern of the command, of the prompt): answer
    edits     what is made of a file with an editor: path: new text
    """

    PROMPT = (r"(?:^|\n)(?:Password(?: of \w+)?|Enter LDAP Password|"
              r"(?:New|Re-enter new) password): ")

    def __init__(self, answers, edits):
        self.answers = answers
        self.edits = edits
        self.folder = str(pathlib.Path.home())
        self.unused_edits = set(edits)

    def type(self, command, answer=None, status=0):
        """Type a command, wait for its end, and return its output."""
        print(f"$ {command}", flush=True)
        script = 'cd "$1" && eval "$2"; status=$?; pwd >"$3"; exit $status'
        with tempfile.TemporaryDirectory() as scratch:
            env = os.environ | {"SUDO_EDITOR": self._editor(command, scratch)}
            child = pexpect.spawn("/bin/bash", ["-c", script, "bash", self.folder, command,
                                                f"{scratch}/folder"],
                                  env=env, encoding="utf-8", timeout=60)
            said = ""
            while child.expect([self.PROMPT, pexpect.EOF]) == 0:
                said += child.before + child.after
                child.sendline(answer or self._answer(command, child.after))
            said += child.before
            child.close()
            self.folder = pathlib.Path(scratch, "folder").read_text().strip()
        print(said, flush=True)
        assert child.exitstatus == status, f"{command}: exit {child.exitstatus}"
        return said

    def _answer(self, command, prompt):
        for (which, question), answer in self.answers.items():
            if re.search(which, command) and re.search(question, prompt):
                return answer
        raise AssertionError(f"{command} asks for {prompt!r}")

    def _editor(self, command, scratch):
        """If the command edits a file, a command that replaces the file's text."""
        words = shlex.split(command) if command.startswith("sudoedit ") else []
        for path in words[1:]:
            edited = pathlib.Path(scratch, "edited")
            edited.write_text(self.edits[path])
            self.unused_edits.discard(path)
            return f"cp {edited}"
        return "false"
