"""Counterpart: the software of a state's 24/7 point of contact for cybercrime."""

__version__ = "0.1.0"
