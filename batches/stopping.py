"""The word from the worker's parent process to its children that they are to finish and end."""

import multiprocessing

# Made before the fork, and so shared by it.
STOPPING = multiprocessing.get_context("fork").Event()
