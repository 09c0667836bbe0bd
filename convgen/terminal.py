"""Commands on the terminal."""

from typing import TextIO, cast

from django.core.management.base import OutputWrapper
from rich.console import Console


def console_on(stream: OutputWrapper) -> Console:
    """A console on a command's stream; on the stream itself, since the wrapper ends every write with a new line."""
    return Console(file=cast(TextIO, stream._out))
