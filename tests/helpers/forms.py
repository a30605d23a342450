"""Fields by a formula of positions `[N, 3]`, above 0 inside."""

import torch


def ball(radius: float, centre=(0.0, 0.0, 0.0), sharp: float = 20.0):
    return lambda at: sharp * (radius - (at - torch.tensor(centre)).norm(dim=1))


def block(*halves: float):
    return lambda at: 20 * (torch.tensor(halves) - at.abs()).amin(1)


def either(*formulas):
    return lambda at: torch.stack([formula(at) for formula in formulas]).amax(0)
