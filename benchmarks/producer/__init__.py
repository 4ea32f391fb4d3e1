"""What the benchmarks of the producer share: a venue that tells as fast as it is read, the real producer, a real broker.

`frames` has simulated Binance write what it would tell, `blaster` is the venue that tells it, `rig` starts everything, `ledger`
reads afterwards what has become of it on Kafka, `rival` has cryptofeed decode the same frames.
"""
