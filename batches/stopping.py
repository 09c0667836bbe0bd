"""The word from the worker's first process to its children that they are to finish and end.

It lies in memory that is shared over the fork, and has no lock: a process that is killed while it looks would keep
that for ever, and everybody else would stand still.
"""

import multiprocessing

_told = multiprocessing.get_context("fork").RawValue("b", 0)


def tell() -> None:
    _told.value = 1


def told() -> bool:
    return bool(_told.value)


def forget() -> None:
    """Before a new cluster begins: it must not hear what was told to the former one."""
    _told.value = 0
