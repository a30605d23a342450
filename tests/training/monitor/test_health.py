"""Health: healthy runs, really trained, raise nothing; every fault, planted for real, raises its own finding alone."""

import copy
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from boxes import Boxes, job
from command import call
from torch import nn

from maquette import api
from maquette import recipe as recipes
from maquette.capabilities import Reads
from maquette.errors import TrainingDiverged, UserError
from maquette.recipe import DataRecipe
from maquette.systems import SYSTEMS
from maquette.training import checkpoint, loop
from maquette.training.batches import Batches
from maquette.training.ema import Average
from maquette.training.monitor import health, probe
from maquette.training.monitor.log import read_metrics

JOINT = {
    "joint": True,
    "reconstruction": "bce-iou",
    "kl_weight": 1e-3,
    "adversarial": 0.01,
    "critic_fraction": 0.5,
    "penalty_interval": 2,
}


def build(name, steps, model=None, optim=None, every=20):
    """(system, recipe, batches) of a tiny run on boxes, with plain views that can be learned by heart."""
    _, recipe, _ = job(steps, name, check_every=every, sample_every=0)
    recipe = replace(recipe, model=replace(recipe.model, **(model or {})), data=DataRecipe(jitter=False, flip=False),
                     optim=replace(recipe.optim, **(optim or {})))
    torch.manual_seed(0)
    system = SYSTEMS[recipe.system](recipe.model)
    return system, recipe, Batches(Boxes(), np.arange(29), recipe, system)


def look(system, seed=0):
    """A probe on 16 boxes."""
    rows = np.arange(16)
    voxels = torch.from_numpy(Boxes().voxels(rows)).unsqueeze(1).float()
    images = torch.from_numpy(Boxes().views(rows, rows % 3)).unsqueeze(1) / 255 if system.reads is Reads.VIEWS else None
    return probe.probe(system, voxels, images, seed)


def trained(parts, run, weights=None):
    """(system, recipe, rows of metrics) after training with a probe at every check."""
    system, recipe, batches = parts
    if weights:
        system.nets.load_state_dict(weights)
    run.mkdir(exist_ok=True)
    list(loop.train(system, recipe, batches, run, hooks=loop.Hooks(probe=look)))
    system.nets.train()
    return system, recipe, read_metrics(run)


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    """A 3D-IWGAN that was trained well."""
    return trained(build("iwgan-tiny", 60, optim={"lr": 1e-3, "critic_lr": 1e-3}), tmp_path_factory.mktemp("gan"))


@pytest.fixture(scope="module")
def vae(tmp_path_factory):
    """A joint image 3D-VAE-IWGAN that was trained well."""
    parts = build("vae-iwgan-image-tiny", 60, JOINT, {"lr": 3e-3, "critic_lr": 1e-3})
    return trained(parts, tmp_path_factory.mktemp("vae"))


@pytest.fixture
def impatient(monkeypatch):
    """Judges tiny runs, which learn at ten times the usual rate, after a few steps."""
    for name, steps in (("CRITIC_PATIENCE", 10), ("ENCODER_PATIENCE", 10), ("GENERATOR_PATIENCE", 2)):
        monkeypatch.setattr(health, name, steps)


def codes(rows, recipe):
    return [finding.code for finding in health.diagnose(rows, recipe)]


def probed(system, *steps):
    """Rows of a run whose probes at these steps found the system as it is."""
    terms = {"critic/wasserstein": -1.0} if "critic" in system.nets else {}
    rows = [{"event": "stepped", "step": 50, "samples": 400, **terms}]
    return rows + [{"event": "probed", "step": step, **look(system, step)} for step in steps]


def planted(kind, fault):
    """A copy of a trained system with a fault in its weights."""
    system = copy.copy(kind[0])
    system.nets = copy.deepcopy(kind[0].nets)
    with torch.no_grad():
        fault(system.nets)
    return system


@pytest.mark.parametrize("kind", ["gan", "vae"])
def test_a_healthy_run_raises_nothing(kind, request, impatient):
    system, recipe, rows = request.getfixturevalue(kind)
    assert [row["step"] for row in rows if row["event"] == "probed"] == [20, 40, 60]
    assert codes(rows, recipe) == []
    assert codes(probed(system, 6000, 7000), recipe) == []
    last = look(system)
    assert 0.5 < last["critic/slope"] < 4 and last["samples/variety"] > 0.3 and last["real/distance"] > 0.02
    assert kind == "gan" or last["encoder/kl_nats"] > 1


@pytest.mark.parametrize("name", ["iwgan-tiny", "vae-iwgan-image-tiny"])
def test_the_first_steps_of_a_run_are_no_evidence(name, tmp_path):
    _, recipe, rows = trained(build(name, 16, every=8), tmp_path)
    assert rows[-1]["samples/variety"] < health.ALIKE or rows[-1]["critic/slope"] < health.FLAT, "as a fault would look"
    assert codes(rows, recipe) == []


def constant_critic(nets):
    nets["critic"].linear.weight.zero_()


def flat_critic(nets):
    nets["critic"].linear.weight.mul_(0.1)


def deaf_generator(nets):
    """Makes the fullest of some samples, whatever it is given."""
    generator, latents = nets["generator"].eval(), torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    fullest = (generator(latents) > 0).flatten(1).sum(1).argmax()
    generator.linear.bias.copy_(generator.linear(latents)[fullest])
    generator.linear.weight.zero_()


def stuck_generator(bias):
    def fault(nets):
        nets["generator"].layers[-1].weight.mul_(0.1)
        nets["generator"].layers[-1].bias.fill_(bias)

    return fault


def broken_weight(nets):
    nets["generator"].linear.weight[0, 0] = math.nan


def mute_encoder(nets):
    nets["encoder"].linear.weight.zero_()
    nets["encoder"].linear.bias.zero_()


@pytest.mark.parametrize("kind, fault, code, key", [
    ("gan", constant_critic, "critic-constant", "optim.critic_lr (now 0.001)"),
    ("gan", flat_critic, "penalty-far", "raise optim.critic_lr (now 0.001)"),
    ("gan", deaf_generator, "samples-alike", "raise model.critic_steps (now 5)"),
    ("vae", deaf_generator, "samples-alike", "model.adversarial (now 0.01)"),
    ("gan", stuck_generator(-50.0), "samples-empty", "lower optim.lr (now 0.001)"),
    ("vae", stuck_generator(-50.0), "samples-empty", "raise model.positive_weight (now 1.0)"),
    ("vae", stuck_generator(50.0), "samples-full", "lower model.positive_weight (now 1.0)"),
    ("vae", mute_encoder, "latent-unused", "lower model.kl_weight (now 0.001)"),
    ("gan", broken_weight, "not-finite", "lower optim.lr (now 0.001)"),
])
def test_each_fault_raises_its_own_finding_alone_and_names_the_key(kind, fault, code, key, request):
    healthy, recipe, _ = request.getfixturevalue(kind)
    system = planted((healthy,), fault)
    rows = probed(system, 6000, 7000)
    (finding,) = health.diagnose(rows, recipe)
    assert finding.code == code and finding.step == 7000 and key in finding.change and finding.meaning
    assert code in finding.line and finding.seen in finding.line
    one_good = [*probed(healthy, 6000), rows[-1]]
    early = [{**row, "step": row["step"] // 20} for row in rows]
    expected = [code] if code == "not-finite" else []
    assert codes(one_good, recipe) == codes(early, recipe) == expected, "one odd probe, or early ones, are no evidence"


def test_weights_that_are_not_finite_are_counted_by_network_with_the_last_good_step(gan):
    rows = probed(gan[0], 1000) + probed(planted(gan, broken_weight), 2000)[1:]
    (finding,) = health.diagnose(rows, gan[1])
    assert finding.seen.startswith("values that are not finite: 1 of the generator, ")
    assert finding.seen.endswith("last good step: 1000")


def test_a_critic_without_penalty_and_with_huge_steps_is_saturated(gan, tmp_path, impatient):
    optim = {"lr": 1e-3, "critic_lr": 0.02}
    parts = build("iwgan-tiny", 30, {"penalty_weight": 0.0}, optim, every=15)
    _, recipe, rows = trained(parts, tmp_path, gan[0].nets.state_dict())
    (finding,) = health.diagnose(rows, recipe)
    assert finding.code == "critic-saturated" and finding.step == 30
    assert "raise model.penalty_weight (now 0.0)" in finding.change


def test_a_steep_critic_that_tells_nothing_apart_is_far_from_its_penalty(gan):
    """Scores wobble with one voxel's neighbourhood, a hundred times as steep as they should be."""
    class Wild(nn.Module):
        def forward(self, x):
            return 100 * (x[:, 0, 0, 0, 0] - x[:, 0, -1, -1, -1])

    rows = probed(planted(gan, lambda nets: nets.update({"critic": Wild()})), 6000, 7000)
    (finding,) = health.diagnose(rows, gan[1])
    assert finding.code == "penalty-far" and "slope 141 (target 1)" in finding.seen
    assert "raise model.penalty_weight (now 10.0)" in finding.change
    logged = [{"event": "stepped", "step": step, "critic/gradient_penalty": 0.02} for step in (6900, 6950, 7000)]
    assert codes(rows + logged, gan[1]) == [], "what training itself logged says that the slope is right"
    assert codes(rows + logged[:2] + [{**logged[2], "critic/gradient_penalty": "nan"}], gan[1]) == []


def test_a_huge_weight_of_the_kl_leaves_the_latents_unused(vae, tmp_path, impatient):
    parts = build("vae-iwgan-image-tiny", 36, {**JOINT, "kl_weight": 1000.0}, {"lr": 3e-3, "critic_lr": 1e-3}, every=18)
    _, recipe, rows = trained(parts, tmp_path, vae[0].nets.state_dict())
    (finding,) = health.diagnose(rows, recipe)
    assert finding.code == "latent-unused" and "lower model.kl_weight (now 1000.0)" in finding.change


def test_a_run_that_diverged_names_phase_network_and_last_good_step_until_it_has_gone_on(tmp_path):
    with pytest.raises(TrainingDiverged):
        trained(build("iwgan-tiny", 10, optim={"critic_lr": 1e30}), tmp_path)
    rows = read_metrics(tmp_path)
    (finding,) = health.diagnose(rows, build("iwgan-tiny", 10, optim={"critic_lr": 1e30})[1])
    assert finding.code == "not-finite" and finding.seen == (
        "term 'adversarial' of phase 'generator' became nan; networks with values that are not finite: "
        "generator,critic; last good step: 0")
    assert "lower optim.critic_lr (now 1e+30)" in finding.change
    gone_on = [*rows, {"event": "stepped", "step": rows[-1]["step"] + 5, "critic/wasserstein": -1.0}]
    assert codes(gone_on, recipes.load("iwgan-tiny")) == []


def test_a_critic_that_has_not_entered_is_not_judged(vae):
    rows = probed(planted(vae, constant_critic), 6000, 7000)
    assert codes(rows, vae[1]) == ["critic-constant"]
    assert codes(rows[1:], vae[1]) == [], "no logged term of a critic yet"
    entered = [{**rows[0], "step": 5950}, *rows[1:]]
    assert codes(entered, vae[1]) == [], "it has only just entered"


def test_scores_that_drift_by_a_constant_change_nothing(gan):
    def drift(nets):
        nets["critic"].linear.bias.add_(1e4)

    assert codes(probed(planted(gan, drift), 6000, 7000), gan[1]) == []


def test_a_probe_by_hand():
    """A critic that sums a tenth of the voxels, a generator that fills all of them where z_0 > 0 and none elsewhere."""
    system = build("iwgan-tiny", 1)[0]

    class Sum(nn.Module):
        def forward(self, x):
            return 0.1 * x.flatten(1).sum(1)

    class Sign(nn.Module):
        def forward(self, z):
            return (1e3 * z[:, 0].sign()).view(-1, 1, 1, 1, 1).expand(-1, 1, 20, 20, 20)

    system.nets["critic"], system.nets["generator"] = Sum(), nn.Sequential(nn.Linear(8, 8), Sign())
    with torch.no_grad():
        system.nets["generator"][0].weight.copy_(torch.eye(8))
        system.nets["generator"][0].bias.zero_()
    values = look(system)
    full = values["samples/full"]
    assert 0 < full < 1 and values["samples/empty"] == pytest.approx(1 - full)
    assert values["samples/distance"] == pytest.approx(2 * full * (1 - full) * 32 / 31), "pairs of unlike ones"
    widths = [2 + row % 10 for row in range(16)]
    apart = np.mean([abs(a - b) * 90 / 8000 for i, a in enumerate(widths) for b in widths[:i]])
    assert values["real/distance"] == pytest.approx(apart, rel=1e-5)
    assert values["samples/variety"] == pytest.approx(values["samples/distance"] / apart, rel=1e-5)
    assert values["critic/real"] == pytest.approx(9 * np.mean(widths), rel=1e-5)
    assert values["critic/real_std"] == pytest.approx(9 * np.std(widths), rel=1e-5)
    assert values["critic/slope"] == pytest.approx(0.1 * 8000**0.5, rel=1e-5)
    assert 0 < values["critic/reach"] < 8000**0.5
    assert sum(value for key, value in values.items() if key.startswith("nonfinite/")) == 0


@pytest.mark.parametrize("kind", ["gan", "vae"])
def test_a_probe_leaves_everything_as_it_was_and_follows_its_seed(kind, request):
    system = planted(request.getfixturevalue(kind), lambda nets: nets["generator"].layers.eval())
    modes = [module.training for module in system.nets.modules()]
    asked = [p.requires_grad for p in system.nets.parameters()]
    state, random = copy.deepcopy(system.nets.state_dict()), torch.get_rng_state()
    first, again, other = look(system, 1), look(system, 1), look(system, 2)
    assert first == again and first["critic/slope"] != other["critic/slope"]
    assert torch.equal(random, torch.get_rng_state())
    assert modes == [module.training for module in system.nets.modules()] and len(set(modes)) == 2
    assert asked == [p.requires_grad for p in system.nets.parameters()]
    assert all(p.grad is None for p in system.nets.parameters())
    assert all(torch.equal(value, state[key]) for key, value in system.nets.state_dict().items())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of `maquette train`, with its data beside it."""
    root = tmp_path_factory.mktemp("doctor")
    options = ("--data.cache", str(root / "cache"), "--data.furniture", "6", "--train.steps", "4")
    options += ("--train.save-steps", "2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("maquette.datasets.prepare._cores", lambda: 1)  # no processes for six shapes
        assert call("train", "iwgan-tiny", "--run", str(root / "run"), *options) == 0
    return root / "run"


def test_doctor_says_what_it_looked_at_where_nothing_is_wrong(run, capsys):
    before = torch.get_rng_state()
    assert call("doctor", str(run)) == 0
    said = capsys.readouterr().out
    assert f"{run}: nothing found" in said and "checkpoints: 2 whole, 0 damaged" in said
    assert "networks: step-0000004, on 2 batches of its training data" in said
    assert torch.equal(before, torch.get_rng_state())


def test_doctor_goes_on_without_the_data(run, capsys):
    cache = run.parent / "cache"
    cache.rename(run.parent / "moved")
    assert call("doctor", str(run)) == 0
    assert not cache.exists(), "nothing is prepared"
    (run.parent / "moved").rename(cache)
    assert f"networks: not probed, the prepared data of the recipe are not in {cache}" in capsys.readouterr().out


def test_doctor_finds_weights_that_are_not_finite_and_damaged_checkpoints(run, capsys):
    recipe = recipes.load(str(run / "recipe.yaml"))
    system = SYSTEMS[recipe.system](recipe.model)
    with torch.no_grad():
        system.nets["critic"].linear.weight.fill_(math.inf)
    state = checkpoint.State(system.nets, Average(system, 0.9).tensors, {})
    path = checkpoint.save(run / "checkpoints", 5, state, keep=9)
    assert call("doctor", str(run)) == 1
    said = capsys.readouterr().out
    assert "not-finite, step 5\n" in said and "64 of the critic" in said and "1 finding\n" in said
    assert "  means   " in said and "lower optim.critic_lr (now 0.0001)" in said
    content = bytearray((path / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (path / "weights.safetensors").write_bytes(content)
    assert call("doctor", str(run), "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in told["findings"]] == ["checkpoint-damaged"] and not told["healthy"]
    assert "weights.safetensors does not match its checksum" in told["findings"][0]["seen"]
    assert "networks: step-0000004, on 2 batches of its training data" in told["checked"], "the newest whole one"


def test_doctor_on_what_is_no_run_is_one_line(tmp_path, capsys):
    assert call("doctor", str(tmp_path / "gone")) == 1
    assert "is not a run: it has no recipe.yaml" in capsys.readouterr().err
    (tmp_path / "recipe.yaml").write_text("system: [", encoding="utf-8")
    assert call("doctor", str(tmp_path)) == 1
    said = capsys.readouterr().err
    assert "cannot be read as YAML" in said and said.strip().count("\n") == 0
    (tmp_path / "recipe.yaml").write_text("system: iwgan\nmodel: {}\n", encoding="utf-8")
    young = api.doctor(tmp_path)
    assert not young.findings and "networks: not probed, there is no whole checkpoint" in young.checked
    with pytest.raises(UserError, match="is not a run"):
        api.doctor(tmp_path / "gone")


def rows_of_a_discriminator(skipped: float, gap: float, spread: float) -> list[dict]:
    """A run of 3D-GAN in which the 80 % rule held back this share of the discriminator's updates."""
    stepped = [{"event": "stepped", "step": step, "critic/accuracy": 0.9, "critic/skipped": skipped}
               for step in range(50, 3050, 50)]
    scores = {"critic/real": gap, "critic/fake": 0.0, "critic/real_std": spread, "critic/fake_std": spread}
    shapes = {"samples/empty": 0.0, "samples/full": 0.0, "samples/variety": 1.0, "critic/reach": 50.0}
    probed = [{"event": "probed", "step": step, **scores, **shapes} for step in (2000, 3000)]
    return sorted(stepped + probed, key=lambda row: row["step"])


@pytest.mark.parametrize(("skipped", "gap", "spread", "codes"), [
    (0.5, 2.0, 1.0, []),
    (0.99, 2.0, 1.0, []),
    (1.0, 9.0, 2.0, ["critic-saturated"]),
    (0.0, 1e-5, 1e-5, ["critic-constant"]),
])
def test_discriminators_are_judged_by_what_the_80_percent_rule_lets_them_learn(skipped, gap, spread, codes):
    rows = rows_of_a_discriminator(skipped, gap, spread)
    found = health.diagnose(rows, recipes.load("gan3d-tiny"))
    assert [finding.code for finding in found] == codes
    assert all("optim.critic_lr (now 0.0001)" in finding.change for finding in found)
