"""What one strategy of one account has going in one market: the orders at the venue and the position they protect."""

from msgspec import Struct

from consumers.execution import orders
from consumers.gateway import paper
from schemas.signals import Signal
from schemas.trading import Fill, Intent, Order, Position, Refusal

Output = Intent | Order | Fill | Position | Refusal


class Desk(Struct):
    """One strategy's side of a market. `decided` holds the ids of the signals decided at `decided_at` (epoch ms), the latest."""

    running: bool = True
    decided_at: int = 0
    decided: tuple[str, ...] = ()
    resting: tuple[paper.Resting, ...] = ()
    position: Position | None = None

    def is_new(self, signal: Signal) -> bool:
        """Whether a signal was not decided yet; from now on it was. Signals come in order of time: an earlier one is a copy."""
        if signal.time > self.decided_at:
            self.decided_at, self.decided = signal.time, ()
        if signal.time < self.decided_at or signal.id in self.decided:
            return False
        self.decided += (signal.id,)
        return True

    def entry(self) -> Order | None:
        """The entry still waiting for its trade."""
        return next((one.order for one in self.resting if one.order.leg == "entry"), None)

    def place(self, intent: Intent, until: int | None = None) -> list[Output]:
        """The intent first, then the order it becomes."""
        order = orders.accept(intent)
        self.resting += (paper.rest(order, until),)
        return [intent, order]

    def take(self, client_order_id: str) -> Order | None:
        """Lift an order off the venue; None when it is no longer there."""
        found = next((one.order for one in self.resting if one.order.client_order_id == client_order_id), None)
        self.resting = tuple(one for one in self.resting if one.order is not found)
        return found

    def cancel_all(self, reason: str, time: int) -> list[Output]:
        """Take everything back."""
        canceled = [orders.cancel(one.order, reason, time) for one in self.resting]
        self.resting = ()
        return [*canceled]
