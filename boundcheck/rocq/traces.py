"""Traces of words: each is that of its canonical rotation or transpose."""

from __future__ import annotations

from boundcheck.kernel.terms import Matrix, Trace, Word, transposed
from boundcheck.rocq.algebra import Lemma


def expanded(matrix: Matrix, lemma: Lemma) -> list[str]:
    """Steps that rewrite the trace of a matrix as a sum of traces of canonical words."""
    script = ["rewrite ?(traceD, traceB, traceN, traceZ, mxtrace0)."]
    for each in matrix.terms:
        script += turned(each, Trace(each).word, lemma)
    return script


def turned(word: Word, canonical: Word, lemma: Lemma) -> list[str]:
    """Steps that rewrite the trace of a word as that of its canonical rotation."""
    if word == canonical:
        return []
    old, new = map(lemma.trace, (word, canonical))
    rotations = {
        other[i:] + other[:i]: (flip, i)
        for flip, other in ((True, transposed(word)), (False, word))
        for i in range(len(word))
    }
    flip, i = rotations[canonical]
    way = []
    if flip:
        word = transposed(word)
        way.append(f"transitivity ({lemma.trace(word)}); first by rewrite -mxtrace_tr ?trmx_mul ?trmxK ?mulmxA.")
    if i:
        split = " *m ".join(f"({lemma.book.word(x, lemma.name)})" for x in (word[:i], word[i:]))
        way.append(f"transitivity (\\tr ({split})); first by rewrite ?mulmxA.")
        way.append("by rewrite mxtrace_mulC ?mulmxA.")
    else:
        way.append("by [].")
    return [f"have turn : {old} = {new}.", "{", *way, "}", "rewrite turn {turn}."]
