"""Each claim of the literature has a suite that runs it on real MNIST, and a published run of that suite."""

import json
import re
from pathlib import Path

import pytest

from rkbench import registry, suite
from rkbench.plan import expand

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "results" / "literature.md").read_text("utf-8")
LINKS = dict(re.findall(r"\[`(\w+)`\]\((published/[\w/.]+)\)", PAGE))
SUITES = (
    "mnist8",
    "vanishing",
    "odenet",
    "depth",
    "tolerance",
    "ott",
    "batch",
    "augmented",
    "controls",
    "epoch",
)


def test_every_suite_of_the_literature_is_on_the_page():
    assert set(LINKS) == set(SUITES)


@pytest.mark.parametrize("name", SUITES)
def test_it_has_a_published_run_without_failures(name):
    report = ROOT / "results" / LINKS[name]
    assert report.is_file()
    lines = (report.parents[1] / "records.jsonl").read_text("utf-8").splitlines()
    statuses = {record["cell_id"]: record["status"] for record in map(json.loads, lines)}
    assert set(statuses.values()) == {"ok"}


@pytest.mark.parametrize("name", SUITES)
def test_its_first_scale_is_on_real_mnist_and_every_scale_can_be_planned(name):
    plugins = registry.default()
    assert {plugins.task(task).dataset for task in suite.load(name).tasks} <= {"mnist", "mnist8"}
    for scale in ("small", "full") if suite.load(name).scale else (None,):
        assert expand(suite.load(name, scale), plugins)
