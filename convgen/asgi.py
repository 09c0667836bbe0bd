"""The web process. It alone uses a connection pool: a pool does not survive the fork of a worker."""

import os
import warnings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "convgen.settings")
os.environ.setdefault("CONVGEN_DATABASE_POOL", "true")

from django.conf import settings  # noqa: E402  (the settings are read here: after the two lines above)
from django.core.asgi import get_asgi_application  # noqa: E402

# WhiteNoise takes files from the apps until `collectstatic` has filled the folder, but warns when there is none; and
# Django warns of WhiteNoise's synchronous file responses, which are small.
settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

application = get_asgi_application()
