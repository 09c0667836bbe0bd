"""The door from the task queue."""

import logging

from django.conf import settings

from generation import retention

logger = logging.getLogger(__name__)


def maintain_logs() -> None:
    logger.info("The generation log: %s", retention.maintain(keep_days=settings.LOG_RETENTION_DAYS))
