"""No database, but the app imported: what a run of one test pays for the app is not paid for its database."""

import app.models  # noqa: F401
