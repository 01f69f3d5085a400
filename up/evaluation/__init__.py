"""Zero-shot evaluation: bits per character of a model, beside exact models that learn in context."""
