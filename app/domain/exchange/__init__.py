"""The exchange between two contact points: its value, and every function that makes a new one out of an old one."""
