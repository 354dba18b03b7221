"""The mathematics and the text formats of the audit log. No I/O; an auditor reads this room alone."""
