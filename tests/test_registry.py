"""Plugins: what they bring is found, and one that is broken is listed with its reason and harms nobody else."""

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from rkbench import registry
from rkbench.errors import PluginError, UnknownNameError

METHOD = """
from rkbench import ButcherTableau, Citation, hookimpl

def heun(name, order=2):
    return ButcherTableau(name=name, order=order, c="0 1", a=("", "1"), b="1/2 1/2", source=Citation("Heun", 1900))
"""

GOOD = METHOD + "@hookimpl\ndef rkbench_methods():\n    return [heun('mine')]\n"

BROKEN = {
    "raises at import": ("x = 1\n1 / 0\n", "ZeroDivisionError: division by zero (plugin.py, line 2)."),
    "leaves the program": ("import sys\nsys.exit('good bye')\n", "SystemExit: good bye (plugin.py, line 2)."),
    "does not parse": ("def f(:\n", "SyntaxError: "),
    "imports what is not there": ("import no_such_module_anywhere\n", "ModuleNotFoundError: No module named"),
    "misspells a hook": (
        METHOD + "@hookimpl\ndef rkbench_method():\n    return []\n",
        "There is no hook rkbench_method; the hooks are rkbench_methods, rkbench_controllers, ",
    ),
    "misspells a hook and forgets its mark": (
        METHOD + "def rkbench_methodes():\n    return []\n",
        "There is no hook rkbench_methodes; the hooks are",
    ),
    "forgets the mark": (
        METHOD + "def rkbench_methods():\n    return [heun('mine')]\n",
        "rkbench_methods is not marked as a hook; write @hookimpl above it",
    ),
    "has no hook": (METHOD, "It has no hook; write a function such as rkbench_methods"),
    "returns no list": (
        METHOD + "@hookimpl\ndef rkbench_methods():\n    return heun('mine')\n",
        "rkbench_methods returned ButcherTableau; return a list of ButcherTableaus.",
    ),
    "returns nothing": (
        METHOD + "@hookimpl\ndef rkbench_methods():\n    pass\n",
        "rkbench_methods returned NoneType; return a list of ButcherTableaus.",
    ),
    "returns a generator": (
        METHOD + "@hookimpl\ndef rkbench_methods():\n    yield heun('mine')\n",
        "rkbench_methods returned generator; return a list of ButcherTableaus.",
    ),
    "returns nonsense": (
        METHOD + "@hookimpl\ndef rkbench_methods():\n    return [42]\n",
        "rkbench_methods returned 42, which is not a ButcherTableau; remove or build it.",
    ),
    "raises in a hook": (
        METHOD + "@hookimpl\ndef rkbench_methods():\n    raise KeyError('b')\n",
        "KeyError: 'b' (plugin.py, line 8).",
    ),
    "asks a hook for arguments": (
        METHOD + "@hookimpl\ndef rkbench_methods(config):\n    return []\n",
        "PluginValidationError: ",
    ),
    "brings a method that is wrong": (
        METHOD + "@hookimpl\ndef rkbench_methods():\n    return [heun('mine', order=3)]\n",
        "mine: order 3 is claimed, but b has order 2",
    ),
}


def load_text(tmp_path, *texts, names=()):
    """Load files with these contents, beside all that is installed; return their plugins and the registry."""
    files = []
    for number, text in enumerate(texts):
        path = tmp_path / str(number) / (names[number] if names else "plugin.py")
        path.parent.mkdir()
        path.write_text(text)
        files.append(path)
    loaded = registry.load(files)
    return loaded, [plugin for plugin in loaded.plugins if plugin.path]


def test_a_file_brings_its_method_and_says_so(tmp_path):
    loaded, (plugin,) = load_text(tmp_path, GOOD)
    assert loaded.method("mine").order == 2
    assert loaded.owner("method", "mine") is plugin
    assert (plugin.status, plugin.brought, plugin.problems, plugin.notes) == ("ok", ["method mine"], [], [])
    assert plugin.owner == str(tmp_path / "0" / "plugin.py")


@pytest.mark.parametrize("hook", registry.KINDS)
@pytest.mark.parametrize(
    ("deed", "reason"),
    [("raise KeyError('b')", "KeyError: 'b'"), ("return [None]", "{} returned None, which is not a")],
)
def test_any_hook_may_fail_and_what_came_before_is_kept(tmp_path, hook, deed, reason):
    text = METHOD + f"@hookimpl\ndef {hook}():\n    {deed}\n"
    loaded, (bad, good) = load_text(tmp_path, text, GOOD)
    assert bad.problems[0].startswith(reason.format(hook))
    assert good.brought == ["method mine"]
    assert "mine" in loaded.methods


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_is_listed_with_its_reason_and_the_rest_works_on(tmp_path, fault):
    text, reason = BROKEN[fault]
    loaded, (bad, good) = load_text(tmp_path, text, GOOD)
    assert bad.status == "failed"
    (problem,) = bad.problems
    assert problem.startswith(reason)
    assert "\n" not in problem
    assert bad in loaded.broken()
    assert good.status == "ok"
    assert {"mine", "rk4", "dopri5"} <= loaded.methods.keys()


def test_what_is_sound_in_a_partly_broken_plugin_is_kept(tmp_path):
    text = METHOD + "@hookimpl\ndef rkbench_methods():\n    return [heun('mine'), None]\n"
    loaded, (plugin,) = load_text(tmp_path, text)
    assert plugin.status == "partly refused"
    assert plugin.problems == [
        "rkbench_methods returned None, which is not a ButcherTableau; remove or build it."
    ]
    assert "mine" in loaded.methods


def test_an_underclaimed_method_is_taken_with_a_note(tmp_path):
    loaded, (plugin,) = load_text(
        tmp_path, METHOD + "@hookimpl\ndef rkbench_methods():\n    return [heun('mine', order=1)]\n"
    )
    assert plugin.status == "ok"
    assert plugin.notes == ["mine: order is claimed to be 1, but b has order 2, which is used."]
    assert loaded.method("mine").order == 2


def test_what_a_plugin_prints_is_not_shown(tmp_path, capfd):
    noise = "import sys\nprint('x' * 10**7)\nprint('y' * 10**6, file=sys.stderr)\n"
    _, (plugin,) = load_text(tmp_path, noise + GOOD)
    assert plugin.status == "ok"
    assert capfd.readouterr() == ("", "")


def test_a_stop_by_the_user_passes_through(tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            load_text(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_stop_that_a_plugin_pretends_is_its_own_problem(tmp_path):
    _, (plugin,) = load_text(tmp_path, "raise KeyboardInterrupt\n")
    assert plugin.problems == ["KeyboardInterrupt: no message (plugin.py, line 1)."]


def test_a_built_in_keeps_its_name_and_the_stranger_is_told(tmp_path):
    built_in = registry.default().method("rk4")
    loaded, (plugin,) = load_text(tmp_path, GOOD.replace("'mine'", "'rk4'"))
    assert loaded.method("rk4") == built_in
    assert plugin.status == "failed"
    assert plugin.problems[0].startswith("The method 'rk4' is refused: rkbench ")
    assert plugin.problems[0].endswith(f"and {plugin.path} each bring one of that name; rename it.")
    assert not any(other.problems for other in loaded.plugins if other is not plugin)


def test_two_strangers_of_one_name_are_both_refused_and_both_named(tmp_path):
    loaded, plugins = load_text(tmp_path, GOOD, GOOD)
    assert "mine" not in loaded.methods
    for plugin in plugins:
        assert plugin.status == "failed"
        assert all(other.path in plugin.problems[0] for other in plugins)


def test_one_name_may_stand_for_a_method_and_a_controller(tmp_path):
    text = GOOD + (
        "from rkbench import StepController\n@hookimpl\ndef rkbench_controllers():\n"
        "    return [StepController('mine', propose=lambda errors, ratios, k: 1.0)]\n"
    )
    loaded, (plugin,) = load_text(tmp_path, text)
    assert plugin.brought == ["method mine", "controller mine"]
    assert loaded.controller("mine").name == loaded.method("mine").name


def test_a_file_that_is_not_there_is_told(tmp_path):
    loaded = registry.load([tmp_path / "nowhere.py"])
    assert loaded.plugins[-1].owner == str(tmp_path / "nowhere.py")
    assert loaded.plugins[-1].problems == ["There is no such file; give the path of a Python file."]


def test_a_file_that_is_no_python_is_told(tmp_path):
    _, (plugin,) = load_text(tmp_path, GOOD, names=["plugin.txt"])
    assert plugin.problems[0].startswith("It is not a Python file; its name must end in .py")


def test_two_files_of_one_name_do_not_replace_each_other(tmp_path):
    loaded, _ = load_text(tmp_path, GOOD, GOOD.replace("'mine'", "'yours'"))
    assert {"mine", "yours"} <= loaded.methods.keys()


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(
        UnknownNameError, match=r"There is no method named 'dopri'; did you mean dopri8, dopri5\?"
    ):
        registry.default().method("dopri")


@pytest.mark.parametrize("kind", ["method", "controller", "engine", "task"])
def test_a_name_like_no_other_is_answered_with_how_to_see_all(kind):
    with pytest.raises(
        UnknownNameError, match=f"There is no {kind} named 'zzzzz'; .*`rkbench list {kind}s` shows all"
    ):
        getattr(registry.default(), kind)("zzzzz")


def test_everything_is_listed_by_name():
    loaded = registry.default()
    for items in (loaded.methods, loaded.controllers, loaded.engines, loaded.tasks):
        assert list(items) == sorted(items) != []


# Entry points, as of installed distributions.


def installed(monkeypatch, modules):
    """Make these (distribution, name, module or exception) the installed plugins and no other."""

    class Entry:
        def __init__(self, distribution, name, module):
            self.name, self.module = name, module
            self.dist: Any = SimpleNamespace(name=distribution, version="1.2")

        def load(self):
            if isinstance(self.module, BaseException):
                raise self.module
            return self.module

    def entry_points(group):
        assert group == "rkbench"
        return [Entry(*module) for module in modules]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    return registry.load()


def module_of(text):
    """A module with these contents."""
    namespace = {"__name__": "stranger"}
    exec(text, namespace)  # the text stands in this file
    return SimpleNamespace(**{name: thing for name, thing in namespace.items() if not name.startswith("__")})


def test_an_installed_plugin_is_named_by_its_distribution(monkeypatch):
    loaded = installed(monkeypatch, [("rk-stranger", "mine", module_of(GOOD))])
    assert loaded.owner("method", "mine").owner == "rk-stranger 1.2"


def test_an_installed_plugin_that_cannot_be_imported_is_listed(monkeypatch):
    loaded = installed(
        monkeypatch,
        [("rk-lost", "lost", ImportError("no module x")), ("rk-stranger", "mine", module_of(GOOD))],
    )
    (lost,) = loaded.broken()
    assert (lost.distribution, lost.status) == ("rk-lost", "failed")
    assert lost.problems[0].startswith("ImportError: no module x")
    assert "mine" in loaded.methods


def test_an_installed_plugin_that_leaves_the_program_is_listed(monkeypatch):
    loaded = installed(
        monkeypatch, [("rk-rude", "rude", SystemExit(3)), ("rk-stranger", "mine", module_of(GOOD))]
    )
    assert [plugin.name for plugin in loaded.broken()] == ["rude"]
    assert "mine" in loaded.methods


def test_our_own_distribution_comes_first_and_keeps_its_names(monkeypatch):
    theirs, ours = module_of(GOOD), module_of(GOOD)
    loaded = installed(monkeypatch, [("a-stranger", "mine", theirs), ("rkbench", "solvers", ours)])
    assert [plugin.distribution for plugin in loaded.plugins] == ["rkbench", "a-stranger"]
    assert loaded.owner("method", "mine").distribution == "rkbench"


def test_a_distribution_installed_twice_is_asked_once(monkeypatch):
    module = module_of(GOOD)
    loaded = installed(monkeypatch, [("rk-stranger", "mine", module), ("rk-stranger", "mine", module)])
    assert len(loaded.plugins) == 1
    assert "mine" in loaded.methods


def test_loading_twice_in_a_process_gives_one_registry():
    assert registry.default() is registry.default()


def test_a_plugin_error_is_a_sentence_for_the_user():
    with pytest.raises(PluginError, match="give the path of a Python file"):
        registry._importer("nowhere.py")()
