"""Telling people outside the node that something waits for them: by e-mail or signed webhook, never any content.

The feed of events is read in order and turned into rows (`collect`); the rows are sent until somebody has taken them
(`deliver`). Neither step can lose a message; a crash between sending and noting it sends the same one again, under the
same id.
"""
