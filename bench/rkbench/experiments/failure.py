"""How an experiment says that it has no result."""


class ExperimentFailed(Exception):
    """An experiment that ended without a result; ``status`` names how, as in `rkbench.record.CellStatus`."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
