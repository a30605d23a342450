"""What the page may ask for: numbers, and words of known lists. No field is a path, and none is taken on trust."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from maquette.errors import UserError

Number = Annotated[float, Field(allow_inf_nan=False)]
Word = Annotated[str, Field(max_length=100)]
Some = TypeVar("Some", bound="Fields")


class Fields(BaseModel):
    """Fields of a request; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ObjectFields(Fields):
    """How an object is made of a picture, or of several. The names of models are the server's own."""

    model: Word = ""
    by: Literal["auto", "model", "revolve", "inflate", "extrude"] = "auto"
    class_name: Word = ""
    sides: Annotated[str, Field(max_length=200, pattern=r"^[0-9a-z.,+-]*$")] = ""
    size_mm: Annotated[Number, Field(ge=1, le=2000)] = 100.0
    threshold: Annotated[Number, Field(gt=0, lt=1)] | None = None
    base_mm: Annotated[Number, Field(ge=0, le=50)] = 0.0
    min_wall_mm: Annotated[Number, Field(gt=0, le=20)] = 0.8
    all_parts: bool = False


class ScanFields(Fields):
    """How an object is made of a scan."""

    model: Word = ""
    kind: Literal["png", "npy", "ply", "obj", "stl", "off", "npz", "binvox", "mat"]
    fx: Number | None = None
    fy: Number | None = None
    cx: Number | None = None
    cy: Number | None = None
    depth_scale: Annotated[Number, Field(gt=0, le=1e9)] = 1000.0
    azimuth_deg: Annotated[Number, Field(ge=-360, le=360)] | None = None
    upright: bool = False
    size_mm: Annotated[Number, Field(ge=1, le=20_000)] | None = None
    threshold: Annotated[Number, Field(gt=0, lt=1)] | None = None
    base_mm: Annotated[Number, Field(ge=0, le=50)] = 0.0

    @model_validator(mode="after")
    def _all_or_none(self) -> "ScanFields":
        if len({one is None for one in (self.fx, self.fy, self.cx, self.cy)}) > 1:
            raise ValueError("fx, fy, cx and cy go together")
        return self


class ReliefFields(Fields):
    """How a solid is made of a flat drawing."""

    way: Literal["extrude", "inflate", "revolve", "lithophane"] = "extrude"
    size_mm: Annotated[Number, Field(ge=1, le=2000)] = 60.0
    thickness_mm: Annotated[Number, Field(ge=0.05, le=2000)] | None = None
    base_mm: Annotated[Number, Field(ge=0, le=50)] = 0.0
    ring_hole_mm: Annotated[Number, Field(ge=0, le=50)] = 0.0
    engrave_mm: Annotated[Number, Field(ge=0, le=50)] = 0.0
    emboss_mm: Annotated[Number, Field(ge=0, le=50)] = 0.0
    all_parts: bool = False


class DrawingFields(Fields):
    """How an object or a picture is drawn by a pen."""

    of: Literal["mesh", "picture"] = "mesh"
    azimuth_deg: Annotated[Number, Field(ge=-360, le=360)] = 30.0
    elevation_deg: Annotated[Number, Field(ge=-90, le=90)] = 20.0
    hatch: Annotated[int, Field(ge=0, le=4)] = 0
    page: Literal["a2", "a3", "a4", "a5", "a6", "letter", "legal", "tabloid"] = "a4"
    landscape: bool = False
    margin_mm: Annotated[Number, Field(ge=0, le=100)] = 15.0


class FileFields(Fields):
    """In which form a drawing is wanted."""

    kind: Literal["svg", "gcode", "hpgl"] = "svg"


class PlotFields(Fields):
    """Which drawing is sent to a plotter."""

    drawing: Annotated[int, Field(ge=0, le=2**53)]


class PressFields(Fields):
    """What somebody pressed while a plotter draws."""

    key: Literal["pause", "resume", "stop"]


class NoFields(Fields):
    """None."""


def fields(kind: type[Some], given: list[tuple[str, str]]) -> Some:
    """Fields of a query.

    Args:
        kind: What they must be.
        given: Names and texts.

    Raises:
        UserError: For one that is unknown, twice there or not as it must be.
    """
    names = [name for name, _ in given]
    if len(set(names)) < len(names):
        raise UserError("a field is there twice", max(names, key=names.count)[:40])
    try:
        return kind(**dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"][:1])
        raise UserError(f"{where}: {first['msg']}" if where else str(first["msg"]), repr(first["input"])[:80]) from None
