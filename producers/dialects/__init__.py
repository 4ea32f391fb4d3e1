"""The venues: one line each. To add one, write its file and register it here."""

from producers.dialect import Dialect
from producers.dialects.okx import Okx

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (Okx(),)}
