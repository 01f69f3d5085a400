"""What is measured, how, and dated records; run from the root of the checkout: `python -m benchmarks.bench_source`."""
