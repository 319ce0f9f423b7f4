"""Numbers that decide: rationals, Arb balls and floats with error bounds; expressions and sample
paths in any of them.

Nothing here knows the catalogue: a node of an expression that is not SymPy's says itself what its
value is.
"""
