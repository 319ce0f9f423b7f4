"""Checks that a proof proves the claim that it names: its conclusion, its quantifiers, its
hypotheses, its definitions.

The kernel knows what follows from what. What a claim of the catalogue says to the kernel is fixed;
its proof must end in this statement and start from nothing else. A script's own claim or lemma says
what the script says, within the
limits below: its conclusion and what it rests on are printed, to be read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.kernel import Fact, Law, Statement, rules
from boundcheck.kernel import terms as k
from boundcheck.kernel.builders import known, substitute_scalar, timed
from boundcheck.kernel.derive import free
from boundcheck.kernel.terms import (
    Before,
    Clock,
    Gradient,
    Matrix,
    Power,
    Scalar,
    Symbol,
    Term,
    Time,
    Value,
    Variable,
)
from boundcheck.language import vocabulary as words
from boundcheck.language.claim import Claim, declarations, whole
from boundcheck.language.hypotheses import HYPOTHESES
from boundcheck.language.judge import followed
from boundcheck.language.sentence import Range, algorithm_of, conjuncts, is_of_letters, read_range
from boundcheck.language.symbols import LETTERS, D, T, f_star
from boundcheck.language.vocabulary import GAP
from boundcheck.proof.proof import Assumption, Because, Proof, only_defines
from boundcheck.proof.reading import Reading, at_t, eq, ge, gt, is_dimension, is_plain
from boundcheck.proof.script import Script, fixed_statements, is_fixed, is_ours, own_letters


def digest(statement: Statement) -> str:
    """A short hash of a statement."""
    return sha256(statement.key.encode()).hexdigest()[:32]


def own_statements(claim: Claim) -> set[Statement]:
    """The facts that the claim states without quantifiers: quantities, conditions, and that
    parameters are positive.
    """
    reading = Reading().having(own_letters(claim))
    derived = {each.symbol: eq(each.symbol, each.expression) for each in claim.quantities}
    signs = [
        gt(each.symbol, 0) for each in declarations(claim).values() if each.symbol not in derived
    ]
    return {
        fact
        for relation in (*derived.values(), *signs, *claim.conditions)
        for fact in reading.facts(relation)
    }


def stray(
    script: Script, proof: Proof, hypotheses: Iterable[Statement], *, fixing: bool = False
) -> list[Statement]:
    """The hypotheses from which the script's statement may not start; `fixing` ignores what is
    fixed already.
    """
    claim, wanted = script.claim, set(hypotheses)
    own, may = set[Statement](), [may_start_from]
    if claim is not None and is_ours(claim):
        own, may = own_statements(claim), [_is_reading, may_start_from]
    laid = [each for each in proof.assumptions if each.statement in wanted - own]
    if claim is not None and is_fixed(claim) and not fixing:
        fixed = fixed_statements().get(claim.id)
        laid = [
            each
            for each in laid
            if fixed is not None and digest(each.statement) in fixed.hypotheses
        ]
    return sorted(
        wanted - own - {each.statement for each in laid if any(ask(each, script) for ask in may)}
    )


# What a letter means, which is no hypothesis of a claim that has it.
_MEANT = frozenset({ge(words.Value(words.F, words.v), f_star)})


def _is_reading(assumption: Assumption, script: Script) -> bool:
    """True if an assumption is a reading of a hypothesis of the claim: its own relation, at points
    that a person chose.

    A text such as "for v in the ball" is not read, nor that F is f(W(v)). But the assumption is the
    hypothesis and no other relation; what is said of iterates is not said of points; and what is
    said of one letter is not said of all.
    """
    relation, statement = assumption.relation, assumption.statement
    if not _says(assumption, script.reading):
        return False
    bound = frozenset(statement.variables) if isinstance(statement, Law) else frozenset()
    if assumption.role == "definition" and isinstance(relation, sp.Eq):
        left, right = relation.args
        is_setting = (
            isinstance(left, words.Value)
            and isinstance(right, words.Value)
            and left.args[0] != right.args[0]
        )
        letters = (
            {x for block in script.reading.point(right.args[1]) for x in block.inside}
            if is_setting
            else set()
        )
        return (
            is_setting
            and isinstance(statement, Law)
            and not statement.premises
            and bound <= letters
        )
    if assumption.role != "hypothesis":
        return False
    if relation in _MEANT and assumption.claim is None:
        return isinstance(statement, Law) and not assumption.where
    for hypothesis in _usable(script):
        said, where = hypothesis.conclusion, {x: y for x, y in assumption.where.items() if x != y}
        names = {str(x.name) for x in said.free_symbols}
        # True if each matrix of what is said is replaced by the iterate of its name, all of them at
        # one time.
        times = {y.args[1] for y in where.values() if isinstance(y, words.Iterate)}
        at_iterates = any(
            all(
                where.get(x) == words.Iterate(x.name, at, *x.shape)
                for x in said.atoms(sp.MatrixSymbol)
            )
            for at in times
        )
        if (
            is_plain(*where, *where.values())
            and assumption.claim == hypothesis
            and relation == said.xreplace(where)
            and all(
                _renames(x, y) and (x == t or isinstance(x, sp.MatrixSymbol))
                for x, y in where.items()
            )
            and not any(isinstance(x, Variable) and x.name in names for x in bound)
            and (hypothesis.quantifier.strip() or not any(isinstance(x, Symbol) for x in bound))
            # What is said of v, and of the g at v, is said of v_t and g_t at one t.
            and (not said.has(words.g) or (not bound and at_iterates))
        ):
            return True
    return False


def may_start_from(assumption: Assumption, script: Script) -> bool:
    """True if the assumption is a hypothesis or condition of the claim, a domain, or a definition
    that only defines.
    """
    claim, relation = script.claim, assumption.relation
    if not _says(assumption, script.reading):
        return False
    if claim is None:
        if assumption.role == "choice":
            # That the object exists is nobody's word but the script's.
            return script.is_ours
        return assumption.role != "local" and _is_what_it_is_called(assumption, script.reading)
    stated = any(says_no_more(assumption, each, script.reading) for each in _usable(script))
    match assumption.role:
        case "local" | "choice":
            return False
        case "domain":
            # The formula of a quantity gives its sign, also of a quantity of a hypothesis.
            signed = isinstance(relation, sp.Symbol) and bool(relation.is_positive)
            formulas = {x.symbol for each in whole(claim) for x in each.quantities}
            return signed and relation not in formulas
        case "definition":
            if not isinstance(relation, sp.Eq):
                return False
            left, right = relation.args
            # The algorithm of a theorem says how its iterates begin, and lead from step t to step t
            # + 1.
            algorithm = algorithm_of(claim)
            equations = (*algorithm.beginning, *algorithm.recurrence) if algorithm else ()
            made = [_facts(each, script.reading) for each in equations]
            # A proof that speaks of other iterates has no equation of the algorithm.
            if stated or (all(made) and any(assumption.statement in facts for facts in made)):
                return True
            parts = (claim, *hypotheses_of(script))
            return only_defines(left, right, assumption.statement, parts, script.reading)
    if relation in claim.conditions and isinstance(assumption.statement, Fact):
        return True
    return stated and assumption.claim in hypotheses_of(script)


def _is_what_it_is_called(assumption: Assumption, reading: Reading) -> bool:
    """True unless a definition says more than what a letter is, or a domain gives no letter its
    sign.
    """
    relation, statement = assumption.relation, assumption.statement
    match assumption.role:
        case "domain":
            return isinstance(relation, sp.Symbol) and bool(relation.is_positive)
        case "definition":
            if not isinstance(relation, sp.Eq):
                return False
            left, right = relation.args
            return only_defines(left, right, statement, (), reading)
    return True


def says_no_more(assumption: Assumption, hypothesis: Claim, reading: Reading) -> bool:
    """True if an assumption says no more than a hypothesis does as it stands, or at points and
    times in its range.
    """
    statement, free_names = assumption.statement, quantified(hypothesis)
    # A range is read where it is empty, names letters, or belongs to a word of ours that speaks of
    # iterates alone.
    of_iterates = hypothesis.word in HYPOTHESES.values() and not hypothesis.conclusion.atoms(
        sp.MatrixSymbol
    )
    if hypothesis.quantifier.strip() and not free_names and not of_iterates:
        return False
    where = {old: new for old, new in assumption.where.items() if old != new}
    if not is_plain(hypothesis.conclusion, *where, *where.values()):
        return False
    if assumption.relation != hypothesis.conclusion.xreplace(where):
        return False
    moved = set(where)
    bound = set(statement.variables) if isinstance(statement, Law) else set()
    if any(isinstance(x, Variable) and x.name not in free_names for x in bound):
        return False
    # What is said of a mean, or of a sum over t, with one letter in it, is not said of a letter
    # that varies with the outcome, or with t.
    one = _one_for_all(hypothesis)
    if any(x.when == k.ANY and x.name in {str(y.name) for y in one} for x in bound):
        return False
    if any(old in one and not _is_constant(new, reading) for old, new in where.items()):
        return False
    # What is said of positive numbers is not said of others.
    positive = {str(x.name) for x in hypothesis.conclusion.free_symbols if x.is_positive}
    premises = statement.premises if isinstance(statement, Law) else ()
    numbers = [x for x in bound if isinstance(x, Variable) and x.name in positive]
    if not all(Fact(">", Scalar.of(x)) in premises for x in numbers):
        return False
    for symbol in hypothesis.conclusion.atoms(sp.MatrixSymbol) - where.keys():
        if any(block.inside & bound for block in reading.point(symbol)):
            moved.add(symbol)
    at_t = hypothesis.conclusion.xreplace({x: y for x, y in where.items() if x != t})
    said = _facts(at_t, reading)
    if t in where and (not said or any(map(_is_dated, said))):
        return False
    named = all(isinstance(x, sp.MatrixSymbol | sp.Symbol) and x.name in free_names for x in moved)
    return named and all(_renames(old, new) for old, new in where.items())


# What is proved of all is so of those to which the rest of such a text restricts it.
_UNIVERSAL = re.compile(r"\s*(?:\\text\{)?\s*(?:for (?:all|any|every|each|some)\b|\\forall)")
# Words with which a text says more than a range, or less.
_MORE = re.compile(r"\b(?:equal\w*|only|if|iff|but|except|unless|finitely|almost)\b")


def quantified(claim: Claim) -> frozenset[str]:
    """The letters over which a claim surely ranges: W_1 and W_2 of "for all W_1, W_2"; none for
    another text.

    A word that is no letter of the claim may restrict the range: "for all X, unit". A range over
    points is not read
    where another matrix belongs to each: E[g] = ∇F(v) is said of the g at v, and of no g at two
    points.
    """
    said = read_range(claim.quantifier)
    if said is None or said.algorithm or said.defined or not is_of_letters(said, claim):
        return frozenset()
    names = said.names
    # A formula is one number, and so are its letters.
    fixed = {str(x.name) for each in claim.quantities for x in each.expression.free_symbols}
    are_letters = not fixed & set(names)
    ranged = {x.name for x in _matrices(claim)}.intersection(names)
    belongs = claim.conclusion.has(words.g) or (ranged and _drawn(claim) - ranged)
    return frozenset(names) if are_letters and not belongs else frozenset()


def _wholes(claim: Claim) -> Iterator[sp.Basic]:
    """The means, sums and minima in what a claim says."""
    kinds = (words.Expectation, words.MatrixExpectation, words.MinimumOver, sp.Sum)
    for each in (claim.conclusion, *claim.conditions):
        yield from each.atoms(*kinds)


def _one_for_all(claim: Claim) -> set[sp.Basic]:
    """The letters that are one for all times and outcomes over which a claim takes a mean, a sum or
    a minimum: of a mean of nothing else than letters over which the claim ranges, none.
    """
    found, ranged = set[sp.Basic](), (read_range(claim.quantifier) or Range()).names
    for each in _wholes(claim):
        letters = {x for x in each.args[0].free_symbols if not is_dimension(x)}
        is_mean = isinstance(each, words.Expectation | words.MatrixExpectation)
        is_of_iterates = each.args[0].has(words.Iterate)
        if not is_mean or is_of_iterates or not {str(x.name) for x in letters} <= set(ranged):
            found |= letters
    return found


def _is_constant(node: sp.Basic, reading: Reading) -> bool:
    """True if an expression has one value, at all times and in all outcomes."""
    try:
        values = reading.point(node) if isinstance(node, MatrixExpr) else (reading.scalar(node),)
    except InputError:
        return False
    is_any = any(getattr(x, "when", None) == k.ANY for value in values for x in value.inside)
    return not is_any and all(known(x, None) and not timed(x) for x in values)


def varying(script: Script) -> str:
    """A letter that the script reads as one that varies with time or outcome, where the claim does
    not say that it is drawn; empty if there is none.
    """
    if script.claim is None or is_fixed(script.claim):
        return ""
    kinds = (words.Iterate, words.Expectation, words.MatrixExpectation, words.MinimumOver, sp.Sum)
    parts = [script.claim, *hypotheses_of(script)]
    if not any(each.conclusion.has(*kinds) for each in parts):
        return ""
    letters, drawn = set[sp.Basic](), {words.g}
    for part in parts:
        said = {x for each in (part.conclusion, *part.conditions) for x in each.free_symbols}
        ranged = (read_range(part.quantifier) or Range()).names
        # What a hypothesis says of all of its letters it says of those that vary, too.
        is_own = part is script.claim
        letters |= {x for x in said if is_own or str(x.name) not in part.quantifier}
        for mean in part.conclusion.atoms(words.Expectation, words.MatrixExpectation):
            if not mean.args[0].has(words.Iterate):
                drawn |= {x for x in mean.args[0].free_symbols if str(x.name) not in ranged}
    for letter in sorted(letters - drawn, key=str):
        blocks = script.reading.points.get(letter, (letter,))
        inside = {x for each in blocks for x in each.free_symbols}
        if inside & frozenset(script.reading.arbitrary):
            return str(letter)
    return ""


def _drawn(claim: Claim) -> frozenset[str]:
    """The names of the matrices that may differ from point to point: g, and those in an
    expectation.
    """
    means = claim.conclusion.atoms(words.Expectation, words.MatrixExpectation)
    inside = {x for mean in means for x in mean.args[0].atoms(sp.MatrixSymbol)}
    return frozenset(x.name for x in inside | (claim.conclusion.atoms(sp.MatrixSymbol) & {words.g}))


def _may_range_over(claim: Claim) -> frozenset[str]:
    """The names over which a claim may range: if its text is not read, those in it, or all that
    have no value.
    """
    parts = (claim.conclusion, *claim.conditions)
    said = {x for each in parts for x in each.free_symbols}
    functions = {x.args[0] for each in parts for x in each.atoms(words.Value, words.Gradient)}
    known_ = {*LETTERS, *own_letters(claim), *functions, T, t}
    free_ = frozenset(str(x.name) for x in said - known_)
    surely = read_range(claim.quantifier)
    if surely is not None and is_of_letters(surely, claim):
        # A run has one horizon, whatever it is. What is drawn may be another at each point.
        names = frozenset(surely.names) - {str(T)}
        return names | (free_ & _drawn(claim) if names else frozenset())
    # The words and letters of the text; Greek ones are commands of LaTeX.
    every = frozenset(str(x.name) for x in said - {T, t})
    in_text = every.intersection(re.findall(r"[A-Za-z][A-Za-z0-9_']*", claim.quantifier))
    return (in_text or free_) | (free_ & _drawn(claim))


def _says(assumption: Assumption, reading: Reading) -> bool:
    """True if the kernel's statement is what the relation says, at one point or as a law."""
    relation, statement = assumption.relation, assumption.statement
    try:
        facts = reading.facts(
            relation if isinstance(relation, sp.Rel | sp.And) else gt(relation, 0)
        )
    except InputError:
        return False
    return (statement.conclusion if isinstance(statement, Law) else statement) in facts


def unused(script: Script, carried: Sequence[Assumption]) -> list[Claim]:
    """The hypotheses that the claim lists and from which a theorem with the assumptions `carried`
    does not start.
    """
    if script.claim is None:
        return []
    used = {each.claim.id for each in carried if each.claim is not None}
    listed = [script.instead.get(each.id, each) for each in script.claim.hypotheses]
    return [each for each in listed if not {x.id for x in _with_parts([each])} & used]


def stronger(script: Script, proof: Proof) -> str:
    """The title of a hypothesis that replaces one of the claim's and does not follow from it; empty
    if there is none.

    What a fixed claim may start from is fixed with it.
    """
    claim = script.claim
    if claim is None or is_fixed(claim):
        return ""
    for old in claim.hypotheses:
        new = script.instead.get(old.id)
        if new is None:
            continue
        given = [rules.assume(fact) for fact in _facts(old.conclusion, proof.reading)]
        parts = sp.And.make_args(new.conclusion)
        follows = all(proof.close(part, Because(tuple(given))) is not None for part in parts)
        # What the old one is under, the claim lists, or the new one is under it too.
        is_met = set(old.conditions) <= {*claim.conditions, *new.conditions}
        is_met &= set(old.hypotheses) <= {*claim.hypotheses, *new.hypotheses}
        fields = ("quantifier", "quantities", "algorithm")
        is_alike = all(getattr(new, name) == getattr(old, name) for name in fields)
        is_alike &= quantified(new) == quantified(old)
        if not (is_met and is_alike and follows):
            return new.title
    return ""


def is_condition(hypothesis: Claim, conclusion: Statement, proof: Proof) -> bool:
    """True if a theorem has a hypothesis as a condition on the points over which it ranges;
    `misstated` allows it.

    The hypothesis is one of the theorem's premises, at some points; or the proof assumed it at one
    of them, and the theorem says so.
    """
    premises = (
        [x for x in conclusion.premises if isinstance(x, Fact)]
        if isinstance(conclusion, Law)
        else []
    )
    wanted = {
        _anonymous(fact)
        for fact in _facts(hypothesis.conclusion, proof.reading)
        if not _is_dated(fact)
    }
    return bool(wanted & {_anonymous(x) for x in premises}) or any(
        each.claim == hypothesis
        and each.statement in premises
        and each.relation == hypothesis.conclusion.xreplace(each.where)
        and all(
            isinstance(old, MatrixExpr) and _renames(old, new) for old, new in each.where.items()
        )
        and _says(each, proof.reading)
        for each in proof.assumptions
    )


def is_added(assumption: Assumption, script: Script) -> bool:
    """True if the claim lists the assumption neither as hypothesis or condition nor as a letter's
    formula or domain.
    """
    claim, relation = script.claim, assumption.relation
    if claim is None or assumption.role == "domain" or relation in claim.conditions:
        return False
    if assumption.role == "definition":
        formulas = {quantity.symbol: quantity.expression for quantity in claim.quantities} | {
            D: GAP
        }
        return formulas.get(relation.lhs) != relation.rhs
    return assumption.claim is None or assumption.claim.id not in {
        each.id for each in hypotheses_of(script)
    }


def hypotheses_of(script: Script) -> list[Claim]:
    """The hypotheses of the script's claim, and their hypotheses, with those of `instead`
    replaced.
    """
    if script.claim is None:
        return []
    kept = [each for each in _with_parts(script.claim.hypotheses) if each.id not in script.instead]
    return [*kept, *script.instead.values()]


def _usable(script: Script) -> list[Claim]:
    """The hypotheses that hold where the claim is asked: under no other condition, and with no
    other formulas.
    """
    claim = script.claim
    if claim is None:
        return []
    formulas = {each.symbol: each.expression for each in claim.quantities}
    own = formulas.keys() | {each.symbol for each in claim.parameters}
    given = hypotheses_of(script)
    # What a hypothesis assumes, and what its iterates do, the claim assumes, and its iterates do.
    return [
        each
        for each in given
        if set(each.conditions) <= set(claim.conditions)
        and all(formulas.get(q.symbol) == q.expression for q in each.quantities if q.symbol in own)
        and set(each.hypotheses) <= set(given)
        and followed(each) in (None, followed(claim))
        and not _rests_on_its_range(each)
    ]


def _rests_on_its_range(hypothesis: Claim) -> bool:
    """True if what a hypothesis is under speaks of letters over which it ranges: of each of them,
    and not of those that the claim has.
    """
    ranged = quantified(hypothesis)
    for each in (*hypothesis.conditions, *(x.conclusion for x in hypothesis.hypotheses)):
        if ranged & {str(x.name) for x in each.free_symbols} or (
            ranged and each.has(words.Iterate)
        ):
            return True
    return False


def _with_parts(hypotheses: Iterable[Claim]) -> Iterator[Claim]:
    """The hypotheses; a conjunction of hypotheses is followed by its parts."""
    # Not `whole`: what any other hypothesis rests on is its own condition, and nothing that the
    # claim assumes.
    for each in hypotheses:
        yield each
        if conjuncts(each):
            yield from _with_parts(each.hypotheses)


def _renames(old: sp.Basic, new: sp.Basic) -> bool:
    """True if a replacement only says which point is meant: a matrix for a matrix, the next time
    for t.

    At t = 1 nothing is said of the time before; and v_{T+1} is the last iterate.
    """
    if isinstance(old, MatrixExpr):
        return isinstance(new, MatrixExpr) and old.shape == new.shape
    return bool(old == t and new - t in (0, 1))


def misstated(script: Script, proof: Proof, *, fixing: bool = False) -> str:
    """The reason why the conclusion is not the claim's; empty if it is. `fixing` ignores what is
    fixed already.
    """
    claim, closing, reading = script.claim, proof.closing, script.reading
    if claim is None:
        return ""
    if is_fixed(claim) and not fixing:
        fixed = fixed_statements().get(claim.id)
        if fixed is None:
            return f"what {claim.id} says to the kernel is not fixed in any statements.json"
        ends = proof.conclusion.conclusion if proof.conclusion else None
        if ends is None or digest(ends) != fixed.conclusion:
            return f"it does not end in {fixed.text}"
    if closing is None:
        return "it does not end by `conclude`"
    if closing.relation is not None:
        return "it ends in its own statement, and not in the claim's"
    by_us = is_ours(claim)
    text = claim.quantifier
    if text.strip() and not by_us:
        said = read_range(text)
        # A space that is named must be that of the letters.
        is_other = said is not None and bool(said.space or said.is_real)
        is_other = is_other and said is not None and not is_of_letters(said, claim)
        if is_other or _MORE.search(text) or not _UNIVERSAL.match(text):
            return f"the range of the claim is not read: {text}"
    # A letter over which the claim may range is in no hypothesis of the theorem.
    assumed = {
        x for each in (proof.conclusion.hypotheses if proof.conclusion else ()) for x in free(each)
    }
    ranged = frozenset() if by_us else _may_range_over(claim)
    named = _names(proof.conclusion.hypotheses if proof.conclusion else ())
    read = _read(ranged, reading) | {x: frozenset() for x in ranged & named}
    for name, letters in read.items():
        if letters & assumed or name in named:
            many = "for all" if quantified(claim) else f"“{claim.quantifier}”, and may be for all"
            return (
                f"it is for one {name}, which a hypothesis contains, and the claim is {many} {name}"
            )
    extra = _foreign(
        script, [part for relation in closing.such_that for part in reading.facts(relation)]
    )
    if extra is not None:
        return f"it is for points with {extra}, which is not an instance of a hypothesis"
    return merged(reading, script)


def _names(statements: Iterable[Statement]) -> frozenset[str]:
    """The names of numbers, dimensions and functions in statements, but for bound ones."""
    found = set[str]()
    for each in statements:
        facts = [each] if isinstance(each, Fact) else [each.conclusion, *each.premises]
        bound = set(each.variables) if isinstance(each, Law) else set()
        for fact in (x for x in facts if isinstance(x, Fact)):
            for x in fact.polynomial.inside - bound:
                if isinstance(x, Variable | k.Dimension):
                    found.add(str(x.name))
                elif isinstance(x, Value | Gradient):
                    found.add(str(x.function))
    return frozenset(found)


def _read(names: frozenset[str], reading: Reading) -> dict[str, frozenset[Symbol | Variable]]:
    """The kernel's letters for the letters of these names: each letter itself, or the blocks of a
    point.
    """
    found = {}
    for symbol in sorted(reading.points.keys() | reading.letters, key=str):
        if symbol.name in names:
            read = (
                [reading.scalar(symbol)] if isinstance(symbol, sp.Symbol) else reading.point(symbol)
            )
            inside = (x for term in read for x in term.inside)
            found[str(symbol.name)] = frozenset(
                x for x in inside if isinstance(x, Symbol | Variable)
            )
    return found


def _foreign(script: Script, premises: Sequence[Fact]) -> Fact | None:
    """A premise of the concluding law that is no condition of the claim and that no hypothesis says
    at any points.

    A hypothesis says it of the points over which it ranges; of a single letter only where the claim
    means the same one.
    """
    reading, claim = script.reading, script.claim
    if claim is None:
        return next(iter(premises), None)
    conditions = {fact for relation in claim.conditions for fact in _facts(relation, reading)}
    if is_ours(claim):
        conditions |= {
            fact for hypothesis in hypotheses_of(script) for fact in _places(hypothesis, script)
        }
        premises = [
            x for x in premises if not any(_anonymous(x) == _anonymous(fact) for fact in conditions)
        ]
    said = []
    for hypothesis in _usable(script):
        names = quantified(hypothesis)
        others = frozenset[Term]().union(*_read(_may_range_over(claim) - names, reading).values())
        said += [(fact, names, others) for fact in _facts(hypothesis.conclusion, reading)]
    return next(
        (x for x in premises if x not in conditions and not any(_is_at(x, *each) for each in said)),
        None,
    )


def _places(hypothesis: Claim, script: Script) -> Iterator[Fact]:
    """The facts that a hypothesis says of any points, as we read it: of points that the proof
    names, or where they are.

    What a hypothesis says of a function along the iterates, it says of no other point.
    """
    for fact in _facts(hypothesis.conclusion, script.reading):
        about_iterates = any(
            isinstance(x, Symbol) and isinstance(x.when, Time) for x in fact.polynomial.inside
        )
        about_function = any(isinstance(x, Value | Gradient) for x in fact.polynomial.inside)
        if not (about_iterates and about_function) and not hypothesis.conclusion.has(words.g):
            yield fact
    for each in script.proof.assumptions:
        local = (
            replace(each, role="hypothesis")
            if each.role == "local" and each.claim == hypothesis
            else None
        )
        if local is not None and isinstance(local.statement, Fact) and _is_reading(local, script):
            yield local.statement


def _is_at(premise: Fact, fact: Fact, names: frozenset[str], others: frozenset[Term]) -> bool:
    """True if a premise is the fact, or the fact at some letters where it holds for all; never
    about `others`.

    What holds of iterates is not for all letters: an iterate is one point, whatever t is.
    """
    if fact.polynomial.inside & others:
        return False
    letters = [x for x in fact.polynomial.inside if isinstance(x, Symbol)]
    anywhere = all(
        x.name in names and not isinstance(x.when, Time) for x in letters
    ) and not _is_dated(fact)
    return premise == fact or (anywhere and _anonymous(premise) == _anonymous(fact))


def _is_dated(fact: Fact) -> bool:
    """True if a fact speaks of the times from 1 to T alone: it names the number t, T, or a fixed
    time.
    """
    return any(
        isinstance(x, Clock | Power | Before | k.Horizon)
        or (
            isinstance(x, Symbol | Variable)
            and isinstance(x.when, Time)
            and x.when.index.base != "t"
        )
        for x in fact.polynomial.inside
    )


def _facts(relation: sp.Basic, reading: Reading) -> tuple[Fact, ...]:
    """The facts of a relation; empty if it contains letters that the reading does not know."""
    try:
        return reading.facts(relation)
    except InputError:
        return ()


def _anonymous(fact: Fact) -> Fact:
    """The fact with its matrices named by their order alone."""
    letters = sorted({x for x in fact.polynomial.inside if isinstance(x, Symbol)})
    names: Mapping[Term, Matrix | k.Scalar] = {
        letter: Matrix.of(Symbol(f"X{i}", letter.shape, k.ANY)) for i, letter in enumerate(letters)
    }
    return Fact(fact.relation, substitute_scalar(fact.polynomial, names))


def merged(reading: Reading, script: Script) -> str:
    """The reason why the reading is wrong: a matrix of the claim is not its own letters, or two
    matrices share one.

    It is empty if the reading is right. Matrices over which a hypothesis ranges may share letters:
    it then says less.
    """
    parts = [script.claim, *hypotheses_of(script)] if script.claim else []
    fixed = {x for part in parts for x in _matrices(part) if x.name not in quantified(part)}
    # A matrix without a reading occurs in nothing from which the proof may start. And "v_1 = (R_1,
    # V_1)" of ours: a block of a point is called by its own name, too.
    ours = script.claim is not None and is_ours(script.claim)
    read = reading.points.keys() | (frozenset() if ours else reading.letters)
    for letter in () if ours else sorted(fixed | set().union(*map(_matrices, parts)), key=str):
        blocks = reading.points.get(letter, (letter,))
        # A column is a vector, which may have any blocks.
        is_vector = letter.shape[1] == 1 and not letter.shape[0].is_Integer
        if not is_vector and [each.shape for each in blocks] != [letter.shape]:
            return f"it reads {letter}, which is {letter.shape[0]} × {letter.shape[1]}, as another"
    for group in (*map(_matrices, parts[:1]), fixed):
        owner: dict[Matrix, sp.Basic] = {}
        for symbol in sorted(group & read, key=str):
            for block in reading.point(symbol):
                if not any(isinstance(x, Symbol) and block == Matrix.of(x) for x in block.inside):
                    return f"it reads {symbol} as {block}, and the claim is about any {symbol}"
                if block in owner:
                    return f"it reads {owner[block]} and {symbol} as points that share {block}"
                owner[block] = symbol
    iterates = {at_t(x) for part in parts for x in part.conclusion.atoms(words.Iterate)}
    shared: dict[sp.Basic, words.Iterate] = {}
    for iterate in () if ours else sorted(iterates & reading.processes.keys(), key=str):
        # A_t and B_t are the blocks of v_t by their names.
        if iterate in (words.A_t, words.B_t):
            continue
        blocks = reading.processes[iterate].blocks
        is_vector = iterate.shape[1] == 1 and not iterate.shape[0].is_Integer
        if not is_vector and [each.shape for each in blocks] != [iterate.shape]:
            return f"it reads {iterate} as blocks of another shape"
        for block in blocks:
            if shared.setdefault(block, iterate) != iterate:
                return f"it reads {shared[block]} and {iterate} as iterates that share {block}"
    return ""


def _matrices(claim: Claim) -> set[sp.MatrixSymbol]:
    formulas = (each.expression for each in claim.quantities)
    parts = (claim.conclusion, *claim.conditions, *formulas)
    return {x for each in parts for x in each.atoms(sp.MatrixSymbol)}
