"""One verb per file: what happens inside one transaction. Never commits, never names the broker."""
