"""The token: one, made once, nobody else's to read."""

import threading
from pathlib import Path

import pytest

from consumers.api import token
from infra.settings import UserError


def test_it_is_made_once(tmp_path: Path) -> None:
    """43 characters that a header can carry, the same ever after, in a file of its owner's alone."""
    made = token.load(tmp_path / "state")
    assert len(made) == 43
    assert token.load(tmp_path / "state") == made
    assert (tmp_path / "state" / "token").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "state").iterdir()] == ["token"]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    """None replaces the token of another."""
    loaded: list[str] = []
    threads = [threading.Thread(target=lambda: loaded.append(token.load(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 8
    assert len(set(loaded)) == 1


def test_an_empty_file_is_no_token(tmp_path: Path) -> None:
    """It would let everybody in who sends nothing."""
    (tmp_path / "token").touch()
    with pytest.raises(UserError, match="is empty"):
        token.load(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """In one line."""
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"not to be had at .*/file/token"):
        token.load(tmp_path / "file")


@pytest.mark.parametrize(("given", "right"), [("abc", True), ("abd", False), ("", False), ("abcd", False), ("äbc", False)])
def test_matches(given: str, right: bool) -> None:
    """Only the whole token does."""
    assert token.matches(given, "abc") is right
