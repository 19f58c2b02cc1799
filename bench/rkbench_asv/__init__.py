"""rkbench over its commits: `asv run`, `asv compare`, `asv publish`, from the folder of ``asv.conf.json``.

What a series needs is fixed here, not discovered, so that the list is the same on every machine. Benchmarks
import rkbench and torch inside ``setup``: asv loads these modules anew for every single measurement. asv
knows only "lower is better", so errors are tracked and accuracies are not.
"""
