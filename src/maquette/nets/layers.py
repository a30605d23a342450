"""What the encoders share about latents."""

from torch import Tensor

LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -12.0, 8.0
"""Of a latent, so that its exponential is a number."""


def bounded(log_variance: Tensor) -> Tensor:
    """Within the two bounds, with the gradient of no bounds, any shape: a value beyond one can come back."""
    return log_variance + (log_variance.clamp(LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE) - log_variance).detach()
