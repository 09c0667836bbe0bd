"""The prompts that curators write, and the dimensions that each applies to."""

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from conversations.choices import Tier
from conversations.models.configuration import CONFIGURATION, Configured, configuration_rules
from conversations.models.dimension import Dimension
from conversations.models.workspace import WorkspaceRow
from convgen.models import User, at_least, one_of
from convgen.tenancy.references import SameWorkspace, referable

# A change of one of these makes other conversations: it raises the version.
CONTENT_FIELDS = (
    "tier",
    "structure",
    "system_prompt",
    "variables",
    "tone",
    "style_notes",
    "example_conversation",
    "required_elements",
    *CONFIGURATION,
)


class PromptTemplate(Configured, WorkspaceRow):
    """What a curator writes for Claude: many conversations are made from it."""

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    tier = models.CharField(max_length=20, choices=Tier)
    category = models.CharField(max_length=100, blank=True)
    structure = models.TextField(
        help_text="What Claude is asked to write. {{name}} stands for a value; "
        "{{name ? 'text' : 'alternative'}} for one of two texts."
    )
    system_prompt = models.TextField(blank=True, help_text="What stays the same for every conversation.")
    variables = models.JSONField(
        default=list,
        blank=True,
        help_text="A list of objects: name, type (text, number, dropdown), required, default, help_text, options.",
    )
    tone = models.CharField(max_length=200, blank=True)
    style_notes = models.TextField(blank=True)
    example_conversation = models.TextField(blank=True)
    required_elements = models.JSONField(
        default=list,
        blank=True,
        help_text='Words that an answer must hold, alternatives divided by |: ["next step | next steps"].',
    )
    quality_threshold = models.DecimalField(
        max_digits=3,
        decimal_places=1,
        default=Decimal("6.0"),
        validators=[MinValueValidator(0), MaxValueValidator(10)],
        help_text="The score, 0 to 10, that this template's conversations are expected to reach.",
    )
    applies_to = models.ManyToManyField(Dimension, through="TemplateApplicability", related_name="templates")
    target_count = models.PositiveIntegerField(default=0, help_text="How many conversations the plan wants from it.")
    active = models.BooleanField(default=True)
    # Raised by every change that makes other conversations.
    version = models.PositiveIntegerField(default=1, editable=False)
    usage_count = models.PositiveIntegerField(default=0, editable=False)
    rating = models.DecimalField(
        max_digits=2, decimal_places=1, null=True, blank=True, help_text="The curators' own rating, 0 to 5."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    LONG_TEXTS = (  # lists leave them out
        "structure",
        "system_prompt",
        "variables",
        "style_notes",
        "example_conversation",
        "required_elements",
    )

    history = HistoricalRecords(excluded_fields=["usage_count"])

    class Meta:
        ordering = ["tier", "name"]
        constraints = [
            referable("prompt_template"),
            # Curators and commands name it.
            models.UniqueConstraint(fields=["workspace", "name"], name="prompt_template_name_once"),
            one_of("tier", Tier, table="prompt_template"),
            # The scale of the score.
            models.CheckConstraint(
                condition=Q(quality_threshold__gte=0, quality_threshold__lte=10),
                name="prompt_template_quality_threshold_range",
            ),
            at_least("version", 1, table="prompt_template"),
            # The scale of the rating.
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=0, rating__lte=5), name="prompt_template_rating_range"
            ),
            # What Claude takes.
            *configuration_rules("prompt_template"),
        ]
        indexes = [
            # The plan of one tier: active templates of a workspace.
            models.Index(fields=["workspace", "tier", "active"], name="prompt_template_plan"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and raise the version when the content that is saved differs from the stored one."""
        written = kwargs.get("update_fields")
        saved = [field for field in CONTENT_FIELDS if written is None or field in written]
        stored = saved and type(self).objects.filter(pk=self.pk).values("version", *saved).first()
        if stored:
            # From the stored one: somebody else may have raised it since this was read.
            self.version = stored["version"] + any(stored[field] != getattr(self, field) for field in saved)
            if written is not None:
                kwargs["update_fields"] = {*written, "version"}
        super().save(*args, **kwargs)

    def save_edited(self, *, by: User | None) -> None:
        """Save what people edit: all but the usage count, which generation raises meanwhile."""
        self._history_user = by  # read by simple_history
        kept = ("id", "usage_count")
        self.save(update_fields=[field.name for field in self._meta.concrete_fields if field.name not in kept])


class TemplateApplicability(WorkspaceRow):
    """That a template is meant for a persona, an emotion or a topic. A kind without any means: for all of them."""

    template = models.ForeignKey(
        PromptTemplate, on_delete=models.CASCADE, db_constraint=False, related_name="applicability"
    )
    dimension = models.ForeignKey(
        Dimension, on_delete=models.CASCADE, db_constraint=False, related_name="applicability"
    )

    class Meta:
        verbose_name = "applicable persona, emotion or topic"
        verbose_name_plural = "applicable personas, emotions and topics"
        constraints = [
            SameWorkspace("template", name="template_applicability_template_same_workspace"),
            SameWorkspace("dimension", name="template_applicability_dimension_same_workspace"),
            # Said once. A template's dimensions.
            models.UniqueConstraint(fields=["template", "dimension"], name="template_applicability_once"),
        ]

    def __str__(self) -> str:
        return f"{self.dimension.kind}: {self.dimension}"
