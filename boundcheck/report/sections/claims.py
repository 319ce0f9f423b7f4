"""What the list of claims needs: what carries each, the words that it is made of, and what each calls itself."""

from boundcheck.claims import Claim
from boundcheck.prove.carried import counted, told
from boundcheck.words import algorithm_of, measure_of, word_of

__all__ = ["algorithm_of", "counted", "measure_of", "own_title", "told"]


def own_title(hypothesis: Claim) -> str:
    """What the word of a hypothesis calls itself, where the hypothesis does not say so; else nothing."""
    word = word_of(hypothesis)
    return word.title if word and word.title.lower() not in hypothesis.title.lower() else ""
