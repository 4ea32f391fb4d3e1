"""The front door: the command line, the demo and its screen. What it opens lies in the other rooms."""

from importlib.metadata import version

__version__ = version("tapeflow")
