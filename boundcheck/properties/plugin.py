"""The pytest plugin: ``--boundcheck-profile``, a marker, and a summary of the claims that were
checked.

It is loaded wherever boundcheck is installed, by the entry point ``boundcheck``, and imports
nothing slow until a claim is checked. What a check found travels with the test's report, so that
pytest-xdist brings it home.
"""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boundcheck.exact.digits import DOWN, shown
from boundcheck.properties.session import PROFILES, Profile, using

_KEY = "boundcheck"
_MARKER = (
    "boundcheck(profile=None, examples=None): a test of claims; look as hard as this profile,"
    " or at so many instances"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the group boundcheck."""
    group = parser.getgroup("boundcheck", "checks of claims (boundcheck)")
    group.addoption(
        "--boundcheck-profile",
        choices=sorted(PROFILES),
        default="quick",
        help="How hard to look: "
        + "; ".join(f"{p.name}: {p.meaning}" for p in PROFILES.values())
        + ".",
    )
    group.addoption(
        "--boundcheck-instances",
        metavar="DIR",
        default="instances",
        help=(
            "Folder for instances that break a claim, below the root of the tests; default:"
            " %(default)s."
        ),
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_report_header(config: pytest.Config) -> str:
    """The line that says how hard claims are checked."""
    profile = PROFILES[config.getoption("--boundcheck-profile")]
    return f"boundcheck: profile {profile.name}, {profile.meaning}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a malformed marker."""
    _profile(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Tell the checks of one test and of its fixtures how hard to look, and keep what they found
    for the report.
    """
    folder = item.config.rootpath / Path(item.config.getoption("--boundcheck-instances"))
    try:
        profile = _profile(item)
    except pytest.UsageError:
        # Told when the test is set up.
        profile = PROFILES["quick"]
    with using(
        profile=profile,
        folder=folder,
        tell=lambda found: item.user_properties.append((_KEY, found)),
    ):
        return (yield)


def _profile(item: pytest.Item) -> Profile:
    """The profile of the marker, or else of the command line."""
    marker = item.get_closest_marker("boundcheck")
    chosen: dict[str, Any] = dict(marker.kwargs) if marker else {}
    if marker and (marker.args or set(chosen) - {"profile", "examples"}):
        raise pytest.UsageError(
            f"{item.nodeid}: expected boundcheck(profile=..., examples=...), got {marker}"
        )
    name = chosen.get("profile") or item.config.getoption("--boundcheck-profile")
    if name not in PROFILES:
        raise pytest.UsageError(
            f"{item.nodeid}: profile = {name}: expected one of {', '.join(PROFILES)}"
        )
    examples = chosen.get("examples")
    if examples is None:
        return PROFILES[name]
    if type(examples) is not int or examples < 1:
        raise pytest.UsageError(
            f"{item.nodeid}: examples = {examples}: expected a positive integer"
        )
    return replace(PROFILES[name], examples=examples)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List the claims that were checked: instances, near-ties, the largest ratio, and the file of
    what broke one.
    """
    outcomes = ("passed", "failed", "error", "xfailed", "xpassed")
    reports = [report for key in outcomes for report in terminalreporter.stats.get(key, [])]
    # The properties of a test are in the reports of all its phases, and the last report has them
    # all. A file that could not be read has no properties.
    last = {report.nodeid: getattr(report, "user_properties", ()) for report in reports}
    found = [value for properties in last.values() for key, value in properties if key == _KEY]
    if not found:
        return
    terminalreporter.section("boundcheck")
    merged: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for each in found:
        key = each["id"], each.get("file", "")
        merged.setdefault(key, []).append(each)
    short = {id: id if len(id) <= 60 else id[:59] + "…" for id, *_ in merged}
    width = max(map(len, short.values()))
    for (id, file), rows in sorted(merged.items()):
        ratio = max(
            (row["ratio"] for row in rows if row["ratio"] is not None), default=float("inf")
        )
        if file:
            line = f"{short[id]:<{width}}  VIOLATED, {shown(ratio, 6, DOWN)}: {file}"
        else:
            tried, ties = (sum(row[name] for row in rows) for name in ("examples", "near_ties"))
            largest = shown(ratio, 4, DOWN)
            line = (
                f"{short[id]:<{width}}  {tried:>6} instances, {ties:>5} near-ties,"
                f" largest {largest}"
            )
            lacking = dict.fromkeys(title for row in rows for title in row.get("open", ()))
            line += f"; candidates, if these hold: {', '.join(lacking)}" if lacking else ""
        terminalreporter.write_line(line)
