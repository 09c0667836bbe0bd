"""One conversation from a page: what it is made with, a look at its prompt, and what becomes of it.

`form.py` is the form, `doors.py` says what is made with it (a new conversation, a draft, the next version of one),
`choosing.py` shows both with the preview, `following.py` the time until Claude has written it, and `admin.py` gives
each its address.
"""
