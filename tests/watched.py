"""Run commands of boundcheck in one process, and say of each what it ran, started and wrote. A
script, and no test.

It reads {"hostile": FOLDER, "writable": [FOLDER...], "commands": [[...], ...]} and prints a line of
JSON a command.
"""

import contextlib
import io
import json
import os
import sys
from pathlib import Path

_STARTS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.spawn",
    "socket.connect",
)
_POWERS = {("builtins", name) for name in ("eval", "exec", "__import__", "open")}
_CHANGES = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
    "os.chmod",
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """What was done that is not allowed to any data: a list of words, which each command
    empties."""

    def __init__(self, hostile, writable):
        self.did = []
        self._hostile = Path(hostile)
        self._writable = [Path(each) for each in writable]

    def __call__(self, event, given):
        """As `sys.addaudithook` has it."""
        if event == "exec":
            file = given[0].co_filename
            self.did += (
                [f"ran {file}"] if file[0] != "<" and self._is_under(file, [self._hostile]) else []
            )
        elif event == "subprocess.Popen" and given[0] == "fc-list":
            # Matplotlib asks once which fonts there are.
            return
        elif event in _STARTS or (event == "pickle.find_class" and self._is_power(*given)):
            self.did.append(f"{event} {given}")
        elif (
            event == "open" and isinstance(given[2], int) and given[2] & _WRITES
        ) or event in _CHANGES:
            # What is named below an open folder is seen by what it leaves.
            is_below = event in ("os.remove", "os.rmdir", "os.mkdir") and given[-1] != -1
            named = given[: 2 if event in ("os.rename", "os.link") else 1]
            places = [
                each
                for each in named
                if isinstance(each, str | bytes | os.PathLike) and not is_below
            ]
            self.did += [f"{event} {x!r}" for x in places if not self._is_under(x, self._writable)]

    @staticmethod
    def _is_power(module, name):
        return module in ("os", "posix", "subprocess") or (module, name) in _POWERS

    @staticmethod
    def _is_under(path, folders):
        place = Path(os.path.realpath(os.fsdecode(path)))
        return place == Path(os.devnull) or any(place.is_relative_to(folder) for folder in folders)


def main():
    """Watch from before boundcheck is imported."""
    asked = json.load(sys.stdin)
    watch = Watch(asked["hostile"], asked["writable"])
    sys.addaudithook(watch)
    from boundcheck.__main__ import main as boundcheck

    for command in asked["commands"]:
        watch.did = []
        sys.argv = ["boundcheck", *command]
        heard = [io.StringIO(), io.StringIO()]
        with contextlib.redirect_stdout(heard[0]), contextlib.redirect_stderr(heard[1]):
            try:
                boundcheck()
                code = None
            except BaseException as error:
                code = error.code if isinstance(error, SystemExit) else repr(error)
        print(json.dumps({"code": code, "err": heard[1].getvalue(), "did": watch.did}), flush=True)


if __name__ == "__main__":
    main()
