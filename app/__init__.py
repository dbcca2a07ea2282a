"""The service's package. Empty, so that migrations can import the models without loading the rest."""
