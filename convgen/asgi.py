"""The web process. It alone uses a connection pool: a pool does not survive the fork of a worker."""

import os
import warnings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "convgen.settings")
os.environ.setdefault("CONVGEN_DATABASE_POOL", "true")

from django.core.asgi import get_asgi_application

# Django warns of WhiteNoise's synchronous file responses; they are small.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

application = get_asgi_application()
