"""Time of one training step of the slides' network: forward, backward, update."""

from .workload import SOLVERS, Timed, batch, network


class Step(Timed):
    """One step of Adam on one batch of 128."""

    params = list(SOLVERS)
    param_names = ["solver"]
    number = 5

    def setup(self, solver):
        """Build the network, its optimiser and its batch."""
        import torch

        torch.set_num_threads(1)
        self.network = network(solver)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4)
        self.loss = torch.nn.CrossEntropyLoss()
        self.x, self.labels = batch()

    def time_step(self, solver):
        """Take one step."""
        self.optimizer.zero_grad()
        self.loss(self.network(self.x), self.labels).backward()
        self.optimizer.step()
