"""How a flow grows near a state: the rightmost eigenvalue of the Jacobian of f, and that of its symmetric part.

Arnoldi's method needs products of the Jacobian alone, and its Ritz values find the outer eigenvalues first (Arnoldi
1951, doi:10.1090/qam/42792; Saad 2011, doi:10.1137/1.9781611970739, chapter 6). Power iteration would find the
largest modulus instead, which for a stable flow is the wrong end. Each sample has a Krylov space of its own, and one
product with a batch of directions serves all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import vjp

Product = Callable[[Tensor], Tensor]

BREAKDOWN = 1e2
"""A direction this many roundings long has nothing new in it: the Krylov space is invariant."""


class Abscissa(NamedTuple):
    """The largest real part of an eigenvalue, for each sample, ``[samples]`` in float64.

    Attributes:
        value: of the Ritz values; NaN where the Jacobian is not finite.
        residual: ‖J u - λ u‖ of that Ritz pair with ‖u‖ = 1. For a normal matrix, an eigenvalue lies as near as this;
            for another, a Ritz value may lie to the right of all eigenvalues, though not of the numerical abscissa.
    """

    value: Tensor
    residual: Tensor


def spectral_abscissa(
    f: Callable[..., Any], t: Tensor, y: Tensor, *, dimension: int = 40, seed: int = 0
) -> Abscissa:
    """Estimate max Re λ over the eigenvalues of ∂f/∂y: positive where the linearised flow grows in the end.

    Args:
        f: ``f(t, y)``, which treats each sample by itself.
        t: a time without axes.
        y: states, ``[samples, …]``.
        dimension: of the Krylov spaces, the number of products; exact from the size of a state on.
        seed: of the random directions to start with.
    """
    forth, _ = _products(f, t, y)
    return _rightmost(forth, y, dimension, seed)


def numerical_abscissa(
    f: Callable[..., Any], t: Tensor, y: Tensor, *, dimension: int = 40, seed: int = 0
) -> Abscissa:
    """Estimate the largest eigenvalue of (J + Jᵀ)/2: at most so fast does a distance grow at this moment.

    The logarithmic norm of J in the Euclidean norm (Söderlind 2006, doi:10.1007/s10543-006-0069-9). Never less than
    the spectral abscissa, and equal to it where J is normal; the difference is growth that eigenvalues do not show.
    Arguments as there.
    """
    forth, back = _products(f, t, y)
    return _rightmost(lambda v: 0.5 * (forth(v) + back(v)), y, dimension, seed)


def _products(f: Callable[..., Any], t: Tensor, y: Tensor) -> tuple[Product, Product]:
    """Return v -> J v and v -> Jᵀ v, which do not evaluate f again.

    J v comes from differentiating Jᵀ u by u, in which it is linear, so that f needs no forward-mode derivative.
    """
    back = vjp(lambda y: f(t, y), y.detach())[1]
    forth = vjp(lambda u: back(u)[0], torch.zeros_like(y))[1]
    return lambda v: forth(v)[0], lambda v: back(v)[0]


@torch.no_grad()
def _rightmost(product: Product, y: Tensor, dimension: int, seed: int) -> Abscissa:
    """Return the rightmost Ritz values of a product with one matrix for each sample."""
    n = y[0].numel() if len(y) else 0
    if n == 0:
        nothing = torch.full((len(y),), torch.nan, dtype=torch.float64, device=y.device)
        return Abscissa(nothing, nothing)
    H = _hessenberg(product, y, min(dimension, n), seed)
    finite = H.isfinite().flatten(1).all(1)
    values, vectors = torch.linalg.eig(torch.where(finite[:, None, None], H[:, :-1], 0))
    best = values.real.argmax(1, keepdim=True)
    last = vectors[:, -1].gather(1, best).abs().squeeze(1)  # of a vector with norm 1
    rows = (values.real.gather(1, best).squeeze(1), H[:, -1, -1] * last)
    return Abscissa(*(torch.where(finite, row, torch.nan) for row in rows))


def _hessenberg(product: Product, y: Tensor, m: int, seed: int) -> Tensor:
    """Return ``[samples, m + 1, m]`` in float64, each matrix as its Krylov space sees it."""
    generator, size = torch.Generator().manual_seed(seed), y[0].numel()
    roundings = BREAKDOWN * torch.finfo(y.dtype).eps
    H = torch.zeros(len(y), m + 1, m, dtype=torch.float64, device=y.device)
    basis = torch.zeros(len(y), size, 0, dtype=torch.float64, device=y.device)
    v = _fresh(basis, generator)
    for j in range(m):
        basis = torch.cat((basis, v[..., None]), -1)
        w = product(v.to(y.dtype).view_as(y)).reshape(len(y), -1).double()
        rest, H[:, : j + 1, j] = _orthogonal(w, basis)
        left = rest.norm(dim=1)
        invariant = left <= roundings * w.norm(dim=1)
        H[:, j + 1, j] = torch.where(invariant, 0.0, left)
        if j + 1 < m:
            v = rest / left[:, None]
            if invariant.any():  # go on elsewhere: other eigenvalues belong to other spaces
                v = torch.where(invariant[:, None], _fresh(basis, generator), v)
    return H


def _fresh(basis: Tensor, generator: torch.Generator) -> Tensor:
    """Return random directions of norm 1, orthogonal to the bases ``[samples, size, found]``."""
    v = torch.randn(basis.shape[:2], generator=generator, dtype=torch.float64).to(basis.device)
    v, _ = _orthogonal(v, basis)
    return v / v.norm(dim=1, keepdim=True)


def _orthogonal(w: Tensor, basis: Tensor) -> tuple[Tensor, Tensor]:
    """Return what is left of w, and its coordinates; projected twice, as one pass leaves roundings behind."""
    coordinates = torch.zeros_like(basis[:, 0])
    for _ in range(2):
        more = (basis.mT @ w[..., None]).squeeze(-1)
        w, coordinates = w - (basis @ more[..., None]).squeeze(-1), coordinates + more
    return w, coordinates
