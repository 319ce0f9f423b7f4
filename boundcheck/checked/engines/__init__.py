"""The engines examined against each other: claims from words whose truth is known, each put to every engine."""
