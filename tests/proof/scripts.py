"""Small proof scripts for tests, and a witness with nothing but numbers."""

from fractions import Fraction

import sympy as sp

from boundcheck.kernel.meaning import Model
from boundcheck.proof import ClaimAudit, Reading, Witness, judge, script
from boundcheck.proof.verdict import claim_verdict

x, y, z = sp.symbols("x y z")
# Three numbers.
NUMBERS = Reading(constants={x, y, z})


def judged(build, claim="my.lemma", version="sharp", **options):
    """The verdict on a proof whose script is this function."""
    reading = options.pop("reading", NUMBERS if isinstance(claim, str) else None)
    return judge(script(claim, version, reading, **options)(build))


def line(proof, label):
    """The line of that label."""
    (found,) = (each for each in proof.steps if each.step.label == label)
    return found


def audited(*proofs):
    """The audit of the claim that these are proofs of."""
    return ClaimAudit(proofs[0].script.id, "A title", claim_verdict(list(proofs)), proofs)


def lemma(relation, *because):
    """A script that states one line from assumptions of its own and concludes it."""

    def build(proof):
        given = [proof.assume(each, name=f"given {each}") for each in because]
        proof.conclude(proof.step("line", relation, given), relation=relation)

    return build


def numbers(about="Numbers", **values):
    """A witness in which each symbol has this value."""
    exact = {name: Fraction(value) for name, value in values.items()}
    model = Model({}, 1, (Fraction(1),), lambda _: (0,), lambda atom, *_: exact[atom.name])
    return Witness(about, exact, model)


HEAD = """import sympy as sp
from boundcheck.proof import ge, lemma

x = sp.Symbol("x")
"""
LEMMA = """

@lemma("{id}", says=ge({left}, 0))
def {name}(proof):
    relation = ge({left}, 0)
    proof.conclude(proof.step("line", relation))
"""


def write(path, id="my.lemma", left="x**2", *, before=""):
    """A script file with one lemma, that `left` is at least 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(before + HEAD + LEMMA.format(id=id, left=left, name="go"), encoding="utf-8")
    return path
