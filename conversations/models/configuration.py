"""How Claude is asked, as workspaces, templates and batches may set it."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from conversations.choices import Effort
from convgen.models import at_least, between, one_of

CONFIGURATION = ("model", "max_tokens", "effort", "temperature", "top_p")
_FROM_NOTHING_TO_ONE = [MinValueValidator(0), MaxValueValidator(1)]


class Configured(models.Model):
    """Has a say in how Claude is asked. What is left empty here is decided elsewhere.

    A batch comes first, then the template, then the workspace, then the installation's settings; which values go
    together is known to `generation/configuration.py`.
    """

    model = models.CharField(
        max_length=100, blank=True, help_text="As Anthropic names it: claude-sonnet-5-5. Empty: as set elsewhere."
    )
    max_tokens = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="The longest reply, in tokens. Empty: as set elsewhere.",
    )
    effort = models.CharField(
        max_length=10,
        choices=Effort,
        blank=True,
        help_text="How many tokens Claude may spend on thinking and writing: less is cheaper and faster. "
        "Empty: as set elsewhere.",
    )
    temperature = models.DecimalField(
        max_digits=3,
        decimal_places=2,
        null=True,
        blank=True,
        validators=_FROM_NOTHING_TO_ONE,
        help_text="0 to 1: how far Claude strays from the likeliest words. Only older models take it.",
    )
    top_p = models.DecimalField(
        "top-p",
        max_digits=3,
        decimal_places=2,
        null=True,
        blank=True,
        validators=_FROM_NOTHING_TO_ONE,
        help_text="0 to 1: among how many of the likeliest words Claude chooses. Only older models take it.",
    )

    class Meta:
        abstract = True


def configuration_rules(table: str) -> list[models.CheckConstraint]:
    """The ranges of a `Configured` table's values, whoever writes."""
    return [
        one_of("effort", Effort, table=table, blank=True),
        at_least("max_tokens", 1, table=table),
        between("temperature", 0, 1, table=table),
        between("top_p", 0, 1, table=table),
    ]
