from django.apps import AppConfig


class ConvgenConfig(AppConfig):
    name = "convgen"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from convgen import checks  # noqa: F401  (registers the system checks)
        from convgen.database.migrating import lift_timeouts_for_migrations

        lift_timeouts_for_migrations(self)
