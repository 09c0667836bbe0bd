"""The task queue's lists, in words for whoever keeps convgen up: django-q2's own pages with plain columns.

Superusers see them, and nobody else. django-q2 registers its pages when its module is imported: they are replaced here.
"""

from typing import Any

from django.contrib import admin
from django.utils.text import Truncator
from django_q import admin as django_q_admin
from django_q.models import Failure, OrmQ, Schedule, Success, Task

LONGEST_ERROR = 200  # characters of it in the list; the page has all

for model in (Failure, OrmQ, Schedule, Success):
    admin.site.unregister(model)


class TasksAdmin(admin.ModelAdmin):
    """What the four lists say of a task: which of our functions it calls, in words."""

    @admin.display(description="what", ordering="func")
    def what(self, task: Any) -> str:
        """`batches.tasks.run_slice` reads “Run slice”."""
        return in_words(task.func)


def in_words(func: Any) -> str:
    name = str((func() if callable(func) else func) or "").rpartition(".")[2]
    return name.replace("_", " ").capitalize() or "Unreadable"


@admin.register(Schedule)
class ScheduledAdmin(TasksAdmin, django_q_admin.ScheduleAdmin):
    purpose = (
        "What workers do by the clock, such as keeping the logs in order. Each comes back by itself if it is deleted."
    )
    list_display = ["what", "how_often", "next", "last"]
    list_display_links = ["what"]
    list_filter = ()

    @admin.display(description="how often", ordering="schedule_type")
    def how_often(self, schedule: Schedule) -> str:
        return str(schedule.get_schedule_type_display())

    @admin.display(description="next time", ordering="next_run")
    def next(self, schedule: Schedule) -> Any:
        return schedule.next_run

    @admin.display(description="last time")
    def last(self, schedule: Schedule) -> Any:
        """A link to what came of it, if that was kept."""
        return self.get_last_run(schedule)


class EndedAdmin(TasksAdmin):
    list_filter = ()

    @admin.display(description="took")
    def took(self, task: Task) -> str:
        return f"{task.time_taken():.1f} s"


@admin.register(Failure)
class FailedAdmin(EndedAdmin, django_q_admin.FailAdmin):
    purpose = (
        "Work in the background that went wrong, with its error. Batches go on by themselves: what is here is for "
        "finding the cause. Delete what you have dealt with."
    )
    list_display = ["what", "started", "took", "error"]

    @admin.display(description="error")
    def error(self, task: Failure) -> str:
        """Its last line: the ones before say where it happened."""
        lines = str(task.result or "").strip().splitlines()
        return Truncator(lines[-1] if lines else "").chars(LONGEST_ERROR) or self.get_empty_value_display()


@admin.register(Success)
class DoneAdmin(EndedAdmin, django_q_admin.TaskAdmin):
    purpose = "Work in the background that went well. It is not kept, so this list is mostly empty."
    list_display = ["what", "started", "took"]


@admin.register(OrmQ)
class WaitingAdmin(TasksAdmin, django_q_admin.QueueAdmin):
    purpose = "Work that waits for a worker, or is with one. If it grows, no worker is running, or too few are."
    list_display = ["what", "since"]
    list_filter = ()

    @admin.display(description="a worker may take it from", ordering="lock")
    def since(self, task: OrmQ) -> Any:
        return task.lock
