"""Sealed envelopes: bytes in, bytes out. Knows nothing of requests, databases or brokers."""
