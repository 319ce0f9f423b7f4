"""Functions that build atoms in normal form, that say what is known when, and that substitute.

A builder uses linearity, homogeneity in rational factors and transposition, and takes out what is
known: equalities that hold in every model. Whatever needs a premise is a rule.
"""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from boundcheck.kernel import terms as k
from boundcheck.kernel.terms import (
    Index,
    Letter,
    Matrix,
    Monomial,
    Point,
    Scalar,
    Symbol,
    Term,
    TermError,
    Variable,
)

Values = Mapping[Term, Matrix | Scalar]


def size_of(name: str) -> int | None:
    """The number that the name of a dimension states, as `one` and `size3` do; None for one that
    may be any.
    """
    fixed = re.fullmatch(r"(one)|size(\d+)", name)
    return fixed and (1 if fixed[1] else int(fixed[2]))


def known(term: Term, given: Index | None) -> bool:
    """True if the term is certainly a function of the past up to `given`, or, for None, the same at
    every outcome.
    """
    if isinstance(term, Symbol | Variable):
        if not isinstance(term.when, k.Time):
            return term.when == k.CONSTANT
        index = term.when.index
        return given is not None and Index(
            index.base, index.offset + term.when.lag
        ).certainly_at_most(given)
    if isinstance(term, k.Expectation | k.Mean) and is_coarser(term.given, given):
        return True
    if isinstance(term, k.Before):
        # Its last summand is the body at t - 1; one that cannot be taken there is no later known at
        # t.
        try:
            last = at(term.body, Index("t", -1))
        except TermError:
            last = term.body
        return known(last, given)
    # A sum over all times is known when its last summand is; no proof needs that.
    if isinstance(term, k.Total | k.Minimum):
        return known(term.body, None)
    return all(known(each, given) for each in k.parts_of(term))


def timed(term: Term) -> bool:
    """True if the term may depend on t."""
    if isinstance(term, Symbol | Variable):
        return term.when == k.ANY or (isinstance(term.when, k.Time) and term.when.index.base == "t")
    if isinstance(term, k.Total | k.Minimum):
        return False
    if isinstance(term, k.Clock | k.Before) or (
        isinstance(term, k.Power) and term.exponent.base == "t"
    ):
        return True
    if (
        isinstance(term, k.Expectation | k.Mean)
        and term.given is not None
        and term.given.base == "t"
    ):
        return True
    return any(timed(each) for each in k.parts_of(term))


def is_coarser(first: Index | None, second: Index | None) -> bool:
    """True if the first past is certainly part of the second."""
    return first is None or (second is not None and first.certainly_at_most(second))


def norm(kind: str, *blocks: Matrix) -> Scalar:
    """The norm of the blocks. Rational factors are taken out; a block and its transpose give the
    same norm.
    """
    if (
        kind not in (k.FROBENIUS, k.SPECTRAL)
        or not blocks
        or (kind == k.SPECTRAL and len(blocks) > 1)
    ):
        raise TermError(
            f"{len(blocks)} blocks have no norm {kind!r}: F takes any number, op takes one"
        )
    chosen = tuple(
        min(x, x.T, key=lambda y: [k.word_key(word) for word in y.terms]) for x in blocks
    )
    first = next((c for x in chosen for c in x.terms.values()), None)
    if first is None:
        return k.ZERO
    scale = next(iter(first.terms.values()))
    return Scalar.of(k.Norm(kind, tuple(x.scaled(1 / scale) for x in chosen))) * abs(scale)


def inner(x: Point, y: Point) -> Scalar:
    """The inner product, the sum over blocks of tr(XᵀY)."""
    if len(x) != len(y):
        raise TermError(
            f"an inner product needs as many blocks on both sides, and not {len(x)} and {len(y)}"
        )
    return Scalar.sum(trace(p.T @ q) for p, q in zip(x, y, strict=True))


def square(x: Point) -> Scalar:
    """The squared Frobenius norm as an inner product. The rule `norm_expansion` says that the two
    are equal.
    """
    return inner(x, x)


def trace(matrix: Matrix) -> Scalar:
    """The trace of a square matrix, the sum of those of its words; raises ShapeError for any
    other.
    """
    if matrix.shape[0] != matrix.shape[1]:
        raise k.ShapeError("trace", matrix, matrix)
    return Scalar.sum(c * Scalar.of(k.Trace(word)) for word, c in matrix.terms.items())


def total(body: Scalar) -> Scalar:
    """The sum over 1 <= t <= T. It is linear, and factors that do not depend on t are taken out."""
    return _linear(
        body, timed, lambda monomial: k.Total(Scalar({monomial: 1})) if monomial else k.Horizon()
    )


def before(body: Scalar) -> Scalar:
    """The sum over the times before t. It is linear, and factors that do not depend on t are taken
    out.
    """
    one = Scalar.of(1)
    return _linear(
        body,
        timed,
        lambda monomial: k.Before(Scalar({monomial: 1})) if monomial else k.Clock() - one,
    )


def before_at(body: Scalar, t: Index) -> Scalar:
    """The sum over the times before an index."""
    if not t.base:
        return Scalar.sum(at(body, Index("", time)) for time in range(1, t.offset))
    if t.offset < 0:
        raise TermError(f"a sum over the times before {t}, which may be no time")
    if t.base == "t":
        return Scalar.sum((before(body), *(at(body, Index("t", i)) for i in range(t.offset))))
    beyond = Scalar.sum(at(body, Index("T", i)) for i in range(1, t.offset))
    return total(body) + (beyond if t.offset else -at(body, t))


def power(base: Scalar, exponent: Index) -> Scalar:
    """The base to the power of an index that is never negative; the power 0 is 1."""
    if not exponent.base:
        return base**exponent.offset
    if exponent.offset < -1:
        raise TermError(f"{base} to the power {exponent}, which may be negative")
    return base ** (exponent.offset + 1) * k.Power(base, Index(exponent.base, -1))


def maximum(*members: Scalar) -> Scalar:
    """The largest of several numbers."""
    chosen = tuple(sorted(set(members)))
    return Scalar.of(k.Maximum(chosen)) if len(chosen) > 1 else chosen[0]


def clock(t: Index) -> Scalar:
    """The number that an index stands for."""
    return t.offset + (
        {"t": Scalar.of(k.Clock()), "T": Scalar.of(k.Horizon())}[t.base] if t.base else k.ZERO
    )


def expect(body: Scalar, given: Index | None) -> Scalar:
    """The expectation. Linear; known factors are taken out; an inner, finer expectation is removed
    (tower).

    Without a past, that of a sum over all times is the sum of the expectations.
    """
    return _linear(
        body,
        lambda atom: not known(atom, given),
        lambda monomial: _expect_monomial(monomial, given),
    )


def _linear(
    body: Scalar, inside: Callable[[k.Atom], bool], of: Callable[[Monomial], Scalar | k.Atom]
) -> Scalar:
    """A linear operator of a polynomial: of each monomial the factors that are not `inside` are
    taken out.
    """
    summands = []
    for monomial, coefficient in body.terms.items():
        within = tuple(x for x in monomial if inside(x[0]))
        without = tuple(x for x in monomial if not inside(x[0]))
        summands.append(Scalar({without: coefficient}) * of(within))
    return Scalar.sum(summands)


def _expect_monomial(monomial: Monomial, given: Index | None) -> Scalar:
    if not monomial:
        return k.ONE
    if len(monomial) == 1 and monomial[0][1] == 1:
        atom = monomial[0][0]
        if isinstance(atom, k.Expectation) and is_coarser(given, atom.given):
            return expect(atom.body, given)
        if isinstance(atom, k.Total) and given is None:
            return total(expect(atom.body, None))
        if (
            isinstance(atom, k.Trace)
            and sum(not known(letter, given) for letter, _ in atom.word) == 1
        ):
            return Scalar.of(k.Trace(_mean_word(atom.word, given)))
    return Scalar.of(k.Expectation(Scalar({monomial: 1}), given))


def mean(matrix: Matrix, given: Index | None) -> Matrix:
    """The expectation of a matrix: linear; known factors are taken out. TermError for a word with
    two unknowns.
    """
    means = []
    for word, coefficient in matrix.terms.items():
        if not known(coefficient, given):
            raise TermError(
                f"the mean of a matrix needs coefficients that are known, and {coefficient} is not"
            )
        # Two words may have the same mean: a letter and its own mean do.
        means.append(Matrix(matrix.shape, {_mean_word(word, given): coefficient}))
    return Matrix.sum(matrix.shape, means)


def _mean_word(word: k.Word, given: Index | None) -> k.Word:
    unknown = [letter for letter, _ in word if not known(letter, given)]
    if len(unknown) > 1:
        raise TermError(
            f"the mean of a product needs all its factors but one known; unknown are {unknown}"
        )
    means: dict[Letter, Letter] = {}
    for letter in unknown:
        # By the tower rule, the mean of a finer mean is that of its letter.
        finer = isinstance(letter, k.Mean) and is_coarser(given, letter.given)
        means[letter] = k.Mean(
            letter.letter if isinstance(letter, k.Mean) and finer else letter, given
        )
    return tuple((means.get(letter, letter), flip) for letter, flip in word)


def at(scalar: Scalar, t: Index) -> Scalar:
    """The scalar with t replaced by `t`. Raises TermError for a term that varies with t in an
    unknown way.
    """
    return substitute_scalar(scalar, {}, t)


def substitute_scalar(scalar: Scalar, mapping: Values, t: Index | None = None) -> Scalar:
    """Replace letters by matrices and variables by scalars everywhere, in normal form; and t, where
    one is given.
    """
    if t is None and scalar.inside.isdisjoint(mapping):
        return scalar
    images = {atom: _map_atom(atom, mapping, t) for atom in scalar.atoms()}
    if all(image.terms == {((atom, 1),): Fraction(1)} for atom, image in images.items()):
        return scalar
    summands = []
    for monomial, coefficient in scalar.terms.items():
        product = Scalar.of(coefficient)
        for atom, exponent in monomial:
            product = product * images[atom] ** exponent
        summands.append(product)
    return Scalar.sum(summands)


def _map_atom(atom: k.Atom, mapping: Values, t: Index | None) -> Scalar:
    """The atom with other parts and at another time, in normal form."""
    if atom in mapping:
        # `Scalar.of` refuses a matrix.
        return Scalar.of(mapping[atom])  # type: ignore[arg-type]
    if isinstance(atom, Variable):
        return Scalar.of(Variable(atom.name, _moved(atom.when, t, atom)))
    if t is not None and isinstance(atom, k.Total | k.Minimum | k.Clock | k.Before):
        # What they range over is not this t.
        if isinstance(atom, k.Before):
            return before_at(atom.body, t)
        return clock(t) if isinstance(atom, k.Clock) else Scalar.of(atom)
    matrices = tuple(substitute_matrix(x, mapping, t) for x in atom.parts if isinstance(x, Matrix))
    scalars = [substitute_scalar(x, mapping, t) for x in atom.parts if isinstance(x, Scalar)]
    match atom:
        case k.Norm():
            return norm(atom.kind, *matrices)
        case k.Trace():
            return trace(matrices[0])
        case k.Value():
            return Scalar.of(k.Value(atom.function, matrices))
        case k.Expectation():
            return expect(
                scalars[0], atom.given if t is None or atom.given is None else atom.given.moved(t)
            )
        case k.Total():
            return total(scalars[0])
        case k.Before():
            return before(scalars[0])
        case k.Power():
            return power(scalars[0], atom.exponent if t is None else atom.exponent.moved(t))
        case k.Maximum():
            return maximum(*scalars)
        case k.Minimum() | k.Root() | k.Inverse():
            return Scalar.of(type(atom)(scalars[0]))
    return Scalar.of(atom)


def substitute_matrix(matrix: Matrix, mapping: Values, t: Index | None = None) -> Matrix:
    """`substitute_scalar` for a matrix."""
    if t is None and matrix.inside.isdisjoint(mapping):
        return matrix
    summands = []
    for word, coefficient in matrix.terms.items():
        factors = [
            _map_letter(letter, mapping, t).T if flip else _map_letter(letter, mapping, t)
            for letter, flip in word
        ]
        product = factors[0]
        for factor in factors[1:]:
            product = product @ factor
        summands.append(product.scaled(substitute_scalar(coefficient, mapping, t)))
    return Matrix.sum(matrix.shape, summands)


def _map_letter(letter: Letter, mapping: Values, t: Index | None) -> Matrix:
    if letter in mapping:
        image = mapping[letter]
        if not isinstance(image, Matrix) or image.shape != letter.shape:
            raise TermError(f"{letter} of shape {letter.shape} cannot become {image}")
        return image
    if isinstance(letter, Symbol):
        return Matrix.of(Symbol(letter.name, letter.shape, _moved(letter.when, t, letter)))
    if isinstance(letter, k.Gradient):
        point = tuple(substitute_matrix(x, mapping, t) for x in letter.point)
        return Matrix.of(k.Gradient(letter.function, point, letter.block))
    if isinstance(letter, k.Mean):
        given = letter.given if t is None or letter.given is None else letter.given.moved(t)
        return mean(_map_letter(letter.letter, mapping, t), given)
    raise TermError(f"unknown kind of letter: {letter!r}")


def _moved(when: k.When, t: Index | None, symbol: Term) -> k.When:
    if t is None or when == k.CONSTANT:
        return when
    if isinstance(when, str):
        raise TermError(f"{symbol} may be any function of t: it has no value at {t}")
    return k.Time(when.index.moved(t), when.lag)
