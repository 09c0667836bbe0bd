"""What every part of the REST API shares: errors, pages, throttles, the schema. Each app has its own `api/` uphill."""

PREFIX = "/api/"  # of every address of the API
