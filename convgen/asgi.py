"""The web process. It alone uses a connection pool: a pool does not survive the fork of a worker."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "convgen.settings")
os.environ.setdefault("CONVGEN_DATABASE_POOL", "true")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
