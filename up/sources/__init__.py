"""Where training sequences come from: random models, and the buffer that feeds their output back to them."""
