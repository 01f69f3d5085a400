"""The target model: the transformer that is trained on random computation."""
