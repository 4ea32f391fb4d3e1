"""What may be forgotten when there is too much of it."""

from hypothesis import given
from hypothesis import strategies as st

from producers.conflation import Newest


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())))
def test_the_newest_of_each_key_is_kept_and_what_it_replaced_is_counted(told):
    newest: Newest[tuple[str, int]] = Newest()
    dropped = sum(newest.put(key, (key, value)) for key, value in told)
    assert newest.take() == list({key: (key, value) for key, value in told}.values())
    assert dropped == len(told) - len(dict(told))
    assert newest.take() == []
