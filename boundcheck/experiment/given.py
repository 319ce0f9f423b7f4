"""A problem that a person gives as an object, and not by a name: `bc.measure(spec, problem=mine)`."""

from typing import Any, Literal

import torch
from pydantic import PrivateAttr

from boundcheck.errors import InputError
from boundcheck.functions.loss import Loss
from boundcheck.functions.objective import Objective, ProblemTable, Setting, checked, device_of
from boundcheck.system.fingerprint import content_of
from boundcheck.system.tables import Side, Table, validated


class GivenProblem(ProblemTable):
    """A problem that is no text, but an object: its name and a hash of its content stand for it."""

    kind: Literal["given"] = "given"
    name: str
    content: str
    _made: Any = PrivateAttr()

    @classmethod
    def of(cls, problem: Any, table: Any) -> "GivenProblem":
        """The table of an objective, which stands alone, or of a function of W, whose shape the given table says."""
        if not isinstance(problem, Objective):
            if not callable(problem):
                raise InputError("problem", type(problem).__name__, "an Objective, or a function of W")
            sides = validated(_Shape, table if isinstance(table, dict) else {}, "problem.")
            problem = Loss.of_function(problem, (sides.d, sides.k))
        elif table is not None:
            raise InputError("problem", table, "no such table beside a problem that is given as an object")
        checked(problem, "problem")
        made = cls(name=problem.name, content=content_of(problem))
        made._made = problem
        return made

    def build(self, setting: Setting) -> Objective:
        """The objective itself; raises InputError for one whose tensors are on another device."""
        found: Objective = self._made
        there = device_of(found)
        if there is not None and there.type != torch.device(setting.device).type:
            where = f"{there.type}, where the tensors of {found.name} are"
            expected = f"{where}; or an objective made with device={setting.device!r}"
            raise InputError("device", setting.device, expected)
        return found


class _Shape(Table):
    d: Side
    k: Side
