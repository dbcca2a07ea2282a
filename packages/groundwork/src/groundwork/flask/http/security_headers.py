"""Browser policy for pages: load only from this server, run no scripts, allow no framing and no caching."""

from flask import Response

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
}


def protect(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers.update(HEADERS)
    return response
