"""What a request, an exchange and a hold are, as values and tables. No I/O, no clock, no settings."""
