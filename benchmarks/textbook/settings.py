"""The result of a Channels tutorial, on the PostgreSQL and Redis of the benchmark.

Better than most in one respect: connections are pooled. Otherwise each message would open its own.
"""

import os

import dj_database_url

SECRET_KEY = "only for benchmarks"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    "benchmarks.textbook",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "benchmarks.textbook.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": dj_database_url.parse(os.environ["TEXTBOOK_DATABASE_URL"])}
DATABASES["default"]["OPTIONS"] = {"pool": True}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # redis-py 8 drops an idle socket after 5 s by default.
        "CONFIG": {"hosts": [{"address": os.environ["TEXTBOOK_REDIS_URL"], "socket_timeout": 15}]},
    }
}
