"""Functions to optimise: objectives f(W) with certified constants, the adapter W(v), and Algorithm
1 on ensembles.
"""
