"""Every request counts as sent over TLS: the real endpoints speak nothing else, this one only listens on 127.0.0.1.

Otherwise bucket policies that deny requests without TLS (`aws:SecureTransport`) would deny everything here.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport
"""

from __future__ import annotations

from ministack import app

REQUIRES = {
    "ministack.app.pin_request_origin": ("source_ip", "secure_transport"),
}


def install() -> None:
    """Have the condition key be true."""
    pin = app.pin_request_origin

    def pin_as_secure(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001 - replaced
        pin(source_ip, secure_transport=True)

    app.pin_request_origin = pin_as_secure
