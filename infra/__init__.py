"""What the stages stand on, none of it aware of what a candle is.

Settings, topics on the broker, how quixstreams is run, the embedded servers, the supervisor and the simulated venue. What comes
in: environment variables. What goes out: addresses and processes.
"""
