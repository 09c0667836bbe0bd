"""The worker, `manage.py run_worker`: processes that run slices and scheduled tasks, and whoever watches over them.

    supervisor          the command itself: starts the cluster, passes signals on, starts it again when it dies
    └ cluster           leads a session of its own: tends the database, tells how the worker is, ends it in order
      └ sentinel        django-q2's: keeps the worker processes going, and hands tasks to them
        └ workers       run the slices

A signal to the process group (Ctrl-C, a process manager) reaches the supervisor alone, so that calls in flight can
finish. Of supervisor and cluster, if either is killed, the other ends the rest.
"""
