"""Which of our errors it is when Claude's server refuses a request: at once, by an HTTP status, or in the results of a
message batch, by the error's type.
"""

from typing import Any

from generation import errors

# Named in a 429 that no waiting will cure: the account's own limit, not the rate.
SPEND_LIMIT_CODES = (
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "linked_organization_spend_limit_reached",
)
# In a 400, although the request is not to blame: no request of this account would be taken.
ACCOUNT_CODES = (
    "organization_on_hold",
    "organization_type_not_supported",
    "parent_organization_required",
    "cmek_key_disabled",  # the customer's own encryption key
    "cmek_key_network_blocked",
)

Kind = type[errors.GenerationError]
BY_STATUS: dict[int, Kind] = {
    401: errors.KeyRefused,
    402: errors.PaymentRequired,
    403: errors.AccessDenied,
    404: errors.ModelUnknown,
    408: errors.ServerFailed,
    409: errors.ServerFailed,
    413: errors.RequestTooLarge,
    429: errors.RateLimited,
    529: errors.Overloaded,  # Anthropic's own status code
}
BY_TYPE: dict[str, Kind] = {
    "invalid_request_error": errors.RequestRefused,
    "authentication_error": errors.KeyRefused,
    "billing_error": errors.PaymentRequired,
    "permission_error": errors.AccessDenied,
    "not_found_error": errors.ModelUnknown,
    "request_too_large": errors.RequestTooLarge,
    "rate_limit_error": errors.RateLimited,
    "overloaded_error": errors.Overloaded,
}


def refused(
    *, status: int, code: str | None, said: str | None, request_id: str, retry_after: float | None
) -> errors.GenerationError:
    """Our error for an HTTP status of 400 or more; `retry_after` in seconds, where the server says so."""
    kind = BY_STATUS.get(status, errors.ServerFailed if status >= 500 else errors.RequestRefused)
    return _error(kind, code, said or f"HTTP status {status}", request_id, retry_after)


def refused_in_batch(body: dict[str, Any]) -> errors.GenerationError:
    """Our error for what a message batch tells of one of its requests: the same that a live one would meet."""
    told = body.get("error")
    error = told if isinstance(told, dict) else {}
    details = error.get("details")
    code = details.get("error_code") if isinstance(details, dict) else None
    kind = BY_TYPE.get(str(error.get("type")), errors.ServerFailed)
    return _error(kind, code, error.get("message") or error.get("type"), str(body.get("request_id") or ""))


def _error(
    kind: Kind, code: str | None, said: object, request_id: str, retry_after: float | None = None
) -> errors.GenerationError:
    if code in SPEND_LIMIT_CODES:
        return errors.SpendLimitReached(request_id=request_id)
    if code in ACCOUNT_CODES:
        kind = errors.AccessDenied
    if issubclass(kind, errors.RetryLater):
        return kind(request_id=request_id, retry_after=retry_after)
    return kind(f"{kind.said()} It said: {said}", request_id=request_id)
