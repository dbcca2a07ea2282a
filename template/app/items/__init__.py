"""Items, as an example: put your own in their place. Without this package, the service has accounts only."""
