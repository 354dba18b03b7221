"""A node whose database is older than its word finds it out, asks its peers, and takes its own words back (ruling 22).

1. `begin` on proof under our own signature: every peer is closed, the log stands still.
2. `ask` each peer, once, on both lanes, with what we have of every thread.
3. The peer's `answer`: our texts that we lack, its own that we lack, then the same list as it has it.
4. `adopt` each text of ours that comes back.
5. `finish` a peer when nothing is awaited: states become what we had said, holes are filled, its threads open.

Every step is one transaction and may be done again; all that is known about a recovery is in the database.
"""
