"""`Table`: a table of a spec file, checked field by field; and the ranges of numbers that tables have."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from boundcheck.errors import InputError


class Table(BaseModel):
    """What all tables have in common: no unknown field, no change, no number that is not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


# Larger counts would be a slip of the pen, or ask for memory that nobody has; singular values and certified constants
# of larger sides would take minutes.
Side = Annotated[int, Field(gt=0, le=2**9)]
Count = Annotated[int, Field(gt=0, le=2**20)]
Steps = Annotated[int, Field(gt=0, le=10**12)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
# Numbers whose products of up to nine are no infinite floats; what is too small for them is found where it matters.
Real = Annotated[float, Field(gt=0, le=1e30)]

# Numbers that are held at once; a run makes some twenty copies of them, which is then a GiB or two.
_MOST_NUMBERS = 2**23


def check_room(field: str, value: object, numbers: int) -> None:
    """Refuse what makes more numbers than are held at once, before any is made."""
    if numbers > _MOST_NUMBERS:
        expected = f"less, since with the rest it makes {numbers:.3g} numbers, of at most {_MOST_NUMBERS:.3g}"
        raise InputError(field, value, expected)
