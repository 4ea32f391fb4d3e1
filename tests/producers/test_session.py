"""A line without a socket: frames and answers in, what is to be done out."""

from decimal import Decimal

import pytest
from msgspec import structs

from producers.continuity import Audit, Audited, Position, Repair, Repaired, Stream
from producers.dialect import (
    Acknowledged,
    Announced,
    Asked,
    CandlePushed,
    Channel,
    Funded,
    Held,
    Ignored,
    Kind,
    Marked,
    Quoted,
    Refused,
    Request,
)
from producers.frames import KEPT, Cut
from producers.requests import ACKNOWLEDGE_S
from producers.session import Session
from producers.talk import OVERLAP_S, PONG_S, QUIET_S
from producers.tally import Tally
from producers.todo import End, Send, Snapshot, Todo
from schemas.market import (
    Book,
    DeadLetter,
    Funding,
    HistoryCandle,
    Instrument,
    Mark,
    Notice,
    OpenInterest,
    Quote,
    Trades,
    VenueCandle,
)
from tests.producers.toy import BTC, ETH, RECEIVED, START, Toy, asked, book, line, pushed, told, trade

ALL = tuple(Kind)


class Play:
    """A session on one connection, and shorthand for what happens to it. Every second is told to it."""

    def __init__(self, *instruments: Instrument, last: int = 3, **different) -> None:
        self.dialect = Toy(
            **{"kinds": ALL, "limits": structs.replace(Toy.limits, channels=100, messages_per_s=float("inf")), **different}
        )
        self.now = 0.0
        self.tally = Tally()
        found = line(self.dialect, *(instruments or (BTC,)))
        position = Position(trade(last), trade(last).time)
        streams = {
            one.market_id: Stream(one, self.dialect.ids(one), 100, "live", position, self.tally.counts, 0.0)
            for one in found.instruments
        }
        self.session = Session(self.dialect, found, streams, "toy#0", self.tally)

    @property
    def received(self) -> int:
        return RECEIVED + int(self.now * 1_000_000)

    def connect(self, connection: int = 1) -> Todo:
        return self.session.connected(connection, START + int(self.now * 1000), self.received, self.now)

    def hear(self, *events, connection: int = 1) -> Todo:
        """Each event in a frame of its own, all read together."""
        return self.read(*(self.dialect.frame(event) for event in events), connection=connection)

    def read(self, *frames: bytes, connection: int = 1) -> Todo:
        return self.session.frames(connection, frames, self.received, self.now)

    def tick(self, seconds: float = 0.1, *, reading: bool = True) -> Todo:
        """So much later; it was told in between that time passes, as it is ten times a second."""
        while seconds > 1.0:
            seconds -= 1.0
            self.now += 1.0
            assert self.session.tick(self.received, self.now, reading=reading).ends == []
        self.now += seconds
        return self.session.tick(self.received, self.now, reading=reading)

    def live(self) -> "Play":
        """Connected, granted, and nothing missing before the next trade."""
        self.connect()
        self.hear(Acknowledged(request=1))
        self.repair()
        return self

    def repairs(self, connection: int = 1) -> list[Repair]:
        """What is asked for a moment after a subscription: until then a trade may show that nothing is missing."""
        found: list[Repair] = []
        for _ in range(50):
            found += (one for one in self.tick().wanted if isinstance(one, Repair))
            self.read(connection=connection)
        return found

    def repair(self, *ids: int, connection: int = 1) -> Todo:
        """REST finds these trades, and that there are no others."""
        made = Todo()
        for wanted in self.repairs(connection):
            found = Repaired(wanted, tuple(trade(one) for one in ids), complete_to=self.received // 1000)
            made.records += self.session.repaired(found, self.received, self.now).records
        return made


def kept(todo: Todo, kind: type) -> list:
    return [record for record in todo.records if isinstance(record, kind)]


def ids(todo: Todo) -> list[int]:
    return [one for record in kept(todo, Trades) for one in record.ids]


def test_a_connection_begins_with_the_subscriptions_and_an_acknowledgement_with_asking_what_is_missing():
    play = Play()
    (send,) = play.connect().sends
    assert asked(send.text) == [f"{kind}:BTC" for kind in Kind]
    (record,) = kept(play.hear(Acknowledged(request=1)), Trades)
    assert (record.gap.after_id, record.gap.open) == (3, True)
    assert [(wanted.market_id, wanted.after.id) for wanted in play.repairs()] == [("BTC", 3)]
    assert ids(play.hear(pushed(4))) == [4]


def test_frames_read_together_are_one_record_and_the_newest_quote_of_each_instrument():
    play = Play(BTC, ETH).live()
    one = Decimal(1)
    quotes = [Quoted("BTC", START + 4000 + at, one, one, one + at, one) for at in range(3)]
    other = Quoted("ETH", START + 4000, one, one, one, one)
    todo = play.hear(pushed(4), quotes[0], pushed(5, market_id="ETH"), pushed(5, 6), quotes[1], other, quotes[2])
    assert [(record.symbol, record.ids) for record in kept(todo, Trades) if record.ids] == [
        ("BTC/USDT", (4, 5, 6)),
        ("ETH/USDT", (5,)),
    ]
    assert [(quote.symbol, quote.ask) for quote in kept(todo, Quote)] == [("BTC/USDT", 3), ("ETH/USDT", 1)]
    assert (play.tally.messages[Kind.TRADES], play.tally.messages[Kind.QUOTES], play.tally.conflated[Kind.QUOTES]) == (3, 4, 2)


def test_a_quote_without_a_time_has_that_of_the_venue_s_clock():
    play = Play().live()
    play.now = 10.0
    play.hear(pushed(4, 5, 6, 7, 8))  # sent at 8 s, received at 10 s
    play.now = 11.0
    one = Decimal(1)
    (quote,) = kept(play.hear(Quoted("BTC", 0, one, one, one, one)), Quote)
    assert (quote.time, quote.received) == (START + 9_000, RECEIVED + 11_000_000)


CANDLE = HistoryCandle(START, *(Decimal(at) for at in (1, 4, 1, 2, 9, 18)))
TOLD = {
    "a mark price": (
        Marked("BTC", START, Decimal(7), Decimal(8)),
        Mark("toy", "BTC/USDT", START, RECEIVED, Decimal(7), Decimal(8)),
    ),
    "a funding rate": (
        Funded("BTC", START, Decimal("-0.0001"), START + 1),
        Funding("toy", "BTC/USDT", START, RECEIVED, Decimal("-0.0001"), START + 1),
    ),
    "open interest": (Held("BTC", START, Decimal(5)), OpenInterest("toy", "BTC/USDT", START, RECEIVED, Decimal(5))),
    "the venue's candle": (
        CandlePushed("BTC", CANDLE, 3, closed=True),
        VenueCandle("toy", "BTC/USDT", START, RECEIVED, *(Decimal(at) for at in (1, 4, 1, 2, 9, 18)), 3, closed=True),
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_else_a_venue_tells_becomes_a_record(case):
    event, record = TOLD[case]
    play = Play().live()
    assert play.hear(event, event).records == [structs.replace(record, received=play.received)]
    assert sum(play.tally.conflated.values()) == 1


def test_a_closed_candle_is_not_replaced_by_the_next_minute():
    play = Play().live()
    later = structs.replace(CANDLE, open_time=START + 60_000)
    todo = play.hear(CandlePushed("BTC", CANDLE, 3, closed=True), CandlePushed("BTC", later, 1, closed=False))
    assert [(one.open_time, one.closed) for one in kept(todo, VenueCandle)] == [(START, True), (START + 60_000, False)]


def test_a_book_that_breaks_is_told_and_its_channel_alone_subscribed_to_anew():
    play = Play(BTC, ETH).live()
    assert len(kept(play.hear(book(1, 10, snapshot=True)), Book)) == 1
    play.now = 1.0
    (broken,) = kept(play.hear(book(15, 16)), Book)
    assert broken.broken is not None
    assert [asked(send.text) for send in play.tick().sends] == [["book:BTC"], ["book:BTC"]]


def test_a_book_that_begins_over_rest_is_fetched():
    play = Play(book=Request("depth", {}))
    play.connect()
    todo = play.hear(Acknowledged(request=1))
    wanted = Snapshot(1, "BTC")
    assert wanted in todo.wanted
    assert play.session.fetched(wanted, None, RECEIVED, 0.0).records == []
    assert play.tick(0.5).wanted == []
    assert wanted in play.tick(0.6).wanted
    (told,) = play.session.fetched(wanted, book(1, 10, snapshot=True), RECEIVED, 1.2).records
    assert isinstance(told, Book)
    assert play.session.fetched(Snapshot(7, "BTC"), book(1, 10, snapshot=True), RECEIVED, 1.3) == Todo()


ONE = Decimal(1)
BURIED = {
    "a quote of an instrument that nobody asked for": (Quoted("X", START, ONE, ONE, ONE, ONE), "not subscribed to 'X'"),
    "trades of an instrument that nobody asked for": (pushed(9, market_id="X"), "not subscribed to 'X'"),
    "a time in the future": (told(START + 3_700_000, 9), "is in the future"),
}


@pytest.mark.parametrize("case", BURIED)
def test_what_cannot_be_is_buried_and_the_rest_of_its_frame_counts(case):
    event, reason = BURIED[case]
    play = Play().live()
    frame = play.dialect.frame(event, pushed(4))
    todo = play.read(frame)
    (letter,) = kept(todo, DeadLetter)
    assert reason in letter.reason
    assert (letter.source, letter.payload, letter.received) == ("toy#0", frame, play.received)
    assert ids(todo) == [4]
    assert play.tally.dead_letters == 1


def test_rubbish_is_kept_byte_for_byte_and_what_is_too_large_is_cut_with_its_length():
    play = Play().live()
    cut = Cut(b"z" * KEPT)
    cut.size = 9_000_000
    todo = play.read(b"\x00\xff", b"y" * (KEPT + 1), cut, play.dialect.frame(pushed(4)))
    letters = kept(todo, DeadLetter)
    assert [len(letter.payload) for letter in letters] == [2, KEPT, KEPT]
    assert letters[0].payload == b"\x00\xff"
    assert [letter.reason for letter in letters] == [
        "never heard of that",
        f"never heard of that (the first {KEPT} of {KEPT + 1} bytes)",
        f"never heard of that (the first {KEPT} of 9000000 bytes)",
    ]
    assert ids(todo) == [4]


def test_a_question_is_answered_on_its_connection():
    play = Play().live()
    assert play.hear(Asked("test"), Ignored("pong")).sends == [Send(1, "test")]


def test_an_announced_end_and_a_listing_are_told_and_acted_on():
    play = Play().live()
    todo = play.hear(Announced("closing", "64008", "upgrade soon"), Announced("listing", "", "new", "BTC"))
    assert [(one.kind, one.code, one.message, one.symbol) for one in todo.notices] == [
        ("closing", "64008", "upgrade soon", None),
        ("listing", "", "new", "BTC/USDT"),
    ]
    assert todo.listing
    assert play.tick().overlap
    assert not play.tick().overlap


def test_maintenance_ends_when_the_venue_says_so_or_when_trades_arrive():
    play = Play().live()
    play.hear(Announced("maintenance", "1", "back at noon"))
    assert play.session.maintenance == "back at noon"
    play.hear(Announced("resumed", "2", "here we are"))
    assert play.session.maintenance is None
    (notice,) = play.session.paused("503", "not available", RECEIVED, 1.0).notices
    assert (notice.kind, notice.code, notice.message) == ("maintenance", "503", "not available")
    assert play.session.paused("503", "still not", RECEIVED, 2.0).notices == []
    (notice,) = play.hear(pushed(4)).notices
    assert (notice.kind, play.session.maintenance) == ("resumed", None)


def test_a_refused_channel_is_reported_by_name_and_the_others_live_on():
    play = Play(BTC, ETH, kinds=(Kind.TRADES,))
    play.connect()
    bad = Channel(Kind.TRADES, "ETH")
    todo = play.hear(Refused("60018", "does not exist", channels=(bad,)), Acknowledged(request=1))
    (notice,) = todo.notices
    message = "trades of ETH: does not exist; asked for again in 10 s"
    assert notice == Notice("toy", RECEIVED, "refused", "60018", message, "ETH/USDT")
    assert {record.symbol for record in kept(todo, Trades)} == {"BTC/USDT"}
    assert ids(play.hear(pushed(4))) == [4]
    sent = [send for _ in range(120) for send in play.tick().sends if send.text != "ping"]
    assert [asked(send.text) for send in sent] == [["trades:ETH"]]
    assert play.tally.refused == 1
    assert {record.symbol for record in kept(play.hear(Acknowledged(request=2)), Trades)} == {"ETH/USDT"}


def test_an_error_that_nobody_can_place_is_told():
    (notice,) = Play().live().hear(Refused("1", "slow down")).notices
    assert (notice.kind, notice.code, notice.message, notice.symbol) == ("refused", "1", "slow down", None)


def test_a_silent_connection_is_pinged_and_then_given_up():
    play = Play(kinds=(Kind.QUOTES,)).live()
    assert play.tick(QUIET_S).sends == []
    assert play.tick(0.1).sends == [Send(1, "ping")]
    assert play.tick(PONG_S).ends == []
    assert play.tick(0.1).ends == [End(1, "silent connection")]
    assert play.tick(0.1).ends == []


def test_any_frame_is_a_sign_of_life_and_none_is_needed_to_be_one():
    play = Play(kinds=(Kind.QUOTES,)).live()
    for _ in range(100):
        assert play.tick(1.0).ends == []
        play.read()


def test_what_a_connection_begins_with_has_been_received_though_the_venue_acknowledges_nothing():
    play = Play(acknowledges=False)
    play.now = 3.0
    records = [one for one in play.connect().records if isinstance(one, Trades)]
    assert [one.received for one in records] == [play.received]


def test_a_venue_that_acknowledges_nothing_is_asked_twice_and_left():
    play = Play()
    play.connect()
    play.read()
    assert play.tick(ACKNOWLEDGE_S).sends == []
    assert len(play.tick(0.1).sends) == 2  # a ping as well
    play.read()
    assert play.tick(ACKNOWLEDGE_S).ends == []
    assert play.tick(0.2).ends == [End(1, "subscription not acknowledged")]


def test_nothing_is_given_up_while_kafka_keeps_us_from_reading():
    play = Play()
    play.connect()
    for _ in range(300):
        todo = play.tick(1.0, reading=False)
        assert (todo.ends, todo.wanted, todo.records) == ([], [], [])
    play.tick(0.1)
    assert ids(play.hear(Acknowledged(request=1), pushed(4))) == [4]


def test_a_process_that_was_away_itself_gives_nothing_up():
    play = Play(kinds=(Kind.TRADES,)).live()
    assert Send(1, "ping") in play.tick(QUIET_S + 0.1).sends
    play.now += 3_600.0  # a laptop was closed
    todo = play.session.tick(play.received, play.now)
    assert (todo.ends, todo.wanted) == ([], [])
    assert ids(play.hear(pushed(4))) == [4]


def test_two_connections_bring_each_trade_once_and_the_first_leaves_when_the_second_has_everything():
    play = Play().live()
    play.hear(Announced("closing", "", "soon"))
    assert play.tick().overlap
    play.connect(2)
    assert ids(play.hear(pushed(4))) == [4]
    assert play.hear(Acknowledged(request=1), connection=2).wanted == []
    assert ids(play.hear(pushed(4, 5), connection=2)) == [5]
    assert ids(play.hear(pushed(5, 6))) == [6]
    quote = Quoted("BTC", START, ONE, ONE, ONE, ONE)
    assert kept(play.hear(quote, connection=2), Quote) == []
    assert len(kept(play.hear(quote), Quote)) == 1
    assert play.tick(OVERLAP_S - 0.2).ends == []
    assert play.tick(0.3).ends == [End(1, "planned")]
    todo = play.session.left(1, play.received, play.now)
    assert (todo.records, todo.wanted) == ([], [])
    assert len(kept(play.hear(quote, connection=2), Quote)) == 1
    assert ids(play.hear(pushed(7), connection=2)) == [7]
    assert play.tally.counts.gaps == 1


def test_when_the_first_connection_dies_before_the_second_is_granted_what_is_missing_is_asked_for():
    play = Play().live()
    play.hear(pushed(4))
    play.connect(2)
    left = play.session.left(1, play.received, play.now)
    assert [(record.gap.after_id, record.gap.open) for record in kept(left, Trades)] == [(4, True)]
    play.hear(Acknowledged(request=1), connection=2)
    assert [wanted.after.id for wanted in play.repairs(2)] == [4]


def test_a_lost_connection_is_a_gap_at_once_and_every_book_that_was_told_is_broken():
    play = Play().live()
    play.hear(pushed(4), book(1, 10, snapshot=True))
    todo = play.session.left(1, play.received, play.now)
    assert [one.broken for one in kept(todo, Book)] == ["the connection was lost"]
    (record,) = kept(todo, Trades)
    assert (record.gap.after_id, record.gap.open) == (4, True)
    play.connect(2)
    play.hear(Acknowledged(request=1), connection=2)
    assert ids(play.repair(5, 6, connection=2)) == [5, 6]
    assert ids(play.hear(pushed(7), connection=2)) == [7]


def _deafen(play: Play, newest: int) -> Todo:
    """Nothing comes until REST is asked, which knows more than we were sent; then what is done about it."""
    for _ in range(900):
        todo = play.tick()
        play.read()
        audits = {wanted.market_id: wanted for wanted in todo.wanted if isinstance(wanted, Audit)}
        for market_id, wanted in audits.items():
            last = newest if market_id == "BTC" else 4
            known = tuple(trade(one) for one in range(last - 3, last + 1))
            play.session.audited(Audited(wanted, known, complete_to=play.received // 1000), play.received, play.now)
        if "BTC" in audits:
            return play.tick()
    raise AssertionError("REST was never asked")


def test_a_deaf_stream_is_subscribed_to_anew_then_reconnected_then_moved_to_another_host():
    play = Play(BTC, ETH, structs.replace(ETH, symbol="SOL/USDT", market_id="SOL"), kinds=(Kind.TRADES,)).live()
    for market_id in ("BTC", "ETH", "SOL"):
        play.hear(pushed(4, market_id=market_id))
    todo = _deafen(play, 5)
    assert [asked(send.text) for send in todo.sends if send.text != "ping"] == [["trades:BTC"], ["trades:BTC"]]
    (notice,) = todo.notices
    assert (notice.kind, notice.message) == ("silent", "the venue traded and did not tell of BTC: resubscribe")
    play.hear(Acknowledged(request=3))
    play.repair()
    assert _deafen(play, 7).ends == [End(1, "silent stream", "BTC")]
    play.session.left(1, play.received, play.now)
    play.connect(1)
    play.hear(Acknowledged(request=1))
    play.repair()
    assert _deafen(play, 9).ends == [End(1, "silent stream", "BTC", next_host=True)]


def test_a_quiet_market_is_never_disturbed():
    """Ten minutes without a trade: REST is asked now and then and knows no other either."""
    play = Play().live()
    ends, asked_rest = [], 0
    for _ in range(6000):
        todo = play.tick()
        play.read()
        ends += todo.ends
        for wanted in todo.wanted:
            assert isinstance(wanted, Audit)
            asked_rest += 1
            page = Audited(wanted, (trade(3),), complete_to=play.received // 1000)
            assert play.session.audited(page, play.received, play.now).ends == []
    assert ends == []
    assert asked_rest > 5
    assert play.session.streams["BTC"].watermark >= START + 540_000


def test_what_was_counted_reads_as_one_line():
    play = Play().live()
    play.hear(pushed(3, 4))
    play.tally.reconnects["announced"] += 2
    assert play.tally.line() == (
        "trades 1, repaired 0, duplicates 1, gaps 1, closed 1, given up 0, dead letters 0, reconnects: announced 2"
    )
