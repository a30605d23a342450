"""GRAF and 3DGEN by hand: phases, losses, patches, the sphere's silhouette, and what each part of a latent decides."""

import copy
import dataclasses
import re

import pytest
import torch
from torch import nn
from typed import refused

from maquette import recipe as recipes
from maquette.nets.patches import PatchCritic
from maquette.rays import sampling as rays
from maquette.recipe import OptimRecipe, Recipe, TrainRecipe
from maquette.systems import graf
from maquette.systems.base import Batch
from maquette.systems.gen3d import Gen3D, Gen3DConfig
from maquette.systems.graf import CAMERA_VALUES, GRAF, GRAFConfig
from maquette.training.distributed import Engine
from maquette.training.monitor import health
from maquette.training.optim import make_optimisers
from maquette.training.phases import run_phase

SMALL = {"height": 16, "width": 16, "shape_code": 5, "appearance_code": 4, "position_octaves": 2, "view_octaves": 1,
         "critic_channels": (6,), "field_width": 24, "field_depth": 3}
SURFACE = {**SMALL, "features": 6, "colour_width": 12, "colour_depth": 2, "march_steps": 10, "secant_steps": 4,
           "interval_samples": 5, "free_samples": 2}
PLANES = {**SURFACE, "field": "planes", "plane_side": 8, "plane_features": 2, "plane_width": 6}
FORMS = {"graf": (GRAF, {**SMALL, "samples": 7}), "mlp": (Gen3D, SURFACE), "planes": (Gen3D, PLANES),
         "coded": (Gen3D, {**SURFACE, "field": "coded"})}
SURFACES = ["mlp", "planes", "coded"]


def system_of(form: str, seed: int = 0, moved: bool = True, **keys):
    """moved: with weights as after some training, so that every value of a latent counts."""
    torch.manual_seed(seed)
    kind, defaults = FORMS[form]
    system = kind(kind.Config(**{**defaults, **keys}))
    if moved:
        with torch.no_grad():
            for parameter in system.nets["generator"].parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
            if form == "graf":
                system.nets["generator"].field.density.bias.fill_(1.0)  # something to see
    return system


def a_batch(size: int = 4, seed: int = 1, side: int = 16) -> Batch:
    return Batch(None, torch.rand(size, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1, seed)


def test_defaults_are_the_papers():
    config = GRAFConfig()
    assert (config.field_depth, config.field_width, config.position_octaves, config.view_octaves) == (8, 256, 10, 4)
    assert (config.samples, config.r1, config.scale_least, config.patch) == (64, 10, 0.25, 32)
    assert (config.shape_code + config.appearance_code, config.appearance_code, config.latent) == (256, 128, 259)
    assert Gen3DConfig().secant_steps == 8 and Gen3DConfig().latent == 259 and Gen3DConfig().patch == 32
    for name in ("graf", "3dgen", "3dgen-fast"):
        recipe = recipes.load(name)
        assert (recipe.optim.name, recipe.optim.lr, recipe.optim.critic_lr) == ("rmsprop", 5e-4, 1e-4)
        assert (recipe.train.batch, recipe.train.average, recipe.data.flip) == (8, 0.999, False)


@pytest.mark.parametrize("form", FORMS)
def test_the_table_is_grafs(form):
    table = [(p.name, p.trains, p.every) for p in system_of(form).phases()]
    assert table == [("generator", ("generator",), 1), ("critic", ("critic",), 1)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_each_phase_moves_only_its_network_by_rmsprop(form, precision):
    system = system_of(form)
    recipe = Recipe(system.name, system.config, optim=OptimRecipe(name="rmsprop", lr=5e-4, critic_lr=1e-4),
                    train=TrainRecipe(precision=precision))
    engine = Engine(recipe.train)
    engine.place(system.nets)
    optimisers = make_optimisers(system, recipe.optim)
    assert all(isinstance(optimiser, torch.optim.RMSprop) for optimiser in optimisers.values())
    for phase in system.phases():
        before = {name: copy.deepcopy(list(net.parameters())) for name, net in system.nets.items()}
        terms = run_phase(phase, system, [a_batch()], optimisers, recipe.optim, engine)
        assert all(term.isfinite() for term in terms.values())
        for name, net in system.nets.items():
            moves = [(a - b).abs().max().item() for a, b in zip(before[name], net.parameters(), strict=True)]
            assert (max(moves) > 0) == (name in phase.trains), (phase.name, name)
            rate = {"generator": 5e-4, "critic": 1e-4}[name]
            if name in phase.trains:  # the first step of RMSprop is lr / sqrt(1 - 0.99) whatever the gradient
                assert max(moves) == pytest.approx(10 * rate, rel=0.01)
                assert form == "planes" or min(moves) > 0


class Linear(nn.Module):
    """Logits that are a hundredth of the sum of a patch's values; it keeps the patches that it saw last."""

    def forward(self, patches):
        self.seen = patches
        return 0.01 * patches.flatten(1).sum(1)


@pytest.mark.parametrize("form", FORMS)
def test_losses_by_hand(form):
    """D(x) = 0.01 sum x on 8x8x3 patches: its squared gradient is 0.0001 * 192 everywhere."""
    system = system_of(form)
    system.nets["critic"] = Linear()
    terms = system.critic_loss(system.nets, a_batch(), 0)
    assert terms.minimised["r1"].item() == pytest.approx(10 * 0.0001 * 192, rel=1e-5)
    fake = system.nets["critic"].seen
    assert fake.shape == (4, 3, 8, 8) and not fake.requires_grad
    batch = a_batch()
    system.render_patches(system.nets, batch, 0)  # the same draws, up to the real patches' places
    real = rays.sample_image(batch.images, rays.patch_places(batch.uniform(4, 3), 1.0, 8))
    logits = [0.01 * patches.flatten(1).sum(1) for patches in (real, fake)]
    by_hand = (1 + (-logits[0]).exp()).log().mean() + (1 + logits[1].exp()).log().mean()
    if form == "graf":  # whose draws are the same with a gradient and without
        assert terms.minimised["discriminator"].item() == pytest.approx(by_hand.item(), rel=1e-4)
    made = system.generator_loss(system.nets, a_batch(), 0)
    logits = 0.01 * system.nets["critic"].seen.flatten(1).sum(1)
    assert made.minimised["adversarial"].item() == pytest.approx((1 + (-logits).exp()).log().mean().item(), rel=1e-4)
    system.config = dataclasses.replace(system.config, r1=0.0)
    assert set(system.critic_loss(system.nets, a_batch(), 0).minimised) == {"discriminator"}


@pytest.mark.parametrize("form", SURFACES)
def test_the_normals_term_by_hand(form):
    system = system_of(form, smoothness=2.0)
    batch, generator = a_batch(), system.nets["generator"]
    found = system.generator_loss(system.nets, a_batch(), 3).minimised["roughness"]
    latent, origins, directions, _, _ = system.sample_rays(system.nets, batch, 3)
    beside = 0.01 * (2 * batch.uniform(4, 64, 3) - 1)
    assert beside.abs().max() <= 0.01
    shape = generator.field.precompute(graf.split_codes(latent, system.config)[0])
    near, far, _ = rays.intersect_box(origins, directions)
    depth, hit = generator.find_surface(shape, origins, directions, near, far)
    points = origins + depth[..., None] * directions
    normals, others = (generator.field.with_normals(at, shape)[2] for at in (points, points + beside))
    by_hand = 2 * (normals - others)[hit].norm(dim=1).mean()
    assert 0 < hit.float().mean() < 1 and by_hand.item() > 0
    assert found.item() == pytest.approx(by_hand.item(), rel=1e-3)
    missed = generator.roughness(shape, points, points + beside, torch.zeros_like(hit))
    assert missed.item() == 0 and "roughness" not in system_of(form, smoothness=0.0).generator_loss(
        system.nets, a_batch(), 0).minimised


@pytest.mark.parametrize("form", SURFACES)
def test_gradients_of_a_rendering_are_the_finite_differences(form):
    """In float64, the surface held where it was found: through occupancy, normals, features and colours."""
    system = system_of(form)
    generator = system.nets["generator"].double()
    latent = torch.randn(2, system.config.latent, dtype=torch.float64)
    origins, directions = system.views(latent).rays(torch.rand(2, 6, 2, dtype=torch.float64))
    find, held = generator.find_surface, []
    generator.find_surface = lambda *where: held[0] if held else held.append(find(*where)) or held[0]
    beside = torch.full((2, 6, 3), 0.01, dtype=torch.float64)

    def loss() -> torch.Tensor:
        seen = generator(latent, origins, directions, beside=beside)
        return seen.colour.square().sum() + seen.mask.sum() + seen.roughness

    checked = [parameter for parameter in generator.parameters() if parameter.dim() > 1]
    for parameter, slope in zip(checked, torch.autograd.grad(loss(), checked), strict=True):
        place = slope.abs().argmax()
        sides = []
        for step in (1e-6, -2e-6):
            with torch.no_grad():
                parameter.view(-1)[place] += step
            sides.append(loss().item())
        with torch.no_grad():
            parameter.view(-1)[place] += 1e-6
        assert slope.view(-1)[place].item() == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("form", SURFACES)
def test_an_untrained_render_has_the_spheres_silhouette(form):
    system = system_of(form, moved=False, field_width=96, radius=0.3, march_steps=24, interval_start=0.02,
                       interval_end=0.02, distance=(2, 2.5), fov_deg=40.0)
    latent = torch.randn(3, system.config.latent)
    origins, directions = system.views(latent).rays(rays.pixel_places(24, latent).expand(3, -1, -1))
    with torch.no_grad():
        seen = system.nets["generator"](latent, origins, directions)
    past = torch.linalg.cross(origins, directions).norm(dim=2)  # of the ray and the middle
    assert seen.hit[past < 0.9 * 0.3].all() and not seen.hit[past > 1.1 * 0.3].any()
    assert 0.06 < seen.hit.float().mean() < 0.2 and (past > 0.87).any()
    near, far, _ = rays.intersect_box(origins, directions)
    depth, _ = system.nets["generator"].find_surface(
        system.nets["generator"].field.precompute(latent[:, :5]), origins, directions, near, far)
    radii = (origins + depth[..., None] * directions).norm(dim=2)[seen.hit]
    assert (radii / 0.3 - 1).abs().max() < 0.12
    assert seen.mask[past < 0.2].mean() > seen.mask[past > 0.4].mean() + 0.2
    assert torch.equal(seen.colour[past > 0.87], torch.ones_like(seen.colour[past > 0.87])), "white beside the cube"


@pytest.mark.parametrize("form", FORMS)
def test_rays_of_many_images_see_what_each_image_sees_alone(form):
    """Some of them miss the cube, of one image all."""
    system = system_of(form)
    generator, latent = system.nets["generator"], torch.randn(3, system.config.latent)
    places = torch.rand(3, 70, 2)
    places[1] = 0.01
    origins, directions = system.views(latent).rays(places)
    background, jitter = torch.rand(3, 1, 3), torch.rand(3, 70, generator.samples)
    together = generator(latent, origins, directions, background, jitter)
    assert 0 < rays.intersect_box(origins, directions)[2].float().mean() < 0.67
    for number in range(3):
        one = slice(number, number + 1)
        alone = generator(latent[one], origins[one], directions[one], background[one], jitter[one])
        assert torch.allclose(alone.colour, together.colour[one], atol=1e-4)
        assert torch.allclose(alone.mask, together.mask[one], atol=1e-4)
    assert torch.equal(together.colour[1], background[1].expand(70, 3)) and not together.mask[1].any()


@pytest.mark.parametrize("form", FORMS)
def test_gradients_in_bfloat16_are_those_in_float32(form):
    """Of every weight: casts that the search makes without gradients must not serve the rendering."""
    system = system_of(form)
    generator, latent = system.nets["generator"], torch.randn(2, system.config.latent)
    places = 0.3 + 0.4 * torch.rand(2, 64, 2)
    origins, directions = system.views(latent).rays(places)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(system.views(latent).rays(places)[1], directions), "rays stay as they are"
    found = []
    for enabled in (False, True):
        generator.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            seen = generator(latent, origins, directions)
            (seen.colour.square().mean() + seen.mask.mean()).backward()
        found.append({name: weight.grad.flatten() for name, weight in generator.named_parameters()})
    for name, known in found[0].items():
        assert nn.functional.cosine_similarity(known, found[1][name], dim=0) > 0.99, name


@pytest.mark.parametrize("form", SURFACES)
def test_objects_that_vanish_are_pulled_back(form):
    """The penalty by hand; it has a slope where nothing is left to see, and stops where there is enough."""
    system = system_of(form, min_foreground=0.9)
    seen = system.render_patches(system.nets, a_batch(), 0)
    covered = seen.mask.mean().item()
    terms = system.generator_loss(system.nets, a_batch(), 0)
    assert 0 < covered < 0.9 and terms.watched["foreground"].item() == pytest.approx(covered, rel=0.05)
    assert terms.minimised["vanishing"].item() == pytest.approx(
        10 * (0.9 - covered) * seen.free_space_loss.item(), rel=0.1)
    field = system.nets["generator"].field
    with torch.no_grad():
        field.last.bias[0] += 40 if form == "mlp" else -40  # a distance outside, and one inside
    gone = system.render_patches(system.nets, a_batch(), 0)
    assert gone.mask.max() == 0 and gone.free_space_loss > 500
    lost = system.generator_loss(system.nets, a_batch(), 0).minimised["vanishing"]
    (slope,) = torch.autograd.grad(lost, field.last.bias)
    assert slope[0].item() == pytest.approx(180 if form == "mlp" else -180, rel=1e-3)  # 10 * 0.9 * 20 a distance
    enough = system_of(form, min_foreground=covered / 2)
    assert enough.generator_loss(enough.nets, a_batch(), 0).minimised["vanishing"].item() == 0


@pytest.mark.parametrize("form", FORMS)
def test_what_each_part_of_a_latent_decides(form):
    system = system_of(form)
    latent = torch.randn(2, system.config.latent)
    rays_of = system.views(latent).rays(rays.pixel_places(8, latent).expand(2, -1, -1))
    with torch.no_grad():
        seen = system.nets["generator"](latent, *rays_of)
        repainted, reshaped = latent.clone(), latent.clone()
        repainted[:, 5:9] += 2
        reshaped[:, :5] += 2
        painted = system.nets["generator"](repainted, *rays_of)
        other = system.nets["generator"](reshaped, *rays_of)
    assert torch.equal(painted.mask, seen.mask) and not torch.allclose(painted.colour, seen.colour, atol=1e-6)
    if form != "graf":
        assert torch.equal(painted.hit, seen.hit)
    assert not torch.allclose(other.mask, seen.mask, atol=1e-5)
    turned = latent.clone()
    turned[:, -CAMERA_VALUES:] *= -1
    assert not torch.equal(system.generate(turned), system.generate(latent))
    assert torch.equal(system.generate(turned, system.views(latent)), system.generate(latent))


@pytest.mark.parametrize("form", FORMS)
def test_generate_makes_images_whatever_the_batch_and_the_mode(form, monkeypatch):
    system = system_of(form)
    system.nets.eval()
    latent = torch.randn(3, system.config.latent)
    with torch.no_grad():
        images = system.generate(latent)
        assert images.shape == (3, 3, 16, 16) and images.abs().max() <= 1 and images.std() > 0.01
        assert torch.equal(images[:, :, 0, 0], torch.ones(3, 3)), "corners see past the cube"
        assert torch.allclose(system.generate(latent[1:]), images[1:], atol=1e-5)
        monkeypatch.setattr(graf, "PASS_SIZE", 24 * 7 * 10)
        assert torch.allclose(system.generate(latent), images, atol=1e-4)
        latents = latent.clone().requires_grad_()
    with torch.inference_mode():
        assert torch.allclose(system.generate(latent), images, atol=1e-4)
    system.generate(latents).sum().backward()
    assert (latents.grad[:, :9].abs().amax(0) > 0).all() and latents.grad.isfinite().all()


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_cut_in_parts_makes_the_same_patches(form):
    system = system_of(form, background="random")
    with torch.no_grad():
        whole = system.render_patches(system.nets, a_batch(), 2).colour
        parts = torch.cat([system.render_patches(system.nets, part, 2).colour for part in a_batch().cut(2)])
    assert torch.allclose(whole, parts, atol=1e-4) and whole.abs().max() <= 1
    white = system_of(form)
    with torch.no_grad():
        other = white.render_patches(white.nets, a_batch(), 2).colour
    past = (other == 1).all(2)
    assert past.any() and not (whole[past] == 1).any(), "rays past the object see the colour drawn"


def test_schedules_are_followed():
    system = system_of("mlp", interval_start=0.4, interval_rate=0.1, interval_end=0.2, scale_rate=0.1)
    system.render_patches(system.nets, a_batch(), 0)
    assert system.nets["generator"].half_width.item() == pytest.approx(0.4)
    terms = system.generator_loss(system.nets, a_batch(), 50)
    assert system.nets["generator"].half_width.item() == terms.watched["half_width"].item() == pytest.approx(0.2)
    assert "generator.half_width" in system.nets.state_dict(), "a model renders as it was trained last"
    first, late = (system._places(a_batch(), step) for step in (0, 50))
    assert torch.allclose(first, rays.pixel_places(8, first).expand_as(first)) and late.std() < first.std()
    noisy = system_of("graf", density_noise=5.0, density_noise_until=10)
    calm = system_of("graf", density_noise=0.0)
    made = {step: [each.render_patches(each.nets, a_batch(), step).mask for each in (noisy, calm)] for step in (0, 10)}
    assert not torch.allclose(*made[0]) and torch.equal(*made[10])


def test_the_critic_has_grafs_layers_and_sees_other_images_whole():
    critic = PatchCritic(3, (128, 256, 512))
    assert sum(p.numel() for p in critic.parameters()) == 16 * (3 * 128 + 128 * 256 + 256 * 512 + 512)
    images = torch.rand(2, 3, 48, 48)
    small = PatchCritic(3, (6,))
    for _ in range(60):
        small(images)
    for layer in (*small.halving, small.last):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, rel=1e-3)
    small.eval()
    patches = rays.sample_image(images, rays.pixel_places(8, images).expand(2, -1, -1))
    assert torch.equal(small(images), small(patches)) and small(patches).shape == (2,)
    assert torch.allclose(small(patches[:1]), small(patches)[:1], atol=1e-6), "each patch by itself"
    deep = PatchCritic(1, (4, 4)).eval()
    patches = torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        inner = torch.nn.functional.leaky_relu(deep.halving[0](patches), 0.2)
        inner = deep.halving[1](inner)
        mean, deviation = inner.mean((2, 3), keepdim=True), inner.std((2, 3), keepdim=True, correction=0)
        inner = torch.nn.functional.leaky_relu((inner - mean) / deviation, 0.2)
        assert torch.allclose(deep(patches), (inner * deep.last.weight).sum((1, 2, 3)), atol=1e-3)


def test_a_critic_without_norms_sees_the_spread_of_a_batch():
    critic = PatchCritic(3, (6, 8), norms=False)
    images = torch.randn(5, 3, 16, 16)
    alike = images[:1].expand(5, -1, -1, -1)
    assert torch.allclose(critic(alike), critic(alike)[:1].expand(5), atol=1e-5)
    assert not torch.allclose(critic(images)[:1], critic(alike)[:1], atol=1e-3)
    with torch.no_grad():
        critic.last.weight[:, -1] = 0
    assert torch.allclose(critic(images)[:1], critic(alike)[:1], atol=1e-5)
    assert sum(p.numel() for p in critic.parameters()) == (
        (48 + 1) * 6 + (9 * 6 + 1) * 6 + (16 * 6 + 1) * 8 + (9 * 8 + 1) * 8 + 16 * 9 + 1)


@pytest.mark.parametrize("kind, keys, line", [
    (GRAFConfig, {"height": 64}, "model.width and model.height must be equal, the cameras' pictures are square, got "
     "128x64"),
    (GRAFConfig, {"azimuth_deg": (0, 400)},
     "model.azimuth_deg must be two angles, the first not above the second, at most 360 degrees apart, got (0, 400)"),
    (GRAFConfig, {"elevation_deg": (20, 10)},
     "model.elevation_deg must be two values, the first not above the second, got (20, 10)"),
    (GRAFConfig, {"distance": (0.8, 3)}, "model.distance.0 must be above 0.867 and at most 1000, got 0.8"),
    (GRAFConfig, {"fov_deg": 0.0}, "model.fov_deg must be from 1 to 120, got 0.0"),
    (GRAFConfig, {"samples": 1}, "model.samples must be 2 or more, got 1"),
    (GRAFConfig, {"scale_least": 0}, "model.scale_least must be above 0 and at most 1, got 0"),
    (GRAFConfig, {"position_octaves": 17}, "model.position_octaves must be from 0 to 16, got 17"),
    (Gen3DConfig, {"radius": 0.5}, "model.radius must be above 0 and below 0.5, got 0.5"),
    (Gen3DConfig, {"plane_side": 20}, "model.plane_side must be 8, 16, 32, 64, 128 or 256, got 20; try 16"),
    (Gen3DConfig, {"march_steps": 1}, "model.march_steps must be 2 or more, got 1"),
    (Gen3DConfig, {"interval_end": 0.6}, "model.interval_end must not be above model.interval_start, got 0.6 and 0.5"),
    (Gen3DConfig, {"height": 64}, "model.width and model.height must be equal, the cameras' pictures are square, got "
     "128x64"),
    (OptimRecipe, {"name": "rmsprop", "weight_decay": 0.1},
     "optim.weight_decay is of optim.name adam only, got 0.1 with rmsprop; set optim.weight-decay 0"),
])
def test_keys_that_cannot_be(kind, keys, line):
    with refused(f"^{re.escape(line)}$"):
        kind(**keys)


def test_health_names_the_key_that_holds_the_critic_back():
    recipe = recipes.load("graf-tiny")
    probed = {"event": "probed", "critic/real": 0.0, "critic/fake": 0.0, "critic/real_std": 0.0, "critic/fake_std": 0.0,
              "samples/variety": 0.01, "samples/distance": 0.001, "real/distance": 0.1}
    rows = [{"event": "stepped", "step": 1, "critic/r1": 0.0}]
    rows += [{**probed, "step": step} for step in (5000, 6000)]
    constant, alike = health.diagnose(rows, recipe)
    assert constant.code == "critic-constant" and constant.change.endswith("; lower model.r1 (now 10.0)")
    assert alike.code == "samples-alike" and alike.change.endswith("raise model.r1 (now 10.0)")


@pytest.mark.parametrize("form", SURFACES)
def test_rays_that_all_miss_the_cube_leave_every_number_finite(form):
    system = system_of(form, min_foreground=0.5)
    latent = torch.randn(2, system.latent)
    origins = torch.tensor([0.0, 0.0, 5.0]).expand(2, 9, 3)
    away = torch.tensor([0.0, 0.0, 1.0]).expand(2, 9, 3)
    seen = system.generator(latent, origins, away, -1.0, None, torch.zeros(2, 9, 3))
    assert seen.free_space_loss.item() == 0 and seen.roughness.item() == 0
    assert (seen.colour == -1).all() and not seen.mask.any()
    (seen.free_space_loss + seen.colour.sum()).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in system.generator.parameters())
