"""How to get in to a broker: the names of the client's options that a user may set."""

from __future__ import annotations

from typing import Final

SECURITY_KEYS: Final = frozenset(
    {
        "security_protocol",
        "sasl_mechanism",
        "sasl_plain_username",
        "sasl_plain_password",
        "sasl_kerberos_service_name",
        "sasl_kerberos_domain_name",
        "ssl_cafile",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_password",
        "ssl_check_hostname",
        "ssl_crlfile",
    }
)
"""What the `kafka_security` setting may hold; a secret comes from the environment, never from a flag."""
