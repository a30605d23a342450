"""What a run says as it goes, beside the events of `maquette.events`, and how it can end."""

from dataclasses import dataclass
from pathlib import Path

from maquette.events import Note, Progress
from maquette.training.monitor.health import HealthFinding


@dataclass(frozen=True)
class Stepping(Progress):
    """A step is done; said from the second one on, about once a second.

    `done` counts finished steps.
    """

    seconds_a_step: float
    """Mean of the steps since the run began or went on, without the time of checks and samples."""

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
    """A sheet of samples was drawn: uint8 `[H, W, 3]`."""

    step: int
    path: Path


@dataclass(frozen=True)
class HealthFound(Note):
    """Something looks wrong; said once a run."""

    step: int
    finding: HealthFinding


@dataclass(frozen=True)
class Saved(Note):
    """A checkpoint was written; metric: its name and value where it is the best so far."""

    step: int
    path: Path
    metric: str = ""


@dataclass(frozen=True)
class Stopped:
    """The result of a run that was asked to stop: everything up to this step is saved."""

    step: int


@dataclass(frozen=True)
class Started(Note):
    """Training begins: the run's folder, the shapes or images (`what`) that it learns from and those held out."""

    run: Path
    train_shapes: int
    validation_shapes: int
    parameters: dict[str, int]
    processes: int = 1
    what: str = "shapes"


@dataclass(frozen=True)
class Exported:
    """The result of a run that came to its end: its model was written."""

    path: Path
