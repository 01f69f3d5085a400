"""The statements of the paper, each as a check that returns a frozen result and that can fail."""
