"""JSON as venues send it: without blanks, digits as they are."""

import json
from typing import Any


def text(message: Any) -> str:
    """Write a message."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def written(body: Any) -> str:
    """Write the body of an answer, unless it is written already."""
    return body if isinstance(body, str) else text(body)
