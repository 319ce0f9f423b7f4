"""The search for certificates: why a goal follows from premises by exact algebra.

A certificate is an identity m·goal = Σ_j s_j Π_i p_i + Σ_k c_k e_k, which
`kernel.rules.certificate` checks. The search lists products of premises and of squares, and
multiples of equations; `sums` says which of them make up the goal, and with what weights, or finds
squares with free coefficients. Nothing here is trusted, and nothing depends on the clock: what
grows is capped by the constants.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, combinations, combinations_with_replacement

from flint import fmpq

from boundcheck.kernel import Fact, Theorem, rules
from boundcheck.kernel.terms import (
    ONE,
    Atom,
    Clock,
    Dimension,
    Expectation,
    Horizon,
    Norm,
    Root,
    Scalar,
    Total,
)
from boundcheck.proof import sums
from boundcheck.proof.sums import UNIT, Block, Packing, Poly, Rational, combine, gram_basis, times

MOST_PLAIN = 1000  # products of inequalities
MOST_TERMS = 3000  # the same, and squares times such
MOST_MULTIPLES = 3000  # monomial multiples of equations
MOST_ENTRIES = 200_000  # monomials in all columns together
MOST_ROOTS = 12  # monomials whose sums and differences are squared
MOST_FACTORS = 40  # products of strict premises that are tried as the factor
# The same for semidefinite programs, which grow faster.
MOST_GRAM_FACTORS = 6
MOST_GRAM_TERMS = 200
MOST_GRAM_MULTIPLES = 300


@dataclass(frozen=True)
class _Term:
    """A square (None for 1) times the inequalities at `places`."""

    poly: Poly
    places: tuple[int, ...]
    square: Poly | None = None


@dataclass(frozen=True)
class _Multiple:
    """A monomial times the equation at `places`, or the product of the inequalities there."""

    poly: Poly
    places: tuple[int, ...]
    monomial: int


@dataclass(frozen=True)
class _Stage:
    """Limits on the columns that one stage of the search has.

    Attributes:
        products: how many inequalities are multiplied, also with the square of a monomial.
        own: how many are multiplied with the square of the goal; -1: it is not squared.
        squares: how many are multiplied with the square of a sum or difference of monomials; -1: no
            such square.
        rounds: how often multiples of equations are added, see `_Search.multiples`.
        factors: the most strict premises that multiply the goal.
        is_scaled: whether multiples of the inequalities and their products are added too.

    """

    products: int
    own: int = -1
    squares: int = -1
    rounds: int = 1
    factors: int = 2
    is_scaled: bool = False


def entailed(
    goal: Fact,
    premises: Sequence[Theorem],
    *,
    degree: int = 2,
    is_brief: bool = False,
) -> Theorem | None:
    """The goal from facts and the signs of their atoms, at once or by a certificate; arguments as
    of `certify`.
    """
    premises = [*premises, *signs([goal, *(x.fact for x in premises)])]
    return by_signs(goal, premises) or certify(goal, premises, degree=degree, is_brief=is_brief)


def signs(facts: Iterable[Fact]) -> list[Theorem]:
    """The theorems that norms and roots in these facts, and the means and sums of these, are not
    negative, and dimensions, T and t are at least 1.
    """
    found: dict[str, Theorem] = {}
    for atom in (atom for fact in facts for atom in fact.polynomial.atoms()):
        match atom:
            case Norm():
                found[atom.key] = rules.norm_nonnegative(atom.kind, atom.blocks)
            case Root():
                found[atom.key] = rules.root_nonnegative(atom.body)
            case Dimension():
                found[atom.key] = rules.dimension_positive(atom.name)
            case Horizon():
                found[atom.key] = rules.horizon_positive()
            case Clock():
                found[atom.key] = rules.time_at_least_one()
            case Expectation() | Total():
                body = Fact(">=", atom.body)
                if positive := by_signs(body, signs([body])):
                    found[atom.key] = (
                        rules.summation(positive)
                        if isinstance(atom, Total)
                        else rules.expectation(positive, atom.given)
                    )
    return list(found.values())


def by_signs(goal: Fact, premises: Sequence[Theorem]) -> Theorem | None:
    """The goal, if its coefficients are positive and `premises` give every atom's sign; else
    None.
    """
    if goal.relation == "=" or any(weight < 0 for weight in goal.polynomial.terms.values()):
        return None
    # Strict ones last: they replace weak ones.
    signed = {
        theorem.fact.polynomial: theorem
        for relation in (">=", ">")
        for theorem in premises
        if theorem.fact.relation == relation
    }
    used: list[Theorem] = []
    terms, strict = [], False
    for monomial, weight in goal.polynomial.terms.items():
        factors = [
            signed.get(Scalar.of(atom)) for atom, exponent in monomial for _ in range(exponent)
        ]
        known = [theorem for theorem in factors if theorem is not None]
        if len(known) < len(factors):
            return None
        used += [theorem for theorem in known if theorem not in used]
        terms.append((((weight, ONE),), tuple(used.index(theorem) for theorem in known)))
        strict = strict or all(theorem.fact.relation == ">" for theorem in known)
    if goal.relation == ">" and not strict:
        return None
    return rules.certificate(tuple(used), goal, tuple(terms), (), ())


def certify(
    goal: Fact,
    premises: Sequence[Theorem],
    *,
    degree: int = 2,
    is_brief: bool = False,
) -> Theorem | None:
    """The goal as a theorem of the kernel, by a certificate from the premises it needs; None if
    none is found.

    Args:
        goal: the fact to prove.
        premises: theorems; laws among them are ignored.
        degree: the most inequalities that are multiplied with each other, apart from the factor of
            the goal times one, and from atoms that are not negative.
        is_brief: whether only linear programs without a factor of the goal are tried. Else no
            factor, each strict premise alone, and pairs of these are.

    """
    return _Search(goal, premises).run(degree, is_brief)


class _Search:
    """The premises as polynomials, and the columns made of them."""

    def __init__(self, goal: Fact, premises: Sequence[Theorem]) -> None:
        facts: dict[Fact, int] = {}
        for place, premise in enumerate(premises):
            if isinstance(premise.conclusion, Fact) and premise.conclusion.polynomial.terms:
                facts.setdefault(premise.conclusion, place)
        self.packing = Packing([goal.polynomial, *(fact.polynomial for fact in facts)])
        self.goal, self.premises = goal, premises
        polys = {
            place: (fact.relation, self.packing.pack(fact.polynomial))
            for fact, place in facts.items()
        }
        self.equations = {
            place: poly for place, (relation, poly) in polys.items() if relation == "="
        }
        self.strict = [place for place, (relation, _) in polys.items() if relation == ">"]
        # Strict ones first: of two products that are the same polynomial, the first is kept.
        weak = [place for place, (relation, _) in polys.items() if relation == ">="]
        self.inequalities = {place: polys[place][1] for place in (*self.strict, *weak)}
        self.signed = dict[Atom, int]()
        for place, poly in self.inequalities.items():
            for atom in self.packing.atoms:
                if poly == self.packing.pack(Scalar.of(atom)):
                    self.signed.setdefault(atom, place)
        self._products: dict[tuple[int, ...], Poly] = {(): UNIT}

    def run(self, degree: int, is_brief: bool) -> Theorem | None:
        """The first certificate, from the cheapest stage on."""
        goal = self.packing.pack(self.goal.polynomial)

        positive = self.strict
        if self.goal.relation == ">":
            # p > 0 follows from p >= 0 and p² > 0.
            own = [place for place, poly in self.inequalities.items() if poly == goal]
            positive = own + positive

        def factors(most: int) -> list[tuple[int, ...]]:
            """The possible factors, each as the places of the premises whose product it is."""
            if is_brief:
                return [()]
            return [x for size in range(most + 1) for x in combinations(positive, size)][
                :MOST_FACTORS
            ]

        if self.goal.relation == "=":
            stages = [_Stage(-1, rounds=rounds) for rounds in (0, 1, 2, 4)]
        else:
            stages = [
                _Stage(min(1, degree), rounds=0),
                _Stage(min(1, degree), rounds=2, factors=0, is_scaled=True),
                _Stage(min(2, degree), rounds=2, factors=0, is_scaled=True),
                _Stage(min(2, degree), own=1),
                _Stage(min(2, degree), own=1, squares=0, rounds=2),
                _Stage(degree, own=degree, squares=max(1, degree - 1), rounds=3, factors=1),
            ]
        for stage in stages:
            for places in factors(stage.factors):
                found = self.linear(places, times(self.product(places), goal), stage)
                if found is not None:
                    return found
        if self.goal.relation == "=" or not goal or is_brief:
            return None
        most = min(degree, 2) if self.inequalities else 0
        # The help that sums of squares get: products, rounds as of a stage, and squares times each
        # inequality.
        helps = [(products, rounds, False) for products in range(most + 1) for rounds in (0, 1)]
        if self.inequalities:
            helps.append((most, 1, True))
        for products, rounds, weighed in helps:
            for places in factors(1)[:MOST_GRAM_FACTORS]:
                found = self.gram(
                    places, times(self.product(places), goal), products, rounds, weighed
                )
                if found is not None:
                    return found
        return None

    def signs(self, monomial: int) -> list[int] | None:
        """The places of inequalities whose product is the monomial; None if there are none."""
        places = list[int]()
        for atom, exponent in zip(
            self.packing.atoms, self.packing.exponents(monomial), strict=True
        ):
            if exponent and atom not in self.signed:
                return None
            places += [self.signed[atom]] * exponent if exponent else []
        return places

    def product(self, places: tuple[int, ...]) -> Poly:
        """The product of the inequalities at these places."""
        if places not in self._products:
            self._products[places] = times(self.product(places[:-1]), self.inequalities[places[-1]])
        return self._products[places]

    def products(self, degree: int) -> Iterator[tuple[int, ...]]:
        """The places of every product of at most `degree` inequalities, the shorter ones first."""
        for size in range(degree + 1):
            yield from combinations_with_replacement(self.inequalities, size)

    def linear(self, factor: tuple[int, ...], target: Poly, stage: _Stage) -> Theorem | None:
        """A certificate with the columns of a stage."""
        terms = self.terms(factor, target, stage) if stage.products >= 0 else []
        occurring = set(target).union(*(term.poly for term in terms))
        scaled = list(self.products(stage.products))[1:] if stage.is_scaled else []
        multiples = list[_Multiple]()
        for each in self.multiples(occurring, stage.rounds, scaled):
            if each.places[0] in self.equations:
                multiples.append(each)
            else:
                signs = self.signs(each.monomial) or ()
                terms.append(_Term(each.poly, (*signs, *each.places)))
        columns = [*(term.poly for term in terms), *(multiple.poly for multiple in multiples)]
        costs = [1.0 + len(term.places) + 2 * (term.square is not None) for term in terms] + [
            1.0
        ] * len(multiples)
        certain = (
            {j for j, term in enumerate(terms) if self.positive(term)}
            if self.goal.relation == ">"
            else None
        )
        weights = combine(target, columns, costs, len(terms), certain)
        if weights is None:
            return None
        used = zip(weights, terms, strict=False), zip(weights[len(terms) :], multiples, strict=True)
        return self.theorem(factor, *used)

    def positive(self, term: _Term) -> bool:
        """True if a term is certainly positive: a product of strict facts."""
        return term.square is None and all(place in self.strict for place in term.places)

    def terms(self, factor: tuple[int, ...], target: Poly, stage: _Stage) -> list[_Term]:
        """The columns with nonnegative weights."""
        # The factor times an inequality is included even if the factor alone has the largest
        # degree.
        products = chain(
            self.products(stage.products), (factor + places for places in self.products(1))
        )
        plain = list(
            _within((_Term(self.product(places), places) for places in products), MOST_PLAIN)
        )
        # The goal's own square helps where a factor is a summand of it: 2R(R - d) = R² - d² + (R -
        # d)².
        sources = [([self.packing.pack(self.goal.polynomial)], stage.own)]
        if stage.squares >= 0:
            monomials, pairs = self.roots(
                [target, *(term.poly for term in plain), *self.equations.values()]
            )
            sources += [(monomials, stage.products), (pairs, stage.squares)]
        squared = (
            _Term(times(square, self.product(places)), places, root)
            for roots, degree in sources
            for squares in [[(root, times(root, root)) for root in roots]]
            for places in self.products(degree)
            for root, square in squares
        )
        return list(_within(chain(plain, squared), MOST_TERMS))

    def roots(self, polys: Iterable[Poly]) -> tuple[list[Poly], list[Poly]]:
        """The polynomials to square.

        They are monomials whose squares occur, and atoms; and the sums and differences of these,
        also with 1.
        """
        monomials: dict[int, None] = {}
        for poly in polys:
            monomials |= dict.fromkeys(filter(None, map(self.packing.root, sorted(poly))))
        for atom in self.packing.atoms:
            monomials |= dict.fromkeys(self.packing.pack(Scalar.of(atom)))
        listed, one = list(monomials)[:MOST_ROOTS], fmpq(1)
        pairs = [
            {x: one, y: sign * one} for x, y in combinations([*listed, 0], 2) for sign in (-1, 1)
        ]
        return [{x: one} for x in listed], pairs

    def multiples(
        self, occurring: set[int], rounds: int, scaled: Iterable[tuple[int, ...]] = ()
    ) -> list[_Multiple]:
        """The equations, and their multiples that share a monomial with what occurs, or with
        another such multiple.

        Those of the products of inequalities at `scaled` too, by monomials that are not negative.
        """
        polys: dict[tuple[int, ...], Poly] = {(x,): poly for x, poly in self.equations.items()}
        found = {(places, 0): _Multiple(poly, places, 0) for places, poly in polys.items()}
        frontier = occurring | {
            monomial for multiple in found.values() for monomial in multiple.poly
        }
        seen = set(frontier)
        polys |= {places: self.product(places) for places in scaled}
        for _ in range(rounds):
            fresh: dict[tuple[tuple[int, ...], int], _Multiple] = {}
            for places, poly in polys.items():
                quotients = {
                    self.packing.quotient(monomial, divisor)
                    for divisor in poly
                    for monomial in frontier
                }
                for monomial in quotients:
                    if monomial is None or (places, monomial) in found:
                        continue
                    if places[0] in self.equations or self.signs(monomial) is not None:
                        multiple = {monomial + m: c for m, c in poly.items()}
                        fresh[places, monomial] = _Multiple(multiple, places, monomial)
            # Multiples with few new monomials are the likeliest to cancel.
            new = {
                key: sum(m not in seen for m in multiple.poly) for key, multiple in fresh.items()
            }
            order = sorted(fresh, key=lambda key: (new[key], key))
            found |= {key: fresh[key] for key in order[: max(0, MOST_MULTIPLES - len(found))]}
            frontier = {
                monomial for key in fresh if key in found for monomial in fresh[key].poly
            } - seen
            seen |= frontier
        return list(found.values())

    def gram(
        self, factor: tuple[int, ...], target: Poly, most: int, rounds: int, weighed: bool
    ) -> Theorem | None:
        """A certificate with sums of squares of arbitrary polynomials."""
        products = ((self.product(places), places) for places in self.products(most))
        simple = list(_within((_Term(*product) for product in products), MOST_GRAM_TERMS))
        multiples = self.multiples(set(target).union(*(term.poly for term in simple)), rounds)[
            :MOST_GRAM_MULTIPLES
        ]
        columns = [*(term.poly for term in simple), *(multiple.poly for multiple in multiples)]
        bound = set(target).union(
            *(column for column in columns if not column.keys().isdisjoint(target))
        )
        others = set(target).union(*columns)
        bases: dict[tuple[int, ...], list[int]] = {}
        for place in self.inequalities if weighed else ():
            bases[place,] = gram_basis(self.packing, bound, self.product((place,)))
            others |= {
                x + y + z
                for x in bases[place,]
                for y in bases[place,]
                for z in self.product((place,))
            }
        bases[()] = sums.possible(gram_basis(self.packing, bound, UNIT), others)
        blocks = [Block(term.poly, [UNIT], self.positive(term)) for term in simple]
        blocks += [
            Block(self.product(places), [{x: fmpq(1)} for x in basis])
            for places, basis in bases.items()
        ]
        equations = [multiple.poly for multiple in multiples]
        found = sums.decompose(target, blocks, equations, strict=self.goal.relation == ">")
        if found is None:
            return None
        terms = (
            (weight, _Term(self.product(places), places, None if root == UNIT else root))
            for places, squares in zip(
                [*(term.places for term in simple), *bases], found[0], strict=True
            )
            for weight, root in squares
        )
        return self.theorem(factor, terms, zip(found[1], multiples, strict=True))

    def theorem(
        self,
        factor: tuple[int, ...],
        terms: Iterable[tuple[Rational, _Term]],
        multiples: Iterable[tuple[Rational, _Multiple]],
    ) -> Theorem:
        """The kernel's theorem, from only the premises that the certificate uses: those of a weight
        that is not 0.
        """
        squares: dict[tuple[int, ...], list[tuple[Fraction, Scalar]]] = {}
        for weight, term in terms:
            if weight:
                root = self.packing.unpack(UNIT if term.square is None else term.square)
                squares.setdefault(term.places, []).append((sums.fraction(weight), root))
        multipliers: dict[int, Poly] = {}
        for weight, multiple in multiples:
            if weight:
                multipliers.setdefault(multiple.places[0], {})[multiple.monomial] = weight
        used = sorted({*factor, *multipliers, *(place for places in squares for place in places)})
        place = {old: new for new, old in enumerate(used)}
        return rules.certificate(
            tuple(self.premises[old] for old in used),
            self.goal,
            tuple(
                (tuple(roots), tuple(place[x] for x in places)) for places, roots in squares.items()
            ),
            tuple((self.packing.unpack(poly), place[old]) for old, poly in multipliers.items()),
            tuple(place[x] for x in factor),
        )


def _within(terms: Iterable[_Term], most: int) -> Iterator[_Term]:
    """The first terms, each polynomial once, up to `most` of them and to `MOST_ENTRIES`
    monomials.
    """
    entries, kept = 0, 0
    seen: dict[frozenset[int], list[Poly]] = {}
    for term in terms:
        same = seen.setdefault(frozenset(term.poly), [])
        if term.poly not in same:
            same.append(term.poly)
            yield term
            entries, kept = entries + len(term.poly), kept + 1
        if kept == most or entries > MOST_ENTRIES:
            return
