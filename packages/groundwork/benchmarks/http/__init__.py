"""The cost of the API compared with bare Flask routes, the cost of its layers, and the memory of a worker."""
