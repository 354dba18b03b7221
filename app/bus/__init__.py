"""The courier: bytes and routing keys between contact points, never plaintext."""
