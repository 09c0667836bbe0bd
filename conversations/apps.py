from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConversationsConfig(AppConfig):
    name = "conversations"

    def ready(self) -> None:
        from conversations import checks, joining, roles  # noqa: F401  (checks registers, joining connects its receivers)
        from conversations.api import refusals

        refusals.register()
        post_migrate.connect(roles.make_groups, sender=self)
