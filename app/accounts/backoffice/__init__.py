"""Sign-in pages, and staff sessions of the back office."""

from app.accounts.backoffice import sign_in

BLUEPRINTS = [sign_in.blueprint]
