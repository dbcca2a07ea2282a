"""Forms of the pages."""

from groundwork.flask.http.field_types import Name
from groundwork.flask.http.forms import Form


class NewItem(Form):
    name: Name
    """What it is called, in 200 characters at most."""
