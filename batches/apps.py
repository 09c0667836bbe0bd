from django.apps import AppConfig


class BatchesConfig(AppConfig):
    name = "batches"

    def ready(self) -> None:
        from batches import checks  # noqa: F401  (registers the system checks)
        from batches.holding import waits_in_a_batch
        from batches.metrics import BatchCollector
        from batches.selecting import NotFree, PlanError
        from conversations.holds import stays_while
        from convgen import metrics
        from convgen.api import errors

        errors.tell(PlanError, errors.invalid)
        errors.tell(NotFree, errors.conflict)
        stays_while(waits_in_a_batch)
        metrics.register(BatchCollector())
