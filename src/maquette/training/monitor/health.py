"""Health of a run: the usual faults of adversarial training in numbers, what they mean, which key to change.

`probe` measures networks as they are, `diagnose` judges the rows of a run's metrics. Only differences of scores are
judged: a Wasserstein critic's scores drift together by a constant and mean nothing alone. Its estimate falls
slowly as the shapes get better, so it is compared with what a critic of slope 1 could reach on the same samples.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.systems.base import Batch, System
from maquette.systems.capabilities import Makes
from maquette.systems.losses import kl_to_standard_normal

PROBED_SHAPES = 32
"""Shapes that a probe looks at: 496 pairs give a steady mean, and the cost stays below a few training steps."""
PROBED_IMAGES = 16
"""The same of images, which are larger: 120 pairs."""

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
    """One fault: what was seen (with its numbers), what it usually means, and which keys of the recipe to change.

    Attributes:
        code: Its name, the same in every run ("critic-constant").
        step: Of the newest row that shows it.
    """

    code: str
    step: int
    seen: str
    meaning: str
    change: str

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.code} at step {self.step}: {self.seen}; {self.meaning}; {self.change}"


def probe(system: System, real: Tensor, seen: Tensor | None, seed: int) -> dict[str, float]:
    """Numbers about networks as they are; weights, modes, gradients and the global random state stay untouched.

    - `nonfinite/<network>`: how many of its weights and statistics are not finite; `nonfinite/samples`: of made values.
    - `samples/empty`, `samples/full`: shares of made grids without any voxel, or with all voxels, above 0.5.
    - `samples/distance`, `real/distance`, `samples/variety`: mean difference a voxel or pixel over pairs of made and of
      real ones, and the first as a share of the second.
    - `critic/real`, `critic/fake`, with `_std`: its scores. `critic/reach`: mean L2 distance of real and made ones, the
      most that a critic of slope 1 can part their scores by. `critic/slope`: mean norm of its gradient at mixes of
      them, which the penalty wants at 1.
    - `encoder/kl_nats`, and `encoder/spread`: the deviation of a latent's mean over the shapes, averaged over latents.

    A value that cannot be had (of networks that are not finite, or of one shape's pairs) is NaN.

    Args:
        real: Shapes `[B, 1, R, R, R]`, or images `[B, C, H, W]` in [-1, 1] for a system that makes images.
        seen: Views `[B, C, S, S]` or scans `[B, 1, R, R, R]` of the shapes, for systems with an encoder.
        seed: Of the latents and mixes. At most PROBED_SHAPES or PROBED_IMAGES of the batch are used, in evaluation mode
            and float32. What is made are reconstructions of what is seen, or samples of N(0, I) for a system without an
            encoder.
    """
    device = next(system.nets.parameters()).device
    limit = PROBED_IMAGES if system.makes.images else PROBED_SHAPES
    seen, real = None if seen is None else seen[:limit].to(device), real[:limit].to(device).float()
    batch = Batch(None, real, seed=seed) if system.makes.images else Batch(real, seed=seed)
    values: dict[str, Tensor | float] = {f"nonfinite/{name}": _broken(net) for name, net in system.nets.items()}
    if system.makes is Makes.LABELS:
        return {name: float(value) for name, value in values.items()}
    with evaluating(system.nets), torch.no_grad():
        made, of_encoder = _make(system, batch, seen, limit)
        values |= of_encoder | _of_samples(made, real) | (_of_grids(made) if system.makes is Makes.SHAPES else {})
        if system.critic is not None:
            # rolled: mixes are of unrelated shapes, as in training, not of a shape and its own reconstruction
            fake = made[: len(batch)].roll(1, 0)
            values |= _of_critic(system.critic, real, fake, batch.uniform(len(batch)))
    return {name: float(value) for name, value in values.items()}


@contextmanager
def evaluating(nets: nn.Module) -> Iterator[None]:
    """Evaluation mode, and every module's own mode back after it."""
    training = [module for module in nets.modules() if module.training]
    nets.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _broken(net: nn.Module) -> int:
    """How many values of its state are not finite; weights that are spread over devices are gathered for it."""
    tensors = [value.detach() for value in net.state_dict().values() if value.is_floating_point()]
    tensors = [value.full_tensor() if hasattr(value, "full_tensor") else value for value in tensors]
    return sum(int(value.isfinite().logical_not().sum()) for value in tensors)


def _make(system: System, batch: Batch, seen: Tensor | None, count: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Shapes or images from what is seen or `count` from N(0, I), and the numbers of the encoder."""
    if seen is None or "encoder" not in system.nets:
        return system.generate(system.from_normal(batch.normal(count, system.config.latent))).float(), {}
    mean, log_variance = system.nets["encoder"](seen)
    spread = mean.std(0, correction=0).mean()
    kl = kl_to_standard_normal(mean, log_variance)
    return system.generate(mean).float(), {"encoder/kl_nats": kl, "encoder/spread": spread}


def _of_samples(made: Tensor, real: Tensor) -> dict[str, Tensor | float]:
    distance, of_real = _mean_distance(made), _mean_distance(real)
    return {
        "nonfinite/samples": made.isfinite().logical_not().sum(),
        "samples/distance": distance,
        "real/distance": of_real,
        "samples/variety": distance / of_real if of_real > 0 else math.nan,
    }


def _of_grids(made: Tensor) -> dict[str, Tensor | float]:
    occupied, broken = (made > 0.5).flatten(1), not made.isfinite().all()
    return {
        "samples/empty": math.nan if broken else (~occupied.any(1)).float().mean(),
        "samples/full": math.nan if broken else occupied.all(1).float().mean(),
    }


def _mean_distance(shapes: Tensor) -> Tensor:
    """Mean absolute difference a voxel or pixel over all pairs. Unlike 1 - IoU it needs no threshold: grey grids that
    are alike cannot differ by which voxels cross it, and two empty ones are 0 apart.
    """
    flat = shapes.flatten(1)
    return torch.pdist(flat, p=1).mean() / flat.shape[1]


def _of_critic(critic: nn.Module, real: Tensor, fake: Tensor, mix: Tensor) -> dict[str, Tensor]:
    score_real, score_fake = critic(real).float(), critic(fake).float()
    mix = mix.view(-1, *[1] * (real.dim() - 1))
    with torch.enable_grad():
        between = (mix * real + (1 - mix) * fake).requires_grad_()
        (gradient,) = torch.autograd.grad(critic(between).float().sum(), between)
    return {
        "critic/real": score_real.mean(),
        "critic/real_std": score_real.std(correction=0),
        "critic/fake": score_fake.mean(),
        "critic/fake_std": score_fake.std(correction=0),
        "critic/reach": (real - fake).flatten(1).norm(dim=1).mean(),
        "critic/slope": gradient.float().flatten(1).norm(dim=1).mean(),
    }


def diagnose(rows: Sequence[Mapping], recipe: Recipe) -> list[HealthFinding]:
    """What is wrong with a run now, the root first; [] for a healthy one, and for one too young to be judged.

    - not-finite; where it is found nothing else is judged;
    - critic-constant, critic-saturated or penalty-far, from CRITIC_PATIENCE steps after its first logged term on;
    - latent-unused;
    - samples-empty, samples-full or samples-alike; not the last where the latents are unused.

    Args:
        rows: Of metrics.jsonl, in the order of the file: `stepped` (means by "phase/term"), `probed` (the numbers of
            `probe`), `diverged` (`phase`, `term`, `value`, `networks`, `last_good`); others are passed over. Four
            questions, at most one finding each, and one that only follows from another is left out:
    """
    broken = _not_finite(rows, recipe)
    if broken:
        return [broken]
    found = [_of_critic_scores(rows, recipe), _of_latents(rows, recipe)]
    return [finding for finding in (*found, _of_shapes(rows, recipe, found[1] is not None)) if finding]


def _not_finite(rows: Sequence[Mapping], recipe: Recipe) -> HealthFinding | None:
    """A divergence that the run has not passed since, or a newest probe with values that are not finite."""
    stepped_or_diverged = [row for row in rows if row["event"] in ("stepped", "diverged")]
    if stepped_or_diverged and stepped_or_diverged[-1]["event"] == "diverged":
        row = stepped_or_diverged[-1]
        networks = row.get("networks") or "none"
        seen = (f"term '{row['term']}' of phase '{row['phase']}' became {row['value']}; networks with values that are "
                f"not finite: {networks}; last good step: {row.get('last_good') or 0}")
        return _broken_finding(row["step"], seen, f"{row['phase']},{networks}", recipe)
    probes = [row for row in rows if row["event"] == "probed"]
    broken = {} if not probes else _broken_parts(probes[-1])
    if not broken:
        return None
    good = max((row["step"] for row in probes if not _broken_parts(row)), default=0)
    counts = ", ".join(f"{count:.0f} of the {name}" for name, count in broken.items())
    seen = f"values that are not finite: {counts}; last good step: {good}"
    return _broken_finding(probes[-1]["step"], seen, ",".join(broken), recipe)


def _broken_parts(row: Mapping) -> dict[str, float]:
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


def _of_critic_scores(rows: Sequence[Mapping], recipe: Recipe) -> HealthFinding | None:
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


def _of_discriminator(rows: Sequence[Mapping], probes: Sequence[Mapping], recipe: Recipe) -> HealthFinding | None:
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


def _of_latents(rows: Sequence[Mapping], recipe: Recipe) -> HealthFinding | None:
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


def _of_shapes(rows: Sequence[Mapping], recipe: Recipe, latent_unused: bool) -> HealthFinding | None:
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


def _probes(rows: Sequence[Mapping], since: float) -> list[Mapping]:
    """The newest PROBES probes; [] where there are fewer, or where one of them is from before the step `since`."""
    newest = [row for row in rows if row["event"] == "probed"][-PROBES:]
    return newest if len(newest) == PROBES and newest[0]["step"] >= since else []


def _logged_agree(rows: Sequence[Mapping], ending: str, holds: Callable[[float], bool]) -> bool:
    """Whether the newest LOGGED rows with a term of this ending all hold; true where no row has one."""
    found = [_number(row, key) for row in rows if row["event"] == "stepped" for key in row if key.endswith(ending)]
    return all(holds(value) for value in found[-LOGGED:])


def _has_critic(row: Mapping) -> bool:
    return any(key.startswith("critic/") for key in row)


def _gap(row: Mapping) -> float:
    return _number(row, "critic/real") - _number(row, "critic/fake")


def _spread(row: Mapping) -> float:
    return max(_number(row, "critic/real_std"), _number(row, "critic/fake_std"))


def _steepest(row: Mapping) -> float:
    """The steepest slope of a good critic on these shapes."""
    return STEEP * (1 + _number(row, "critic/reach") / (2 * PAPER_PENALTY))


def _number(row: Mapping, key: str) -> float:
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
