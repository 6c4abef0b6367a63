"""What every answer carries against misuse: headers, a strict content policy, CSRF tokens, limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from webui.settings import WebSettings

MAX_FORM_BYTES: Final = 64 * 1024
# No inline script, no inline style; `data:` is for the arrows and ticks that Bootstrap's style sheet draws.
CONTENT_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def secure(app: Flask, settings: WebSettings, key: bytes) -> Limiter:
    """Configure sessions, headers and CSRF of an app, and give what limits how often a view is asked."""
    app.config.update(
        SECRET_KEY=key,
        SESSION_COOKIE_NAME="audit_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.tls,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        # The cookie lives as long as the session may; whether somebody was idle is judged on each request.
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_ENABLED=True,
    )
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    CSRFProtect(app)
    Talisman(
        app,
        force_https=settings.tls,
        session_cookie_secure=settings.tls,
        session_cookie_http_only=True,
        session_cookie_samesite="Lax",
        strict_transport_security=settings.tls,
        frame_options="DENY",
        content_security_policy=CONTENT_POLICY,
        referrer_policy="same-origin",
        permissions_policy={"camera": "()", "geolocation": "()", "microphone": "()"},
    )

    @app.after_request
    def keep_private(response: Response) -> Response:
        # What a tenant's events say must not lie in a shared cache; files of the product may.
        if request.endpoint not in {"static", "bootstrap.static"}:
            response.headers["Cache-Control"] = "no-store"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return response

    # One process serves the UI, so its memory is the right place for the counters.
    return Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
