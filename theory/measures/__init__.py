"""What machines sample from: measures, densities, mixtures, their iterates, complexity, and the depth of the buffer."""
