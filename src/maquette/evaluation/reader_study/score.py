"""What the readers of a study could tell: accuracy, sensitivity, specificity, d' and agreement.

A hit is a synthetic image that was called synthetic, a false alarm a real one that was (Macmillan and Creelman,
Detection Theory, 2005).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import binomtest, norm

from maquette.errors import UserError
from maquette.evaluation.reader_study.page import ANSWERS_FORMAT
from maquette.evaluation.reader_study.study import KEY_FORMAT, REAL, SYNTHETIC
from maquette.evaluation.report import Measured
from maquette.extras import require

MAX_BYTES = 2**22
"""Of a key or a file of answers: those of 1000 images have a tenth of it."""
COLUMNS = ("reader", "n", "accuracy", "95 %", "sens.", "spec.", "d'", "c")
"""Reader, answers, accuracy and its interval, sensitivity, specificity, d' and its standard error, criterion."""


@dataclass(frozen=True)
class Key:
    """What is what in a study: `real` or `synthetic` by the image's name."""

    study: str
    kinds: Mapping[str, str]
    model: str = ""


@dataclass(frozen=True)
class Answers:
    """What one reader answered, by the image's name."""

    reader: str
    said: Mapping[str, str]


@dataclass(frozen=True)
class ReaderScore:
    """How well real and synthetic images were told apart.

    hits of synthetic, false_alarms of real: how many of each were called synthetic.
    """

    hits: int
    synthetic: int
    false_alarms: int
    real: int

    @property
    def answers(self) -> int:
        return self.synthetic + self.real

    @property
    def right(self) -> int:
        return self.hits + self.real - self.false_alarms

    @property
    def accuracy(self) -> float:
        return self.right / self.answers

    @property
    def sensitivity(self) -> float:
        return self.hits / self.synthetic

    @property
    def specificity(self) -> float:
        return 1 - self.false_alarms / self.real

    @property
    def interval(self) -> tuple[float, float]:
        """Of the accuracy, 95 % (Clopper and Pearson 1934, exact for independent answers)."""
        low, high = binomtest(self.right, self.answers).proportion_ci(0.95, method="exact")
        return float(low), float(high)

    @property
    def p_value(self) -> float:
        """How probable so unusual an accuracy is by guessing: exact binomial test, two-sided."""
        return float(binomtest(self.right, self.answers, 0.5).pvalue)

    @property
    def _rates(self) -> tuple[float, float]:
        """Of hits and false alarms with the log-linear correction (Hautus 1995), so that neither is 0 or 1."""
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
        """-(z(hits) + z(false alarms)) / 2: above 0, real is said too often; below 0, synthetic."""
        return float(-norm.ppf(self._rates).sum() / 2)

    def __add__(self, other: "ReaderScore") -> "ReaderScore":
        return ReaderScore(
            self.hits + other.hits,
            self.synthetic + other.synthetic,
            self.false_alarms + other.false_alarms,
            self.real + other.real,
        )


def score_study(key: str | Path, answers: Sequence[str | Path]) -> Measured:
    """The table of readers, and all of them together. key: `key.json` of the study; answers: files of its readers.

    Raises:
        UserError: Naming the file, for one that cannot be read, is none of this study, names an image twice or one that
            the study has not, or is of a reader who is there already.
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
    told = {one.reader: _told(one, known) for one in given}
    rows = [_row(name, one) for name, one in told.items()]
    pooled = sum(told.values(), ReaderScore(0, 0, 0, 0))
    notes = [f"chance: accuracy 0.5, d' 0; {_verdict(pooled)}"]
    if len(given) > 1:
        rows.append(_row("all", pooled))
        kappa = agreement(given)
        said = "cannot be told: they said the same of every image" if kappa is None else f"{kappa:.2f}"
        notes += [f"agreement between readers (Cohen's kappa, mean of the pairs; 1 full, 0 by chance): {said}",
                  "all: the interval, p and the error of d' take all answers for independent; answers about "
                  "one image are not, so they are too narrow"]
    missing = sum(len(known.kinds) - len(one.said) for one in given)
    if missing:
        notes.append(f"{missing} of {len(known.kinds) * len(given)} answers are missing")
    details = {
        "study": known.study, "model": known.model,
        "readers": {name: _facts(one) for name, one in told.items()}, "pooled": _facts(pooled),
        "kappa": agreement(given) if len(given) > 1 else None,
        "images": {name: {"kind": kind, "answers": sum(name in one.said for one in given),
                          "right": sum(one.said.get(name) == kind for one in given)}
                   for name, kind in known.kinds.items()},
    }
    title = f"{len(given)} reader{'s' if len(given) > 1 else ''}, {len(known.kinds)} images"
    return Measured(title, COLUMNS, tuple(rows), details, tuple(notes))


def read_key(path: str | Path) -> Key:
    """The key of a study.

    Raises:
        UserError: For a file that is none.
    """
    tree = _json(path)
    if not isinstance(tree, dict) or tree.get("format") != KEY_FORMAT:
        raise UserError(f"{path} is not the key of a study", hint="it is called key.json, beside the study's page")
    images = tree.get("images")
    facts = images if isinstance(images, dict) else {}
    kinds = {name: own.get("kind") if isinstance(own, dict) else None for name, own in facts.items()}
    if not isinstance(tree.get("study"), str) or sorted({str(kind) for kind in kinds.values()}) != [REAL, SYNTHETIC]:
        raise UserError(f"{path} is damaged: it must name real and synthetic images")
    return Key(tree["study"], kinds, str(tree.get("model", "")))


def read_answers(path: str | Path, key: Key) -> Answers:
    """A file of answers that belongs to a key.

    Raises:
        UserError: For one that does not, or holds anything else than answers.
    """
    tree = _json(path)
    if not isinstance(tree, dict) or tree.get("format") != ANSWERS_FORMAT or not isinstance(tree.get("answers"), list):
        raise UserError(f"{path} holds no answers to a study")
    if tree.get("study") != key.study:
        raise UserError(f"{path} has answers to another study than the key is of")
    reader = tree.get("reader")
    if not isinstance(reader, str) or not re.fullmatch(r"[^\x00-\x1f\x7f]{1,40}", reader):
        raise UserError(f"{path}: reader must be a code of 1 to 40 characters")
    said: dict[str, str] = {}
    for number, item in enumerate(tree["answers"], 1):
        name, answer = (item.get("id"), item.get("answer")) if isinstance(item, dict) else (None, None)
        if not isinstance(name, str) or name not in key.kinds:
            raise UserError(f"{path}: answer {number} is about an image that the study does not have")
        if name in said:
            raise UserError(f"{path}: image {name} is answered twice")
        if answer not in (REAL, SYNTHETIC):
            raise UserError(f"{path}: the answer to image {name} must be real or synthetic")
        said[name] = answer
    if {key.kinds[name] for name in said} != {REAL, SYNTHETIC}:
        raise UserError(f"{path} must answer at least one real and one synthetic image", f"{len(said)} answers")
    return Answers(reader, said)


def agreement(given: Sequence[Answers]) -> float | None:
    """Mean of Cohen's kappa (1960) over the pairs of readers, on the images that both answered.

    A pair of which both gave every image the same one answer has none and is left out; None where no pair has one.
    """
    require("sklearn", "train")
    from sklearn.metrics import cohen_kappa_score

    found = []
    for a, b in combinations(given, 2):
        both = [name for name in a.said if name in b.said]
        first, second = [a.said[name] for name in both], [b.said[name] for name in both]
        if len(set(first + second)) > 1:
            found.append(float(cohen_kappa_score(first, second)))
    return float(np.mean(found)) if found else None


def _told(given: Answers, key: Key) -> ReaderScore:
    called = {kind: [given.said[name] == SYNTHETIC for name in given.said if key.kinds[name] == kind]
              for kind in (SYNTHETIC, REAL)}
    return ReaderScore(sum(called[SYNTHETIC]), len(called[SYNTHETIC]), sum(called[REAL]), len(called[REAL]))


def _row(name: str, told: ReaderScore) -> tuple[object, ...]:
    low, high = told.interval
    return (name, told.answers, told.accuracy, f"{low:.2f}-{high:.2f}", told.sensitivity, told.specificity,
            f"{told.d_prime:.2f} ± {told.d_prime_error:.2f}", told.criterion)


def _verdict(told: ReaderScore) -> str:
    low, high = told.interval
    told_apart = "above it" if low > 0.5 else "below it" if high < 0.5 else ""
    where = told_apart or f"not told from it by {told.answers} answers"
    return f"the accuracy of {told.accuracy:.3f} is {where} (p = {told.p_value:.2g})"


def _facts(told: ReaderScore) -> dict[str, object]:
    return {
        "answers": told.answers, "hits": told.hits, "synthetic": told.synthetic, "false_alarms": told.false_alarms,
        "real": told.real, "accuracy": told.accuracy, "interval": list(told.interval), "p_value": told.p_value,
        "sensitivity": told.sensitivity, "specificity": told.specificity, "d_prime": told.d_prime,
        "d_prime_error": told.d_prime_error, "criterion": told.criterion,
    }


def _json(path: str | Path) -> object:
    """What a file of JSON holds; UserError for one that is missing, too large, or none. Names given twice are refused.
    """
    path = Path(path)

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a name is given twice")
        return dict(pairs)

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UserError(f"{path} is too large for a file of a study", f"more than {MAX_BYTES // 2**20} MiB")
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=once)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # a JSONDecodeError and a UnicodeDecodeError are ValueErrors
        raise UserError(f"{path} is not JSON: {' '.join(str(error).split())[:200]}") from None
