"""What the records of a play amount to, held against what the venue traded."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from pipelines.candles import Candles
from pipelines.continuity import Continuity
from producers.dialect import Trade
from producers.outcome import BEING_FETCHED
from schemas import exact
from schemas.market import Gap, Trades
from tests.producers.model import by_price
from tests.producers.play import Play
from tests.producers.tape import MINUTE


class Seen:
    """What the records of a play amount to."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self.records = play.records
        self._venue = by_price(play.venue)
        self.published = [trade for record in self.records for trade in told(record)]

    @property
    def since(self) -> int:
        """From when on (ms) trades were to be published: where the venue's own minutes end."""
        ends = [record.history[-1].open_time + MINUTE for record in self.records if record.history]
        return min(ends, default=self.records[0].watermark)

    def missing(self) -> list[Trade]:
        """The venue's trades that were to be published and were not."""
        known = {trade.price for trade in self.published}
        return [trade for trade in self._venue.values() if trade.time >= self.since and trade.price not in known]

    def gaps(self) -> list[Gap]:
        """Those that are open at the end."""
        return list(list(self._states())[-1].values()) if self.records else []

    def wrong_watermarks(self) -> list[str]:
        """Where it moved back, passed a gap that was being fetched, or came before a trade that was published later."""
        wrong = []
        for (before, record), gaps in zip(pairwise(self.records), list(self._states())[1:], strict=True):
            if record.watermark < before.watermark:
                wrong.append(f"back to {record.watermark}")
            wrong += [f"past {gap}" for gap in gaps.values() if gap.reason == BEING_FETCHED and record.watermark > gap.since]
            late = [time for time in record.times if time < before.watermark]
            if record.kind == "live" or not self.overdue:
                wrong += [f"trade of {time} after {before.watermark}" for time in late]
        return wrong

    def disorder(self) -> list[str]:
        """Ids that do not rise within what came live, or within what was repaired; what REST failed too long to give apart."""
        wrong = []
        for kind in ("live", "repair"):
            ids = [trade_id for record in self.records if record.kind == kind for trade_id in record.ids]
            wrong += [f"{kind}: {second} after {first}" for first, second in pairwise(ids) if second <= first]
        return [] if self.overdue else wrong

    @property
    def overdue(self) -> bool:
        """Whether REST failed so long that candles did not wait for it any more."""
        return any(record.gap and record.gap.reason.startswith("cannot be fetched") for record in self.records)

    def lies(self) -> list[str]:
        """Candles that are called complete, or empty, and lack a trade."""
        candles = Candles(Continuity())
        wrong = []
        for record in self.records:
            for closed in candles.fold(record).closed:
                opened = closed.bar.open_time
                made = sum(opened <= trade.time < opened + MINUTE for trade in self._venue.values())
                if closed.source == "trades" and closed.status in ("complete", "synthetic") and closed.bar.trades != made:
                    wrong.append(f"{opened}: {closed.bar.trades} of {made} trades, {closed.status}")
        return wrong

    def _states(self) -> Iterator[dict[int, Gap]]:
        gaps: dict[int, Gap] = {}
        for record in self.records:
            if record.gap is not None:
                gaps.pop(record.gap.after_id, None)
                if record.gap.open:
                    gaps[record.gap.after_id] = record.gap
            yield dict(gaps)


def told(record: Trades) -> list[Trade]:
    """The trades of a record, as the venue told them but for names."""
    rows = zip(record.ids, record.times, record.prices, record.amounts, record.taker_buys, strict=True)
    return [
        Trade(key, key, time, _number(price, record.price_scale), _number(amount, record.amount_scale), buy)
        for key, time, price, amount, buy in rows
    ]


def _number(value: int, scale: int) -> Decimal:
    return exact.from_scaled(value, scale)
