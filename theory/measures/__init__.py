"""What machines sample from: measures, mixtures and their iterates, complexity, and the depth of the buffer."""
