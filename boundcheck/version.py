"""The title, authors and version, apart from everything else so that every part may ask for them.

CITATION.cff says the same; a test holds the two together.
"""

__version__ = "0.1.0"

RELEASED = ""
"""The day on which this version was released; empty of one that is not."""
TITLE = "boundcheck: theory verification and empirical bound checking for convergence theorems"
AUTHORS = "The boundcheck authors"
