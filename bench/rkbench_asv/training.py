"""Time of one training step of the slides' network: forward, backward, update; eager and compiled."""

from .workload import TIMED, Timed, batch, network


class Step(Timed):
    """One step of Adam on one batch of 128."""

    params = TIMED
    param_names = ["solver"]
    number = 5

    def setup(self, solver):
        """Build the network, its optimiser and its batch."""
        self._prepare(network(solver))

    def _prepare(self, model):
        import torch

        torch.set_num_threads(1)
        self.network = model
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4)
        self.loss = torch.nn.CrossEntropyLoss()
        self.x, self.labels = batch()

    def time_step(self, solver):
        """Take one step."""
        self.optimizer.zero_grad()
        self.loss(self.network(self.x), self.labels).backward()
        self.optimizer.step()


class CompiledStep(Step):
    """The same with the solve compiled; not available where a commit cannot compile."""

    params = ["rk4 x10", "dopri5 1e-3"]

    def setup(self, solver):
        """Build the network and let it compile, whose time does not count."""
        from rkbench.errors import UserError

        try:
            compiled = network(solver, compile=True)
        except UserError as error:
            raise NotImplementedError("this commit does not compile") from error
        self._prepare(compiled)
        for _ in range(3):
            self.time_step(solver)
