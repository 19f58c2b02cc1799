"""Cells on more than one machine, through a Dask cluster: ``rkbench run SUITE --dask tcp://HOST:PORT``."""

from rkbench.cluster.blocks import homes
from rkbench.cluster.cluster import Cluster, opened

__all__ = ["Cluster", "homes", "opened"]
