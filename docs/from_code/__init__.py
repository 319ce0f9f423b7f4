"""What pages take from the code: `{from-code} kernel.rules` is the Markdown that
`from_code.kernel.rules()` gives.

Formulas are MathML, which browsers show without any script, by the function that reports use.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from boundcheck.language.prose import mathml_of


class FromCode(SphinxDirective):
    """A part of a page: module and function of this package, and what the function takes."""

    required_arguments = 1
    optional_arguments = 9

    def run(self) -> list[nodes.Node]:
        """The parts of the page."""
        (module, _, name), given = self.arguments[0].partition("."), self.arguments[1:]
        text = getattr(import_module(f"from_code.{module}"), name)(*given)
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def _inline(writer: Any, node: nodes.Element) -> None:
    writer.body.append(mathml_of(node.astext()))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.Element) -> None:
    writer.body.append(f'<div class="formula">{mathml_of(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def _tidy(app: Sphinx, page: nodes.document) -> None:
    """A link to a file of the repository that is no page is text; typed Python ends without the
    line that ends it.
    """
    for link in list(page.findall(addnodes.pending_xref)):
        if link.get("refdomain") == "doc" and Path(link["reftarget"]).is_absolute():
            link.replace_self(link.children)
    for typed in page.findall(nodes.literal_block):
        typed.rawsource = typed.astext().rstrip()
        typed.children = [nodes.Text(typed.rawsource)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this."""
    app.add_directive("from-code", FromCode)
    app.connect("doctree-read", _tidy)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
