"""The page of the rate limits: how much of them is used, who waits for room, and until when."""

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from conversations.admin.display import badge, with_sentence
from conversations.admin.lists import NeverByHand
from convgen.tenancy import current_scope
from generation.models import RateState, RateWaiter
from generation.rate_overview import RateOverview, Use, rate_overviews


@admin.register(RateState)
class RateStateAdmin(NeverByHand, admin.ModelAdmin):
    purpose = (
        "How much of the limits of Claude’s API is used at this moment, and who waits for room. All batches share them."
    )
    list_display = ["shared_by", "requests", "input_tokens", "output_tokens", "state_now", "waiting"]
    fields = ("state_now", "limits", "waiters", "counted")
    readonly_fields = fields
    ordering = ["address", "key"]
    actions = None

    class Media:
        css = {"all": ["conversations/admin.css"]}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> RateState | None:
        state: RateState | None = super().get_object(request, object_id, from_field)
        if state:
            state.names_shown = bool(request.user.is_superuser)  # type: ignore[attr-defined]
        return state

    @admin.display(description="shared by", ordering="address")
    def shared_by(self, state: RateState) -> str:
        return str(state)

    @admin.display(description="requests a minute")
    def requests(self, state: RateState) -> str:
        return str(_of(state).uses[0])

    @admin.display(description="input tokens a minute")
    def input_tokens(self, state: RateState) -> str:
        return str(_of(state).uses[1])

    @admin.display(description="output tokens a minute")
    def output_tokens(self, state: RateState) -> str:
        return str(_of(state).uses[2])

    @admin.display(description="state")
    def state_now(self, state: RateState) -> SafeString:
        if not (seconds := _of(state).blocked_for):
            return badge("open", "approved")
        return with_sentence(badge("all wait", "paused"), f"Claude asked for it: {seconds:.0f} s more.")

    @admin.display(description="waiting")
    def waiting(self, state: RateState) -> str:
        overview = _of(state)
        count = len(overview.waiting)
        return f"{count}, for {overview.longest_wait:.0f} s at most" if count else "nobody"

    @admin.display(description="limits")
    def limits(self, state: RateState) -> SafeString:
        rows = [(use.name, _figures(use)) for use in _of(state).uses]
        return SafeString(render_to_string("generation/rate_limits.html", {"rows": rows}))

    @admin.display(description="waiting")
    def waiters(self, state: RateState) -> SafeString:
        overview = _of(state)
        waiting = [
            {
                "who": waiter.who if _shows_name(state, waiter) else "another workspace",
                "row": waiter,
                "waited": overview.waited(waiter),
                "turn_in": overview.turn_in(waiter),
            }
            for waiter in overview.waiting
        ]
        return SafeString(render_to_string("generation/rate_waiters.html", {"waiting": waiting}))

    @admin.display(description="so far")
    def counted(self, state: RateState) -> str:
        return f"{state.granted:,} requests let through, {state.refused:,} of them answered with 429"


def _of(state: RateState) -> RateOverview:
    """Found once for a page's row."""
    known: RateOverview | None = getattr(state, "_overview", None)
    if known is None:
        [known] = rate_overviews([state])
        state._overview = known  # type: ignore[attr-defined]
    return known


def _figures(use: Use) -> list[str]:
    """Allowed, in use, left, and left as Claude said; none without a limit."""
    if use.limit is None:
        return []
    return [f"{figure:,}" if figure is not None else "–" for figure in (use.limit, use.used, use.left, use.reported)]


def _shows_name(state: RateState, waiter: RateWaiter) -> bool:
    """What members of other workspaces work on is theirs to know; superusers may be members everywhere."""
    ours = waiter.of_workspace in (None, current_scope())
    return ours or bool(getattr(state, "names_shown", False))
