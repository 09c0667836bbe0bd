"""Economy delivery: a job's requests through Anthropic's Message Batches API, at half price and within a day.

    submitting.py   the slice of an economy job: claims items, writes a message batch ahead, sends it
    collecting.py   looks at one message batch when that is due: has it ended, is it to be cancelled, is it there at all
    adopting.py     finds a message batch again whose creation was never confirmed
    reading.py      saves the results of one that has ended
    ending.py       what a finished message batch means for its job

Between the two halves an item is held by its message batch and by no process: nothing but the row is needed to go on.
"""
