r"""
A proof in lines
================

Of a strongly convex F a gradient step comes nearer to the minimiser z by a factor. The lemma is
decided by itself in some seconds; with the lines of a textbook it takes one, and reads like one.
"""

from sympy import MatrixSymbol, symbols

from boundcheck.language.symbols import f_star
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, InnerProduct, Value, n
from boundcheck.proof import Proof, eq, ge, judge, le, lemma

x, y, z = (MatrixSymbol(name, n, 1) for name in "xyz")
h, L, mu = symbols("h L mu", positive=True)
slope, gap = Gradient(F, x), Value(F, x) - f_star
now, then, steep = (EuclideanNorm(each) ** 2 for each in (x - z, y - z, slope))
convex = ge(InnerProduct(slope, x - z), mu / 2 * now + gap)
given = [convex, le(steep, 2 * L * gap), le(L * h, 1), eq(y, x - h * slope), ge(gap, 0)]


@lemma("my.contraction", given=given, says=le(then, (1 - mu * h) * now), title="Contraction")
def contraction(proof: Proof) -> None:
    """Write the square out, and use smoothness."""
    proof.step("(1)", eq(then, now - 2 * h * InnerProduct(slope, x - z) + h**2 * steep))
    proof.step("(2)", le(h**2 * steep, 2 * L * h**2 * gap))
    proof.step("(3)", le(L * h**2 * gap, h * gap))


judge(contraction)

# %%
# Each line may use those above it, and is decided by itself.
