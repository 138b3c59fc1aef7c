"""S3: whether a bucket is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.aws.errors import code_of, translated

if TYPE_CHECKING:
    from manuel_release.aws.session import Session


class Buckets:
    """Finds buckets."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def exists(self, bucket: str) -> bool:
        """Whether the bucket exists; raises AccessError when it is somebody else's, or not to be looked at."""
        client = self._session.client("s3")
        with translated(f"cannot look for bucket {bucket}"):
            try:
                client.head_bucket(Bucket=bucket)
            except client.exceptions.ClientError as error:
                if code_of(error) in {"404", "NoSuchBucket", "NotFound"}:
                    return False
                raise
        return True
