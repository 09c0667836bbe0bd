"""Errors as the API tells them: always `{"type": …, "errors": [{"code", "detail", "attr"}]}`, never a stack trace.

The apps uphill say what their own exceptions mean, when they start:

    errors.tell(EditedMeanwhile, lambda error: PreconditionFailed(str(error)))

What nobody has named is a 500, which says no more than that, and is in the log.
"""

import logging
from collections.abc import Callable, Mapping
from math import ceil
from types import MappingProxyType
from typing import Any, TypeAlias

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings

from convgen.request_ids import current_request_id
from convgen.route import current_route
from convgen.text import storable

logger = logging.getLogger(__name__)

Translation: TypeAlias = Callable[[Any], exceptions.APIException]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
STATE = "status"  # the code of a ValidationError that is about a row's status, and not about what was sent
SIGN_IN = "Send a token (Authorization: Bearer …), or sign in to the pages."
ANONYMOUS = "There is an error on our side. It is in the log, with the id of this request: {}"


class Conflict(exceptions.APIException):
    """`headers` go into the answer: where to look at what is in the way, and when."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "Its state does not allow this."
    default_code = "conflict"

    def __init__(self, detail: Any = None, code: str | None = None, *, headers: Mapping[str, str] = NO_HEADERS) -> None:
        super().__init__(detail, code)
        self.headers = headers


class PreconditionFailed(exceptions.APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "It has been changed since you read it."
    default_code = "precondition_failed"


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request's body is too large."
    default_code = "too_large"


class Unavailable(exceptions.APIException):
    """`wait` is in how many seconds it may be tried again, where that is known."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "It cannot be done at this moment. Try again in a while."
    default_code = "unavailable"

    def __init__(self, detail: Any = None, code: str | None = None, *, wait: float | None = None) -> None:
        super().__init__(detail, code)
        self.wait = wait and ceil(wait)  # the header has whole seconds: rounded down, it would be too early


_translations: dict[type[Exception], Translation] = {}


def tell(error: type[Exception], translation: Translation) -> None:
    """Have an exception, and those derived from it, told as another one."""
    _translations[error] = translation


def translated(error: Exception) -> exceptions.APIException | None:
    """What an exception is told as, by the translation of the nearest class; None where there is none."""
    for ancestor in type(error).__mro__:
        if translation := _translations.get(ancestor):
            return translation(error)
    return None


def conflict(error: Exception) -> Conflict:
    return Conflict(str(error))


def invalid(error: Exception) -> exceptions.ValidationError:
    return exceptions.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [str(error)]})


def from_validation(error: DjangoValidationError) -> exceptions.APIException:
    """What a service refuses: a conflict where it is about the row's status, else by field."""
    by_field = _by_field(error)
    if any(each.code == STATE for problems in by_field.values() for each in problems):
        return Conflict(" ".join(dict.fromkeys(str(each) for problems in by_field.values() for each in problems)))
    return exceptions.ValidationError({_named(field): problems for field, problems in by_field.items()})


def _by_field(error: DjangoValidationError) -> Mapping[str, list[exceptions.ErrorDetail]]:
    fields = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    return {
        field: [exceptions.ErrorDetail(each.messages[0], each.code or "invalid") for each in problems]
        for field, problems in fields.items()
    }


def _named(field: str) -> str:
    return api_settings.NON_FIELD_ERRORS_KEY if field == NON_FIELD_ERRORS else field


def anonymous() -> str:
    """What is said of an error of ours, and no more."""
    return ANONYMOUS.format(current_request_id())


def _without_database(error: Exception) -> Unavailable:
    return Unavailable("The database cannot be reached, or did not answer in time. Try again in a while.", wait=5)


tell(DjangoValidationError, from_validation)
tell(PermissionDenied, lambda error: exceptions.PermissionDenied(str(error) or None))
tell(RequestDataTooBig, lambda error: TooLarge(f"A body may have {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes."))
tell(DataError, lambda error: invalid(ValueError("A value is out of the range that can be stored.")))
tell(RecursionError, lambda error: invalid(ValueError("The JSON is nested too deeply.")))
tell(IntegrityError, lambda error: Conflict("Somebody else has changed this at the same moment. Look at it again."))
tell(OperationalError, _without_database)
tell(InterfaceError, _without_database)


class Handler(ExceptionHandler):
    """Asks the translations first: the one of the nearest class."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        return translated(exc) or super().convert_known_exceptions(exc)

    def convert_unhandled_exceptions(self, exc: Exception) -> exceptions.APIException:
        return exc if isinstance(exc, exceptions.APIException) else exceptions.APIException(anonymous())

    def format_exception(self, exc: exceptions.APIException) -> dict[str, Any]:
        """What was sent is told again, such as a choice that is none; half of a surrogate pair cannot be."""
        told: dict[str, Any] = super().format_exception(exc)
        errors = [{name: text and storable(text) for name, text in each.items()} for each in told["errors"]]
        return {**told, "errors": errors}

    def report_exception(self, exc: exceptions.APIException, response: Response) -> None:
        """What has to be waited for is no fault of the program: one line, without a traceback."""
        if isinstance(exc, Unavailable):
            logger.warning("%s: %s", current_route(), exc.detail)
        else:
            super().report_exception(exc, response)

    def get_headers(self, exc: exceptions.APIException) -> dict[str, str]:
        """`headers` of an exception go into the response: where to look at what has come of it."""
        return {**super().get_headers(exc), **getattr(exc, "headers", {})}
