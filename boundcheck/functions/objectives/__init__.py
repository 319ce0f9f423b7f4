"""The objectives f(W) with certified constants, and the tables of specs that make them."""
