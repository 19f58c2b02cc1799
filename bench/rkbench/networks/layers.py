"""Layers f(θ, y) made for stable flows, whose parameters θ come from outside.

They are those of Haber & Ruthotto (2017, arXiv:1705.03341) and Ruthotto & Haber (2020, arXiv:1804.04272). K is a matrix
or a convolution, N a normalisation with a shift, σ an activation.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from rkbench.errors import SolverError
from rkbench.networks.operators import NORMS, Convolution, Dense

Theta = Mapping[str, Tensor]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}


@dataclass(frozen=True)
class Layer(ABC):
    """f(θ, y), whose parameters θ come from outside.

    Attributes:
        operator: what each K is, `Dense` or `Convolution`.
        act: σ, one of `ACTIVATIONS`.
        norm: in N, one of `NORMS`.

    Raises:
        SolverError: a name that is in neither.
    """

    operator: Dense | Convolution
    act: str = "tanh"
    norm: str = "none"

    operators: ClassVar[int]
    """How many K there are, each with its N."""

    def __post_init__(self) -> None:
        for what, name, known in (("activation", self.act, ACTIVATIONS), ("norm", self.norm, NORMS)):
            if name not in known:
                raise SolverError(f"There is no {what} {name!r}; choose one of: {', '.join(known)}.")

    @property
    def channels(self) -> int:
        """Of the state."""
        return self.operator.channels

    def initial(self) -> dict[str, Tensor]:
        """Return a random θ: K uniform as that of torch's own layers, scales 1, shifts 0."""
        shape = self.operator.shape
        bound, theta = 1 / math.sqrt(math.prod(shape[1:])), {}
        for i in range(1, self.operators + 1):
            theta[f"K{i}"] = torch.empty(shape).uniform_(-bound, bound)
            if self.norm != "none":
                theta[f"scale{i}"] = torch.ones(shape[0])
            theta[f"shift{i}"] = torch.zeros(shape[0])
        return theta

    @abstractmethod
    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""

    def _act(self, x: Tensor) -> Tensor:
        return ACTIVATIONS[self.act](x)

    def _normed(self, theta: Theta, i: int, x: Tensor) -> Tensor:
        """Return N_i x."""
        norm, axes = NORMS[self.norm], (-1, *(1,) * (x.ndim - 2))
        shift = theta[f"shift{i}"].view(axes)
        if norm is None:
            return x + shift
        return torch.addcmul(shift, norm(x, self.operator.groups), theta[f"scale{i}"].view(axes))

    def _inner(self, theta: Theta, i: int, y: Tensor) -> Tensor:
        """Return N_i K_i y."""
        return self._normed(theta, i, self.operator(theta[f"K{i}"], y))

    def _symmetric(self, theta: Theta, i: int, y: Tensor) -> Tensor:
        """Return K_iᵀ σ(N_i K_i y), a gradient in y where N is a shift alone."""
        return self.operator(self.operator.adjoint(theta[f"K{i}"]), self._act(self._inner(theta, i, y)))


class Double(Layer):
    """σ N2 K2 σ N1 K1 y; 2 (n² + n) parameters a set if dense, 2 (9 n² + n) if not, 2 n more with a norm."""

    operators = 2

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        return self._act(self._inner(theta, 2, self._act(self._inner(theta, 1, y))))


class PreactDouble(Layer):
    """N2 K2 σ N1 K1 σ y; as many parameters as `Double`."""

    operators = 2

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        return self._inner(theta, 2, self._act(self._inner(theta, 1, self._act(y))))


class DoubleSym(Layer):
    """-Kᵀ σ N K y, a parabolic layer; n² + n parameters a set if dense, 9 n² + n if not, n more with a norm.

    Where N is a shift alone and σ does not fall, the Jacobian -Kᵀ diag(σ') K is symmetric and negative semidefinite:
    distances do not grow, and an explicit method is stable for h ‖K‖² max σ' within its real interval.
    """

    operators = 1

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        return -self._symmetric(theta, 1, y)


@dataclass(frozen=True)
class Antisymmetric(Layer):
    """σ N (K - Kᵀ - γ I) y; as many parameters as `DoubleSym`.

    The eigenvalues of K - Kᵀ - γ I have the real part -γ. Those of the Jacobian, where N is a shift alone and σ does
    not fall, lie between -γ max σ' and 0: diag(σ')^½ (K - Kᵀ - γ I) diag(σ')^½ has the same.
    """

    gamma: float = 0.0
    operators: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.gamma) and self.gamma >= 0):
            raise SolverError(f"gamma damps the flow and must be 0 or more, not {self.gamma!r}; try 0.1.")

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        K = theta["K1"]
        linear_part = self.operator(K - self.operator.adjoint(K), y) - self.gamma * y
        return self._act(self._normed(theta, 1, linear_part))


class Hamiltonian(Layer):
    """q' = K1ᵀ σ N1 K1 p, p' = -K2ᵀ σ N2 K2 q for y = (q, p), halves of the channels (Ruthotto & Haber 2020).

    With n the channels of K, half those of the state: 2 (n² + n) parameters a set if dense, 2 (9 n² + n) if not, 2 n
    more with a norm. Where N is a shift alone and θ does not depend on t, the flow keeps the energy
    Σ S(K1 p + b1) + Σ S(K2 q + b2), S' = σ, and the trace of the Jacobian is 0.
    """

    operators = 2

    @property
    def channels(self) -> int:
        """Of the state."""
        return 2 * self.operator.channels

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        q, p = y.chunk(2, 1)
        return torch.cat((self._symmetric(theta, 1, p), -self._symmetric(theta, 2, q)), 1)


LAYERS: dict[str, type[Layer]] = {
    "double": Double,
    "preact_double": PreactDouble,
    "double_sym": DoubleSym,
    "antisymmetric": Antisymmetric,
    "hamiltonian": Hamiltonian,
}
