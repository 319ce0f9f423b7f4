"""Check certificates of inequalities in exact fractions: a second reader, which shares no code with
boundcheck.

Run `python check_certificates.py certificates.jsonl`. `boundcheck prove [ID] --export DIR` writes
that file, with one certificate a line, as `EXAMPLE` is. Premises count from 1. A statement l <= r
or l < r has the polynomial r - l, and l = r has l - r. It is checked that, as polynomials,

    product of the premises in `factor` * goal  =  sum of `terms` + sum of `multipliers`

where a term is weight * square * its premises, and a multiplier is polynomial * premise; and that
this proves the goal:
`objection` says why. Not checked: whether the premises are true, and what an atom means. An atom is
a name with the brackets after it, ‖...‖_F, ‖...‖_op or (...)^[...]; atoms with the same text are
the same atom.
Exit code 0: all certificates are right; 1: one is wrong, or there is none; 2: a file cannot be
read.
"""

import fileinput
import json
import re
import sys
import time
from collections import Counter
from fractions import Fraction
from functools import reduce
from typing import Any

EXAMPLE = """{"claim": "my.lemma", "version": "sharp", "number": 1, "line": "(1)",
"letters": "w, x, y, z: a number",
"goal": "2*x <= y", "premises": ["0 < z", "x^2*z + z <= w*z", "w = y"], "factor": [1],
"terms": [{"weight": "1", "square_of": "x - 1", "premises": [1]},
{"weight": "1", "square_of": "1", "premises": [2]}],
"multipliers": [{"polynomial": "-z", "premise": 3}]}"""
# Coefficients of monomials; a monomial is the sorted tuple of its atoms, each as often as its
# exponent says.
Polynomial = Counter[tuple[str, ...]]
CLOSING = {"(": ")", "[": "]", "‖": "‖_"}
DEEPEST = 50
# What a text is made of, once it is `masked`. Neither 2/3 nor (...)^[...] has an exponent: 2/3^2
# reads in two ways.
ATOM = r"[A-Za-z][A-Za-z0-9_']*(?:\(\.*\)|\[\.*\])*|‖\.*‖_(?:F|op)"
FACTOR = rf"(?:([0-9]+(?:/[1-9][0-9]*)?|\(\.*\)\^\[\.*\])|({ATOM}|\(\.*\))(?:\^([0-9]{{1,2}}))?)"
TERM = rf"([+-]?) *({FACTOR}(?: *\* *{FACTOR})*)"
SUM = rf" *(?!\+){TERM}(?: *(?=[+-]){TERM})* *"


def masked(text: str) -> str:
    """The text with a dot for each sign inside brackets. Of the two ‖ of a norm, a _ follows the
    second: ‖...‖_F.
    """
    outside, wanted = "", [""]
    for part in re.findall(r"‖_?|[()\[\]]|[^‖()\[\]]+", text):
        if (part in CLOSING.values() and wanted.pop() != part) or len(wanted) > DEEPEST:
            break
        outside += "." * len(part) if wanted[1:] else part
        wanted += [CLOSING[part]] if part in CLOSING else []
    if wanted != [""] or len(outside) < len(text):
        raise ValueError(f"the brackets do not match, or are too deep: {text!r:.200}")
    return outside


def times(p: Polynomial, q: Polynomial) -> Polynomial:
    """The product of two polynomials."""
    product: Polynomial = Counter()
    for m, n in ((m, n) for m in p for n in q):
        product[tuple(sorted(m + n))] += p[m] * q[n]
    return product


def polynomial(text: str) -> Polynomial:
    """The polynomial that a text says."""
    outside, total = masked(text), Counter[tuple[str, ...]]()
    if not re.fullmatch(SUM, outside):
        raise ValueError(f"not a polynomial: {text!r}")
    for term in re.finditer(TERM, outside):
        product: Polynomial = Counter({(): Fraction(f"{term[1]}1")})
        for factor in re.compile(FACTOR).finditer(outside, *term.span(2)):
            base = text[slice(*factor.span(1 if factor[1] else 2))]
            atom = Counter({(): Fraction(base)} if base[0].isdigit() else {(base,): Fraction(1)})
            value = polynomial(base[1:-1]) if base[0] + base[-1] == "()" else atom
            product = reduce(times, [value] * int(factor[3] or 1), product)
        total.update(product)
    return total


def statement(text: str) -> tuple[str, Polynomial]:
    """The relation and the polynomial of a statement."""
    if not (found := re.fullmatch("([^<=]*)(<=|<|=)([^<=]*)", masked(text))):
        raise ValueError(f"not a statement with one of <=, < and =: {text!r}")
    left, right = text[: found.end(1)], text[found.start(3) :]
    return found[2], polynomial(
        f"({left}) - ({right})" if found[2] == "=" else f"({right}) - ({left})"
    )


def objection(certificate: dict[str, Any]) -> str:
    """Why a certificate does not prove its goal p; empty if it does.

    Let m * p = R be its identity. Where the premises hold, R >= 0, so that p >= 0 if the premises
    in m are strict. With no terms even R = 0, so that p = 0. With a term that is a positive number
    times strict premises R > 0, so that p > 0 if only m >= 0. With a term p^2, too, m >= 0 is
    enough for p >= 0: if p < 0, then m * p <= 0 < R.
    """
    (relation, goal), factor = statement(certificate["goal"]), certificate["factor"]
    premises = dict(enumerate(map(statement, certificate["premises"]), 1))
    terms = [
        (Fraction(x["weight"]), polynomial(x["square_of"]), x["premises"])
        for x in certificate["terms"]
    ]
    multipliers = [(polynomial(x["polynomial"]), x["premise"]) for x in certificate["multipliers"]]
    weak, own_square = ["<", "<="], any(root == goal and not places for _, root, places in terms)
    in_factor = weak if relation == "<" or own_square else ["<"]
    needed = [(place, weak) for _, _, places in terms for place in places]
    needed += [(place, ["="]) for _, place in multipliers] + [
        (place, in_factor) for place in factor
    ]
    for place, relations in needed:
        if place not in premises or premises[place][0] not in relations:
            return f"it needs a premise {place} with {' or '.join(relations)}"
    if any(weight <= 0 for weight, _, _ in terms):
        return "a weight is not positive"
    rest = reduce(times, [premises[place][1] for place in factor], Counter(goal))
    for weight, root, places in terms:
        product = reduce(times, [premises[place][1] for place in places], times(root, root))
        rest.subtract({m: weight * c for m, c in product.items()})
    for multiplier, place in multipliers:
        rest.subtract(times(multiplier, premises[place][1]))
    if left := sorted(" * ".join([str(c), *m]) for m, c in rest.items() if c):
        return f"left side - right side = {' + '.join(left[:6] + ['...'] * (len(left) > 6))}"
    if relation == "=" and terms:
        return "a goal with = has terms"
    numbers = [places for _, root, places in terms if root[()] and root == Counter({(): root[()]})]
    positive = any(all(premises[place][0] == "<" for place in places) for places in numbers)
    return (
        "" if positive or relation != "<" else "no term is a positive number times strict premises"
    )


def fit(value: Any, example: Any, name: str = "certificate") -> Any:
    """The value if it is like the example; its objects come as pairs, so that a key that is there
    twice is seen.
    """
    if (
        isinstance(example, dict)
        and isinstance(value, tuple)
        and sorted(key for key, _ in value) == sorted(example)
    ):
        return {key: fit(dict(value)[key], part, key) for key, part in example.items()}
    if isinstance(example, list) and isinstance(value, list):
        return [fit(part, example[0], name) for part in value]
    if type(value) is not type(example) or not str(value).isprintable():
        raise ValueError(f"{name} is not as in EXAMPLE: {value!r:.60}")
    return value


def main(paths: list[str]) -> int:
    """Check files, print what is wrong, and return the exit code."""
    began, wrong, where = time.perf_counter(), 0, "check_certificates.py"
    try:
        with fileinput.FileInput(paths, encoding="utf-8") as lines:
            for line in lines:
                where = f"{lines.filename()}, line {lines.filelineno()}"
                certificate = fit(json.loads(line, object_pairs_hook=tuple), json.loads(EXAMPLE))
                if reason := objection(certificate):
                    wrong += 1
                    print(f"{where}, {[*certificate.values()][:4]}: {reason}")
            print(
                f"{lines.lineno()} certificates checked, {wrong} wrong, in"
                f" {time.perf_counter() - began:.1f} s"
            )
            return 1 if wrong or not lines.lineno() else 0
    except (OSError, ValueError, ArithmeticError, RecursionError) as error:
        print(f"{where}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
