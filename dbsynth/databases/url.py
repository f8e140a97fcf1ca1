"""Database URLs: parsed once, shown without their passwords.

A URL travels as a SQLAlchemy ``URL`` value, whose text form already hides the password; `display`
also hides passwords that stand among the query parameters.
"""

from __future__ import annotations

import re

import sqlalchemy as sa

from dbsynth.errors import SpecError

_SECRET_PARAMETERS = frozenset({"password", "sslpassword", "passfile", "oauth_client_secret"})
_HIDDEN = "***"


def parse_url(text: str) -> sa.URL:
    """The URL value of a text such as ``postgresql://me@host/shop``.

    Raises:
        SpecError: The text is no URL.  The message never repeats it, as it may hold a password.
    """
    try:
        url = sa.make_url(text.strip())
    except (sa.exc.ArgumentError, ValueError):
        raise SpecError(
            "A database URL cannot be understood",
            hint="Write it as `postgresql://user@host:5432/database` or `sqlite:///file.db`; "
            "percent-encode special characters of a password.",
        ) from None
    return url


def scheme(url: sa.URL) -> str:
    """The kind of database a URL names: ``postgresql`` for ``postgresql+psycopg`` and so on."""
    return url.drivername.partition("+")[0].lower()


def display(url: sa.URL) -> str:
    """The URL with every password hidden, for people to read."""
    query = {
        name: _HIDDEN if name.lower() in _SECRET_PARAMETERS else value
        for name, value in url.query.items()
    }
    return url.set(query=query).render_as_string(hide_password=True)


def secrets(url: sa.URL) -> tuple[str, ...]:
    """Every secret that a URL holds, longest first."""
    values = [url.query[name] for name in url.query if name.lower() in _SECRET_PARAMETERS]
    flat = [v for value in values for v in ((value,) if isinstance(value, str) else value)]
    if url.password:
        flat.append(str(url.password))
    return tuple(sorted((v for v in flat if v), key=len, reverse=True))


def hide_secrets(text: str, url: sa.URL) -> str:
    """A text from elsewhere (a driver's message) without the secrets of a URL."""
    for secret in secrets(url):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", _HIDDEN, text)
    return text
