"""Load generator: concurrent requests as clients of the service send them, and the outcome of each."""
