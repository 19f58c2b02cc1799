"""The explicit Euler method: what a residual network is, with step 1."""

from rkbench import ButcherTableau, Citation

# fmt: off
EULER = ButcherTableau(
    name="euler", order=1,
    c="0",
    a=("",),
    b="1",
    source=Citation("Euler", 1768, "Institutionum calculi integralis"),
)
# fmt: on
