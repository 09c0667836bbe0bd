from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class SiteConfig(AdminConfig):
    default_site = "convgen.admin_site.Site"


class ConvgenConfig(AppConfig):
    name = "convgen"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from convgen import (
            checks,  # noqa: F401  (registers the system checks)
            tokens,
        )
        from convgen.api import errors
        from convgen.database.migrating import make_way_for_migrations

        errors.tell(tokens.TokenRefused, errors.conflict)
        make_way_for_migrations(self)
