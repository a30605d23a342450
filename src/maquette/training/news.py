"""The events of a training run, beside those of `maquette.events`, and the two results that it can have."""

from dataclasses import dataclass
from pathlib import Path

from maquette.events import Note, Progress
from maquette.training.monitor.health import HealthFinding


@dataclass(frozen=True)
class Stepping(Progress):
    """Progress in finished steps, from the second one on, about once a second."""

    seconds_a_step: float
    """Mean over the steps since the run began or was resumed, without the time of checks and samples."""

    @property
    def detail(self) -> str:
        """Seconds a step."""
        return f"{self.seconds_a_step:.2g} s a step"

    @property
    def seconds_left(self) -> float:
        """Seconds until the last step, at this pace."""
        return (self.total - self.done) * self.seconds_a_step


@dataclass(frozen=True)
class Stepped(Note):
    """Means of all terms over the steps since the last such event; `step` counts finished steps."""

    step: int
    terms: dict[str, float]
    samples_per_second: float
    learning_rate: float


@dataclass(frozen=True)
class Checked(Note):
    """What was measured on the validation part, with the moving average of the weights."""

    step: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class Sampled(Note):
    """A sheet of samples was drawn and written to `path`."""

    step: int
    path: Path


@dataclass(frozen=True)
class HealthFound(Note):
    """Something looks wrong; each kind of finding is reported once a run."""

    step: int
    finding: HealthFinding


@dataclass(frozen=True)
class Saved(Note):
    """A checkpoint was written."""

    step: int
    path: Path
    metric: str = ""
    """The validation metric and its value where it is the best so far; else empty."""


@dataclass(frozen=True)
class Stopped:
    """The result of a run that was asked to stop: everything up to this step is saved."""

    step: int


@dataclass(frozen=True)
class Started(Note):
    """Training begins."""

    run: Path
    """The run's folder."""
    train_shapes: int
    """Shapes or images that are learned from."""
    validation_shapes: int
    """Shapes or images that are held out."""
    parameters: dict[str, int]
    """Parameters of each network."""
    processes: int = 1
    """Processes that train together."""
    what: str = "shapes"
    """`shapes` or `images`."""


@dataclass(frozen=True)
class Exported:
    """The result of a run that came to its end: its model was written."""

    path: Path
