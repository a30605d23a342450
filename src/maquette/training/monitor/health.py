"""Health of a run: which of the usual faults of adversarial training it has, what they mean, which key to change.

`diagnose` judges the rows of a run's metrics, of which `maquette.training.monitor.probe` measures some. Only
differences of scores are judged: a Wasserstein critic's scores drift together by a constant and mean nothing alone. Its
estimate falls slowly as the shapes get better, so it is compared with what a critic of slope 1 could reach on the same
samples.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.training.monitor.log import Row

UPDATE = "update"
"""Stands in place of a phase in the row of a run whose weights an update broke, though its losses were finite."""
PROBES = 2
"""Probes in a row that must agree: one batch alone may be odd."""
LOGGED = 3
"""Logged rows in a row that must agree with the probes where they hold the same quantity."""
CRITIC_PATIENCE = 1000
"""Steps since the critic entered before it is judged: its first weights have a slope near 0, and Adam at 1e-4
takes some hundred steps to bring it to 1."""
LEAST_LOGIT = 1e-3
"""Difference of logits below which a discriminator tells nothing apart."""
HELD = 20
"""Logged rows in which a discriminator under the 80 % rule may be held still: 1,000 steps of most recipes."""
ENCODER_PATIENCE = 1000
"""Steps before the encoder is judged: 6 nats at step 100 were 107 at step 1,000 in a good run."""
GENERATOR_PATIENCE = 1000
"""Updates of the generator before its shapes are judged: it starts grey, and often goes through one mean
shape."""
CONSTANT = 0.01
"""A critic whose scores are spread over less than this share of the samples' distances is constant: at slope 1 the
two are of one size."""
PAPER_PENALTY = 10.0
"""Weight of the penalty in the papers. Making s W - 10 (s - 1)^2 largest leaves a slope s of 1 + W / 20, so a good
critic is steeper than 1 as long as its shapes are far from the real ones."""
STEEP = 2.0
"""How many times steeper than that a critic may be: the estimate holds for mean slopes only."""
FLAT = 0.3
"""The least slope of a good critic: in balance it is never below 1."""
PENALTY_FAR = 0.25
"""The logged penalty (norm - 1)^2 that agrees with a slope that is too steep or too flat: half the target off."""
ALIKE = 0.1
"""Made shapes that differ by less than this share of the real ones' differences are alike: blur alone leaves half."""
ALL = 0.9
"""The share of made grids that counts as all of them: thin shapes may leave a few empty in a good run."""
LEAST_KL = math.log(2)
"""Nats that the latents must hold: with less than one bit they cannot even tell two shapes apart."""


@dataclass(frozen=True)
class HealthFinding:
    """One fault of a run."""

    code: str
    """Its name, the same in every run: "critic-constant"."""
    step: int
    """The step of the newest row that shows it."""
    seen: str
    """What was seen, with its numbers."""
    meaning: str
    """What it usually means."""
    change: str
    """Which keys of the recipe to change, with their values."""

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.code} at step {self.step}: {self.seen}; {self.meaning}; {self.change}"


def diagnose(rows: Sequence[Row], recipe: Recipe) -> list[HealthFinding]:
    """What is wrong with a run now, the root cause first.

    Four questions are asked, with at most one finding each; a finding that only follows from another is left out:

    - not-finite; where it is found nothing else is judged;
    - critic-constant, critic-saturated or penalty-far, from CRITIC_PATIENCE steps after its first logged term on;
    - latent-unused;
    - samples-empty, samples-full or samples-alike; not the last where the latents are unused.

    Args:
        rows: Of metrics.jsonl, in the order of the file: `stepped` (means by "phase/term"), `probed` (the numbers of
            `maquette.training.monitor.probe.probe`), `diverged` (`phase`, `term`, `value`, `networks`, `last_good`).
            Others are passed over.
        recipe: The run's; its values are named in the advice.

    Returns:
        The findings; none for a healthy run, and for one too young to be judged.
    """
    broken = _not_finite(rows, recipe)
    if broken:
        return [broken]
    found = [_of_critic_scores(rows, recipe), _of_latents(rows, recipe)]
    return [finding for finding in (*found, _of_shapes(rows, recipe, found[1] is not None)) if finding]


def _not_finite(rows: Sequence[Row], recipe: Recipe) -> HealthFinding | None:
    """A divergence that the run has not passed since, or a newest probe with values that are not finite."""
    stepped_or_diverged = [row for row in rows if row["event"] in ("stepped", "diverged")]
    if stepped_or_diverged and stepped_or_diverged[-1]["event"] == "diverged":
        row = stepped_or_diverged[-1]
        networks = row.get("networks") or "none"
        what = f"term '{row.get('term')}' of phase '{row.get('phase')}' became {row.get('value')}"
        if row.get("phase") == UPDATE:
            what = f"an update left numbers that are not finite: {row.get('value')}"
        good = row.get("last_good") or 0
        seen = f"{what}; networks with values that are not finite: {networks}; last good step: {good}"
        return _broken_finding(row["step"], seen, f"{row.get('phase')},{networks}".removeprefix(f"{UPDATE},"), recipe)
    probes = [row for row in rows if row["event"] == "probed"]
    broken = {} if not probes else _broken_parts(probes[-1])
    if not broken:
        return None
    good = max((row["step"] for row in probes if not _broken_parts(row)), default=0)
    counts = ", ".join(f"{count:.0f} of the {name}" for name, count in broken.items())
    seen = f"values that are not finite: {counts}; last good step: {good}"
    return _broken_finding(probes[-1]["step"], seen, ",".join(broken), recipe)


def _broken_parts(row: Row) -> dict[str, float]:
    found = {key.partition("/")[2]: _number(row, key) for key in row if key.startswith("nonfinite/")}
    return {name: count for name, count in found.items() if count > 0}


def _broken_finding(step: int, seen: str, where: str, recipe: Recipe) -> HealthFinding:
    change = []
    if "critic" in where:
        change += [f"lower {_now(recipe, 'optim.critic_lr')}"]
    if set(where.split(",")) - {"critic", "none"}:
        clip = "lower" if recipe.optim.clip else "set"
        change += [f"lower {_now(recipe, 'optim.lr')} or {clip} {_now(recipe, 'optim.clip')}"]
    if recipe.train.precision == "bf16":
        change += [f"try fp32 for {_now(recipe, 'train.precision')}"]
    meaning = "a step was too large, or a number too large for the precision; the weights are of no use from there on"
    return HealthFinding("not-finite", step, seen, meaning, "; ".join([*change, "go on from the last good checkpoint"]))


def _of_critic_scores(rows: Sequence[Row], recipe: Recipe) -> HealthFinding | None:
    entered = next((row["step"] for row in rows if row["event"] == "stepped" and _has_critic(row)), math.inf)
    probes = _probes(rows, entered + CRITIC_PATIENCE)
    if not probes:
        return None
    if not recipe.model.has_gradient_penalty():
        return _of_discriminator(rows, probes, recipe)
    last = probes[-1]
    step, slope, reach = last["step"], _number(last, "critic/slope"), _number(last, "critic/reach")
    gap, spread = _gap(last), _spread(last)
    what, _ = _words(recipe)
    numbers = f"gap of real and made scores {gap:.3g}, slope {slope:.3g} (target 1), distance of the {what} {reach:.3g}"
    critic_lr, penalty = _now(recipe, "optim.critic_lr"), _now(recipe, "model.penalty_weight")
    lazy = f"; set {_now(recipe, 'model.penalty_interval')} to 1" if recipe.model.penalty_interval > 1 else ""
    if all(max(abs(_gap(row)), _spread(row)) < CONSTANT * _number(row, "critic/reach") for row in probes):
        return HealthFinding(
            "critic-constant", step,
            f"the critic scores everything alike: deviation of its scores {spread:.3g}, {numbers}",
            "its weights died or never moved, so the generator gets no gradient from it",
            f"if it died, lower {critic_lr}; if it never moved, raise it; lower {penalty} if that is far above 10",
        )
    if all(abs(_gap(row)) > _steepest(row) * _number(row, "critic/reach") for row in probes):
        return HealthFinding(
            "critic-saturated", step, f"the critic's scores have run apart: {numbers}",
            "nothing holds its slope, so what the generator gets from it tells of its weights' size, not of where the "
            f"{what} are wrong",
            f"raise {penalty} to about 10; lower {critic_lr}{lazy}",
        )
    steep = all(_number(row, "critic/slope") > _steepest(row) for row in probes)
    flat = all(_number(row, "critic/slope") < FLAT for row in probes)
    if (steep or flat) and _logged_agree(rows, "/gradient_penalty", lambda value: value > PENALTY_FAR):
        change = (f"raise {penalty} to about 10; lower {critic_lr}" if steep else
                  f"raise {critic_lr}; lower {penalty} if that is far above 10")
        return HealthFinding(
            "penalty-far", step, f"the gradient penalty is far from its target: {numbers}",
            "the critic learns faster than its penalty can hold it" if steep else
            "the critic learns too slowly to be of use, or its penalty is all that it minimises",
            change + lazy,
        )
    return None


def _of_discriminator(rows: Sequence[Row], probes: Sequence[Row], recipe: Recipe) -> HealthFinding | None:
    """A discriminator that gives logits: whether it is too good to learn at all, or tells nothing apart."""
    step, limit = probes[-1]["step"], _rule(recipe)
    loosen = f"{'lower' if limit == 'model.r1' else 'raise'} {_now(recipe, limit)}"
    if all(max(abs(_gap(row)), _spread(row)) < LEAST_LOGIT for row in probes):
        return HealthFinding(
            "critic-constant", step,
            f"the discriminator gives everything the same logit: gap of real and made {_gap(probes[-1]):.3g}, "
            f"deviation {_spread(probes[-1]):.3g}",
            "its weights died or never moved, so the generator gets no gradient from it",
            f"raise {_now(recipe, 'optim.critic_lr')}; {loosen}",
        )
    held = [_number(row, "critic/skipped") for row in rows if row["event"] == "stepped" and "critic/skipped" in row]
    if len(held) >= HELD and all(share == 1 for share in held[-HELD:]):
        return HealthFinding(
            "critic-saturated", step,
            f"the discriminator was right on more than the limit of every batch of the last {HELD} logged rows and "
            "learned nothing in them",
            "the generator cannot follow it: what it is told has hardly a gradient where the discriminator is sure",
            f"lower {_now(recipe, 'optim.critic_lr')}; raise {_now(recipe, 'optim.lr')}; {loosen}",
        )
    return None


def _of_latents(rows: Sequence[Row], recipe: Recipe) -> HealthFinding | None:
    probes = _probes(rows, ENCODER_PATIENCE)
    if not probes or not all(_number(row, "encoder/kl_nats") < LEAST_KL for row in probes):
        return None
    if not _logged_agree(rows, "/kl_nats", lambda value: value < LEAST_KL):
        return None
    last = probes[-1]
    return HealthFinding(
        "latent-unused", last["step"],
        f"the encoder's KL is {_number(last, 'encoder/kl_nats'):.2g} nats, the deviation of its means over the views "
        f"{_number(last, 'encoder/spread'):.2g}",
        "the posterior has collapsed onto the prior: the generator gets no word of the view and makes one mean shape",
        f"lower {_now(recipe, 'model.kl_weight')} (with model.reconstruction bce-iou, a mean over voxels, far below 1)",
    )


def _of_shapes(rows: Sequence[Row], recipe: Recipe, latent_unused: bool) -> HealthFinding | None:
    probes = _probes(rows, GENERATOR_PATIENCE * recipe.model.generator_interval())
    if not probes:
        return None
    step, lr = probes[-1]["step"], _now(recipe, "optim.lr")
    for word, key, rebalance in (("empty", "samples/empty", "raise"), ("full", "samples/full", "lower")):
        if all(_number(row, key) >= ALL for row in probes):
            weight = recipe.model.occupancy_key()
            change = f"lower {lr}" + (f"; {rebalance} {_now(recipe, f'model.{weight}')}" if weight else
                                      f" and {_now(recipe, 'optim.critic_lr')}")
            return HealthFinding(
                f"samples-{word}", step, f"{_number(probes[-1], key):.0%} of the made grids are {word} at 0.5",
                "the generator's output is stuck at one end of the sigmoid, where hardly a gradient passes", change,
            )
    if latent_unused or not all(_number(row, "samples/variety") < ALIKE for row in probes):
        return None
    last, (what, place) = probes[-1], _words(recipe)
    seen = (f"made {what} differ by {_number(last, 'samples/distance'):.2g} a {place}, real ones by "
            f"{_number(last, 'real/distance'):.2g}: {_number(last, 'samples/variety'):.1%} of it")
    meaning = f"the generator makes one {what[:-1]} whatever it is given: mode collapse, or a dead layer"
    alike = recipe.model.alike_keys()
    change = (f"lower {' or '.join(_now(recipe, f'model.{key}') for key in alike)}" if alike else
              f"raise {_now(recipe, _rule(recipe))}")
    return HealthFinding("samples-alike", step, seen, meaning, f"lower {lr}; {change}")


def _rule(recipe: Recipe) -> str:
    """The key that says how strong the critic is: how often it moves, when it may learn, or how it is held back."""
    return f"model.{recipe.model.critic_key()}"


def _words(recipe: Recipe) -> tuple[str, str]:
    """What the system makes, and one value of it."""
    return ("images", "pixel") if SYSTEMS[recipe.system].makes.images else ("shapes", "voxel")


def _probes(rows: Sequence[Row], since: float) -> list[Row]:
    """The newest PROBES probes; [] where there are fewer, or where one of them is from before the step `since`."""
    newest = [row for row in rows if row["event"] == "probed"][-PROBES:]
    return newest if len(newest) == PROBES and newest[0]["step"] >= since else []


def _logged_agree(rows: Sequence[Row], ending: str, holds: Callable[[float], bool]) -> bool:
    """Whether the newest LOGGED rows with a term of this ending all hold; true where no row has one."""
    found = [_number(row, key) for row in rows if row["event"] == "stepped" for key in row if key.endswith(ending)]
    return all(holds(value) for value in found[-LOGGED:])


def _has_critic(row: Row) -> bool:
    return any(key.startswith("critic/") for key in row)


def _gap(row: Row) -> float:
    return _number(row, "critic/real") - _number(row, "critic/fake")


def _spread(row: Row) -> float:
    return max(_number(row, "critic/real_std"), _number(row, "critic/fake_std"))


def _steepest(row: Row) -> float:
    """The steepest slope of a good critic on these shapes."""
    return STEEP * (1 + _number(row, "critic/reach") / (2 * PAPER_PENALTY))


def _number(row: Row, key: str) -> float:
    """A row's value, also where it is the word "nan" or "inf"; NaN where there is none, with which nothing is found."""
    try:
        return float(row[key])
    except (KeyError, TypeError, ValueError):
        return math.nan


def _now(recipe: Recipe, key: str) -> str:
    """A key with its value in this recipe: "optim.lr (now 0.001)"."""
    section, _, name = key.partition(".")
    value = getattr(getattr(recipe, section), name)
    return f"{key} (now {value})"
