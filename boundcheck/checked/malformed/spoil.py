"""Ways to spoil sound inputs: plain data in a place or two, texts in a few characters, files by other kinds of file.

Everything is drawn from the given `Random`, so that the same seed spoils alike.
"""

import copy
import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

Place = tuple[int | str, ...]


class Raw(str):
    """A text that is written into a file as it is."""


class Again(str):
    """A key that differs from an equal text, so that a table may hold both."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__


_NAMES = (
    *("", " ", "L ", "kind", "ｒａｎｋ", "rаnk", "\x1b[2K", "\u202erank", "a\nb"),
    *("__class__", "__import__('os')", "x" * 5000, "🦎", "../../x", "NaN", "-"),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 7, 64, 512, 4096, 2**20, 10**6, 2**31, 2**63, 10**30, -(10**400)),
    *(0.0, -0.0, 0.5, 1e-320, 1e-200, 1e-30, 1e30, 1e200, 1e308, -1.5, math.nan, math.inf, -math.inf),
    *_NAMES,
    *("1", "1/0", "inf", "1e400", "9**9**9**9", "sqrt(-1)", "-" * 2000, "bound.doit()"),
    *("Lhat*2", "bound/2", "(" * 200, "1+" * 600 + "1", "½", "٣", "informative", "16/r"),
    *([], {}, [[]], [1, 2, 3], [None] * 20_000, list(range(101)), {"kind": "lora"}),
    *map(Raw, ("[" * 40 + "1" + "]" * 40, "[" * 3000 + "1" + "]" * 3000, '{"a": 1, "a": 2}', "1e400", "0x1F")),
    {str(i): i for i in range(3000)},
)


def _value(random: Random) -> Any:
    # A copy: what is drawn may be changed afterwards.
    return copy.deepcopy(random.choice(_VALUES))


def spoilt(random: Random, data: Any) -> tuple[Any, str]:
    """A copy of plain data that is changed in one place, or in two or three; and the changes in words."""
    found, words = copy.deepcopy(data), []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        found, said = _spoilt_once(random, found)
        words.append(said)
    return found, "; ".join(words)


def _spoilt_once(random: Random, data: Any) -> tuple[Any, str]:
    paths = list(_places(data))
    if not paths or random.random() < 0.01:
        return _value(random), "all of it replaced"
    *above, last = path = random.choice(paths)
    holder = data
    for step in above:
        holder = holder[step]
    where = ".".join(map(str, path))
    draw = random.random()
    if draw < 0.5:
        holder[last] = _value(random)
        return data, f"{where} replaced by {_short(holder[last])}"
    if draw < 0.6:
        del holder[last]
        return data, f"{where} left out"
    if draw < 0.7:
        other = random.choice(paths)
        value = data
        for step in other:
            value = value[step]
        holder[last] = copy.deepcopy(value)
        return data, f"{where} replaced by what {'.'.join(map(str, other))} is"
    if draw < 0.8:
        holder[last] = random.choice(([holder[last]], {"kind": holder[last]}, str(holder[last]), [holder[last]] * 2))
        return data, f"{where} wrapped"
    if draw < 0.9 and type(holder[last]) in (int, float) and abs(holder[last]) < 1e200:
        holder[last] *= random.choice((-1, 0, 2, 10, 1000, 1e-9, 1e9, 1e100))
        return data, f"{where} scaled to {_short(holder[last])}"
    if isinstance(holder, dict):
        name = random.choice((*_NAMES, str(last)[:-1], f"{last}s", str(last).upper()))
        if draw < 0.92:
            holder[Again(last)] = copy.copy(holder[last]) if random.random() < 0.5 else _value(random)
            return data, f"{where} twice"
        holder[name] = holder.pop(last) if draw < 0.96 else _value(random)
        return data, f"{where} {'called' if draw < 0.96 else 'beside'} {_short(name)}"
    holder.insert(random.randrange(len(holder) + 1), _value(random))
    return data, f"one more than {where}"


def _places(data: Any, path: Place = ()) -> Iterator[Place]:
    """The path of everything inside tables and lists, as deep as people write by hand."""
    if len(path) > 30:
        return
    items: Sequence[tuple[Any, Any]] = ()
    if isinstance(data, dict):
        items = list(data.items())
    elif isinstance(data, list):
        items = list(enumerate(data))[:50]
    for key, value in items:
        yield (*path, key)
        yield from _places(value, (*path, key))


def _short(value: Any) -> str:
    try:
        text = ascii(value)
    except (ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:60]}..."


_PIECES = (
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\n", b"\x1b[31m", b"\\ud800", b"\\u0000"),
    *(mark.encode() for mark in ("=", '"', "'", "{", "}", "[", "]", ",", "#", "-")),
    *(word.encode() for word in ("ｒ", "σ", "\u202e", "1e999", "NaN", "Infinity", "null", "true", "9" * 5000)),
    *(word.encode() for word in ("[" * 3000, '{"a":' * 3000, "a" * 100_000)),
)


def spoilt_bytes(random: Random, content: bytes) -> tuple[bytes, str]:
    """A file's content with a few bytes changed, removed, doubled or inserted; and the change in words."""
    draw, at = random.random(), random.randrange(len(content) + 1)
    if draw < 0.03:
        return b"", "nothing in it"
    if draw < 0.08:
        return random.randbytes(random.choice((1, 16, 1000, 100_000))), "random bytes"
    if draw < 0.2:
        return content[:at], f"cut off after {at} bytes"
    if draw < 0.4:
        flipped = bytearray(content)
        for _ in range(random.choice((1, 1, 2, 8))):
            place = random.randrange(len(content))
            flipped[place] ^= 1 << random.randrange(8)
        return bytes(flipped), "bits flipped"
    if draw < 0.5:
        end = at + random.choice((1, 3, 20, 200))
        return content[:at] + content[end:], f"bytes {at} to {end} lost"
    if draw < 0.6:
        end = at + random.choice((1, 20, 200))
        return content[:end] + content[at:end] + content[end:], f"bytes {at} to {end} twice"
    if draw < 0.65:
        # Bytes that are not text are replaced.
        return content.decode(errors="replace").encode("utf-16"), "in UTF-16"
    if draw < 0.7:
        lines = content.splitlines(keepends=True)
        random.shuffle(lines)
        return b"".join(lines), "lines in another order"
    if draw < 0.8:
        numbers = list(re.finditer(rb"\d+", content))
        if numbers:
            match = random.choice(numbers)
            other = random.choice((b"0", b"-1", b"1e400", b"9" * 5000, b"1e-400", b"0x10", b"1_0", "٣".encode()))
            return content[: match.start()] + other + content[match.end() :], f"{_short(other)} for a number"
    piece = random.choice(_PIECES)
    return content[:at] + piece + content[at:], f"{_short(piece)} at byte {at}"


def spoilt_file(random: Random, path: Path) -> str:
    """Replace a file by something that is not a file; the change in words."""
    path.unlink(missing_ok=True)
    draw = random.randrange(5)
    if draw == 0:
        path.mkdir()
        return "a folder in its place"
    if draw == 1:
        path.symlink_to(path)
        return "a link to itself"
    if draw == 2:
        path.symlink_to(path.with_name("x" * 300))
        return "a link to a name that is too long"
    if draw == 3:
        path.symlink_to("/dev/zero")
        return "a file without an end"
    return "no file"


def written(value: Any, pair: str = ": ", marks: str = "NaN Infinity -Infinity null") -> str:
    """Plain data as JSON, whatever it is; `pair` stands between key and value, `marks` are the words of the format."""
    nan, infinity, minus, null = marks.split()
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key, pair)}{pair}{written(x, pair, marks)}" for key, x in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(x, pair, marks) for x in value) + "]"
    if isinstance(value, bool) or value is None:
        return null if value is None else str(value).lower()
    if isinstance(value, int):
        return str(value) if abs(value) < 10**4000 else "9" * 5000
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else nan if math.isnan(value) else infinity if value > 0 else minus
    return json.dumps(str(value))


def toml(table: Any) -> str:
    """Tables as TOML. What TOML cannot say is written as other text."""
    if not isinstance(table, dict):
        return _toml(table)
    lines = [f"{_key(key)} = {_toml(each)}" for key, each in table.items() if not isinstance(each, dict)]
    for key, each in table.items():
        if isinstance(each, dict):
            lines += [f"[{_key(key)}]", *(f"{_key(name)} = {_toml(inner)}" for name, inner in each.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    return written(value, " = ", "nan inf -inf null")


def _key(key: Any, pair: str = " = ") -> str:
    return str(key) if pair == " = " and re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(str(key))
