"""Settings of the installation: one file, safe without any configuration.

Every knob is an environment variable named ``COORDINATION_*`` (or ``DATABASE_URL``, ``REDIS_URL``,
``EMAIL_URL``); each can also be read from a file by ``*_FILE``. ``docs/operations.md`` lists them.
Without any: SQLite and files under ``var/``, no server, mail to the console and to files.
"""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from coordination.knobs import (
    checked_reply_address,
    mail_from_url,
    mailbox_from_url,
    read_flag,
    read_list,
    read_networks,
    read_number,
    read_ports,
    read_text,
)

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(read_text("COORDINATION_VAR", str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(mode=0o750, parents=True, exist_ok=True)

# -- What kind of start this is ------------------------------------------------------------------

ENVIRONMENT = read_text("COORDINATION_ENV", "local")
if ENVIRONMENT not in {"local", "production"}:
    raise ImproperlyConfigured(f"COORDINATION_ENV is local or production, not {ENVIRONMENT!r}.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = read_flag("COORDINATION_DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("A production start with COORDINATION_DEBUG on is refused.")


def _secret_key() -> str:
    """Return the configured key or, on a machine of one's own, one made once and kept in var/."""
    key = read_text("COORDINATION_SECRET_KEY")
    if key:
        return key
    if PRODUCTION:
        raise ImproperlyConfigured(
            "A production start needs COORDINATION_SECRET_KEY or COORDINATION_SECRET_KEY_FILE."
        )
    path = VAR_DIR / "secret-key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key


SECRET_KEY = _secret_key()

# -- Where it is reached -------------------------------------------------------------------------

COORDINATION_BASE_URL = read_text("COORDINATION_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
BASE_URL_CONFIGURED = bool(read_text("COORDINATION_BASE_URL"))  # else `up` takes what it serves
_base = urlsplit(COORDINATION_BASE_URL)
if _base.scheme not in {"http", "https"} or not _base.hostname:
    raise ImproperlyConfigured("COORDINATION_BASE_URL must be http://host or https://host.")
ALLOWED_HOSTS = read_list(
    "COORDINATION_ALLOWED_HOSTS",
    [_base.hostname, "localhost", "127.0.0.1", "[::1]"],  # a supervisor asks from beside it
)
ALLOWED_HOSTS_CONFIGURED = bool(read_text("COORDINATION_ALLOWED_HOSTS"))
CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]
ROOT_URLCONF = "coordination.urls"
WSGI_APPLICATION = "coordination.wsgi.application"

# -- What it is made of --------------------------------------------------------------------------

INSTALLED_APPS = [
    "coordination.starting",
    "coordination.demo",
    "coordination.portal",
    "coordination.calendars",
    "coordination.workbooks",
    "events",
    "alliances",
    "coordination.deliveries",
    "coordination.rest",
    "coordination.accounts",
    "coordination.changes",
    "whitenoise.runserver_nostatic",
    "coordination.accounts.apps.SuperusersAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
    "csp",
]

# Programs' doors stand outside the pages' middleware (see coordination/middleware.py).
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "coordination.middleware.ProgramsPassBy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "coordination.accounts.middleware.PageViewer",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "coordination.middleware.PagesEndHere",
]
PROGRAM_PATHS = (
    "/api/v1/",
    "/dav",
    "/principals",
    "/calendars/",
    "/.well-known/",
    "/healthz/",
    "/metrics",
)
PROGRAM_ROOT = "/dav/"  # where programs that ask the bare address by these methods are led
PROGRAM_METHODS = ("OPTIONS", "PROPFIND", "REPORT")
SESSION_PATHS = ("/api/v1/",)
SESSION_MIDDLEWARE = [  # for a session cookie at SESSION_PATHS
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
if PRODUCTION:
    MIDDLEWARE.insert(2, "django_structlog.middlewares.RequestMiddleware")

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# -- Where it keeps things -----------------------------------------------------------------------

_SQLITE: dict[str, Any] = {
    "ENGINE": "coordination.sqlite",
    "NAME": VAR_DIR / "coordination.sqlite3",
    "CONN_MAX_AGE": None,
    "OPTIONS": {
        "timeout": 20,  # seconds a writer waits for another
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    },
}


def _database() -> dict[str, Any]:
    """Return SQLite under var/, or PostgreSQL by DATABASE_URL with a pool of connections."""
    url = read_text("DATABASE_URL")
    if not url:
        return _SQLITE
    parsed: dict[str, Any] = dict(dj_database_url.parse(url))
    if parsed["ENGINE"] == "django.db.backends.sqlite3":
        return {**_SQLITE, "NAME": parsed["NAME"]}
    if parsed["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql:// or sqlite://.")
    if password := read_text("COORDINATION_DATABASE_PASSWORD"):
        parsed["PASSWORD"] = password
    pool = {
        "min_size": 1,
        "max_size": read_number("COORDINATION_DATABASE_POOL", 20),
        "timeout": 10,
    }
    options = {
        **parsed.get("OPTIONS", {}),
        "pool": pool,
        "connect_timeout": 5,
        "prepare_threshold": 5,  # for statements that ask for it; the ORM's are never prepared
    }
    return {**parsed, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = read_text("REDIS_URL")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 5000},
    },
    "answers": {  # lists of the API, by their ETag; at most 128 KiB each
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "answers",
        "OPTIONS": {"MAX_ENTRIES": 300},
    },
}
if REDIS_URL:
    CACHES["default"] = CACHES["answers"] = {
        "BACKEND": "coordination.cache.RedisOrNothing",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "coordination",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }

MEDIA_ROOT = VAR_DIR / "files"  # uploads, stored by hash, served as attachments only
FILE_UPLOAD_PERMISSIONS = 0o640
COORDINATION_MAX_UPLOAD_BYTES = 1024 * 1024 * read_number("COORDINATION_MAX_UPLOAD_MEGABYTES", 20)
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # bytes
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("gif", "jpg", "map", "png", "webp", "woff", "woff2")
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# -- Who comes in --------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation proves the address
ACCOUNT_CHANGE_EMAIL = True  # a new address takes the old one's place once it is proved
ACCOUNT_ADAPTER = "coordination.accounts.adapters.InvitedOnly"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900  # seconds
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "20/m/ip,5/5m/key",  # an office may share one address
    "reset_password": "20/m/ip,5/h/key",
}
MFA_TOTP_ISSUER = "Coordination"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up alone, so no address is a squatter's
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
SOCIALACCOUNT_ADAPTER = "coordination.accounts.adapters.KnownPeople"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True  # the provider is the operator's own
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
OIDC_SIGNUP = read_flag("COORDINATION_OIDC_SIGNUP", default=False)
OIDC_SERVER_URL = read_text("COORDINATION_OIDC_SERVER_URL")
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {"openid_connect": {"APPS": []}}
if OIDC_SERVER_URL:
    SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"].append(
        {
            "provider_id": "oidc",
            "name": read_text("COORDINATION_OIDC_NAME", "OpenID Connect"),
            "client_id": read_text("COORDINATION_OIDC_CLIENT_ID"),
            "secret": read_text("COORDINATION_OIDC_SECRET"),
            "settings": {"server_url": OIDC_SERVER_URL},
        }
    )

# -- What browsers are told ----------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "img-src": ["'self'", "data:"],  # the two-factor QR code
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'", *([OIDC_SERVER_URL] if OIDC_SERVER_URL else [])],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if _base.scheme == "https":
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = read_number("COORDINATION_HSTS_SECONDS", 31_536_000)
if read_flag("COORDINATION_BEHIND_PROXY", default=False):
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# -- Languages and times -------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]

# -- Mail, API, tasks, logs ----------------------------------------------------------------------

_mail = mail_from_url(read_text("EMAIL_URL"), folder=VAR_DIR / "mail")
EMAIL_BACKEND: str = _mail["EMAIL_BACKEND"]
EMAIL_FILE_PATH: Path = _mail.get("EMAIL_FILE_PATH", VAR_DIR / "mail")
EMAIL_HOST: str = _mail.get("EMAIL_HOST", "localhost")
EMAIL_PORT: int = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER: str = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD: str = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL: bool = _mail.get("EMAIL_USE_SSL", False)
EMAIL_USE_TLS: bool = _mail.get("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT: int = _mail.get("EMAIL_TIMEOUT", 20)  # seconds
DEFAULT_FROM_EMAIL = SERVER_EMAIL = read_text("COORDINATION_MAIL_FROM", "coordination@localhost")
REPLY_ADDRESS = checked_reply_address(read_text("COORDINATION_REPLY_ADDRESS"))
INBOUND_MAILBOX = mailbox_from_url(read_text("COORDINATION_INBOUND_MAIL_URL"))

EGRESS_HTTP = read_flag("COORDINATION_EGRESS_HTTP", default=False)
EGRESS_PORTS = read_ports("COORDINATION_EGRESS_PORTS", [80, 443])
EGRESS_NETWORKS = read_networks("COORDINATION_EGRESS_NETWORKS")
CHAT_HOSTS = read_list("COORDINATION_CHAT_HOSTS", [])  # beside those of the robots' makers

REST_FRAMEWORK: dict[str, Any] = {  # the rest: coordination/rest/views.py
    "DEFAULT_SCHEMA_CLASS": "coordination.rest.schema.HouseSchema",
    "EXCEPTION_HANDLER": "coordination.rest.problems.handle_exception",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_REQUESTS_PER_MINUTE = read_number("COORDINATION_API_RATE", 6000)  # of one caller; 0: no limit
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Coordination",
    "VERSION": "1",
    "DESCRIPTION": "Alliances of zones and cities, their annual plans, and the events they hold.",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "PREPROCESSING_HOOKS": ["coordination.rest.schema.only_documented_paths"],
    "POSTPROCESSING_HOOKS": [
        "coordination.rest.schema.describe_common_answers",
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

METRICS_TOKEN = read_text("COORDINATION_METRICS_TOKEN")
LOG_LEVEL = read_text("COORDINATION_LOG_LEVEL", "INFO" if PRODUCTION else "WARNING").upper()
LOGGING_CONFIG = "coordination.logs.configure"
LOGGING: dict[str, Any] = {"production": PRODUCTION, "level": LOG_LEVEL}
