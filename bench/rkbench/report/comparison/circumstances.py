"""What else differs between two runs: where it does, so may the numbers, whatever the solver did."""

from __future__ import annotations

import pandas as pd

from rkbench.report.results import Results

_APART = {"data_sha256": "other data, not compared", "epochs": "other number of epochs, not compared"}
"""Where these differ, the cells did not do the same work."""

_CAVEATS = {
    "host": "other machine, times not compared",
    "threads": "other number of threads",
    "method_digest": "other coefficients",
    "plugin_version": "other version of its plugin",
    "engine_version": "other version of its engine's library",
    "torch_version": "other torch",
}


def comparable(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Return whether the cells of a solver in two runs were given the same work."""
    return not any(_differ(a, b, name) for name in _APART)


def note(a: pd.DataFrame, b: pd.DataFrame, names: tuple[str, str]) -> str:
    """Return what to know of a solver's cells in two runs, by name, before their numbers are believed."""
    if a.empty or b.empty:
        return f"not in {names[0] if a.empty else names[1]}"
    found = [words for name, words in (_APART | _CAVEATS).items() if _differ(a, b, name)]
    timed = [one.loc[one["measured_at"] != "", ["cell_id", "host", "measured_at"]] for one in (a, b)]
    shared = len(timed[0].merge(timed[1]))
    return "; ".join(found + [f"{shared} of the cells are the same measurement"] * bool(shared))


def differences(a: Results, b: Results) -> list[str]:
    """Return what is not the same in the manifests and plugins of two runs, each as ``torch 2.14 → 2.15``."""
    was, now = _facts(a), _facts(b)
    return [
        f"{name} {was.get(name) or 'unknown'} → {now.get(name) or 'unknown'}"
        for name in dict.fromkeys([*was, *now])
        if was.get(name) != now.get(name)
    ]


def _facts(results: Results) -> dict[str, str]:
    manifest, cells = results.manifest, results.cells
    machine = manifest.get("machine", {})
    facts = {
        "commit": _short(str(manifest.get("commit") or "")),
        **manifest.get("versions", {}),
        "threads": manifest.get("threads"),
        **{name: machine.get(name) for name in ("host", "cpu", "governor", "python")},
    }
    plugins = cells[cells["plugin_version"] != ""].groupby("plugin")["plugin_version"]
    facts |= {str(name): " and ".join(sorted(set(versions))) for name, versions in plugins}
    return {name: str(value) for name, value in facts.items() if value}


def _short(commit: str) -> str:
    """Return a commit with its first digits only, and whether the tree was changed."""
    digits, changed, _ = commit.partition("+")
    return digits[:12] + ("+dirty" if changed else "")


def _differ(a: pd.DataFrame, b: pd.DataFrame, name: str) -> bool:
    values = [set(one[name].dropna()) - {""} for one in (a, b)]
    return all(values) and values[0] != values[1]
