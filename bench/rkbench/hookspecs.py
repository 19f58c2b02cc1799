"""The whole extension surface. Each hook is optional, returns a list, and shows a working plugin.

A plugin is a module. Package it with the entry point ``[project.entry-points.rkbench] mine = "my_module"``,
or pass the file itself: ``rkbench run --plugin mine.py``.
"""

# ruff: noqa: D205, D400, D415 -- a hook's docstring is a plugin, not a sentence

import pluggy

hookspec = pluggy.HookspecMarker("rkbench")
hookimpl = pluggy.HookimplMarker("rkbench")


@hookspec
def rkbench_methods():
    """Return Butcher tableaux.

    from rkbench import ButcherTableau, Citation, hookimpl

    @hookimpl
    def rkbench_methods():
        return [ButcherTableau(name="my_heun", order=2, c="0 1", a=("", "1"), b="1/2 1/2",
                               source=Citation("Heun", 1900))]
    """


@hookspec
def rkbench_controllers():
    """Return step-size controllers: each proposes the factor h_new / h from past error norms, newest first.

    from rkbench import StepController, hookimpl

    @hookimpl
    def rkbench_controllers():
        return [StepController(name="my_i", propose=lambda errors, ratios, k: errors[0] ** (-1 / k))]
    """


@hookspec
def rkbench_engines():
    """Return engines: objects with a name that execute a whole solve (see `rkbench.Engine`).

    from rkbench import NativeEngine, hookimpl

    class Twin(NativeEngine):
        name = "twin"

    @hookimpl
    def rkbench_engines():
        return [Twin()]
    """


@hookspec
def rkbench_tasks():
    """Return tasks: classifiers to train on a dataset (see `rkbench.Task`), any model with its own data, loss and score
    (see `rkbench.ModelTask`), problems to solve (see `rkbench.SolveTask`) or to differentiate (see `rkbench.GradientTask`),
    or gradients to be followed through a network (see `rkbench.SignalTask`).

    from rkbench import Recipe, Task, hookimpl

    def network(solver, example, classes):
        import torch
        from rkbench import ODEBlock

        class Field(torch.nn.Linear):
            def forward(self, t, y):
                return torch.tanh(super().forward(y))

        block = ODEBlock(Field(64, 64), solver=solver)
        return torch.nn.Sequential(torch.nn.Flatten(), block, torch.nn.Linear(64, classes))

    @hookimpl
    def rkbench_tasks():
        return [Task(name="my_digits8", dataset="digits8", network=network,
                     recipe=Recipe(epochs=5), target=0.9)]
    """
