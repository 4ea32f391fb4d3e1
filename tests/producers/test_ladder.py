"""What is done about streams that the venue does not tell though it trades."""

from producers.ladder import Ladder, Step


def test_a_deaf_stream_is_subscribed_anew_then_reconnected_then_moved_and_then_no_longer_disturbs_the_others():
    ladder, acts = Ladder(), []
    for rung in range(1, 7):
        ladder.found("BTC", rung)
        step = ladder.step({"BTC", "ETH", "SOL"})
        assert step is not None
        assert step.rung == rung
        acts.append(step.act)
    assert acts == ["resubscribe", "reconnect", "next host", "resubscribe", "resubscribe", "resubscribe"]


def test_a_step_is_taken_once():
    ladder = Ladder()
    assert not ladder.waiting
    ladder.found("BTC", 1)
    assert ladder.waiting
    assert ladder.step({"BTC"}) == Step("resubscribe", ("BTC",), 1)
    ladder.found("BTC", 1)
    assert ladder.step({"BTC"}) is None


def test_whoever_was_heard_again_begins_at_the_bottom():
    ladder = Ladder()
    for rung in (1, 2, 0, 1):
        ladder.found("BTC", rung)
    assert ladder.step({"BTC"}) == Step("resubscribe", ("BTC",), 1)


def test_a_connection_on_which_most_are_deaf_is_made_anew_at_once():
    ladder = Ladder()
    for market_id in ("BTC", "ETH"):
        ladder.found(market_id, 1)
    assert ladder.step({"BTC", "ETH", "SOL"}) == Step("reconnect", ("BTC", "ETH"), 1)


def test_only_those_of_the_connection_are_meant():
    ladder = Ladder()
    for market_id in ("BTC", "ETH"):
        ladder.found(market_id, 1)
    assert ladder.step({"ETH", "SOL", "XRP"}) == Step("resubscribe", ("ETH",), 1)
    assert ladder.step({"BTC"}) == Step("resubscribe", ("BTC",), 1)


def test_three_are_named_and_the_rest_is_counted():
    assert Step("reconnect", ("A", "B", "C"), 2).named == "A, B, C"
    assert Step("reconnect", ("A", "B", "C", "D", "E"), 2).named == "A, B, C and 2 more"
