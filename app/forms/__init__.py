"""The printed form: what a case looks like on paper, in two languages at once, as a page and as a document."""
