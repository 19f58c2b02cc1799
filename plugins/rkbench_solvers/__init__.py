"""The built-in methods, controllers and engines, through the same hooks as a stranger's plugin.

To add a method: copy a short module such as ``heun.py``, change the numbers, and name it in `METHODS`.
"""

from rkbench import NativeEngine, hookimpl
from rkbench_solvers import (
    bogacki_shampine,
    cash_karp,
    dop853,
    dormand_prince,
    euler,
    fehlberg,
    heun,
    kutta,
    owren_zennaro,
    prince_dormand,
    ralston,
    runge,
    ssp,
    tsitouras,
    verner6,
    verner7,
    verner8,
    verner9,
)
from rkbench_solvers.controllers import CONTROLLERS
from rkbench_solvers.engines import ENGINES, REVERSIBLE

METHODS = [
    euler.EULER,
    runge.MIDPOINT,
    heun.HEUN_2,
    ralston.RALSTON_2,
    ralston.RALSTON_3,
    ralston.RALSTON_4,
    kutta.KUTTA_3,
    heun.HEUN_3,
    ssp.SSPRK_33,
    ssp.SSPRK_43,
    ssp.SSPRK_104,
    kutta.RK4,
    kutta.RK38,
    bogacki_shampine.BOGACKI_SHAMPINE_32,
    owren_zennaro.OWREN_ZENNARO_32,
    owren_zennaro.OWREN_ZENNARO_43,
    fehlberg.FEHLBERG_45,
    cash_karp.CASH_KARP_54,
    dormand_prince.DORMAND_PRINCE_54,
    dormand_prince.SHAMPINE_54,
    tsitouras.TSITOURAS_54,
    bogacki_shampine.BOGACKI_SHAMPINE_54,
    verner6.VERNER_65,
    verner7.VERNER_76,
    verner8.VERNER_87,
    verner9.VERNER_98,
    prince_dormand.PRINCE_DORMAND_87,
    dop853.DOP853,
]


@hookimpl
def rkbench_methods():
    """Return the methods of the literature."""
    return METHODS


@hookimpl
def rkbench_controllers():
    """Return the controllers of the literature."""
    return CONTROLLERS


@hookimpl
def rkbench_engines():
    """Return the native engine, adapters around other libraries, installed or not, and steppers of our own."""
    return [NativeEngine(), *ENGINES, *REVERSIBLE]
