from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "generation"

    def ready(self) -> None:
        from convgen import metrics
        from generation import checks  # noqa: F401  (registers the system checks)
        from generation.api import errors
        from generation.metrics import RateLimitCollector

        metrics.register(RateLimitCollector())
        errors.register()
