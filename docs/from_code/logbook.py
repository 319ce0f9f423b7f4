"""The words of the logbook, with the rules by which a verdict becomes one of them."""

from boundcheck.present.page import RULES
from from_code.markdown import code, table


def rules() -> str:
    """A row for each word."""
    return table(("word", "when"), [(code(word), rule) for word, rule in RULES])
