"""Finds in Python source the arithmetic that computes a given formula, whatever it calls its variables.

Source becomes sympy expressions; two are the same when some injective renaming of symbols makes them equal as
functions, decided by their values at fixed points. So neither the order of a sum nor x**0.5 for sqrt(x) hides one.
"""

import ast
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

# Calls that hand their only argument on: conversions, and what SymPy makes of a number.
TRANSPARENT = {"float", "arb", "Integer", "sympify", "upper", "lower"}
OPERATORS: dict[type, Callable[[sp.Expr, sp.Expr], sp.Expr]] = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.Div: lambda x, y: x / y,
    ast.Pow: lambda x, y: x**y,
}
# No symmetric or simple function takes one value at two of them.
BASE, MARK = 1.37, 2.11
PRIMES = (2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0, 23.0, 29.0, 31.0, 37.0)
FEWEST_OPERATIONS = 3


@dataclass(frozen=True)
class Formula:
    """An expression with what does not depend on its symbols' names."""

    expression: sp.Expr

    @cached_property
    def symbols(self) -> list[sp.Symbol]:
        return sorted(self.expression.free_symbols, key=str)

    @cached_property
    def _function(self) -> Callable[..., float]:
        plain = [sp.Symbol(f"x{i}", positive=True) for i in range(len(self.symbols))]
        return sp.lambdify(plain, self.expression.xreplace(dict(zip(self.symbols, plain, strict=True))), "math")

    def at(self, point: list[float]) -> float:
        """The value at a point, NaN where there is none."""
        try:
            value = self._function(*point)
            # A power of a negative number is complex at a point that is no integer: one number for both parts.
            return float(value.real + math.pi * value.imag if isinstance(value, complex) else value)
        except (ArithmeticError, ValueError, TypeError):
            return math.nan

    @cached_property
    def marks(self) -> list[float]:
        """For each symbol, the value with that one apart from the others: equal for symbols that play equal parts."""
        count = len(self.symbols)
        return [self.at([MARK if i == j else BASE for j in range(count)]) for i in range(count)]

    def same_as(self, other: "Formula") -> bool:
        """Whether an injective renaming of symbols makes the two equal."""
        if len(self.symbols) != len(other.symbols) or not near(sorted(self.marks), sorted(other.marks)):
            return False
        point = list(PRIMES[: len(self.symbols)])
        choices = [[j for j, mark in enumerate(other.marks) if near([mark], [own])] for own in self.marks]
        return any(
            near([self.at(point)], [other.at([point[match.index(j)] for j in range(len(match))])])
            for match in itertools.product(*choices)
            if len(set(match)) == len(match)
        )


def near(xs: list[float], ys: list[float]) -> bool:
    """Whether two lists of values agree to rounding; NaN agrees with nothing."""
    return all(math.isclose(x, y, rel_tol=1e-11) for x, y in zip(xs, ys, strict=True))


class Reader:
    """Turns an expression of Python into one of sympy; what is no arithmetic becomes a symbol of that text."""

    def __init__(self, assigned: dict[str, ast.expr]) -> None:
        self.assigned = assigned

    def read(self, node: ast.expr) -> sp.Expr:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool) and math.isfinite(value):
                return sp.Rational(str(value))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.read(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](self.read(left), self.read(right))
            case ast.Name(id=name) if name in self.assigned:
                # Not within itself: x = x + 1.
                outer = {key: value for key, value in self.assigned.items() if key != name}
                return Reader(outer).read(self.assigned[name])
            case ast.Call():
                return self._call(node)
        return sp.Symbol(ast.unparse(node), positive=True)

    def _call(self, node: ast.Call) -> sp.Expr:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        arguments = node.args
        # A method of the value itself, x.sqrt(), and not a function of a module, math.sqrt(x).
        if isinstance(node.func, ast.Attribute) and not arguments and name in {"sqrt", "square"}:
            arguments = [node.func.value]
        match name, [self.read(argument) for argument in arguments]:
            case "sqrt", [x]:
                return sp.sqrt(x)
            case "square", [x]:
                return x**2
            case (("pow" | "Pow" | "power"), [x, y]):
                return x**y
            case "hypot", [x, y]:
                return sp.sqrt(x**2 + y**2)
            case "Rational", [x, y]:
                return x / y
            case (("Mul" | "prod"), factors) if factors:
                return sp.Mul(*factors)
            case "Add", terms if terms:
                return sp.Add(*terms)
            case given, [x] if given in TRANSPARENT:
                return x
        return sp.Symbol(ast.unparse(node), positive=True)


def single_assignments(scope: ast.AST) -> dict[str, ast.expr]:
    """The local names that a function or module gives a value to just once, by a plain assignment."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def arithmetic(source: str) -> Iterator[tuple[int, Formula]]:
    """Each arithmetic expression of a module with its line: as it stands, and with local names put in."""
    tree = ast.parse(source)
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    seen: dict[ast.expr, dict[str, ast.expr]] = {}
    for scope in (tree, *scopes):
        assigned = single_assignments(scope)
        for node in ast.walk(scope):
            if isinstance(node, ast.BinOp | ast.Call):
                seen[node] = assigned
    for node, assigned in seen.items():
        for expression in {Reader({}).read(node), Reader(assigned).read(node)}:
            if sp.count_ops(expression) >= FEWEST_OPERATIONS:
                yield node.lineno, Formula(expression)


def lines_with(formula: Formula, source: str) -> list[int]:
    """The lines of a module at which an expression begins that computes the formula."""
    return sorted({line for line, found in arithmetic(source) if found.same_as(formula)})
