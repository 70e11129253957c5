"""What a slot of a question can hold, and what an answer can make of it."""
