"""The budget of one fit, which no measurement can overdraw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dbsynth.errors import EngineError
from dbsynth.private.accountant import Loss, total
from dbsynth.private.contents import WHOLE
from dbsynth.private.mechanisms import Noise

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Spent:
    """One noisy answer that was paid for.

    Attributes:
        scale: Standard deviation of its noise; 0 for a choice.
        cells: Numbers that it holds.
    """

    subject: str
    loss: Loss
    scale: float = 0.0
    cells: int = 0


@dataclass
class Purse:
    """Pays for every noisy answer before it is given."""

    budget: Loss
    noise: Noise
    spent: list[Spent] = field(default_factory=list)

    def counts(self, subject: str, exact: Int64, sensitivity: int, rho: float) -> Int64:
        """Noisy counts; see `Noise.counts`."""
        scale = sensitivity / np.sqrt(2 * rho)
        self._pay(Spent(subject, Loss(rho), float(scale), len(exact)))
        return self.noise.counts(exact, sensitivity, rho)

    def weights(self, subject: str, exact: Int64, cap: int, rho: float) -> Float64:
        """Noisy sums of weights of rows, in rows; those of an entity weigh ``cap`` at most."""
        self._pay(Spent(subject, Loss(rho), float(cap / np.sqrt(2 * rho)), len(exact)))
        return self.noise.counts(exact, cap * WHOLE, rho) / WHOLE

    def choose(self, subject: str, scores: Sequence[int], sensitivity: int, rho: float) -> int:
        """A private choice; see `Noise.choose`."""
        self._pay(Spent(subject, Loss(rho)))
        return self.noise.choose(scores, sensitivity, rho)

    def shared(
        self, subject: str, holders: Mapping[str, int], most: int, loss: Loss
    ) -> frozenset[str]:
        """Values that enough entities hold; see `Noise.shared`."""
        self._pay(Spent(subject, loss))
        return self.noise.shared(holders, most, loss.rho, loss.delta)

    @property
    def loss(self) -> Loss:
        """All that was spent."""
        return total(one.loss for one in self.spent)

    def _pay(self, one: Spent) -> None:
        after = self.loss + one.loss
        if after.rho > self.budget.rho * (1 + _SLACK) or after.delta > self.budget.delta * (
            1 + _SLACK
        ):
            raise EngineError(
                f"measuring {one.subject} would overdraw the budget of this fit: rho"
                f" {after.rho:.6g} of {self.budget.rho:.6g}, delta {after.delta:.3g} of"
                f" {self.budget.delta:.3g}",
                hint="nothing of it was measured; please report this",
            )
        self.spent.append(one)
