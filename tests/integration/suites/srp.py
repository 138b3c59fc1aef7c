"""Cognito's USER_SRP_AUTH: signing in without sending the password, as the app does it in production.

SRP-6a (RFC 5054) over the 3072-bit group of RFC 3526 with Cognito's own hashing, key derivation and message:
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

# RFC 3526, section 4 (group 15).
PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
    "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33"
    "A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864"
    "D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2"
    "08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
GENERATOR = 2
LABEL = b"Caldera Derived Key"


@dataclass(frozen=True)
class Exchange:
    """One sign-in: `public` goes out first as SRP_A, `claim` answers the PASSWORD_VERIFIER challenge."""

    pool_id: str
    secret: int = field(default_factory=lambda: secrets.randbits(1024), repr=False)

    @property
    def public(self) -> str:
        """SRP_A, in hexadecimal digits."""
        return f"{pow(GENERATOR, self.secret, PRIME):x}"

    def claim(self, password: str, challenge: dict[str, str], now: datetime | None = None) -> dict[str, str]:
        """The responses to a challenge with SRP_B, SALT, SECRET_BLOCK and USER_ID_FOR_SRP."""
        user, pool = challenge["USER_ID_FOR_SRP"], self.pool_id.split("_", 1)[1]
        theirs = int(challenge["SRP_B"], 16)
        scramble = _hash(_padded(int(self.public, 16)) + _padded(theirs))
        identity = hashlib.sha256(f"{pool}{user}:{password}".encode()).digest()
        private = _hash(_padded(int(challenge["SALT"], 16)) + identity)
        multiplier = _hash(_padded(PRIME) + _padded(GENERATOR))
        base = (theirs - multiplier * pow(GENERATOR, private, PRIME)) % PRIME
        shared = pow(base, self.secret + scramble * private, PRIME)
        material = hmac.digest(_padded(scramble), _padded(shared), "sha256")
        key = hmac.digest(material, LABEL + b"\x01", "sha256")[:16]
        stamp = _stamp(now or datetime.now(UTC))
        message = pool.encode() + user.encode() + base64.b64decode(challenge["SECRET_BLOCK"]) + stamp.encode()
        return {
            "USERNAME": user,
            "TIMESTAMP": stamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": challenge["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.digest(key, message, "sha256")).decode(),
        }


def _padded(number: int) -> bytes:
    """The number's bytes with a zero before a set first bit, as Java's BigInteger writes it."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest(), "big")


def _stamp(now: datetime) -> str:
    """`Mon Nov 3 09:05:00 UTC 2026`: English names, no leading zero in the day, whatever the locale is."""
    days, months = "Mon Tue Wed Thu Fri Sat Sun", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    day, month = days.split()[now.weekday()], months.split()[now.month - 1]
    return f"{day} {month} {now.day} {now:%H:%M:%S} UTC {now.year}"
