"""Whose requests go first when they have to wait for the rate limit."""

from django.db import models


class Priority(models.TextChoices):
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"
