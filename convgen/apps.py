from django.apps import AppConfig


class ConvgenConfig(AppConfig):
    name = "convgen"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from convgen import checks  # noqa: F401  (registers the system checks)
        from convgen.database.migrating import make_way_for_migrations

        make_way_for_migrations(self)
