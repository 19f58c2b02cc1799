"""Adapters around other libraries, so that they run the same tasks and are counted by the same rules.

Each library is imported by the first solve; being listed costs nothing.
"""

from rkbench_solvers.engines.reversible import McCallumFosterEngine, ReversibleHeunEngine
from rkbench_solvers.engines.via_diffrax import DiffraxEngine
from rkbench_solvers.engines.via_scipy import ScipyEngine
from rkbench_solvers.engines.via_torchdiffeq import TorchdiffeqAsShippedEngine, TorchdiffeqEngine
from rkbench_solvers.engines.via_torchdyn import TorchdynEngine
from rkbench_solvers.engines.via_torchode import TorchodeEngine

ENGINES = [
    DiffraxEngine(),
    ScipyEngine(),
    TorchdiffeqEngine(),
    TorchdiffeqAsShippedEngine(),
    TorchdynEngine(),
    TorchodeEngine(),
]

REVERSIBLE = [McCallumFosterEngine(), ReversibleHeunEngine()]
"""Steppers that are not tableaux: they need no other library, but bring their own steps."""
