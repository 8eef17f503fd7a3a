"""TLS between the clients of a Service and the engine itself."""

from l4serve.config.keys.base import ConfigModel, ObjectName


class PodTls(ConfigModel):
    """A certificate that the engine itself shows; probes, metrics and the gateway follow."""

    secret: ObjectName
    """TLS Secret that the namespace already holds, with tls.crt and tls.key."""
