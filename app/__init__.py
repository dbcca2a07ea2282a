"""The shop. Empty, so that who needs a part of it, as migrations need the models, does not load the whole."""
