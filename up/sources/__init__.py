"""Where training sequences come from: sources of random computation, and the streams that instances are drawn from."""
