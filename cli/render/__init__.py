"""Pure functions from results to rich renderables; nothing here computes a result, reads a file or prints."""
