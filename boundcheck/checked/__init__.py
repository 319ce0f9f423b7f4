"""The checker checked: mutants of statements, of proof scripts and of runs, and how often a verdict on one is wrong.

Half of the mutants are false, each shown to be so by an exact witness before any layer of boundcheck sees it; half are
true by construction. A false one that is called proved or supported, or a true one that is called refuted or violated,
is a wrong verdict. There must be none, and `survey` hides none. `coverage` measures the intervals of verdicts.
"""
