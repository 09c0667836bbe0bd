"""Every setting of convgen, read once from the environment (and `.env`), typed, and loud when it is wrong.

`.env.example` lists each variable with its meaning. Mistakes across settings are Django system checks
(`convgen/checks.py`, `generation/checks.py`, `batches/checks.py`).
"""

from datetime import timedelta
from pathlib import Path

import environ

from convgen.database.configuration import Pool, Timeouts, database_from
from convgen.secrets_on_disk import secret_on_disk

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")

# Everything that this checkout writes lies below here.
VAR_DIR = Path(env.str("CONVGEN_VAR_DIR", default=str(BASE_DIR / "var"))).resolve()

# --- Django -----------------------------------------------------------------------------------------------

SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="") or secret_on_disk(VAR_DIR / "secret-key")
DEBUG = env.bool("DJANGO_DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "convgen.apps.ConvgenConfig",
    "conversations",
    "generation",
    "batches",
    "convgen.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "simple_history",
    "pgtrigger",
    "django_q",
    "rest_framework",
    "django_filters",
    "knox",
    "drf_standardized_errors",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "convgen.request_ids.request_id_middleware",
    "convgen.route.route_middleware",
    "django.middleware.security.SecurityMiddleware",
    "convgen.compression.CompressedPages",
    "convgen.content_security.ContentSecurityPolicy",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "conversations.middleware.WorkspaceMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "convgen.urls"
ASGI_APPLICATION = "convgen.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "convgen.dialogs.frame",
            ],
        },
    },
]

AUTH_USER_MODEL = "convgen.User"
AUTHENTICATION_BACKENDS = ["conversations.authentication.MembershipBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "convgen.tokens.TokensEndWithPassword"},
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static"))).resolve()
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns when it is not there
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "convgen.static_files.Storage"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "convgen.request_ids.RequestIdFilter"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}{request_id}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # The SDK's HTTP library logs every request at INFO; the generation log keeps them for us.
    "loggers": {"httpx2": {"level": "WARNING"}, "django_q": {"propagate": True}, "django": {"level": LOG_LEVEL}},
}

# Whoever knows it may read /metrics. Empty: there is no such page.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# Where the site is reached, for links in e-mails: https://convgen.example.com. Empty: without links.
SITE_URL = env.str("SITE_URL", default="")

# --- E-mail -----------------------------------------------------------------------------------------------

# smtp+tls://user:password@host:587, with the password percent-encoded. Empty: nobody is written to.
EMAIL_URL = env.str("EMAIL_URL", default="")
if EMAIL_URL:
    vars().update(env.email_url_config(EMAIL_URL))
EMAIL_TIMEOUT = 30  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="convgen@localhost")

# --- PostgreSQL -------------------------------------------------------------------------------------------

DATABASE_STATEMENT_TIMEOUT = env.float("DATABASE_STATEMENT_TIMEOUT", default=30.0)  # seconds; 0: the server's own
DATABASE_IDLE_IN_TRANSACTION_TIMEOUT = env.float("DATABASE_IDLE_IN_TRANSACTION_TIMEOUT", default=60.0)  # the same
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=8)  # connections of the web process, at most
DATABASE_POOL_TIMEOUT = env.float("DATABASE_POOL_TIMEOUT", default=10.0)  # seconds to wait for one of them
SLOW_QUERY_SECONDS = env.float("SLOW_QUERY_SECONDS", default=0.5)  # from which on a statement is logged

DATABASES = {
    "default": database_from(
        env,
        data_directory=VAR_DIR / "postgres",
        timeouts=Timeouts(DATABASE_STATEMENT_TIMEOUT, DATABASE_IDLE_IN_TRANSACTION_TIMEOUT),
        pool=Pool(DATABASE_POOL_SIZE, DATABASE_POOL_TIMEOUT)
        if env.bool("CONVGEN_DATABASE_POOL", default=False)
        else None,
    )
}

# --- REST API ---------------------------------------------------------------------------------------------

# Requests that one person may send in a minute, in each group of operations; 0: any number.
API_READS_PER_MINUTE = env.int("API_READS_PER_MINUTE", default=600)
API_POLLS_PER_MINUTE = env.int("API_POLLS_PER_MINUTE", default=1_200)
API_WRITES_PER_MINUTE = env.int("API_WRITES_PER_MINUTE", default=300)
API_GENERATIONS_PER_MINUTE = env.int("API_GENERATIONS_PER_MINUTE", default=60)
API_ANONYMOUS_PER_MINUTE = env.int("API_ANONYMOUS_PER_MINUTE", default=60)  # of one address
API_TOKEN_DAYS = env.int("API_TOKEN_DAYS", default=90)  # that a token is valid; longer only by `create_api_token`

# Whose pages may use the API in a browser: https://tools.example.com. By token alone, never by a session's cookie.
ALLOWED_ORIGINS = env.list("ALLOWED_ORIGINS", default=[])
CORS_ALLOWED_ORIGINS = ALLOWED_ORIGINS  # convgen/checks.py looks at them, in place of django-cors-headers' own checks
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_METHODS = ["GET", "POST", "PATCH", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = [
    *("accept", "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "prefer"),
    *("x-request-id", "x-workspace"),
]
CORS_EXPOSE_HEADERS = [
    *("Content-Disposition", "ETag", "Idempotent-Replayed", "Link", "Location", "Preference-Applied"),
    *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "X-Request-ID"),
]
CORS_PREFLIGHT_MAX_AGE = 7_200  # seconds; browsers keep it no longer

DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000  # bytes of a request's body: a document's text is the longest

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "convgen.api.authentication.TokenAuthentication",
        "convgen.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["convgen.api.throttling.GroupThrottle"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "convgen.api.pages.Pages",
    ],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "convgen.api.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "convgen.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,
}

DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "convgen.api.errors.Handler",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
}

REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_PREFIX": "convgen_",  # found by whoever searches repositories for leaked secrets
    "TOKEN_TTL": timedelta(days=API_TOKEN_DAYS),
}

SPECTACULAR_SETTINGS = {
    "TITLE": "convgen",
    "DESCRIPTION": "Produce the multi-turn training conversations that a LoRA fine-tune needs, by steering Claude.\n\n"
    "Send a token (`Authorization: Bearer …`) and, unless it is your default one, the workspace (`X-Workspace: slug`). "
    "Every error is `{type, errors: [{code, detail, attr}]}`; every list is `{next, previous, results}`.",
    "TAGS": [
        {"name": "Conversations", "description": "What it is all for: listed, looked at, written and changed by hand."},
        {"name": "Generation", "description": "Claude writes: one conversation, its next version, or many."},
        {"name": "Batches", "description": "Many conversations at once: estimated, followed, steered."},
        {"name": "Review", "description": "What reviewers decide."},
        {"name": "Versions", "description": "What a conversation was before."},
        {"name": "Exports", "description": "Training files."},
        {"name": "Coverage", "description": "How far the plan is, and what it lacks."},
        {"name": "Templates", "description": "What Claude is asked to write."},
        {"name": "Dimensions", "description": "Personas, emotions, topics, intents and tones."},
        {"name": "Sources", "description": "Documents and their chunks, which conversations are grounded in."},
        {"name": "Generation log", "description": "Every request to Claude, what they add up to, and the rate limits."},
        {"name": "Workspaces", "description": "Where you may work, and what is set there."},
        {"name": "Tokens", "description": "What programs sign in with."},
    ],
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_REQUEST": True,
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "convgen.api.empty_values.allow_empty_filters",
        "convgen.api.shared_answers.share_answers",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "ConversationStatus": "conversations.choices.Status",
        "Decision": "conversations.review.Decision",
        "Tier": "conversations.choices.Tier",
        "TurnRole": "conversations.choices.TurnRole",
        "Role": "conversations.choices.Role",
        "DimensionKind": "conversations.choices.DimensionKind",
        "ExportScope": "conversations.exporting.SCOPES",
        "ExportStatus": "conversations.choices.ExportStatus",
        "RecordedScope": "conversations.exporting.RECORDED_SCOPES",
        "LogStatus": "generation.models.LogStatus",
        "JobStatus": "batches.choices.JobStatus",
        "ItemStatus": "batches.choices.ItemStatus",
        "MessageBatchStatus": "batches.choices.MessageBatchStatus",
        "TierFilter": "batches.choices.TierFilter",
        "Selection": "batches.choices.Selection",
    },
}

# --- Quality ----------------------------------------------------------------------------------------------

# Thresholds of the quality rules by name, in place of the defaults; docs/quality.md lists them:
# {"review_below": 6.5, "turns_target": [6, 14]}
QUALITY_THRESHOLDS = env.json("QUALITY_THRESHOLDS", default={})

# --- Claude -----------------------------------------------------------------------------------------------

ANTHROPIC_API_KEY = env.str("ANTHROPIC_API_KEY", default="")
ANTHROPIC_BASE_URL = env.str("ANTHROPIC_BASE_URL", default="")  # empty: Anthropic's own, or simulated Claude
ANTHROPIC_MODEL = env.str("ANTHROPIC_MODEL", default="claude-sonnet-5-5")
ANTHROPIC_MAX_TOKENS = env.int("ANTHROPIC_MAX_TOKENS", default=16_000)  # tokens of one reply
ANTHROPIC_EFFORT = env.str("ANTHROPIC_EFFORT", default="")  # low, medium, high, xhigh, max; empty: the model's own
ANTHROPIC_TIMEOUT = env.float("ANTHROPIC_TIMEOUT", default=150.0)  # seconds for one request

SAMPLING_MODELS = env.list("SAMPLING_MODELS", default=[])  # further models that take temperature and top-p

# USD per million tokens, for a model that genai-prices does not know or a price agreed with Anthropic:
# {"claude-x": {"input": "2", "output": "10", "cache_read": "0.2", "cache_write": "2.5"}}
MODEL_PRICES = env.json("MODEL_PRICES", default={})

GENERATION_ATTEMPTS = env.int("GENERATION_ATTEMPTS", default=3)  # requests for one conversation, at most
GENERATION_RETRY_STRATEGY = env.str("GENERATION_RETRY_STRATEGY", default="exponential")  # or linear, or fixed
GENERATION_FIRST_WAIT = env.float("GENERATION_FIRST_WAIT", default=1.0)  # seconds before the second
RATE_LIMIT_RPM = env.int("RATE_LIMIT_RPM", default=50)  # requests in any 60 seconds, over all processes
RATE_LIMIT_INPUT_TPM = env.int("RATE_LIMIT_INPUT_TPM", default=0)  # tokens in any 60 seconds; 0: as Claude says
RATE_LIMIT_OUTPUT_TPM = env.int("RATE_LIMIT_OUTPUT_TPM", default=0)  # the same
SIMULATED_RATE_LIMIT_RPM = env.int("SIMULATED_RATE_LIMIT_RPM", default=60_000)

LOG_RETENTION_DAYS = env.int("LOG_RETENTION_DAYS", default=90)

SIMULATED_CLAUDE_LATENCY = env.float("SIMULATED_CLAUDE_LATENCY", default=0.3)  # seconds, on average
SIMULATED_CLAUDE_WEAK = env.float("SIMULATED_CLAUDE_WEAK", default=0.15)  # share of weak conversations

# --- Batches ----------------------------------------------------------------------------------------------

MAX_RUNNING_BATCHES = env.int("MAX_RUNNING_BATCHES", default=3)
MAX_BATCH_CONCURRENCY = env.int("MAX_BATCH_CONCURRENCY", default=50)  # calls in flight in one batch
BATCH_SLICE_SECONDS = env.float("BATCH_SLICE_SECONDS", default=120.0)
BATCH_LEASE_SECONDS = env.float("BATCH_LEASE_SECONDS", default=30.0)
BATCH_ITEM_CLAIMS = env.int("BATCH_ITEM_CLAIMS", default=5)  # times that an item may be begun
BATCH_COST_WARNING_USD = env.float("BATCH_COST_WARNING_USD", default=50.0)  # likely cost to warn above; 0: never
ECONOMY_CHUNK_REQUESTS = env.int("ECONOMY_CHUNK_REQUESTS", default=1_000)  # of one message batch, at most
ECONOMY_POLL_SECONDS = env.float("ECONOMY_POLL_SECONDS", default=60.0)  # between looks at a message batch

WORKER_HEALTH_PORT = env.int("WORKER_HEALTH_PORT", default=0)  # where a worker answers GET /health; 0: nowhere
WORKER_HEALTH_HOST = env.str("WORKER_HEALTH_HOST", default="127.0.0.1")

# django-q2 with PostgreSQL as the broker. `queue_limit=1`, because its redelivery clock starts when a task
# is fetched and not when it is begun; `timeout` above a slice and one request, `retry` above `timeout`.
Q_CLUSTER = {
    "name": "convgen",
    "orm": "default",
    "workers": env.int("WORKER_PROCESSES", default=4),
    "queue_limit": 1,
    "bulk": 1,
    "poll": 0.5,
    "timeout": 300,
    "retry": 900,
    "ack_failures": True,
    "max_attempts": 3,
    "catch_up": False,
    "save_limit": -1,
    "recycle": 200,
    "label": "Task queue",
}

# The login that `make run` prints.
CONVGEN_ADMIN_PASSWORD = env.str("CONVGEN_ADMIN_PASSWORD", default="")
