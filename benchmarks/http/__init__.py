"""What the API costs beside the least that answers the same, what each layer of it costs, and what it remembers."""
