"""Settings, driven by the environment and grouped by concern. `.env.example` lists every variable."""

import logging
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from tms.config import aliases, aws
from tms.config import environment as env
from tms.config.database import database_settings
from tms.config.email_url import mailer
from tms.config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = env.folder("TMS_DATA_DIR", BASE_DIR / "var")

# Security

PRODUCTION = env.flag("TMS_PRODUCTION", default=False)
"""The embedded default (False) creates its own secret; production refuses to start unless everything is set."""

if PRODUCTION:
    aliases.apply()

DEBUG = env.flag("TMS_DEBUG", default=False)
SECRET_KEY = env.text("TMS_SECRET_KEY")
if not SECRET_KEY and not PRODUCTION:
    SECRET_KEY = env.stored_secret(DATA_DIR)
ALLOWED_HOSTS = env.words("TMS_ALLOWED_HOSTS", "" if PRODUCTION else "*")
CSRF_TRUSTED_ORIGINS = env.words("TMS_TRUSTED_ORIGINS")
TRUSTED_PROXIES = env.words("TMS_TRUSTED_PROXIES")
"""Addresses whose `X-Forwarded-*` headers are trusted."""

HTTPS_ONLY = env.flag("TMS_HTTPS_ONLY", default=PRODUCTION)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^health/$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS_ONLY
SESSION_COOKIE_AGE = env.whole("TMS_SIGN_IN_HOURS", 12, least=1, most=8_760) * 3600
SESSION_ENGINE = "tms.accounts.sessions.store"
COOKIE_PREFIX = "__Host-" if HTTPS_ONLY else ""
"""A browser accepts a cookie with this prefix only from this host over HTTPS; no subdomain can set or read it."""

SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}tms_session"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}django_language"
DEVICE_COOKIE_NAME = f"{COOKIE_PREFIX}tms_device"
WALL_COOKIE_NAME = f"{COOKIE_PREFIX}tms_wall"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
UNUSED_FEATURES = (
    "accelerometer bluetooth browsing-topics camera display-capture geolocation gyroscope hid "
    "idle-detection magnetometer microphone midi payment serial usb"
)
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES.split())
STATIC_URL = env.text("TMS_STATIC_URL", "/static/")
"""The URL from which browsers get static files."""

STATIC_SOURCES = [CSP.SELF, *env.origins(STATIC_URL)]
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": STATIC_SOURCES,
    "style-src": STATIC_SOURCES,
    "img-src": STATIC_SOURCES,
    "font-src": STATIC_SOURCES,
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "worker-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# Applications

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "django_structlog",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "tms.accounts",
    "tms.rest_base",
    "tms.approvals",
    "tms.fleet",
    "tms.telemetry",
    "tms.transfer",
    "tms.alerts",
    "tms.commands",
    "tms.files",
    "tms.jobs",
    "tms.artifacts",
    "tms.configuration",
    "tms.rollouts",
    "tms.availability",
    "tms.inspections",
    "tms.replay",
    "tms.shifts",
    "tms.ingest",
    "tms.notifications",
    "tms.boards",
    "tms.ops",
    "tms.demo",
    "tms.search",
    "tms.main",
]
MIDDLEWARE = [
    "tms.ops.middleware.request_cleanup.RequestCleanupMiddleware",
    "tms.ops.middleware.security_headers.HeadersMiddleware",
    "tms.ops.middleware.unavailable.DatabaseDeadlineMiddleware",
    "tms.ops.middleware.trusted_proxy.TrustedProxyMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "tms.ops.middleware.any_host.AnyHostMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tms.accounts.sessions.activity.ActivityMiddleware",
    "tms.accounts.audit.recorder.AuditMiddleware",
    "tms.accounts.language.LanguageMiddleware",
    "tms.accounts.me.time_zone.TimeZoneMiddleware",
    "tms.ops.middleware.nul_bytes.NulMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tms.ops.middleware.request_log.RequestLogMiddleware",
    "tms.accounts.factors.policy.SetUpMiddleware",
    "tms.accounts.sign_in.middleware.RefusalMiddleware",
    "tms.boards.drafts.DraftMiddleware",
]
ROOT_URLCONF = "tms.main.urls"
ASGI_APPLICATION = "asgi.application"
TEMPLATES = [
    {
        "BACKEND": "tms.boards.rendering.template_engine.Templates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tms.boards.context_processors.shell",
                "tms.accounts.factors.policy.banner",
                "tms.demo.tour.demo",
            ],
            "builtins": ["tms.boards.templatetags.foreign"],
        },
    }
]

# Database

EMBEDDED = "sqlite://:memory:" if PRODUCTION else f"sqlite:///{DATA_DIR / 'tms.sqlite3'}"
"""Production refuses to start without a database URL; an in-memory database lets it reach that message."""

DATABASE_URL = env.text("TMS_DATABASE_URL", EMBEDDED)
DATABASE_POOL = env.whole("TMS_DATABASE_POOL", 10, least=2)
DATABASE_SECRET = env.text("TMS_DATABASE_SECRET")
DATABASE_MASTER_SECRET = env.text("TMS_DATABASE_MASTER_SECRET")
"""The secret of the master user. Only `migrate_once` uses it, to create the role whose name and password
`TMS_DATABASE_SECRET` contains.
"""

DATABASES = {"default": database_settings(DATABASE_URL, pool=DATABASE_POOL, secret=DATABASE_SECRET)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis: the feed between processes. Without it everything runs in one process.

REDIS_URL = env.text("TMS_REDIS_URL")
REDIS_PREFIX = env.text("TMS_REDIS_PREFIX", "tms")
"""Separates several TMS on one Redis."""
REDIS_SOCKET: dict[str, Any] = {
    "socket_timeout": 15,  # redis-py 8 closes an idle socket after 5 s unless configured otherwise
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
}
"""No keepalive probes: redis-py takes their error for a missing message, and retries in a loop that blocks everything
else. The hub notices a dead connection by itself.
"""

CHANNEL_LAYERS: dict[str, Any] = {
    "default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
}
if REDIS_URL:
    CHANNEL_LAYERS["default"] = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, **REDIS_SOCKET}],
            "prefix": REDIS_PREFIX,
        },
    }
    # Waiting for a cache would only delay a page, or the thread that renders all boards.
    REDIS_CACHE = {"socket_timeout": 1, "socket_connect_timeout": 1}
    CACHES = {
        "default": {
            "BACKEND": "tms.lib.redis_cache.FallbackCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": REDIS_PREFIX,
            "OPTIONS": REDIS_CACHE,
        },
        "sessions": {
            "BACKEND": "tms.accounts.sessions.cache.SessionCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": REDIS_PREFIX,
            "OPTIONS": REDIS_CACHE,
        },
    }
    SESSION_CACHE_ALIAS = "sessions"

# People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["tms.accounts.sign_in.backend.ThrottledBackend"]
PASSWORD_HASHERS = ["tms.accounts.sign_in.hashing.BoundedPBKDF2"]
HASHING_THREADS = env.whole("TMS_HASHING_THREADS", 1, least=1, most=64)
"""Passwords that one process hashes at once."""
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "tms.accounts.passwords.product_words.PasswordWordValidator"},
]
PASSWORD_HISTORY = env.whole("TMS_PASSWORD_HISTORY", 4, most=24)
"""A new password is none of so many last ones. 0: it may be any."""

BREACHED_PASSWORDS = env.text("TMS_BREACHED_PASSWORDS")
if BREACHED_PASSWORDS:
    AUTH_PASSWORD_VALIDATORS.append(
        {
            "NAME": "tms.accounts.passwords.breaches.BreachedPasswordValidator",
            "OPTIONS": {"url": BREACHED_PASSWORDS},
        }
    )
if PASSWORD_HISTORY:
    AUTH_PASSWORD_VALIDATORS.append(
        {
            "NAME": "tms.accounts.passwords.history.PasswordHistoryValidator",
            "OPTIONS": {"number": PASSWORD_HISTORY},
        }
    )
DEMO_IN_PRODUCTION = env.flag("TMS_DEMO_IN_PRODUCTION", default=False)
"""Whether the demo runs in production mode. The cluster of `make cluster` does so, and serves nobody else."""
INVITATION_DAYS = env.whole("TMS_INVITATION_DAYS", 7, least=1, most=30)
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "sign-in"
SIGN_IN_FAILURES = env.whole("TMS_SIGN_IN_FAILURES", 5, least=1)
"""Failed attempts for one name from one address within the window; then this pair waits."""

SIGN_IN_FAILURES_PER_ADDRESS = env.whole("TMS_SIGN_IN_FAILURES_PER_ADDRESS", 20, least=1)
SIGN_IN_FAILURES_PER_NAME = env.whole("TMS_SIGN_IN_FAILURES_PER_NAME", 20, least=1)
SIGN_IN_FAILURES_PER_MINUTE = env.whole("TMS_SIGN_IN_FAILURES_PER_MINUTE", 30, least=1)
"""Failed attempts of all names and addresses together."""

SIGN_IN_WINDOW_S = env.seconds("TMS_SIGN_IN_WINDOW_S", 900, least=1)
SIGN_IN_FORMS_PER_MINUTE = env.whole("TMS_SIGN_IN_FORMS_PER_MINUTE", 60, least=1)
"""Attempts of one address, successful or not, that one process checks."""

# django-allauth runs the steps of a sign-in and records the browsers in which people are signed in (decision 0038).
# None of its pages is mounted, and its other features stay off.
ACCOUNT_ADAPTER = "tms.accounts.sign_in_adapter.SignInAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_TIMEOUT = 300
"""Seconds between the steps of one sign-in."""

MFA_ADAPTER = "tms.accounts.factors.adapter.FactorAdapter"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
SECOND_FACTOR = env.choice(
    "TMS_SECOND_FACTOR", "operators" if PRODUCTION else "nobody", ("nobody", "operators", "everyone")
)
"""Who must have one. Operators: everyone with a permission beyond reading."""

SECOND_FACTOR_GRACE_DAYS = env.days("TMS_SECOND_FACTOR_GRACE_DAYS", 14)
BREAK_GLASS = frozenset(env.words("TMS_BREAK_GLASS"))
"""Usernames whose sign-ins raise an alarm."""

INACTIVE_DAYS = env.days("TMS_INACTIVE_DAYS", 90 if PRODUCTION else 0)
"""Accounts that nobody used for so long are disabled, a week after a mail at the earliest. 0: never."""
if 0 < INACTIVE_DAYS < 14:
    raise ImproperlyConfigured(f"TMS_INACTIVE_DAYS={INACTIVE_DAYS}: expected 0, or 14 days or more")

PASSWORD_RESET_TIMEOUT = 3600
IDLE_S = env.whole("TMS_IDLE_MINUTES", 60, most=525_600) * 60
"""A session ends when no page was opened, and no live board was open, for this long. 0: never."""

CONFIRM_MINUTES = env.whole("TMS_CONFIRM_MINUTES", 10, least=1)
"""How long after signing in a person may change their factors without confirming that it is them."""

# Languages and time

USE_I18N = USE_TZ = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.time_zone("TMS_TIME_ZONE", "Asia/Tokyo")

# Static files

SWAGGER = next(iter(find_spec("ninja").submodule_search_locations))  # type: ignore[union-attr, arg-type]  # it is installed
STATIC_BUILD = BASE_DIR / "build/static"
"""What `make static` builds of the sources in `static/`."""
STATICFILES_DIRS = [STATIC_BUILD, ("swagger", Path(SWAGGER, "static/ninja"))]
"""Our files, and Swagger UI, which is part of the package django-ninja and found without importing it."""

STATIC_ROOT = env.folder("TMS_STATIC_ROOT", DATA_DIR / "static")
STATIC_BUCKET = env.text("TMS_STATIC_BUCKET")
WHITENOISE_IMMUTABLE_FILE_TEST = r".+(\.[0-9a-f]{12}|-[A-Z0-9]{8})\.\w+$"
"""Hashed by collectstatic, or by the bundler."""
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
HASHED = "tms.ops.static_files.BucketStaticFiles" if STATIC_BUCKET else "tms.ops.static_files.HashedStaticFiles"
AS_THEY_ARE = "django.contrib.staticfiles.storage.StaticFilesStorage"
MEDIA_ROOT = DATA_DIR / "files"
"""Photos of inspections and files of terminals, without a bucket. Nothing serves this directory: a view checks who may
see a file.
"""
FILES_BUCKET = env.text("TMS_FILES_BUCKET")
"""A private bucket of Amazon S3 for them. Nodes on several machines need one, because each has a disk of its own."""
OF_BUCKET: dict[str, Any] = {
    "bucket_name": FILES_BUCKET,
    "region_name": aws.region() or None,
    "default_acl": None,
    "file_overwrite": False,
    "max_memory_size": 2**20,
}
if FILES_BUCKET or env.text("TMS_ARTIFACTS_BUCKET"):
    from boto3.s3.transfer import TransferConfig

    # One request a file: boto3 would keep the parts of one of 50 MB in memory.
    OF_BUCKET["transfer_config"] = TransferConfig(multipart_threshold=2**26, use_threads=False)
    # By default a request that S3 does not answer would occupy its thread for minutes. One may have 50 MB.
    OF_BUCKET["client_config"] = aws.config(read_s=30)

ARTIFACTS_ROOT = DATA_DIR / "artifacts"
"""Artifacts without a bucket."""

ARTIFACTS_BUCKET = env.text("TMS_ARTIFACTS_BUCKET")
"""A private bucket of Amazon S3 for them, from which terminals download with presigned addresses."""

ARTIFACTS_BY_NGINX = env.flag("TMS_ARTIFACTS_BY_NGINX", default=False)
"""nginx sends artifacts that are on disk, after TMS has decided who gets them."""

DOWNLOAD_BYTES_S = env.whole("TMS_DOWNLOAD_BYTES_S", 0)
"""The largest rate at which one terminal downloads an artifact; 0 for no limit."""

DOWNLOADS_AT_ONCE = env.whole("TMS_DOWNLOADS_AT_ONCE", 40, least=1)
"""Downloads of artifacts from the disk that a node sends at a time."""

DOWNLOADS_PER_SITE = env.whole("TMS_DOWNLOADS_PER_SITE", 4, least=1)
ROLLOUT_HOUR_S = env.whole("TMS_ROLLOUT_HOUR_S", 3_600, least=60, most=3_600)
"""How long updated and waiting terminals are compared at a time. Demos shorten it, so that a stop can be watched."""
FILES_DAYS = env.days("TMS_FILES_DAYS", 30, least=1)
FILES_DAILY_MB = env.whole("TMS_FILES_DAILY_MB", 500, least=1)
"""Megabytes that one terminal may upload within 24 hours."""

FILES_TOTAL_MB = env.whole("TMS_FILES_TOTAL_MB", 50_000, least=1)
"""Megabytes of all files of terminals."""

STORAGES = {
    "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": OF_BUCKET}
    if FILES_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "artifacts": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": OF_BUCKET | {"bucket_name": ARTIFACTS_BUCKET, "signature_version": "s3v4"},
    }
    if ARTIFACTS_BUCKET
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": ARTIFACTS_ROOT,
            # The workers of nginx run as another user.
            "file_permissions_mode": 0o644 if ARTIFACTS_BY_NGINX else 0o600,
            "directory_permissions_mode": 0o755 if ARTIFACTS_BY_NGINX else 0o700,
        },
    },
    "staticfiles": {"BACKEND": HASHED if PRODUCTION else AS_THEY_ARE},
}

# The link and presence

NODE = env.text("TMS_NODE", socket.gethostname())
"""The name of this server process, unique among the processes of one TMS."""

HEARTBEAT_S = env.seconds("TMS_HEARTBEAT_S", 30, least=0.1)
LEASE_GRACE_S = env.seconds("TMS_LEASE_GRACE_S", 15)
"""A terminal is silent if nothing was received for the heartbeat and this grace."""

OFFLINE_AFTER_S = env.seconds("TMS_OFFLINE_AFTER_S", 30)
"""A silent terminal is offline after this."""

REBOOT_ALLOWANCE_S = env.seconds("TMS_REBOOT_ALLOWANCE_S", 300)
"""How long a reboot or update may take if the terminal names no return time."""

HAWKBIT_POLL_S = env.seconds("TMS_HAWKBIT_POLL_S", 300, least=1)
"""How often a terminal without a link polls, whose updater speaks hawkBit's device API."""

HAWKBIT_LEASE_S = 3 * HAWKBIT_POLL_S
"""Such a terminal is silent after this: a poll or two may fail, and its updater does not repeat them."""

LONGEST_GOODBYE_S = env.seconds("TMS_LONGEST_GOODBYE_S", 86_400)
"""The longest absence that a goodbye excuses; a longer one needs a maintenance window."""

RECONNECT_GRACE_S = env.seconds("TMS_RECONNECT_GRACE_S", 90)
"""How long terminals of a stopped node may take to return before they are offline."""

BOOT_DEADLINE_S = env.seconds("TMS_BOOT_DEADLINE_S", 10, least=0.1)
FRAMES_PER_MINUTE = env.whole("TMS_FRAMES_PER_MINUTE", 100, least=1)
FRAMES_BURST = env.whole("TMS_FRAMES_BURST", 50, least=1)
TAKEOVERS_PER_MINUTE = env.whole("TMS_TAKEOVERS_PER_MINUTE", 15, least=1)
TAKEOVER_BAN_S = env.seconds("TMS_TAKEOVER_BAN_S", 300)

# Alerts

STALE_AFTER_S = env.seconds("TMS_STALE_AFTER_S", 14_400)
"""A person who acknowledged an alert is reminded after this time without an update. 0: never."""
CORRELATION_WAIT_S = env.seconds("TMS_CORRELATION_WAIT_S", 5)
"""Notifications of lost terminals are delayed this long, because the alerts may be correlated into an incident."""

FLAPPING_WINDOW_S = env.seconds("TMS_FLAPPING_WINDOW_S", 1_800)
"""The period in which openings and recoveries are counted. 0: no flap detection."""

FLAPPING_HIGH_PCT = env.whole("TMS_FLAPPING_HIGH_PCT", 30, least=2, most=100)
FLAPPING_LOW_PCT = env.whole("TMS_FLAPPING_LOW_PCT", 15, least=1, most=FLAPPING_HIGH_PCT - 1)
"""An alert flaps from the higher share of changes on, until the score has fallen to the lower one."""

# Approvals

APPROVAL_TERMINALS = env.whole("TMS_APPROVAL_TERMINALS", 100)
"""A maintenance window that covers more terminals needs a second person. 0: none does."""

APPROVAL_ALERTS = env.whole("TMS_APPROVAL_ALERTS", 100)
"""Resolving or snoozing more alerts at once needs a second person. 0: never."""

APPROVAL_LAST_LANE = env.flag("TMS_APPROVAL_LAST_LANE", default=True)
"""Whether a dangerous command to the last working lane of an open site needs a second person."""

APPROVAL_EXPIRES_S = env.seconds("TMS_APPROVAL_EXPIRES_S", 300, least=30)
"""How long a request waits for an answer."""

# Ingest

FLUSH_INTERVAL_S = env.seconds("TMS_FLUSH_INTERVAL_S", 0.1, least=0.01)
FLUSH_LIMIT = env.whole("TMS_FLUSH_LIMIT", 2_000, least=1)
PENDING_LIMIT = env.whole("TMS_PENDING_LIMIT", 20_000, least=1)
"""Uncommitted items a process holds before it stops reading from terminals."""

# Retention

READINGS_DAYS = env.days("TMS_READINGS_DAYS", 14, least=2)
"""Retention of reports. Charts of longer ranges use roll-ups."""

ROLLUPS_DAYS = env.days("TMS_ROLLUPS_DAYS", 400, least=2)
HISTORY_DAYS = env.days("TMS_HISTORY_DAYS", 400, least=2)
"""Events, changes of presence and identity, and boots."""

# Availability

AVAILABILITY_TARGET = env.percent("TMS_AVAILABILITY_TARGET", 99.9)
"""Target in per cent for the fleet, and for sites without a target of their own."""
CUSTOMER = env.text("TMS_CUSTOMER")
"""The customer's name on availability reports."""

# Audit trail

AUDIT_DAYS = env.days("TMS_AUDIT_DAYS", 1_100, least=90)
"""Retention of the audit trail: three years, of which PCI DSS wants one."""
AUDIT_ANCHOR_S = env.seconds("TMS_AUDIT_ANCHOR_S", 3_600, least=60)
"""How often the state of its hash chain is written to the log and to the bucket."""
AUDIT_BUCKET = env.text("TMS_AUDIT_BUCKET")
"""A bucket of Amazon S3 with Object Lock, for anchors of the chain."""
AUDIT_PREFIX = env.text("TMS_AUDIT_PREFIX", "audit/")

# Boards

FRAME_INTERVAL_S = env.seconds("TMS_FRAME_INTERVAL_S", 0.25, least=0.05)
MOVE_INTERVAL_S = env.seconds("TMS_MOVE_INTERVAL_S", 15, least=0.05)
PROOF_INTERVAL_S = env.seconds("TMS_PROOF_INTERVAL_S", 10, least=0.5)

# Notifications

PUBLIC_URL = env.address("TMS_PUBLIC_URL")
"""URL under which people reach TMS: for links in notifications."""

EMAIL_URL = env.text("TMS_EMAIL_URL")
MAILERS = {"default": mailer(EMAIL_URL)}
DEFAULT_FROM_EMAIL = env.text("TMS_EMAIL_FROM", "tms@localhost")
INSIDE_DESTINATIONS = env.networks("TMS_INSIDE_DESTINATIONS")
"""Networks that are not public, to which TMS connects nevertheless: notifications, identity providers."""

ACTION_LINKS = env.choice("TMS_ACTION_LINKS", "people", ("off", "people", "all"))
"""Whose messages have a link to acknowledge without signing in: destinations of people, or also shared ones."""
ACTION_LINK_HOURS = env.whole("TMS_ACTION_LINK_HOURS", 24, least=1, most=168)

PUSH = env.flag("TMS_PUSH", default=True)
"""Whether people can get notifications in their browsers, by web push."""
PUSH_SERVICES = env.words(
    "TMS_PUSH_SERVICES", "fcm.googleapis.com,push.services.mozilla.com,notify.windows.com,push.apple.com"
)
"""Hosts to which TMS posts for devices, and their subdomains."""
PUSH_CONTACT = env.text("TMS_PUSH_CONTACT")
"""`mailto:` or `https:` address for push services. By default the URL of TMS, or the sender of its mails."""

# API

API_PER_MINUTE = env.whole("TMS_API_PER_MINUTE", 600, least=1)
API_BURST = env.whole("TMS_API_BURST", 100, least=1)
"""Requests of one token, on average and at once, that one process accepts."""

# Server

PING_INTERVAL_S = env.seconds("TMS_PING_INTERVAL_S", 20, least=0.1)
PING_TIMEOUT_S = env.seconds("TMS_PING_TIMEOUT_S", 13, least=0.1)
REQUEST_TIMEOUT_S = env.seconds("TMS_REQUEST_TIMEOUT_S", 30, least=0.1)
KEEP_ALIVE_S = env.seconds("TMS_KEEP_ALIVE_S", 310, least=0.1)
HANDSHAKE_TIMEOUT_S = env.seconds("TMS_HANDSHAKE_TIMEOUT_S", 5, least=0.1)
CLOSE_TIMEOUT_S = env.seconds("TMS_CLOSE_TIMEOUT_S", 3, least=0.1)

INPUT_MESSAGES = env.whole("TMS_INPUT_MESSAGES", 32, least=1)
"""Received but unprocessed messages of one socket at which reading from it stops."""

OUTPUT_BYTES = env.whole("TMS_OUTPUT_BYTES", 1_048_576, least=65_536)
OUTPUT_BLOCKED_S = env.seconds("TMS_OUTPUT_BLOCKED_S", 10, least=0.1)
SEND_BUFFER_BYTES = env.whole("TMS_SEND_BUFFER_BYTES", 131_072)

MAX_CONNECTIONS = env.whole("TMS_MAX_CONNECTIONS", 0)
"""Open sockets of this process; 0 derives it from the file-descriptor limit."""

SPARE_CONNECTIONS = env.whole("TMS_SPARE_CONNECTIONS", 64, least=1)
SPARE_DESCRIPTORS = env.whole("TMS_SPARE_DESCRIPTORS", 200, least=50)
MAX_HANDSHAKES = env.whole("TMS_MAX_HANDSHAKES", 256, least=1)
BACKLOG = env.whole("TMS_BACKLOG", 256, least=1)
RETRY_AFTER_S = env.whole("TMS_RETRY_AFTER_S", 10, least=1)

CONNECTIONS_PER_ADDRESS = env.whole("TMS_CONNECTIONS_PER_ADDRESS", 2_000)
BOARDS_PER_PERSON = env.whole("TMS_BOARDS_PER_PERSON", 200)
"""Connections of one address and boards of one person, both of one process; 0 is no limit."""

DRAIN_SPREAD_S = env.seconds("TMS_DRAIN_SPREAD_S", 30 if PRODUCTION else 1)
HOOK_TIMEOUT_S = env.seconds("TMS_HOOK_TIMEOUT_S", 5, least=0.1)
"""Time limit of each hook that the application runs when its process ends: before sockets are closed, and after."""

EXIT_TIMEOUT_S = env.seconds("TMS_EXIT_TIMEOUT_S", 5, least=0.1)
LINGER_S = env.seconds("TMS_LINGER_S", 10, least=0.1)

# Logs

LOG_LEVEL = env.choice("TMS_LOG_LEVEL", "INFO", ("debug", "info", "warning", "error", "critical")).upper()
LOG_FORMAT = env.choice("TMS_LOG_FORMAT", "json" if PRODUCTION else "plain", ("json", "plain"))
ERROR_LOG = env.text("TMS_ERROR_LOG")
"""A file of errors beside the console."""

# CloudWatch

CLOUDWATCH_LOG_GROUP = env.text("TMS_CLOUDWATCH_LOG_GROUP")
CLOUDWATCH_NAMESPACE = env.text("TMS_CLOUDWATCH_NAMESPACE")
CLOUDWATCH_INTERVAL_S = env.seconds("TMS_CLOUDWATCH_INTERVAL_S", 60, least=1)
aws.must_be_usable(
    (
        "TMS_STATIC_BUCKET",
        "TMS_FILES_BUCKET",
        "TMS_ARTIFACTS_BUCKET",
        "TMS_AUDIT_BUCKET",
        "TMS_DATABASE_SECRET",
        "TMS_CLOUDWATCH_LOG_GROUP",
        "TMS_CLOUDWATCH_NAMESPACE",
    )
)
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
"""Django itself logs each 4xx, with the reason."""
LOGGING = logging_config(
    level=LOG_LEVEL, form=LOG_FORMAT, error_log=ERROR_LOG, cloudwatch_group=CLOUDWATCH_LOG_GROUP, node=NODE
)
