"""The first page: how far the plan is, how good what was written is, what it cost, and what to do next."""
