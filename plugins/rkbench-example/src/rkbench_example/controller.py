"""The PI controller that Söderlind calls PI.3.3. Put your own rule in its place, or delete this module.

A rule proposes h_new / h from the error norms of accepted steps, newest first, in units of the tolerance; k
is the power of h at which the error shrinks. Safety factor, limits and rejections are the engine's business.
"""

from collections.abc import Sequence

from rkbench import Citation, StepController


def propose(errors: Sequence[float], ratios: Sequence[float], k: int) -> float:
    """Return e_n^(-2/3k) e_(n-1)^(1/3k); a missing past error counts as 1."""
    previous = errors[1] if len(errors) > 1 else 1.0
    return errors[0] ** (-2 / (3 * k)) * previous ** (1 / (3 * k))


CONTROLLER = StepController(
    name="example_pi33",
    propose=propose,
    source=Citation(
        "Söderlind", 2003, "Digital filters in adaptive time-stepping", doi="10.1145/641876.641877"
    ),
)
