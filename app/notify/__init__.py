"""What leaves a node for its own people: mail and signed webhooks, taken from a table and sent until they arrive."""
