"""SQL as named functions, one file per family of tables. Returns values; never commits."""
