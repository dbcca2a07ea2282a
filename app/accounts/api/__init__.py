"""Endpoints of accounts, and the authentication of API requests."""

from app.accounts.api import tokens, users

BLUEPRINTS = [tokens.blueprint, users.blueprint]
