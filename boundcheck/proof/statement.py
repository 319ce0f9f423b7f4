"""What a claim says to the kernel: `statement`, made from the claim and from nothing else.

Each letter of a claim has its type where it is made. ``Symbol("x", positive=True)`` is a positive
number, ``Symbol("x")`` any real one, ``MatrixSymbol("X", 3, 4)`` any matrix of that shape, and F in
``Value(F, v)`` any function. To the kernel they are constants, of which it knows what the claim is
given and no more; so what is proved is so for all of them. An iterate such as v_t is a process. It
is known at t where the claim's algorithm says what it is, or where a mean is taken given it; any
other one is drawn at t.

Where v has blocks, the claim's `Setting` says which, what F is of them, and where they may be. It
is read of claims of `proofs/` alone, where people have read it.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement
from boundcheck.kernel import terms as k
from boundcheck.kernel.builders import known, timed
from boundcheck.kernel.terms import Scalar, Symbol, Time, Variable
from boundcheck.language import sentence
from boundcheck.language import vocabulary as words
from boundcheck.language.claim import (
    Claim,
    Formal,
    Quantifier,
    Setting,
    expressions,
    letters,
    whole,
)
from boundcheck.language.hypotheses import HYPOTHESES
from boundcheck.language.judge import followed
from boundcheck.language.prose import typed
from boundcheck.language.sentence import conjuncts, word_of
from boundcheck.language.symbols import LETTERS, D, T
from boundcheck.proof.definitions import circular, is_definition
from boundcheck.proof.reading import (
    CATALOGUE,
    Process,
    Reading,
    at_t,
    eq,
    gt,
    is_dimension,
    is_plain,
)
from boundcheck.proof.record import is_ours

# Means, sums and minima: what is in them is said of all times or outcomes together.
_WHOLES = (words.Expectation, words.MatrixExpectation, words.MinimumOver, sp.Sum)
# What names a function, and a point of it.
_OF_FUNCTIONS = (words.Value, words.Gradient, words.PartialGradient, words.Hessian)
# What our words say, before the code of any script has run.
_SAID = {word.id: word.says for word in HYPOTHESES.values()}


class Given(NamedTuple):
    """A hypothesis, and what it says to the kernel: facts, or laws for all of the letters over
    which it ranges; and what is further said with it, of the next time, or of constants alone.
    """

    hypothesis: Claim
    says: tuple[Statement, ...] = ()
    further: tuple[Statement, ...] = ()

    @property
    def statements(self) -> frozenset[Statement]:
        """All that it says."""
        return frozenset((*self.says, *self.further))


@dataclass(frozen=True)
class Sequent:
    """What a claim is to the kernel: from `given` and what is `beside` follows `conclusion`.

    Attributes:
        reading: what each letter is.
        given: the hypotheses in their order, with what they say.
        unstated: by their ids, the reasons why hypotheses say nothing to the kernel.
        beside: the formulas of quantities, the conditions, the algorithm, and the signs of letters.
        positive: the numbers that are declared to be positive.
        conclusion: what the claim says; a law where it ranges over points of blocks.

    """

    reading: Reading
    given: tuple[Given, ...]
    unstated: tuple[tuple[str, str], ...]
    beside: frozenset[Statement]
    positive: tuple[sp.Symbol, ...]
    conclusion: Statement

    @cached_property
    def hypotheses(self) -> frozenset[Statement]:
        """All that a proof may start from."""
        return self.beside.union(*(each.statements for each in self.given))

    def follows(self, theorem: Statement) -> bool:
        """True if a theorem is the conclusion, or a law with fewer premises."""
        mine = self.conclusion
        if isinstance(theorem, Law) and isinstance(mine, Law):
            fewer = {*theorem.premises} <= {*mine.premises}
            return fewer and Law(theorem.variables, mine.premises, theorem.conclusion) == mine
        return theorem == mine


def _own_letters(claim: Claim) -> set[sp.Symbol]:
    """The parameters that a claim declares itself, and its quantities: constants of all its
    proofs.
    """
    mine = {each.symbol for each in claim.parameters}
    mine |= {each.symbol for each in claim.quantities}
    return {symbol for symbol in mine - {T} if symbol not in LETTERS and not is_dimension(symbol)}


def reading_of(claim: Claim, fresh: Iterable[sp.Basic] = ()) -> Reading:
    """What the letters of a claim are to the kernel; `fresh` are a proof's own, which may be
    anything.

    Raises InputError for a fresh letter that the claim has, for two letters of one name, and for
    one that is both a number and a function.
    """
    said = [*_said(claim)]
    functions = {x for each in said for x in _functions(each)}
    own = set().union(*(_as_more(each) for each in said)) | _own_letters(claim)
    if both := functions & own:
        raise InputError("letter", min(both, key=str), "a number or a function, and not both")
    names = [str(x.name) for x in functions | own]
    if twice := sorted(x for x in names if names.count(x) > 1):
        raise InputError("letter", twice[0], "one letter of this name, with one role")
    setting = claim.setting or Setting()
    points = _points(setting)
    # What claims say of blocks, and of W, they say of all of them.
    ranged = {*sum(points.values(), setting.blocks)}
    if setting.weight is not None and not setting.weights:
        ranged |= {words.W, words.W1, words.W2}
    own = own - ranged - points.keys()
    constants = {x for x in own - {words.t, words.i, T} if not _is_given_a_type(x)}
    if mine := (constants | ranged) & set(fresh):
        raise InputError("fresh", min(mine, key=str), f"a letter that {claim.id} has not")
    return Reading(points, _processes(claim, setting, said), constants, {*fresh, *ranged})


def _processes(
    claim: Claim, setting: Setting, said: Iterable[sp.Basic]
) -> dict[words.Iterate, Process]:
    """The iterates of a claim, with their blocks, and whether each is drawn at its time."""
    blocks = {words.Iterate(x.name, words.t, *x.shape) for x in setting.blocks}
    iterates = blocks | {at_t(x) for each in said for x in each.atoms(words.Iterate)}
    known = {at_t(x.lhs) for x in _equations(claim) if isinstance(x.lhs, words.Iterate)}
    for each in said:
        for mean in each.atoms(words.Expectation, words.MatrixExpectation):
            known |= {at_t(x) for x in mean.args[1:] if isinstance(x, words.Iterate)}
    if blocks:
        known |= blocks | {words.v_t}
    elif claim.setting and not followed(claim):
        # Layers are all there at once.
        known |= iterates
    several = {words.v_t: setting.blocks, **dict(setting.noise)}
    return {
        x: Process(several.get(x) or (_block_of(x),), drawn=x not in known)
        for x in sorted(iterates, key=lambda x: (x not in known, str(x)))
    }


def statement(claim: Claim) -> Sequent:
    """The sequent of a claim: that its conclusion follows from its hypotheses, conditions,
    formulas and algorithm.

    A hypothesis that holds only where the claim does not say, whose range words restrict, or that
    the kernel cannot state says nothing to it, and `unstated` says why.

    Raises InputError as `reading_of`, for a range of the claim that words restrict, for a setting
    of a claim that is not of `proofs/`, for a formula that is no constant, for an algorithm whose
    equations are none, and for a conclusion or condition that the kernel cannot state.
    """
    for part in whole(claim):
        is_said = type(part) is Claim and type(part.quantifier) is Quantifier
        # A tuple of a class of one's own may be another one at each look.
        is_said &= {type(part.hypotheses), type(part.quantities), type(part.conditions)} == {tuple}
        if not is_said or not is_plain(*expressions(part)):
            expected = "a Claim of expressions of sympy and of our vocabulary, in tuples"
            raise InputError("claim", part.id, expected)
    setting = claim.setting
    if setting and not is_ours(claim):
        raise InputError("setting", claim.id, "none: people have to read what it says of a claim")
    reading = reading_of(claim)
    if claim.quantifier.within and not setting:
        expected = f"all values of letters, and no words that restrict them, in {claim.id}"
        raise InputError("range", claim.quantifier.latex, expected)
    # A run has one horizon, whatever it is. What is drawn may be another at each point.
    ranged = claim.quantifier.names - {str(T)}
    ranged |= _drawn(claim) if ranged else set()
    own = set().union(*map(_as_more, expressions(claim))) - {*reading.arbitrary}
    # One that has a letter over which the claim ranges is another number for each of its values.
    vary = ranged | {str(x.name) for x, with_ in _inside(claim).items() if ranged & with_}
    given, unstated = list[Given](), list[tuple[str, str]]()
    for each in with_parts(claim.hypotheses):
        if setting and each in setting.within:
            given.append(_stated(each, (_within(each, setting),), reading, own))
            continue
        is_premise = setting and each in (*setting.domain, *setting.at_points)
        if is_premise and not each.conclusion.has(words.Iterate):
            given.append(Given(each))
            continue
        if conjuncts(each) and each.quantifier.within:
            # Its parts say it.
            given.append(Given(each))
            continue
        formal = _formal(each, claim)
        why, says = _objection(each, claim, vary, formal), Given(each)
        try:
            says = says if why else _stated(each, formal, reading, own)
        except InputError as error:
            why = f"the kernel cannot state it: {error}"
        if why:
            unstated.append((each.id, why))
        given.append(says)
    beside = set[Statement]()
    for each in claim.conditions:
        beside.update(reading.facts(each))
    formulas = {each.symbol: each.expression for each in claim.quantities}
    if D in letters(claim):
        formulas.setdefault(D, words.GAP)
    for letter, formula in formulas.items():
        value = reading.scalar(formula)
        if formula != words.GAP and (timed(value) or not known(value, None)):
            raise InputError("quantity", letter, f"a value that is a constant, and not {formula}")
        if not ranged & {str(x.name) for x in formula.free_symbols}:
            beside.add(reading.fact(eq(letter, formula)))
    equations = _equations(claim)
    for each in equations:
        fact = reading.fact(each)
        if not setting and not is_definition(each, fact, reading):
            raise InputError("algorithm", each, "a letter from what is known when it is")
        beside.add(fact)
    if circle := circular([each.args for each in equations], reading):
        raise InputError("algorithm", circle, "a letter that is told once, from what was before")
    spoken = _own_letters(claim).union(*map(_as_more, _said(claim)))
    numbers = {x for x in spoken if isinstance(x, sp.Symbol) and not is_dimension(x)}
    # A number that is asked for is positive, whatever it is, where the conclusion speaks of it: of
    # another one it says nothing.
    concluded = {str(x.name) for x in claim.conclusion.free_symbols}
    concluded |= {y for x, inside in _inside(claim).items() if x.name in concluded for y in inside}
    asked = {each.symbol for each in claim.parameters if each.name in concluded}
    derived = {each.symbol for part in whole(claim) for each in part.quantities}
    derived |= formulas.keys() - asked
    positive = sorted((x for x in numbers - {T} - derived if x.is_positive), key=str)
    beside |= {fact for each in positive for fact in reading.facts(gt(each, 0))}
    conclusion = reading.fact(claim.conclusion)
    stated: Statement = conclusion
    if setting and setting.weight is not None:
        is_f = Formal(
            eq(words.Value(words.F, words.v), words.Value(words.f, setting.weight)),
            setting.blocks or (words.v,),
        )
        beside.update(*_laws(is_f, reading, own))
        stated = _at_points(setting, reading, conclusion)
    return Sequent(
        reading,
        tuple(given),
        tuple(unstated),
        frozenset(beside),
        tuple(positive),
        stated,
    )


# Letters.


def _said(claim: Claim) -> Iterator[sp.Basic]:
    """The expressions of a claim, of all that it rests on, and of its algorithm."""
    for part in whole(claim):
        yield from expressions(part)
    yield from _equations(claim)
    if D in letters(claim):
        yield words.GAP
    if claim.setting and claim.setting.weight is not None:
        yield claim.setting.weight


def _equations(claim: Claim) -> tuple[sp.Basic, ...]:
    """The equations of a claim's algorithm; raises InputError for what is none."""
    algorithm = followed(claim)
    found = (*algorithm.beginning, *algorithm.recurrence) if algorithm else ()
    for each in found:
        if not isinstance(each, sp.Eq) or not is_plain(each):
            raise InputError("algorithm", each, f"equations of {claim.id}'s algorithm")
    return found


def _as_more(expression: sp.Basic) -> set[sp.Basic]:
    """The letters of an expression that stand in it as more than the name of a function, or of a
    process.
    """
    if isinstance(expression, _OF_FUNCTIONS):
        return set().union(*map(_as_more, expression.args[1:]))
    if isinstance(expression, words.Iterate):
        return set()
    if isinstance(expression, sp.Symbol | sp.MatrixSymbol):
        return {expression}
    return set().union(*map(_as_more, expression.args))


def _is_given_a_type(letter: sp.Basic) -> bool:
    """True if a letter needs no place in a reading: a dimension, or a number of the catalogue."""
    return isinstance(letter, sp.Symbol) and (
        is_dimension(letter) or CATALOGUE.get(letter.name) == letter
    )


# Hypotheses.


def with_parts(hypotheses: Iterable[Claim]) -> Iterator[Claim]:
    """The hypotheses; a conjunction of hypotheses is followed by its parts."""
    # Not `whole`: what any other hypothesis rests on is its own condition, and nothing that the
    # claim assumes.
    for each in hypotheses:
        yield each
        if conjuncts(each):
            yield from with_parts(each.hypotheses)


def _objection(
    hypothesis: Claim, claim: Claim, ranged: frozenset[str], formal: tuple[Formal, ...]
) -> str:
    """The reason why a hypothesis says nothing to the kernel; empty if what it says is a statement.

    A claim that ranges over a letter ranges over it anew: a hypothesis that has it speaks of one.
    """
    formulas = {D: words.GAP} | {each.symbol: each.expression for each in claim.quantities}
    given = {*with_parts(claim.hypotheses)}
    _, *under = whole(hypothesis)
    for each in (x.conclusion for x in under if x not in given):
        return f"it holds where {each}, which {claim.id} does not list"
    for each in hypothesis.conditions:
        if each not in claim.conditions:
            return f"it holds where {each}, which {claim.id} does not list"
    for quantity in hypothesis.quantities:
        if formulas.get(quantity.symbol) != quantity.expression:
            return f"its {quantity.symbol} is {quantity.expression}, not that of {claim.id}"
    if followed(hypothesis) not in (None, followed(claim)):
        return "it is about another algorithm"
    names = _quantified(hypothesis)
    for letter, inside in _inside(claim).items():
        if names & (inside | {str(letter.name)}) and hypothesis.conclusion.has(letter):
            return f"{letter} has one value in {claim.id}, and it ranges over {', '.join(names)}"
    range_ = hypothesis.quantifier
    if range_ and not names and not formal:
        return f"what it ranges over is not known: {typed(range_.latex)}"
    # What it is under would be of each of the letters over which it ranges.
    conditions = [*hypothesis.conditions, *(x.conclusion for x in hypothesis.hypotheses)]
    if names and any(
        each.has(words.Iterate) or names & {str(x.name) for x in each.free_symbols}
        for each in conditions
    ):
        return "it holds where something is so of the letters over which it ranges"
    one = ranged & {str(x.name) for x in _as_more(hypothesis.conclusion)} - names
    return f"it is said of one {min(one)}, and {claim.id} ranges over {min(one)}" if one else ""


def _formal(hypothesis: Claim, claim: Claim) -> tuple[Formal, ...]:
    """What a word of ours says where words restrict a range, or a letter is another at each
    point.
    """
    word = word_of(hypothesis)
    if word is None or not sentence.is_ours(word):
        return ()
    # A word that was given to a claim afterwards may say something else.
    said = (hypothesis.conclusion, hypothesis.quantifier)
    found = next((x.formal for x in _SAID[word.id] if x[:2] == said), ())
    if not found:
        return ()
    algorithm = followed(claim)
    others = (x for x in whole(claim) if x is not hypothesis)
    spoken = {y for x in others for each in expressions(x) for y in _functions(each)}
    own = _functions(hypothesis.conclusion)
    for each in found:
        # What is so of the g at any point is so of g_t where that is the one at v_t.
        is_drawn = each.relation.has(words.g_t) and not hypothesis.conclusion.has(words.g_t)
        if is_drawn and not (algorithm and algorithm.draws_at_iterate):
            return ()
        # What is so of f is so of F where nothing else says what f is.
        if own & spoken and _functions(each.relation) - own:
            return ()
    return found


def _functions(expression: sp.Basic) -> set[sp.Basic]:
    """The functions that an expression speaks of."""
    return {node.args[0] for node in expression.atoms(*_OF_FUNCTIONS)}


def _stated(
    hypothesis: Claim, formal: tuple[Formal, ...], reading: Reading, own: set[sp.Basic]
) -> Given:
    """What a hypothesis says: facts, further also at t + 1; or laws for all of its letters.

    A letter under a mean, a sum or a minimum is one for all outcomes and times: the law is then for
    constants alone. It is so too where a letter is the claim's `own`, which a reader could not tell
    from one that varies. Any other law is for what varies with outcome and time, and further stated
    for constants, and at the letters of the claim that have the names of its own.
    """
    relation, names = hypothesis.conclusion, _quantified(hypothesis)
    bound = {
        x
        for x in _as_more(relation)
        if str(x.name) in names and not _is_given_a_type(x) and x not in (words.t, T)
    }
    bound = {y for x in bound for y in reading.points.get(x, (x,))}
    says, further = list[Statement](), list[Statement]()
    for each in formal or (Formal(relation, tuple(sorted(bound, key=str))),):
        if each.letters:
            constant, *vary = reversed([*_laws(each, reading, own)])
            says += vary[0] if vary else constant
            if not formal:
                further += [*(constant if vary else ()), *reading.facts(each.relation)]
            continue
        facts = reading.facts(each.relation)
        says += facts
        known = any(not x.drawn for x in reading.processes.values())
        if not each.relation.has(sp.Sum, words.MinimumOver) and not any(
            _is_dated(x, known) for x in facts
        ):
            further += reading.facts(each.relation.xreplace({words.t: words.t + 1}))
    return Given(hypothesis, tuple(says), tuple(further))


def _laws(formal: Formal, reading: Reading, own: set[sp.Basic]) -> Iterator[list[Law]]:
    """The laws for all of some letters: where they may vary, and where they are constants."""
    bound = set(formal.letters)
    vary = Reading(
        reading.points,
        reading.processes,
        {*reading.constants} - bound,
        {*reading.arbitrary} | bound,
    )
    constants = Reading(
        reading.points,
        reading.processes,
        {*reading.constants} | bound,
        {*reading.arbitrary} - bound,
    )
    are_constants = formal.relation.has(*_WHOLES) or not bound.isdisjoint(own)
    for each in (constants,) if are_constants else (vary, constants):
        variables = [
            x
            for letter in formal.letters
            for term in ([each.scalar(letter)] if letter.is_Symbol else each.point(letter))
            for x in term.inside
            if isinstance(x, Symbol | Variable)
        ]
        premises = [
            Fact(">", Scalar.of(x))
            for x in variables
            if isinstance(x, Variable) and any(y.is_positive and y.name == x.name for y in bound)
        ]
        premises += [fact for relation in formal.such_that for fact in each.facts(relation)]
        yield [Law(variables, premises, fact) for fact in each.facts(formal.relation)]


def _is_dated(fact: Fact, has_known: bool) -> bool:
    """True if a fact speaks of the times from 1 to T alone: it names the number t, T, a fixed
    time or the next one, or what is drawn at t for a next iterate, which no step draws at T + 1.
    """
    return any(
        isinstance(x, k.Clock | k.Power | k.Before | k.Horizon)
        or (
            isinstance(x, Symbol | Variable)
            and isinstance(x.when, Time)
            and (x.when.index != k.NOW or (has_known and x.when.lag > 0))
        )
        for x in fact.polynomial.inside
    )


# Points of blocks.


def _numbered(letter: sp.MatrixSymbol, place: int) -> sp.MatrixSymbol:
    """A at v, A_1 at v_1 and A_2 at v_2."""
    return sp.MatrixSymbol(f"{letter.name}_{place}", *letter.shape) if place else letter


def _block_of(iterate: words.Iterate) -> sp.MatrixSymbol:
    """The block A of A_t."""
    return sp.MatrixSymbol(str(iterate.args[0]), *iterate.shape)


def _points(setting: Setting) -> dict[sp.MatrixSymbol, tuple[sp.MatrixSymbol, ...]]:
    """The matrices that stand for several, with these."""
    found = {}
    for place, points in enumerate(
        ((words.v, words.W), (words.v1, words.W1), (words.v2, words.W2))
    ):
        for point, blocks in zip(points, (setting.blocks, setting.weights), strict=True):
            if blocks:
                found[point] = tuple(_numbered(x, place) for x in blocks)
    if setting.arguments:
        found[sp.MatrixSymbol("arguments", 1, 1)] = setting.arguments
    return found


def _moved(relation: sp.Basic, setting: Setting, place: int) -> sp.Basic:
    """What is said of v, said of v_1 or v_2."""
    return relation.xreplace({x: _numbered(x, place) for x in setting.blocks or (words.v,)})


def _matrices_in(expression: sp.Basic) -> set[sp.Basic]:
    """The matrices in an expression, but for the names by which it calls blocks of a gradient."""
    if isinstance(expression, sp.MatrixSymbol):
        return {expression}
    is_named = isinstance(expression, words.PartialGradient)
    return set().union(*map(_matrices_in, expression.args[:2] if is_named else expression.args))


def _places(relation: sp.Basic, setting: Setting) -> set[int]:
    """The numbers of the points of which something is said, 0 of v."""
    blocks, letters_ = setting.blocks or (words.v,), _matrices_in(relation)
    return {i for i in range(3) if any(_numbered(x, i) in letters_ for x in blocks)}


def _in_blocks(hypothesis: Claim, setting: Setting) -> sp.Basic:
    """What a hypothesis says of v, v_1 and v_2 by their blocks, and by W(v)."""
    if setting.weight is None:
        return hypothesis.conclusion
    weights = [_moved(setting.weight, setting, i) for i in range(3)]
    values = dict(zip((words.W, words.W1, words.W2), weights, strict=True))
    slopes = (words.Gradient(words.f, x) for x in weights[1:])
    values |= dict(zip(setting.slopes, slopes, strict=False))
    return hypothesis.conclusion.xreplace(values)


def _domain(setting: Setting, places: Collection[int]) -> list[sp.Basic]:
    """The relations that say that these points are in the domain."""
    found = list[sp.Basic]()
    for hypothesis in setting.domain:
        # An iterate is some v.
        iterates = hypothesis.conclusion.atoms(words.Iterate)
        said = hypothesis.conclusion.xreplace({x: _block_of(x) for x in iterates})
        for part in sp.And.make_args(said):
            if _places(part, setting) & {1, 2}:
                found += [part] if {1, 2} <= {*places} else []
            else:
                found += [_moved(part, setting, i) for i in places]
    return list(dict.fromkeys(found))


def _within(hypothesis: Claim, setting: Setting) -> Formal:
    """What a hypothesis says at all points of the domain; a fact where it says nothing of them."""
    relation = _in_blocks(hypothesis, setting)
    places = sorted(_places(relation, setting))
    blocks = [_numbered(x, i) for i in places for x in setting.blocks]
    return Formal(relation, tuple(blocks), tuple(_domain(setting, places)))


def _letter(symbol: sp.MatrixSymbol, reading: Reading) -> Symbol:
    """The kernel's letter of a matrix."""
    (matrix,) = reading.point(symbol)
    return next(x for x in matrix.inside if isinstance(x, Symbol))


def _at_points(setting: Setting, reading: Reading, conclusion: Fact) -> Statement:
    """The conclusion, for all v_1 and v_2 in the domain at which the hypotheses hold that are
    `at_points`; the conclusion alone where it is about no such points.
    """
    blocks = setting.blocks or (words.v,)
    letters_ = {_letter(_numbered(x, i), reading) for i in (1, 2) for x in blocks}
    if letters_.isdisjoint(conclusion.polynomial.inside):
        return conclusion
    premises = [fact for each in _domain(setting, (1, 2)) for fact in reading.facts(each)]
    for hypothesis in setting.at_points:
        relation = _in_blocks(hypothesis, setting)
        for i in (1, 2) if 0 in _places(relation, setting) else (0,):
            premises += reading.facts(_moved(relation, setting, i))
    return Law(letters_, premises, conclusion)


# Ranges.


def _quantified(claim: Claim) -> frozenset[str]:
    """The letters over which a claim surely ranges; none where words restrict them.

    A range over points is not known where another matrix belongs to each: E[g] = ∇F(v) is said of
    the g at v, and of no g at two points.
    """
    names = claim.quantifier.names
    # A formula is one number, and so are its letters.
    fixed = {str(x.name) for each in claim.quantities for x in each.expression.free_symbols}
    fixed |= {*claim.names}
    ranged = {x.name for x in _matrices(claim)} & names
    belongs = claim.conclusion.has(words.g) or (ranged and _drawn(claim) - ranged)
    return frozenset() if claim.quantifier.within or fixed & names or belongs else names


def _drawn(claim: Claim) -> frozenset[str]:
    """The names of the matrices that may differ from point to point: g, and those in an
    expectation.
    """
    means = claim.conclusion.atoms(words.Expectation, words.MatrixExpectation)
    inside = {x for mean in means for x in mean.args[0].atoms(sp.MatrixSymbol)}
    return frozenset(x.name for x in inside | (claim.conclusion.atoms(sp.MatrixSymbol) & {words.g}))


def _inside(claim: Claim) -> dict[sp.Symbol, frozenset[str]]:
    """By the letter of each quantity the names in its formula, and in the formulas of those."""
    found = dict[sp.Symbol, frozenset[str]]()
    for each in claim.quantities:
        letters_ = each.expression.free_symbols
        names = {str(x.name) for x in letters_}
        found[each.symbol] = frozenset(names.union(*(found.get(x, ()) for x in letters_)))
    return found


def _matrices(claim: Claim) -> set[sp.MatrixSymbol]:
    return {x for each in expressions(claim) for x in each.atoms(sp.MatrixSymbol)}
