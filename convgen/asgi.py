"""The web process. It alone uses a connection pool: a pool does not survive the fork of a worker."""

import logging
import os
import warnings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "convgen.settings")
os.environ.setdefault("CONVGEN_DATABASE_POOL", "true")

from django.core.asgi import get_asgi_application

from convgen import static_files

# Django warns of WhiteNoise's synchronous file responses; they are small.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

application = get_asgi_application()

if not static_files.are_collected():
    logging.getLogger(__name__).error(
        "No static files are collected: no page can be shown. Run manage.py collectstatic."
    )
