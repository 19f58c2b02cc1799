"""The command line: parse, call, print.

Exit codes: 0; 1 for a failure the user must see; 2 for a mistake of usage, told in one sentence.
"""

from __future__ import annotations

import atexit
import json
import shlex
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rkbench import __version__
from rkbench.console import open_console, print_table
from rkbench.errors import SuiteError, UserError
from rkbench.options import json_option, matrix_options, plugin_option
from rkbench.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

    from rkbench.cluster import Cluster
    from rkbench.progress import Screen
    from rkbench.registry import Registry
    from rkbench.runner import Job

KINDS = ("methods", "controllers", "engines", "gradients", "tasks", "suites", "plugins")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the console script ``rkbench``."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores the closing of the terminal
            signal.signal(number, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that lacks a letter shows a question mark instead
            stream.reconfigure(errors="replace")
    try:
        code = cli.main(arguments, prog_name="rkbench", standalone_mode=False)
    except UserError as error:
        click.echo(f"Error: {printable(str(error))}", err=True)
        code = 2
    except click.ClickException as error:
        said = StringIO()
        error.show(said)
        click.echo("\n".join(map(printable, said.getvalue().splitlines())), err=True)
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. Everything measured so far is kept; the same command resumes.", err=True)
        code = 1
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    # Whoever presses Ctrl-C once more while the program ends must not be shown a traceback. Registered last, it comes first.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    sys.exit(code if isinstance(code, int) else 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rkbench")
def cli() -> None:
    """Benchmark Runge–Kutta methods inside neural networks.

    Start with `rkbench run`; bring your own method with `rkbench run --plugin mine.py --method mine`.
    """


@cli.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@json_option
@plugin_option
def list_(kind: str | None, as_json: bool, plugins: tuple[str, ...]) -> None:
    """List what is registered, broken plugins with their reason."""
    from rkbench import listing

    registry = _registry(plugins, strict=False)
    kinds = [kind] if kind else list(KINDS)
    rows = {name: listing.KINDS[name](registry) for name in kinds}
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    console = open_console()
    for name in kinds:
        print_table(console, name, rows[name])


@cli.command()
@click.argument("method")
@click.option(
    "--plot", type=click.Path(dir_okay=False), metavar="FILE", help="Draw the stability region to FILE."
)
@plugin_option
def show(method: str, plot: str | None, plugins: tuple[str, ...]) -> None:
    """Print a tableau as in a book, with its facts."""
    from rkbench import show as display

    registry = _registry(plugins)
    tableau = registry.method(method)
    click.echo(display.as_text(tableau, registry.engines.values()))
    if plot:
        display.plot(tableau, plot)
        click.echo(f"Stability region: {plot}")


@cli.command()
@click.argument("names", nargs=-1)
@json_option
@plugin_option
def check(names: tuple[str, ...], as_json: bool, plugins: tuple[str, ...]) -> int:
    """Prove methods, and measure that they keep their promises; exit 1 if one does not.

    NAMES may be those of controllers and engines, too. Without NAMES, checks what the given plugin files bring; without
    either, every method.
    """
    from rkbench import checking

    registry = _registry(plugins, strict=False)
    return checking.check(registry, names, plugins, as_json=as_json, console=open_console())


_MOST_ROWS = 500
"""Rows of a printed plan."""


@cli.command()
@click.argument("suite", default="quick")
@matrix_options
@json_option
@plugin_option
def plan(suite: str, scale: str | None, as_json: bool, plugins: tuple[str, ...], **selection: Any) -> None:
    """Show the cells that SUITE expands to with these options, in the order they would run."""
    from rkbench import size
    from rkbench import suite as suites
    from rkbench.plan import expand

    chosen, registry = suites.select(suites.load(suite, scale), **selection), _registry(plugins)
    size.refuse_huge(chosen, registry)
    cells = [vars(cell) for cell in expand(chosen, registry)]
    if as_json:
        json.dump({"cells": cells}, sys.stdout, indent=1)
        click.echo()
        return
    shown = ["cell_id", "task", "method", "steps", "rtol", "controller", "seed"]
    shown += [
        name
        for name in ("engine", "gradient", "control", "compiled", "replica")
        if len({cell[name] for cell in cells}) > 1
    ]
    console, first = open_console(), cells[:_MOST_ROWS]
    print_table(console, f"{len(cells)} cells", [{name: cell[name] for name in shown} for cell in first])
    if len(cells) > len(first):
        console.print(f"The first {len(first)} of {len(cells)} cells are shown; --json has all.")


@cli.command()
@click.argument("suite", default="quick")
@matrix_options
@click.option(
    "--out", type=click.Path(file_okay=False), help="The run folder; results/runs/SUITE-… unless given."
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Cells at a time, on each machine; 1 unless given. Above 1 times are not compared. With --dask local:N, N.",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Run the cells on a Dask cluster: tcp://HOST:PORT of its scheduler, or local:N for N workers here.",
)
@click.option("--yes", is_flag=True, help="Do not ask before a run of more than 10 000 cells.")
@click.option("--retry-failed", is_flag=True, help="Also run the cells again that did not end ok.")
@json_option
@plugin_option
def run(
    suite: str,
    scale: str | None,
    out: str | None,
    jobs: int | None,
    dask: str | None,
    yes: bool,
    retry_failed: bool,
    as_json: bool,
    plugins: tuple[str, ...],
    **selection: Any,
) -> int:
    """Train and evaluate SUITE, and report; the same command again resumes."""
    from rkbench import runner, size
    from rkbench import suite as suites
    from rkbench.plan import expand
    from rkbench.progress import Screen

    registry = _registry(plugins)
    chosen = suites.select(suites.load(suite, scale), **selection)
    large = size.refuse_huge(chosen, registry) > size.MANY and not yes
    if large and not sys.stdin.isatty():
        raise SuiteError(f"Suite {chosen.name} has more than {size.MANY:,} cells; add --yes to run them all.")
    cells = expand(chosen, registry)
    methods = [registry.method(name) for name in dict.fromkeys(cell.method for cell in cells) if name]
    command = shlex.join(["rkbench", *sys.argv[1:]])
    job = runner.Job(chosen, cells, plugins, command, retry_failed, methods)
    folder = Path(out) if out else runner.default_folder(job)
    console = open_console(stderr=as_json)
    console.print(chosen.title, style="bold", markup=False)
    console.print(str(folder), markup=False)
    if large:
        click.confirm(size.question(cells, folder), abort=True, err=True)
    screen = Screen(console)
    try:
        with screen, _cluster(dask, jobs, job, registry, screen) as cluster:
            runner.run(job, folder, screen, jobs=jobs or 1, cluster=cluster)
    except KeyboardInterrupt:
        click.echo(screen.stopped(), err=True)
        return 1
    return _report(folder, console, as_json)


def _cluster(
    address: str | None, jobs: int | None, job: Job, registry: Registry, screen: Screen
) -> AbstractContextManager[Cluster | None]:
    """Return the cluster that was asked for, to be entered; it holds None where none was."""
    if address is None:
        return nullcontext()
    from rkbench import cluster

    return cluster.opened(address, jobs, job.cells, job.files, registry, screen.note)


@cli.command()
@click.argument("run", type=click.Path(file_okay=False))
@json_option
@plugin_option
def report(run: str, as_json: bool, plugins: tuple[str, ...]) -> int:
    """Write and print the report of the run folder RUN again."""
    _registry(plugins)
    return _report(Path(run), open_console(stderr=as_json), as_json)


def _report(folder: Path, console: Console, as_json: bool) -> int:
    """Write and print the report, as JSON if so wished; 1 when a cell did not end ok."""
    import gc

    from rkbench import report as reports
    from rkbench.report import digest, frames

    gc.set_threshold(
        50_000, 20, 100
    )  # a report makes many small things and few cycles: an eighth of the time
    results = reports.load(folder)
    if not as_json:
        reports.show(results, console)
    page = reports.write(folder, results)
    if as_json:
        click.echo(json.dumps(digest.of(results, folder, page), indent=1))
    else:
        console.print(f"Report: {page}", highlight=False, markup=False)
    return int((frames.failed(results.cells) | frames.pending(results.cells)).any())


@cli.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(file_okay=False))
@json_option
@plugin_option
def compare(runs: tuple[str, ...], as_json: bool, plugins: tuple[str, ...]) -> None:
    """Compare RUNS, two or more, with the first, solver by solver: what changed, and whether it is more than noise.

    Accuracy and evaluations of f are pooled over all runs, times within one machine only.
    """
    _registry(plugins)
    from rkbench.report import comparison

    if as_json:
        click.echo(comparison.as_json(*runs))
    else:
        comparison.show_compare(*runs, console=open_console())


@cli.command()
@click.argument("folder", default="results/asv", type=click.Path(file_okay=False))
@click.option(
    "--out", type=click.Path(file_okay=False), help="Where to write the page; FOLDER/report unless given."
)
@click.option(
    "--since", metavar="COMMIT", help="Leave out what was measured before this commit, branch or tag."
)
@json_option
def history(folder: str, out: str | None, since: str | None, as_json: bool) -> int:
    """Tell what commits made worse or better, from the results of asv in FOLDER, and draw every series on a page.

    Exit 1 when a series stands worse at its latest commit than before, beyond the noise. `--since` accepts what is older.
    """
    from rkbench import history as histories

    found = histories.load(folder, since)
    page = histories.write(found, Path(out) if out else Path(folder) / "report")
    if as_json:
        click.echo(json.dumps(histories.as_dict(found) | {"page": str(page)}, indent=1))
    else:
        console = open_console()
        histories.show(found, console)
        console.print(f"Page: {page}", highlight=False, markup=False)
    return int(found.regressed)


@cli.command("new-plugin")
@click.argument("name")
@click.option("--into", type=click.Path(file_okay=False), default=".", help="Where to write the folder.")
@click.option("--task", is_flag=True, help="With a model of your own, instead of a method.")
@plugin_option
def new_plugin(name: str, into: str, task: bool, plugins: tuple[str, ...]) -> None:
    """Write a complete plugin distribution, rkbench-NAME, to start from."""
    _registry(plugins)
    from rkbench.new_plugin import create

    folder = create(name, Path(into), task=task)
    click.echo(f"Wrote {folder}. Next: pip install -e {folder} && rkbench list plugins")


@cli.command()
@json_option
@plugin_option
def doctor(as_json: bool, plugins: tuple[str, ...]) -> None:
    """Tell what this machine is, which differences in time it can resolve, and what stands in the way of a run."""
    from rkbench import doctor as surgery
    from rkbench import machine

    registry = _registry(plugins, strict=False)
    facts = machine.describe() | machine.versions() | {"commit": machine.commit()}
    pulses = surgery.pulses()
    resolution, disturbances = surgery.resolution(pulses), surgery.disturbances(pulses)
    broken = [f"{p.owner}: {problem}" for p in registry.broken() for problem in p.problems]
    if as_json:
        told = {"machine": facts, "resolution": resolution, "disturbances": disturbances, "broken": broken}
        click.echo(json.dumps(told | {"pulses": pulses}, indent=1))
        return
    console = open_console()
    print_table(console, "machine", [{"what": key, "value": str(value)} for key, value in facts.items()])
    for sentence in resolution:
        console.print(sentence, markup=False)
    for sentence in disturbances + broken:
        console.print("!", sentence, style="yellow", markup=False)


def _registry(plugins: tuple[str, ...], *, strict: bool = True) -> Registry:
    """Load the plugins. A file the user names must be whole, where ``strict``; others are only listed."""
    from rkbench.errors import PluginError
    from rkbench.registry import load

    registry = load(plugins)
    for plugin in registry.broken():
        if strict and plugin.path:
            raise PluginError(f"The plugin {plugin.path} is refused. {plugin.problems[0]}")
    for plugin in registry.plugins:
        for note in plugin.notes:
            click.echo(f"note: {note}", err=True)
    return registry


if __name__ == "__main__":
    main()
