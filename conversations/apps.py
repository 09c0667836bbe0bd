from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConversationsConfig(AppConfig):
    name = "conversations"

    def ready(self) -> None:
        from conversations import checks, joining, roles  # noqa: F401  (checks registers, joining connects its receivers)
        from conversations.api import refusals

        refusals.register()
        post_migrate.connect(roles.make_groups, sender=self)
        self._tell_errors()

    def _tell_errors(self) -> None:
        """What our exceptions mean to a client of the API."""
        from rest_framework.exceptions import NotFound

        from conversations.editing import EditedMeanwhile, InUse
        from conversations.models import Conversation
        from convgen.api import errors

        errors.tell(EditedMeanwhile, lambda error: errors.PreconditionFailed(str(error)))
        errors.tell(InUse, errors.conflict)
        errors.tell(Conversation.DoesNotExist, lambda _: NotFound("The conversation has been deleted meanwhile."))
