"""The kernel's errors: which rule refused, which premise is at fault, and why. The kernel never uses `assert`."""


class KernelError(Exception):
    """Base class: nothing was proved."""


class TermError(KernelError):
    """The term has no normal form, or no meaning."""


class ShapeError(TermError):
    """The shapes of a sum or product of matrices do not fit."""

    def __init__(self, operation: str, left: object, right: object) -> None:
        shapes = [f"{x} of shape {getattr(x, 'shape', '?')}" for x in (left, right)]
        super().__init__(f"shapes do not fit: {shapes[0]} {operation} {shapes[1]}")


class RuleError(KernelError):
    """A rule does not apply: `rule`, the number of the `premise` at fault (None: an argument), and why."""

    def __init__(self, rule: str, premise: int | None, why: str) -> None:
        self.rule, self.premise, self.why = rule, premise, why
        where = "" if premise is None else f", premise {premise + 1}"
        super().__init__(f"{rule}{where}: {why}")


class ReplayError(KernelError):
    """A theorem does not follow by its own derivation."""
