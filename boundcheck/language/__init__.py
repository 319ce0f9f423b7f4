"""The parts of a theorem: claims, the catalogue that finds them, and words, each with its faces.

The words are algorithms, performance measures and hypotheses, a module for each kind. An engine
asks a word for a face and never looks at its id. A face that a word lacks is a sentence that says
so. Words of your own are objects that a `Claim` names; `boundcheck/proofs/own_words.py` is a
theorem in such words, to copy.
"""
