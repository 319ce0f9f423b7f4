"""A figure of somebody else: one file, which is a section of the page."""

from collections.abc import Iterator

from boundcheck.language.view import Part, Picture
from boundcheck.present.material import Material
from boundcheck.present.style import panels

title = "Every measured number"
place = 250


def build(material: Material) -> Iterator[Part]:
    numbers = [run.result.measured for run in material.runs]
    if numbers:
        figure = panels([numbers], lambda axis, item: axis.plot(item, "o", label="measured"))
        yield Picture("my_numbers", lambda: figure, "What each run measured.")
