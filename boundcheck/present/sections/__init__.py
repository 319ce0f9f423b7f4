"""The sections of the page, a file each, found by listing this package."""
