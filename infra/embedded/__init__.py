"""A real Kafka and a real PostgreSQL for machines that have neither: nothing but Python packages, on loopback, in one folder.

`running` is how to use them, `found` how to see whether somebody does. `keeper` is the process that owns the servers, `kafka` and
`postgres` know how to start each, `jars` downloads the broker once.
"""

from infra.embedded.lease import found, running

__all__ = ["found", "running"]
