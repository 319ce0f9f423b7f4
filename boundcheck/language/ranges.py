"""A reader of the text of a claim's range: it reads only that the claim holds for all values of letters that it has."""

import re
from collections.abc import Iterator

import sympy as sp

from boundcheck.language.claim import Claim
from boundcheck.language.sentence import algorithm_of

# "for all W_1, W_2 in R^(d x k)", once LaTeX's \text is taken away; a theorem may say "for SGD, at every T".
_ALL = re.compile(
    r"(?:for (?P<algorithm>[^,]+), at|for) (?:all|any|every|each) (?P<names>[A-Za-z0-9_',{} ]+?)"
    r"(?: ?\\in ?\\mathbb ?\{R\}(?: ?\^ ?\{?(?P<shape>[^{}]+)\}?)?)?"
)


def ranges_over_letters(claim: Claim) -> bool:
    """True if a claim's range is read, so that nothing but its letters is chosen: it is empty, or "for all" of those.

    A range such as "for some X", "for every T >= 100" or "for all X of rank 1" is not read.
    """
    text = " ".join(re.sub(r"\\text ?\{([^{}]*)\}", r" \1 ", claim.quantifier).split())
    found = _ALL.fullmatch(text)
    if found is None:
        return not text
    algorithm = algorithm_of(claim)
    if found["algorithm"] and (algorithm is None or algorithm.title != found["algorithm"]):
        return False
    letters = {str(getattr(x, "name", x)): x for x in _letters(claim)}
    named = [re.sub(r"[{}]", "", x).strip() for x in found["names"].split(",")]
    return all(x in letters and _has_shape(letters[x], found["shape"]) for x in named)


def _letters(claim: Claim) -> Iterator[sp.Basic]:
    for each in (claim.conclusion, *claim.conditions, *(q.expression for q in claim.quantities)):
        yield from each.atoms(sp.Symbol, sp.MatrixSymbol)


def _has_shape(letter: sp.Basic, text: str | None) -> bool:
    """True if a letter ranges over all of a space such as R^(d x k), or if no space is given."""
    if text is None:
        return True
    rows, columns = getattr(letter, "shape", (None, None))
    said = text.replace(" ", "")
    return said == rf"{rows}\times{columns}" or (columns == 1 and said == str(rows))
