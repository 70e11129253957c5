"""The families of skills behind the example domains."""
