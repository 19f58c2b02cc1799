"""Whatever is typed, the command line answers with an exit code and a sentence, never with a traceback."""

import contextlib
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rkbench import checking, doctor, runner, suite
from rkbench.cli import cli, main
from rkbench.errors import RunError
from rkbench.sentinel import Pulse

quick = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

ODD = (
    "",
    " ",
    "-1",
    "0",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e-400",
    "9" * 5000,
    "\x1b]0;x\x07",
    "\u202e",
    "[red]",
    "[/]",
    "..",
)
NAMES = (
    "quick", "mnist8", "euler", "dopri5", "rk4", "digits8_tanh", "digits8_tanh[epochs=-1]", "rms", "batch", "sample", "pi",
    "adjoint", "rkbench", "float64", "cpu", "full", "1", "3", "0.5", "1e-3", "methods", "nowhere", "x.toml", "mine.py",
)  # fmt: skip
words = st.one_of(
    st.sampled_from(NAMES), st.sampled_from(ODD), st.text(max_size=8).filter(lambda text: "\0" not in text)
)
options = st.sampled_from(
    sorted(
        {name for verb in cli.commands.values() for p in verb.params for name in p.opts if name[:1] == "-"}
    )
)


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch, tmp_path):
    """Nothing is measured here, and nothing written but in a folder of the test's own."""

    def refuse(*_, **__):
        raise RunError("It would run; it does not.")

    check = checking.check
    monkeypatch.setattr(runner, "run", refuse)
    # All methods are proved elsewhere, which takes long.
    monkeypatch.setattr(
        checking, "check", lambda plugins, names, *more, **how: check(plugins, names or ["x"], *more, **how)
    )
    monkeypatch.setattr(doctor, "pulses", lambda: [Pulse(1.0, 1.0)] * 8)
    monkeypatch.chdir(tmp_path)


def answered(arguments):
    """Return the exit code, and what is printed."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
        pytest.raises(SystemExit) as caught,
    ):
        main(arguments)
    return caught.value.code, out.getvalue() + err.getvalue()


@quick
@given(
    st.sampled_from(sorted(cli.commands)), st.lists(st.one_of(words, st.tuples(options, words)), max_size=6)
)
def test_no_arguments_give_a_traceback(verb, drawn):
    arguments = [verb]
    for one in drawn:
        arguments += one if isinstance(one, tuple) else [one]
    code, said = answered(arguments)
    assert code in (0, 1, 2), arguments
    assert "\x1b" not in said
    assert "\u202e" not in said


REFUSED = {
    "--seeds": ("0", "-1", "three", "nan", "9" * 30),
    "--steps": ("0", "-1", "1.5", "9" * 30),
    "--rtol": ("-1", "nan", "inf", "small"),
    "--atol": ("-1", "nan", "inf"),
    "--epochs": ("0", "-1", "0.5", "9" * 30),
    "--threads": ("0", "-1", "9" * 30),
    "--timeout": ("0", "-1", "nan", "inf"),
    "--memory-limit": ("0", "-1", "nan"),
    "--jobs": ("0", "-1"),
    "--dtype": ("float16", "", "FLOAT32"),
    "--method": ("", "Euler", "euler ", "rk4\x1b"),
    "--task": ("", "digits8_tanh[", "digits8_tanh[epochs=0]", "digits8_tanh[epochs=1,epochs=2]",
    "digits8_tanh[learning_rate=NaN]"),
    "--norm": ("", "max"),
    "--control": ("", "none"),
    "--gradient": ("", "backwards"),
    "--engine": ("", "RKBENCH"),
    "--controller": ("", "best"),
    "--baseline": ("", "nobody"),
    "--scale": ("", "huge"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value"), [(name, value) for name, values in REFUSED.items() for value in values]
)
def test_a_value_that_means_nothing_is_refused(option, value):
    code, said = answered(["run", "quick", option, value])
    assert code == 2
    assert "It would run" not in said


@pytest.mark.parametrize("name", suite.names())
def test_every_suite_would_run(name):
    """So that what is refused above is refused for its value."""
    code, said = answered(["run", name, "--yes"])
    assert code == 2
    assert "It would run" in said
