"""A figure of somebody else: one file, which is a section of the page."""

from markupsafe import Markup

from boundcheck.report.section import Folder, Material
from boundcheck.report.style import panels

title = "Every measured number"
place = 250


def build(material: Material, folder: Folder) -> Markup:
    numbers = [run.result.measured for run in material.runs]
    figure = panels([numbers], lambda axis, item: axis.plot(item, "o", label="measured")) if numbers else None
    return folder.figure("my_numbers", figure, "What each run <em>measured</em>.")
