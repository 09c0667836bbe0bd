"""Realistic volume in a workspace of its own, to measure lists and searches on. `seeding.py` is the way in."""
