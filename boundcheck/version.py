"""What this is and which version, apart from everything else so that every part may ask for it.

CITATION.cff says the same; a test holds the two together.
"""

__version__ = "0.1.0"

RELEASED = "2026-11-24"
"""The day of this version."""
TITLE = "boundcheck: theory verification and empirical bound checking for convergence theorems"
AUTHORS = "The boundcheck authors"
