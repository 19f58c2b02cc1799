"""Each claim of the literature has a suite that runs it, if it can on real MNIST, and a published run of that suite."""

import json
import re
from pathlib import Path

import pytest

import rkbench
from rkbench import registry, suite
from rkbench.plan import expand
from rkbench.report import depths, numbers
from rkbench.report.answers import frame

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
BEYOND = ("series", "spirals", "density", "answers")
"""Runs of what is not MNIST, or not all."""


def test_every_suite_of_the_literature_is_on_the_page():
    assert set(LINKS) == {*SUITES, *BEYOND}


@pytest.mark.parametrize("name", [*SUITES, *BEYOND])
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


@pytest.mark.parametrize("name", ["series", "density", "answers"])
def test_every_scale_of_the_others_can_be_planned(name):
    for scale in ("small", "full"):
        assert expand(suite.load(name, scale), registry.default())


def summary(name):
    found = rkbench.load(ROOT / "results" / "published" / name).summary()
    return {(row["task"], row["solver"]): row for row in found.to_dict("records")}


def error(row):
    low, high = (1 - row[f"test_accuracy_{end}"] for end in ("high", "low"))
    return f"{100 * (1 - row['test_accuracy']):.2f} % [{100 * low:.2f}–{100 * high:.2f}]"


def test_the_errors_of_the_networks_of_chen_are_those_of_their_run():
    found = summary("odenet")
    none, adjoint = "no solver", "dopri5 @ 1e-3 · adjoint"
    rows = [("odenet", adjoint), ("resnet", none), ("resnet1", none), ("odenet", "rk4 ×2 · backprop")]
    for network, solver in rows:
        assert error(found[f"mnist_small_{network}", solver]) in PAGE


def test_the_times_of_the_networks_of_chen_are_those_of_their_run():
    found = summary("odenet")
    resnet = found["mnist_small_resnet", "no solver"]["epoch_seconds"]
    solvers = ("dopri5 @ 1e-3 · backprop", "dopri5 @ 1e-3 · adjoint", "rk4 ×2 · backprop")
    ratios = [f"{found['mnist_small_odenet', one]['epoch_seconds'] / resnet:.1f} times" for one in solvers]
    assert all(ratio in PAGE for ratio in ratios), ratios


def test_the_growth_with_depth_is_that_of_its_run():
    results = rkbench.load(ROOT / "results" / "published" / "depth")
    said = " ".join(depths.sentences(depths.rungs(depths.cells(results.cells))))
    laws = dict(re.findall(r"([\d.]+) MiB \[[^]]+\] per (step|block)", said))
    assert {f"{float(size):.2f} MiB more a {'step' if unit == 'step' else 'residual block'}" for size, unit in laws.items()} == {
        "0.69 MiB more a step", "0.54 MiB more a residual block",
    }  # fmt: skip
    assert all(claim in PAGE for claim in ("0.69 MiB more a step", "0.54 MiB more a residual block"))


def test_the_answers_that_a_tight_solve_changes_are_those_of_its_run():
    found = summary("ott")

    def changed(solver):
        row = found["mnist8_tanh[epochs=3]", solver]
        return [100 * row[f"tight_label_changes{end}"] for end in ("", "_low", "_high")]

    assert "{:.1f} % [{:.1f}–{:.1f}]".format(*changed("euler ×1")) in PAGE
    assert "{:.2f} % [{:.2f}–{:.2f}]".format(*changed("euler ×16")) in PAGE
    assert changed("rk4 ×1")[0] <= 0.2 < changed("midpoint ×2")[0] < changed("euler ×4")[0]


def test_one_epoch_at_full_width_is_that_of_its_run():
    for row in summary("epoch").values():
        told = f"| {numbers.seconds(row['train_seconds'])} | {row['nfe_forward']:.0f} | {100 * row['test_accuracy']:.2f} |"
        assert told in PAGE


def score(row, digits):
    """Return a score with its interval, to so many digits, or as reports have it."""
    spell = numbers.significant if digits is None else lambda value: f"{value:.{digits}f}"
    return f"{spell(row['test_score'])} [{spell(row['test_score_low'])}–{spell(row['test_score_high'])}]"


def test_the_errors_of_spirals_are_those_of_their_run():
    assert all(score(row, 2) in PAGE for row in summary("spirals").values())


def test_the_errors_of_the_spiral_and_of_the_series_are_those_of_their_run():
    found = summary("series")
    for task, solver in (("spiral", "midpoint ×12"), ("spiral", "euler ×12"), ("spiral_gru", "no solver")):
        assert score(found[task, solver], None) in PAGE
    assert score(found["series_latent_ode", "rk4 ×4"], 2) in PAGE
    assert all(score(found[f"series_{one}", "no solver"], 3) in PAGE for one in ("rnn", "gru_d"))


def test_the_likelihoods_are_those_of_their_run():
    found = summary("density")
    moons = [
        found["planar_moons[samples=10000]", "no solver"],
        found["cnf_moons[samples=10000]", "dopri5 @ 1e-3"],
    ]
    assert all(score(row, 3) in PAGE for row in moons)
    for one in ("circles", "gaussians"):
        planar, flow = (
            found[f"planar_{one}[samples=10000]", "no solver"],
            found[f"cnf_{one}[samples=10000]", "dopri5 @ 1e-3"],
        )
        assert f"{planar['test_score']:.3f} against {flow['test_score']:.3f}" in PAGE


@pytest.mark.parametrize("page", ["README.md", "results/literature.md"])
def test_the_answers_on_time_series_are_those_of_their_run(page):
    text = " ".join((ROOT / page).read_text("utf-8").split())
    found = frame.of(rkbench.load(ROOT / "results" / "published" / "answers"))
    less = found[(found["cost"] == "error_ode") & (found["finding"] == "pays")].groupby("question")["ratio"]
    for question, tasks in (
        ("Is anything better than Euler's method on time series?", 5),
        ("Are higher-order methods better on time series?", 3),
    ):
        ratios = less.get_group(question)
        assert len(ratios) == tasks
        assert f"{ratios.min():.2f}× to {ratios.max():.2f}×" in text
