"""The five steps of generating a batch in the browser, one file each.

`configure` (what, and how) → `preview` (what that comes to) → `confirm` (start it) → `progress` → `summary`.

The first three carry the order's values in their forms, so that going back loses nothing, and decide nothing:
`planning` proposes, and creates. Each step is a page at its own address that may be shown in the dialog too.
"""
