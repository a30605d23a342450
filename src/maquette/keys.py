"""The types of recipe keys, with their ranges, and the message about a value that does not fit.

A key's type says its range (`PositiveInt`, `Share`), so that one annotation is validation, documentation and the
command line's type. Rules between several keys are in `__post_init__` of the dataclass that has them. It is a file of
its own, since systems and recipes both need it.
"""

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import AllowInfNan, TypeAdapter, ValidationError

from maquette.errors import UserError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_FINITE = AllowInfNan(False)
Finite = Annotated[float, _FINITE]
"""Any number but infinity and NaN."""
PositiveInt = Annotated[int, Gt(0)]
NonNegativeInt = Annotated[int, Ge(0)]
TwoOrMore = Annotated[int, Ge(2)]
PositiveFloat = Annotated[float, Gt(0), _FINITE]
NonNegativeFloat = Annotated[float, Ge(0), _FINITE]
Share = Annotated[float, Ge(0), Le(1)]
"""From 0 to 1."""
PositiveShare = Annotated[float, Gt(0), Le(1)]
"""Above 0, up to 1."""
ShareBelow1 = Annotated[float, Ge(0), Lt(1)]
"""From 0 to below 1."""
OpenShare = Annotated[float, Gt(0), Lt(1)]
"""Between 0 and 1, neither of them."""
Widths = Annotated[tuple[PositiveInt, ...], MinLen(1)]
"""Widths of layers."""
Resolution = Literal[20, 32, 64]
"""Voxels a side at which the volumetric networks exist."""
ViewSize = Annotated[int, Ge(16), Le(1024)]
"""Pixels a side of a view."""
ImageSide = Annotated[int, Ge(8), Le(4096)]
"""Pixels of one side of an image."""
Orientations = Literal[1, 2, 3, 4, 6, 12]
"""How many ways about the up axis, evenly spread."""
Betas = tuple[ShareBelow1, ShareBelow1]
"""Adam's decay rates of the two moments."""
Octaves = Annotated[int, Ge(0), Le(16)]
"""Octaves of a positional encoding."""

MOST = 2**63 - 1
"""The greatest whole number of a recipe, either way."""
_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "string": "a word", "tuple": "a list"}


def check(section: str, values: "DataclassInstance") -> None:
    """Check every key of a recipe's section against its type, strictly: a text is no number, a number is no flag.

    Args:
        section: The section's name, for the message: `model`.
        values: The section.

    Raises:
        UserError: For the first key whose value does not fit; it says what the value must be.
    """
    for name, (validate, hint) in _validators(type(values)).items():
        value = getattr(values, name)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int) and abs(number) > MOST:
                raise UserError(f"{section}.{name} must be below 2**63", _shown(number))
        try:
            validate(getattr(values, name))
        except ValidationError as error:
            problem = error.errors()[0]
            key = ".".join([section, name, *map(str, problem["loc"])])
            raise UserError(f"{key} must be {_rule(problem, hint)}", _shown(problem["input"]),
                            _nearest_choice(problem)) from None


@cache
def _validators(kind: type) -> dict[str, tuple[Callable[[object], object], object]]:
    """For each key of a dataclass a function that raises ValidationError for a value, and the key's type."""
    hints = get_type_hints(kind, include_extras=True)
    return {key.name: (partial(TypeAdapter(hints[key.name]).validate_python, strict=True), hints[key.name])
            for key in dataclasses.fields(kind)}


def _shown(value: object) -> str:
    """A value as a recipe has it, shortened to 80 characters."""
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return (text if len(text) <= 80 else f"{text[:77]}...") or "nothing"


def _rule(problem: Mapping[str, Any], hint: object) -> str:
    """What a value must be ("from 0 to 1"), from pydantic's error and the key's type."""
    found, context = str(problem["type"]), problem.get("ctx", {})
    if found == "literal_error":
        return str(context["expected"]).replace("'", "")
    if found == "too_short":
        return f"{context['min_length']} or more values"
    for place in problem["loc"]:  # the type of one value of a list
        inner = get_args(get_args(hint)[0] if get_origin(hint) is Annotated else hint)
        hint = inner[place] if isinstance(place, int) and place < len(inner) and inner[-1] is not ... else inner[0]
    limits = {name: getattr(limit, name) for limit in getattr(hint, "__metadata__", ())
              for name in ("ge", "gt", "le", "lt") if hasattr(limit, name)}
    if found in ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number") and limits:
        return _range(limits)
    return _KINDS.get(found.removesuffix("_type").removesuffix("_from_float"), str(problem["msg"]))


def _range(limits: Mapping[str, float]) -> str:
    """A range in words, from its limits ge, gt, le and lt."""
    low = f"from {limits['ge']:g}" if "ge" in limits else f"above {limits['gt']:g}" if "gt" in limits else ""
    if "le" in limits:
        return f"{low} to {limits['le']:g}" if "ge" in limits else f"{low} and at most {limits['le']:g}"
    if "lt" in limits:
        return f"{low} and below {limits['lt']:g}"
    return {"from 0": "0 or more", "above 0": "positive"}.get(low, f"{low.removeprefix('from ')} or more")


def _nearest_choice(problem: Mapping[str, Any]) -> str:
    """A hint with the nearest of the numbers that are allowed; empty where they are not numbers."""
    choices = [word for word in str(problem.get("ctx", {}).get("expected", "")).replace(" or ", ", ").split(", ")]
    value = problem.get("input")
    if problem["type"] != "literal_error" or not isinstance(value, int) or not all(c.isdigit() for c in choices):
        return ""
    return f"try {min(map(int, choices), key=lambda choice: abs(choice - value))}"
