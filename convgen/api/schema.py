"""The OpenAPI schema: drf-spectacular's, with the errors of drf-standardized-errors and those of our own."""

from drf_standardized_errors.openapi import AutoSchema as StandardizedSchema


class AutoSchema(StandardizedSchema):
    pass
