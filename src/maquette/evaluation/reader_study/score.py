"""How well the readers of a study told real from synthetic images: accuracy, sensitivity, specificity, d', agreement.

A hit is a synthetic image that was called synthetic, a false alarm a real one that was called synthetic (Macmillan and
Creelman, Detection Theory, 2005).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import binomtest, norm

from maquette.errors import UserError
from maquette.evaluation.reader_study.page import ANSWERS_FORMAT
from maquette.evaluation.reader_study.study import KEY_FORMAT, REAL, SYNTHETIC, Kind
from maquette.evaluation.report import Cell, Details, Measured
from maquette.extras import require
from maquette.io.trees import json_value

MAX_BYTES = 2**22
"""The largest key or file of answers; those of 1000 images have a tenth of it."""
COLUMNS = ("reader", "n", "accuracy", "95 %", "sens.", "spec.", "d'", "c")
"""Reader, answers, accuracy and its interval, sensitivity, specificity, d' and its standard error, criterion."""


@dataclass(frozen=True)
class StudyKey:
    """Which images of a study are real."""

    study: str
    """The study's name."""
    kinds: Mapping[str, Kind]
    """The name of an image to `real` or `synthetic`."""
    model: str = ""
    """The name of the model that made the synthetic images."""


@dataclass(frozen=True)
class Answers:
    """The answers of one reader."""

    reader: str
    """The reader's code."""
    answers: Mapping[str, Kind]
    """The name of an image to what the reader called it."""


@dataclass(frozen=True)
class ReaderScore:
    """How well a reader told real and synthetic images apart."""

    hits: int
    """Synthetic images that were called synthetic."""
    synthetic: int
    """Synthetic images that were answered."""
    false_alarms: int
    """Real images that were called synthetic."""
    real: int
    """Real images that were answered."""

    @property
    def answers(self) -> int:
        """Images that were answered."""
        return self.synthetic + self.real

    @property
    def right(self) -> int:
        """Images that were called what they are."""
        return self.hits + self.real - self.false_alarms

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.right / self.answers

    @property
    def sensitivity(self) -> float:
        """Share of the synthetic images that were called synthetic."""
        return self.hits / self.synthetic

    @property
    def specificity(self) -> float:
        """Share of the real images that were called real."""
        return 1 - self.false_alarms / self.real

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the accuracy (Clopper and Pearson 1934, exact for independent answers)."""
        low, high = binomtest(self.right, self.answers).proportion_ci(0.95, method="exact")
        return float(low), float(high)

    @property
    def p_value(self) -> float:
        """The probability that guessing gives an accuracy at least as far from 0.5: exact two-sided binomial test."""
        return float(binomtest(self.right, self.answers, 0.5).pvalue)

    @property
    def _rates(self) -> tuple[float, float]:
        """The rates of hits and false alarms with the log-linear correction (Hautus 1995): neither is 0 or 1."""
        return (self.hits + 0.5) / (self.synthetic + 1), (self.false_alarms + 0.5) / (self.real + 1)

    @property
    def d_prime(self) -> float:
        """z(hits) - z(false alarms): 0 by guessing, 1 moderate, above 3 nearly always right."""
        hit, false = norm.ppf(self._rates)
        return float(hit - false)

    @property
    def d_prime_error(self) -> float:
        """Standard error of d' (Gourevitch and Galanter 1967)."""
        parts = [rate * (1 - rate) / (count * norm.pdf(norm.ppf(rate)) ** 2)
                 for rate, count in zip(self._rates, (self.synthetic, self.real), strict=True)]
        return float(np.sqrt(sum(parts)))

    @property
    def criterion(self) -> float:
        """-(z(hits) + z(false alarms)) / 2: above 0 for a reader who says "real" too often, below 0 "synthetic"."""
        return float(-norm.ppf(self._rates).sum() / 2)

    def __add__(self, other: "ReaderScore") -> "ReaderScore":
        return ReaderScore(
            self.hits + other.hits,
            self.synthetic + other.synthetic,
            self.false_alarms + other.false_alarms,
            self.real + other.real,
        )


def score_study(key: str | Path, answers: Sequence[str | Path]) -> Measured:
    """Score the readers of a study, alone and together.

    Args:
        key: The study's `key.json`.
        answers: Its readers' files, one or more.

    Raises:
        UserError: For a file that cannot be read, belongs to another study, names an image twice or an unknown one, or
            is by a reader who has another file; the line names the file.
    """
    if not answers:
        raise UserError("name at least one file of answers", hint="as evaluate study score key.json answers/*.json")
    known = read_key(key)
    given = [read_answers(path, known) for path in answers]
    names = [one.reader for one in given]
    for place, name in enumerate(names):
        if name in names[:place]:
            first = answers[names.index(name)]
            raise UserError(f"{answers[place]} is of the same reader as {first}", repr(name),
                            "leave one out, or change the code in it")
    scores = {one.reader: _score(one, known) for one in given}
    rows = [_row(name, one) for name, one in scores.items()]
    pooled = sum(scores.values(), ReaderScore(0, 0, 0, 0))
    notes = [f"chance: accuracy 0.5, d' 0; {_verdict(pooled)}"]
    if len(given) > 1:
        rows.append(_row("all", pooled))
        kappa = agreement(given)
        text = "cannot be told: they said the same of every image" if kappa is None else f"{kappa:.2f}"
        notes += [f"agreement between readers (Cohen's kappa, mean of the pairs; 1 full, 0 by chance): {text}",
                  "all: the interval, p and the error of d' take all answers for independent; answers about "
                  "one image are not, so they are too narrow"]
    missing = sum(len(known.kinds) - len(one.answers) for one in given)
    if missing:
        notes.append(f"{missing} of {len(known.kinds) * len(given)} answers are missing")
    details = {
        "study": known.study, "model": known.model,
        "readers": {name: _score_details(one) for name, one in scores.items()}, "pooled": _score_details(pooled),
        "kappa": agreement(given) if len(given) > 1 else None,
        "images": {name: {"kind": kind, "answers": sum(name in one.answers for one in given),
                          "right": sum(one.answers.get(name) == kind for one in given)}
                   for name, kind in known.kinds.items()},
    }
    title = f"{len(given)} reader{'s' if len(given) > 1 else ''}, {len(known.kinds)} images"
    return Measured(title, COLUMNS, tuple(rows), details, tuple(notes))


def read_key(path: str | Path) -> StudyKey:
    """Read the key of a study.

    Raises:
        UserError: For a file that is no key, or a damaged one.
    """
    tree = _json(path)
    if not isinstance(tree, dict) or tree.get("format") != KEY_FORMAT:
        raise UserError(f"{path} is not the key of a study", hint="it is called key.json, beside the study's page")
    images = tree.get("images")
    origins = images if isinstance(images, dict) else {}
    kinds: dict[str, Kind] = {}
    for name, origin in origins.items():
        kind = _kind(origin.get("kind")) if isinstance(origin, dict) else None
        if kind is not None:
            kinds[name] = kind
    whole = len(kinds) == len(origins) and set(kinds.values()) == {REAL, SYNTHETIC}
    if not isinstance(tree.get("study"), str) or not whole:
        raise UserError(f"{path} is damaged: it must name real and synthetic images")
    return StudyKey(tree["study"], kinds, str(tree.get("model", "")))


def read_answers(path: str | Path, key: StudyKey) -> Answers:
    """Read a file of answers to a study.

    Args:
        path: The file.
        key: The study's key.

    Raises:
        UserError: For a file that holds no answers, or answers that do not fit the key.
    """
    tree = _json(path)
    if not isinstance(tree, dict) or tree.get("format") != ANSWERS_FORMAT or not isinstance(tree.get("answers"), list):
        raise UserError(f"{path} holds no answers to a study")
    if tree.get("study") != key.study:
        raise UserError(f"{path} has answers to another study than the key is of")
    reader = tree.get("reader")
    if not isinstance(reader, str) or not re.fullmatch(r"[^\x00-\x1f\x7f]{1,40}", reader):
        raise UserError(f"{path}: reader must be a code of 1 to 40 characters")
    answers: dict[str, Kind] = {}
    for number, item in enumerate(tree["answers"], 1):
        name, value = (item.get("id"), item.get("answer")) if isinstance(item, dict) else (None, None)
        if not isinstance(name, str) or name not in key.kinds:
            raise UserError(f"{path}: answer {number} is about an image that the study does not have")
        if name in answers:
            raise UserError(f"{path}: image {name} is answered twice")
        answer = _kind(value)
        if answer is None:
            raise UserError(f"{path}: the answer to image {name} must be real or synthetic")
        answers[name] = answer
    if {key.kinds[name] for name in answers} != {REAL, SYNTHETIC}:
        raise UserError(f"{path} must answer at least one real and one synthetic image", f"{len(answers)} answers")
    return Answers(reader, answers)


def agreement(given: Sequence[Answers]) -> float | None:
    """Mean of Cohen's kappa (1960) over the pairs of readers, on the images that both answered.

    Kappa is 1 for full agreement and 0 for that of chance. It is not defined for two readers who gave one answer to
    all images: such pairs are left out. None where no pair is left.
    """
    require("sklearn", "train")
    from sklearn.metrics import cohen_kappa_score

    found = []
    for a, b in combinations(given, 2):
        both = [name for name in a.answers if name in b.answers]
        first, second = [a.answers[name] for name in both], [b.answers[name] for name in both]
        if len(set(first + second)) > 1:
            found.append(float(cohen_kappa_score(first, second)))
    return float(np.mean(found)) if found else None


def _kind(value: object) -> Kind | None:
    """A value from a file as the kind of an image; None where it is none."""
    return REAL if value == REAL else SYNTHETIC if value == SYNTHETIC else None


def _score(given: Answers, key: StudyKey) -> ReaderScore:
    """The score of one reader."""
    called_synthetic = {kind: [given.answers[name] == SYNTHETIC for name in given.answers if key.kinds[name] == kind]
                        for kind in (SYNTHETIC, REAL)}
    of_synthetic, of_real = called_synthetic[SYNTHETIC], called_synthetic[REAL]
    return ReaderScore(sum(of_synthetic), len(of_synthetic), sum(of_real), len(of_real))


def _row(name: str, score: ReaderScore) -> tuple[Cell, ...]:
    """One row of the table; name: of the reader."""
    low, high = score.interval
    return (name, score.answers, score.accuracy, f"{low:.2f}-{high:.2f}", score.sensitivity, score.specificity,
            f"{score.d_prime:.2f} ± {score.d_prime_error:.2f}", score.criterion)


def _verdict(score: ReaderScore) -> str:
    """Whether the accuracy differs from that of chance, in words."""
    low, high = score.interval
    differs = "above it" if low > 0.5 else "below it" if high < 0.5 else ""
    where = differs or f"not told from it by {score.answers} answers"
    return f"the accuracy of {score.accuracy:.3f} is {where} (p = {score.p_value:.2g})"


def _score_details(score: ReaderScore) -> Details:
    """All numbers of a score as plain values."""
    return {
        "answers": score.answers, "hits": score.hits, "synthetic": score.synthetic, "false_alarms": score.false_alarms,
        "real": score.real, "accuracy": score.accuracy, "interval": list(score.interval), "p_value": score.p_value,
        "sensitivity": score.sensitivity, "specificity": score.specificity, "d_prime": score.d_prime,
        "d_prime_error": score.d_prime_error, "criterion": score.criterion,
    }


def _json(path: str | Path) -> object:
    """The content of a JSON file; UserError for one that is missing, too large, no JSON, or gives a name twice."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UserError(f"{path} is too large for a file of a study", f"more than {MAX_BYTES // 2**20} MiB")
        return json_value(data, once=True)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # a JSONDecodeError and a UnicodeDecodeError are ValueErrors
        raise UserError(f"{path} is not JSON: {' '.join(str(error).split())[:200]}") from None
