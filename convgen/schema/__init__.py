"""The database described for its readers, from the models' source and the live catalogue.

`catalogue` reads what PostgreSQL has, `comments` what the models' source says about it, `reasons` joins the two, and
`document` writes docs/database.md.
"""
