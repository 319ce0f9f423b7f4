"""The words of convergence theorems: algorithms, performance measures and hypotheses, one a file, each with its faces.

An engine asks a word for a face and never looks at its id. A face that a word lacks is a sentence that says so. Words
of your own are objects that a `Claim` names; `boundcheck/proofs/own_words.py` is a theorem in such words, to copy.
"""

from boundcheck.words.sentence import (
    algorithm_of,
    calls_it_bound,
    conjuncts,
    free_numbers,
    free_step,
    gradient_norm,
    has_common_radius,
    is_about_smoothness,
    is_ours,
    limit_of,
    measure_of,
    smoothness_of,
    speaks_of_a_ball,
    takes,
    theorem,
    word_of,
    words_of,
)

__all__ = [
    "algorithm_of",
    "calls_it_bound",
    "conjuncts",
    "free_numbers",
    "free_step",
    "gradient_norm",
    "has_common_radius",
    "is_about_smoothness",
    "is_ours",
    "limit_of",
    "measure_of",
    "smoothness_of",
    "speaks_of_a_ball",
    "takes",
    "theorem",
    "word_of",
    "words_of",
]
