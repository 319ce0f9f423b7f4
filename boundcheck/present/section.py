"""`Section`, a part of the page, and how sections are found.

A section is a module, or an object, with the three names of the protocol. Those of boundcheck are
functions in `boundcheck.present.sections`, under `@placed`. Others are found by an entry point of
the group ``boundcheck.sections``, by their import path, or as files of the folder ``sections`` of a
paper. So a new figure is one file.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from boundcheck.errors import CodeError, InputError
from boundcheck.language import view
from boundcheck.present import sections as own
from boundcheck.present.material import Material, Placed
from boundcheck.system import plugins

GROUP = "boundcheck.sections"
# Where a page says that a section could not be opened.
_BROKEN = 890


class Section(Protocol):
    """A part of the page.

    Attributes:
        title: its heading; empty for none.
        see: one sentence below the heading, which says what to see; a section need not have it.
        place: where it stands: sections come in the order of this number, the opening at 0, the
            claims at 900.

    """

    title: str
    place: int

    def build(self, material: Material) -> Iterable[view.Part]:
        """The parts below the heading; none where the section does not apply."""
        ...


def own_sections() -> list[Any]:
    """The sections of boundcheck, in every module of `boundcheck.present.sections`."""
    modules = [
        importlib.import_module(f"{own.__name__}.{each.name}")
        for each in pkgutil.iter_modules(own.__path__)
    ]
    return [
        each for module in modules for each in vars(module).values() if isinstance(each, Placed)
    ]


def sections(paths: Iterable[str] = (), folders: Iterable[Path] = ()) -> list[Section]:
    """Every section in its place: ours, those of entry points, those at these import paths, and
    those of papers.

    A paper has its own in its folder ``sections``, one file each. If a section that nobody typed
    cannot be opened, the page is still made, and the place of the section says so.

    Raises:
        InputError: for an import path at which there is no section.

    """

    def opened(open_: Callable[[str, str], Any], path: str) -> Any:
        section = open_("section", path)
        missing = [name for name in ("title", "place", "build") if not hasattr(section, name)]
        if missing:
            raise InputError("section", path, f"a section, which has {', '.join(missing)} too")
        kinds = (
            isinstance(section.title, str),
            isinstance(section.place, int | float),
            callable(section.build),
        )
        if not all(kinds):
            raise InputError(
                "section",
                path,
                "a section: a title that is text, a place that is a number, a function build",
            )
        return section

    def or_broken(open_: Callable[[str, str], Any], path: str) -> Any:
        try:
            return opened(open_, path)
        except InputError as error:
            why = CodeError(error.field, error.value, error.expected)

        def build(material: Material) -> Iterable[view.Part]:
            raise why

        return Placed(_BROKEN, Path(path).name, "", build)

    found: list[Section] = own_sections()
    for path in paths:
        with plugins.typed("section", path):
            found.append(opened(plugins.opened, path))
    found += [or_broken(plugins.installed, entry.value) for entry in entry_points(group=GROUP)]
    for folder in folders:
        with plugins.allowing(folder):
            found += [
                or_broken(plugins.opened, str(path))
                for path in sorted(folder.glob("sections/*.py"))
            ]
    return sorted(found, key=lambda section: section.place)


def parts_of(section: Section, material: Material) -> tuple[view.Part, ...]:
    """The parts that a section shows; raises CodeError if it does not run to its end, or shows
    something else.
    """
    with plugins.theirs():
        found: Any = section.build(material)
        parts = tuple(found) if isinstance(found, Iterable) else (found,)
    for each in parts:
        if not isinstance(each, view.Part):
            raise CodeError(
                f"{section.title}: build",
                type(each).__name__,
                "parts of a view, boundcheck.language.view",
            )
    return parts
