"""The duty roster: who enters, changes and hands over shifts, and who is told when somebody is missing."""
